"""Which spans a run takes: whole ones, each row counted once, none changed behind a model's back.

What is wrong with a span holds it back and is reported; it never fails the run.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from core.errors import InputError
from core.sections.data import DataSection
from pipeline.ingestion.spans import (
    NO_FILE,
    TEST,
    SourceFile,
    SpanFinding,
    inspect,
    part_of,
    read_part,
    span_folders,
)


class Suspect(NamedTuple):
    """Why a span is suspected: SHA-256 of its files, the kind of what was found, and the words."""

    files: frozenset[str]
    kind: str
    why: str


Suspected = Mapping[int, Suspect]


@dataclass(frozen=True)
class Ledger:
    """What is known of spans from earlier runs.

    trained: SHA-256 of the files of each span, and the id of the last run that trained on it.
    suspected: spans whose labels or rows were found suspicious.
    """

    trained: Mapping[int, tuple[frozenset[str], str]] = field(default_factory=dict)
    suspected: Suspected = field(default_factory=dict)


@dataclass(frozen=True)
class Window:
    """What a run takes: spans ascending, their files, those of the test part last.

    settled: spans of it that a run trained on before or that a person accepted.
    """

    spans: tuple[int, ...]
    files: tuple[SourceFile, ...]
    held_back: tuple[SpanFinding, ...]
    reported: tuple[SpanFinding, ...]
    settled: frozenset[int] = frozenset()

    def files_of(self, span: int) -> tuple[SourceFile, ...]:
        """The files of one span."""
        return tuple(file for file in self.files if file.part == part_of(span))

    @property
    def test_files(self) -> tuple[SourceFile, ...]:
        """The files of the test part."""
        return tuple(file for file in self.files if file.part == TEST)

    def check(self) -> None:
        """Checks that there is something to train on.

        Raises:
            InputError: every span is held back.
        """
        if not self.spans:
            reasons = "\n".join(f"  span {f.span}: {f.message}" for f in self.held_back)
            raise InputError(f"data: every span is held back:\n{reasons}")


def find_window(folder: Path, data: DataSection, ledger: Ledger) -> Window:
    """Looks at all spans under `folder` and takes the newest whole ones, if there are any.

    Raises:
        InputError: there is no span, or no test part.
    """
    folders = span_folders(folder)
    test = read_part(folder / TEST, TEST)
    if not test:
        raise InputError(f"{folder / TEST}: missing, or {NO_FILE}; put the data there")
    whole: dict[int, tuple[SourceFile, ...]] = {}
    held_back = []
    for number in sorted(folders):
        finding, files = inspect(folders[number], number, data)
        if finding is None:
            whole[number] = files
        else:
            held_back.append(finding)
    window = choose(whole, test, data, ledger)
    return replace(window, held_back=tuple(sorted([*held_back, *window.held_back], key=_order)))


def _order(finding: SpanFinding) -> tuple[int, str]:
    return finding.span, finding.kind


def choose(
    whole: Mapping[int, tuple[SourceFile, ...]],
    test: tuple[SourceFile, ...],
    data: DataSection,
    ledger: Ledger,
) -> Window:
    """The window over spans that are whole by themselves.

    Args:
        whole: files of each span.
        test: files of the test part.
        data: window and accepted spans.
        ledger: what earlier runs trained on.
    """
    owners = {sha256: n for n, (sums, _) in ledger.trained.items() for sha256 in sums}
    of_test = {file.sha256 for file in test}
    held_back, reported = [], []
    usable: dict[int, tuple[SourceFile, ...]] = {}
    for number in sorted(whole):
        own, doubled = _split_doubled(number, whole[number], owners, of_test)
        finding = _judge(number, own, doubled, ledger)
        if finding is None or number in data.accept_spans:
            usable[number] = own or whole[number]
            if finding is not None:
                reported.append(replace(finding, kind="accepted"))
            elif doubled:
                what = f"{'; '.join(doubled)}; counted once"
                reported.append(SpanFinding(number, "duplicate file", what))
        else:
            held_back.append(finding)
        owners |= {file.sha256: number for file in own}
    spans = sorted(usable)[-(data.window or len(usable)) :]
    reported += _late(spans, usable, ledger)
    files = tuple(file for number in spans for file in usable[number])
    reported = [finding for finding in reported if finding.span in spans or finding.kind == "late"]
    settled = frozenset(spans) & {*ledger.trained, *data.accept_spans}
    return Window(
        tuple(spans),
        (*files, *test),
        tuple(held_back),
        tuple(sorted(reported, key=_order)),
        settled,
    )


def _split_doubled(
    number: int, files: Iterable[SourceFile], owners: Mapping[str, int], of_test: set[str]
) -> tuple[tuple[SourceFile, ...], list[str]]:
    """The files that no other span has, and a sentence about each of the others."""
    own: list[SourceFile] = []
    doubled = []
    for file in files:
        owner = owners.get(file.sha256, number)
        if file.sha256 in of_test:
            doubled.append(f"{file.name} is a file of the test part")
        elif owner != number:
            doubled.append(f"{file.name} has the content of a file of span {owner}")
        elif file.sha256 in {other.sha256 for other in own}:
            doubled.append(f"{file.name} has the content of another file of the span")
        else:
            own.append(file)
    return tuple(own), doubled


def _judge(
    number: int, own: Sequence[SourceFile], doubled: Sequence[str], ledger: Ledger
) -> SpanFinding | None:
    """What holds a span back in the light of earlier runs and of other spans."""
    if not own:
        return SpanFinding(number, "duplicate", "; ".join(doubled))
    sums = frozenset(file.sha256 for file in own)
    if number in ledger.trained and ledger.trained[number][0] != sums:
        what = (
            f"its content is another than run {ledger.trained[number][1]} trained on; bring that "
            f"back, or accept the new one: --set data.accept_spans=[{number}]"
        )
        return SpanFinding(number, "changed", what)
    known = number in ledger.trained
    suspect = ledger.suspected.get(number)
    if not known and suspect is not None and suspect.files == sums:
        what = f"{suspect.why}; correct it, or accept it: --set data.accept_spans=[{number}]"
        return SpanFinding(number, suspect.kind, what)
    return None


def _late(spans: Sequence[int], usable: Iterable[int], ledger: Ledger) -> list[SpanFinding]:
    """Spans that came after runs had trained on older and on newer ones."""
    found = []
    for number in usable:
        between = ledger.trained and min(ledger.trained) < number < max(ledger.trained)
        if between and number not in ledger.trained:
            place = "is in the window" if number in spans else "is older than the window: not used"
            what = f"came after run {ledger.trained[max(ledger.trained)][1]}; it {place}"
            found.append(SpanFinding(number, "late", what))
    return found
