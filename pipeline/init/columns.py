"""What each column of a file is, why, and what its owner may do about it.

A column is taken over as numbers, categories or free text, or left out with a reason. Nothing is
guessed silently: every decision is a row of the table that `init` prints.
"""

import re
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.raw_table import CATEGORY, DECIMAL_COMMA, NUMBER, TEXT, number, present
from pipeline.init import header_words, look_alikes

LEFT_OUT, LABEL = "left out", "label"
# Texts that stand for an unknown value: those of pandas.read_csv, and the question mark.
UNKNOWN = (
    "?", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
    "<NA>", "N/A", "NA", "NULL", "NaN", "n/a", "nan", "null",
)  # fmt: skip
MIN_PRESENCE = 0.01  # as features.min_presence, below which the DAG would drop the column
MOST_VALUES = 200  # of a category
FEW_VALUES = 20  # a category in a file of any size, if each is there twice
ROWS_A_VALUE = 5  # at least, on average, of a category of more values
WORDS_OF_TEXT = 4  # on average, in free text
SENTINEL_SHARE, LEAST_TIMES = 0.01, 5  # of a number that may mean unknown: its rows, at least
LEAST_OTHERS = 3  # values besides it
_CODE_OF_UNKNOWN = re.compile(r"-([789])\1*(\.0+)?", re.ASCII)
_ZEROS_IN_FRONT = re.compile(r"0\d+", re.ASCII)
_DATE = re.compile(
    r"(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2}))([ T].*)?"
    r"|\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AaPp][Mm])?"
)
_EPOCHS = ((1e8, 5e9), (1e11, 5e12))  # seconds and milliseconds since 1970: 1973 to 2128
_TIME_WORDS = re.compile(r"time|date|epoch|_at$|_ts$", re.IGNORECASE)
_ID_WORDS = re.compile(r"(^|[^a-z])(id|nr|no|key|uuid|guid|index|number)$", re.IGNORECASE)


@dataclass(frozen=True)
class Seen:
    """A column as it was found.

    Attributes:
      header: Its name in the file.
      kind: NUMBER, DECIMAL_COMMA, CATEGORY, TEXT, LABEL or LEFT_OUT.
      why: What in the values says so.
      advice: What to do if something else is wanted; "" where nothing is to be said.
      values: Distinct values of a category, sorted.
    """

    header: str
    kind: str
    why: str
    advice: str = ""
    values: tuple[str, ...] = ()


def unknown_texts(tallies: Iterable[Iterable[str]], more: Sequence[str]) -> tuple[str, ...]:
    """Those of UNKNOWN, and of `more`, that occur as whole cells.

    Args:
        tallies: the different cells of each column.
        more: what else its owner says is unknown.
    """
    wanted = dict.fromkeys((*UNKNOWN, *more))
    found = {bare for cells in tallies for cell in cells if (bare := cell.strip()) in wanted}
    return tuple(text for text in wanted if text in found)


def describe(
    header: str, tally: Mapping[str, int], missing: Sequence[str], wanted: str | None = None
) -> Seen:
    """What a column is.

    Args:
      header: Its name.
      tally: Its different cells in their order, and how often each is there.
      missing: Texts that stand for an unknown value.
      wanted: The kind that its owner says it has; None to find out.
    """
    rows = sum(tally.values())
    counts: Counter[str] = Counter()
    for cell, times in zip(present(list(tally), missing), tally.values(), strict=True):
        if cell:
            counts[cell] += times
    if not header:
        return _nameless(counts, rows)
    if not counts:
        return Seen(header, LEFT_OUT, "empty in every row")
    if wanted is not None:
        return _as_wanted(header, counts, wanted)
    share = counts.total() / rows
    if share < MIN_PRESENCE:
        return Seen(header, LEFT_OUT, f"empty in {1 - share:.2%} of the rows", "bring more values")
    if len(counts) == 1:
        return Seen(header, LEFT_OUT, f"constant: always '{_short(next(iter(counts)))}'")
    kind, numbers = _number_kind(counts)
    seen = _as_date(header, counts)
    if seen is None and len(numbers) == len(counts):
        seen = _as_codes(header, counts) or _as_numbers(header, counts, kind, numbers)
    return seen or _as_mixed(header, counts, numbers) or _as_text(header, counts)


def _nameless(counts: Counter[str], rows: int) -> Seen:
    """A column without a name: as a rule the row numbers that pandas writes in front."""
    numbered = len(counts) == rows and all(cell.isdecimal() for cell in counts)
    if numbered and max(map(int, counts)) - min(map(int, counts)) < 2 * rows:
        return Seen("", LEFT_OUT, "row numbers without a name, as pandas writes its index")
    return Seen("", LEFT_OUT, "it has no name", "name it in the header")


def _as_wanted(header: str, counts: Counter[str], wanted: str) -> Seen:
    why = "as --kind says"
    if wanted in (LEFT_OUT, TEXT):
        return Seen(header, wanted, why)
    if wanted == CATEGORY:
        return _category(header, f"{why}: {len(counts)} values", counts)
    kind, numbers = _number_kind(counts)
    if len(numbers) < len(counts):
        return Seen(header, LEFT_OUT, f"{why} a number, but {_stray(counts, numbers)}", _MEND)
    return Seen(header, kind, why)


def _category(header: str, why: str, counts: Counter[str], advice: str = "") -> Seen:
    if alike := look_alikes.groups(counts):
        advice = (
            f"{look_alikes.told(alike[0])} count as different: write them alike if they are not"
        )
    return Seen(header, CATEGORY, why, advice, tuple(sorted(counts)))


def _as_date(header: str, counts: Counter[str]) -> Seen | None:
    dated = all(map(_DATE.fullmatch, counts))
    epoch = not dated and _TIME_WORDS.search(header) and all(map(_is_epoch, counts))
    if not dated and not epoch:
        return None
    what = "seconds since 1970" if epoch else "dates or times"
    return Seen(
        header,
        LEFT_OUT,
        f"{what}, e.g. '{_short(next(iter(counts)))}': a later one is never like an earlier one",
        "derive what repeats (month, weekday, hour, age in days) as a column of its own",
    )


def _is_epoch(cell: str) -> bool:
    plain = number(cell, NUMBER)
    return plain is not None and any(low <= float(plain) <= high for low, high in _EPOCHS)


def _as_codes(header: str, counts: Counter[str]) -> Seen | None:
    """Whole numbers with zeros in front: as a number, 00057 would be 57."""
    first = next(filter(_ZEROS_IN_FRONT.fullmatch, counts), None)
    if first is None:
        return None
    why = f"{len(counts)} codes with zeros in front, e.g. '{_short(first)}'"
    advice = f"an amount? {otherwise(header, NUMBER)}"
    if _is_category(counts, MOST_VALUES):
        return _category(header, why, counts, advice)
    grouped = f"too many to learn from: group them, e.g. by their first digits; {advice}"
    return Seen(header, LEFT_OUT, why, grouped)


def _as_numbers(header: str, counts: Counter[str], kind: str, numbers: Mapping[str, str]) -> Seen:
    if len(counts) == 2:
        low, high = sorted(counts)
        return Seen(header, CATEGORY, f"two values: {low} and {high}", "", (low, high))
    values = np.array(list(map(float, numbers.values())))
    whole = bool((values == np.floor(values)).all())
    low, high = values.min(), values.max()
    if len(np.unique(values.astype(np.float32))) == 1:
        why = f"{low:g} to {high:g}, which is one number as a 32-bit float, as models see it"
        return Seen(header, LEFT_OUT, why, "scale or shift it")
    spread = f"{low:g} to {high:g}"
    total = counts.total()
    different = len(np.unique(values))
    another = whole and different == total and total >= FEW_VALUES
    if another and (high - low < 2 * total or _ID_WORDS.search(header)):
        return Seen(
            header,
            LEFT_OUT,
            f"an id: whole numbers, {spread}, another one in each row",
            otherwise(header, NUMBER),
        )
    form = _form(numbers)
    advice = _unknown_number(values, counts)
    if not whole:
        return Seen(header, kind, f"numbers, {spread}{form}", advice)
    codes = len(counts) <= MOST_VALUES and total >= ROWS_A_VALUE * len(counts)
    if not advice and codes and header_words.is_code(header):
        advice = f"a code? {otherwise(header, CATEGORY)}"
    return Seen(header, kind, f"whole numbers, {spread}, {len(counts)} different{form}", advice)


def _unknown_number(values: NDArray[np.float64], counts: Counter[str]) -> str:
    """What to do about a number that may stand for an unknown value, such as -999; "" if none."""
    cells = np.array(list(counts))
    times = np.array(list(counts.values()))
    least = max(LEAST_TIMES, SENTINEL_SHARE * times.sum())
    below = values < 0
    negative = cells[below & (times >= least)].tolist()
    alone = len(negative) == 1 or all(map(_CODE_OF_UNKNOWN.fullmatch, negative))
    unknown: list[str] = []
    whole = bool((values[below] == np.floor(values[below])).all())
    others = int((~below).sum())
    if alone and whole and 0 < len(negative) == below.sum() and others >= LEAST_OTHERS:
        unknown, cells = negative, cells[~below]
        values, times = values[~below], times[~below]
    order = np.argsort(values, kind="stable")
    for end, rest in ((order[0], order[1:]), (order[-1], order[:-1])):
        if len(rest) >= LEAST_OTHERS and times[end] >= least:
            low, high = values[rest].min(), values[rest].max()
            if min(abs(values[end] - low), abs(values[end] - high)) > high - low:
                unknown.append(str(cells[end]))
    if not unknown:
        return ""
    share = sum(counts[cell] for cell in unknown) / counts.total()
    flags = " ".join(shlex.quote(f"--missing={cell}") for cell in unknown)
    return f"{' and '.join(unknown)} ({share:.0%} of its rows): probably 'unknown', {flags}"


def _as_mixed(header: str, counts: Counter[str], numbers: Mapping[str, str]) -> Seen | None:
    rows = sum(counts[cell] for cell in numbers)
    if rows < counts.total() / 2 or _is_category(counts, FEW_VALUES):
        return None
    return Seen(header, LEFT_OUT, f"numbers, but {_stray(counts, numbers)}", _MEND)


def _as_text(header: str, counts: Counter[str]) -> Seen:
    rows = counts.total()
    if _is_category(counts, MOST_VALUES):
        return _category(header, f"{len(counts)} different texts", counts)
    words = sum((cell.count(" ") + 1) * times for cell, times in counts.items()) / rows
    of_rows = f"{len(counts)} different texts in {rows} rows"
    if words >= WORDS_OF_TEXT:
        return Seen(header, TEXT, f"free text, {words:.0f} words on average: {of_rows}")
    return Seen(
        header,
        LEFT_OUT,
        f"{of_rows}: an id, or too many values to learn from",
        "group the values, e.g. by region or type",
    )


def _is_category(counts: Counter[str], most: int) -> bool:
    rows_a_value = 2 if len(counts) <= FEW_VALUES else ROWS_A_VALUE
    return len(counts) <= most and counts.total() >= rows_a_value * len(counts)


def _number_kind(counts: Counter[str]) -> tuple[str, dict[str, str]]:
    """The way in which most values are numbers, and the plain form of those that are."""
    plain = _numbers(counts, NUMBER)
    if len(plain) == len(counts):
        return NUMBER, plain
    with_comma = _numbers(counts, DECIMAL_COMMA)
    return (DECIMAL_COMMA, with_comma) if len(with_comma) > len(plain) else (NUMBER, plain)


def _numbers(counts: Iterable[str], kind: str) -> dict[str, str]:
    return {cell: plain for cell in counts if (plain := number(cell, kind)) is not None}


def _form(numbers: Mapping[str, str]) -> str:
    changed = next((cell for cell, plain in numbers.items() if plain != cell), None)
    return f"; '{_short(changed)}' is read as {numbers[changed]}" if changed is not None else ""


def _stray(counts: Counter[str], numbers: Mapping[str, str]) -> str:
    stray = [cell for cell in counts if cell not in numbers]
    rows = sum(counts[cell] for cell in stray)
    return f"{rows} cells are none, e.g. '{_short(stray[0])}' ({len(stray)} different)"


def _short(cell: str) -> str:
    flat = " ".join(cell.split())
    return flat if len(flat) <= 30 else f"{flat[:29]}…"


def otherwise(header: str, kind: str) -> str:
    """The flag that makes another kind of a column."""
    return f"--kind {shlex.quote(f'{header}={kind}')}"


_MEND = "mend the cells, or name what means unknown with --missing TEXT"
