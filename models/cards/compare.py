"""Whether a file is the card that its sources make: line by line, claim by claim."""

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from models.cards.document import WORDS_BEGIN, WORDS_END, Claim, Written, as_text

_SHOWN = 60  # characters of a line on each side of where it differs
_INNER = re.compile(r">([^<]*)</data>$")


@dataclass(frozen=True)
class Comparison:
    """How a file differs from the card that its sources make.

    Attributes:
      problems: One line for each claim or line that differs.
      words_changed: Whether what people wrote was changed, of which nothing is claimed.
    """

    problems: list[str]
    words_changed: bool = False


def compare(expected: Sequence[Written], text: str) -> Comparison:
    """Compares a file with its card, character by character; what people wrote aside.

    Args:
      expected: The lines of the card.
      text: Content of the file.
    """
    if as_text(expected) == text:
        return Comparison([])
    found = text.split("\n")
    problems = [] if found[-1] == "" else ["the last line is cut off, or has no end"]
    found = found[:-1] if found[-1] == "" else found
    wanted = [line.text for line in expected]
    mine, theirs = _words(wanted), _words(found)
    if mine is None or theirs is None:
        return Comparison([*problems, *_lines(expected, found, 1)])
    problems += _lines(expected[: mine[0]], found[: theirs[0]], 1)
    problems += _lines(expected[mine[1] :], found[theirs[1] :], theirs[1] + 1)
    changed = wanted[mine[0] : mine[1]] != found[theirs[0] : theirs[1]]
    return Comparison(problems, changed)


def _words(lines: Sequence[str]) -> tuple[int, int] | None:
    """Where what people wrote begins and ends, without the marks; None without both marks."""
    if WORDS_BEGIN not in lines:
        return None
    begin = lines.index(WORDS_BEGIN) + 1
    return (begin, lines.index(WORDS_END, begin)) if WORDS_END in lines[begin:] else None


def _lines(expected: Sequence[Written], found: Sequence[str], first: int) -> Iterator[str]:
    """What differs, in words; `first` is the number of the first line in the file."""
    wanted = [line.text for line in expected]
    if len(wanted) == len(found):
        for place, line in enumerate(expected):
            if line.text != found[place]:
                yield from _differs(line, found[place], first + place)
        return
    matcher = difflib.SequenceMatcher(None, wanted, found, autojunk=False)
    for what, i1, i2, j1, j2 in matcher.get_opcodes():
        if what == "equal":
            continue
        both = min(i2 - i1, j2 - j1)
        for step in range(both):
            yield from _differs(expected[i1 + step], found[j1 + step], first + j1 + step)
        for line in expected[i1 + both : i2]:
            yield f"line {first + j1 + both}: a line is missing: {_cut(line.text, 0)}"
        for step in range(j1 + both, j2):
            yield f"line {first + step}: a line that no source makes: {_cut(found[step], 0)}"


def _differs(line: Written, found: str, number: int) -> Iterator[str]:
    """The claims on a line that the file says otherwise; the line where it is none of them."""
    begin = _shared(line.text, found)
    rest = min(len(line.text), len(found)) - begin
    end = _shared(line.text[::-1][:rest], found[::-1][:rest])
    touched = [
        (start, stop, claim)
        for start, stop, claim in line.claims
        if start < len(line.text) - end + (begin == len(line.text) - end) and stop > begin - 1
    ]
    if len(touched) == 1 and touched[0][0] <= begin and len(line.text) - end <= touched[0][1]:
        [(start, stop, claim)] = touched
        yield _claim(claim, found[start : len(found) - (len(line.text) - stop)], number)
        return
    for _, _, claim in touched:
        here = f"line {number}: at {_where(claim)}, whose value is {claim.text}"
        yield f"{here}: {_cut(found, begin)}"
    if not touched:
        yield f"line {number}: reads '{_cut(found, begin)}', not '{_cut(line.text, begin)}'"


def _claim(claim: Claim, written: str, number: int) -> str:
    inner = _INNER.search(written)
    said = inner[1] if inner else written
    if inner and said == claim.text:
        return f"line {number}: {_where(claim)}: the reference or the full value was altered"
    return f"line {number}: {_where(claim)}: the card says {said}, the source says {claim.text}"


def _where(claim: Claim) -> str:
    pointer = claim.pointer
    return f"{pointer.label} {pointer.file}#{pointer.text}".strip()


def _shared(one: str, other: str) -> int:
    """How many characters two texts begin with alike."""
    for place, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return place
    return min(len(one), len(other))


def _cut(text: str, place: int) -> str:
    start = max(0, place - _SHOWN)
    return f"{'...' if start else ''}{text[start : place + _SHOWN]}"
