"""Describes a new data set from a CSV file: everything is made and checked, then put in place."""

import hashlib
import importlib
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core import csv_text, raw_table
from core.errors import InputError
from core.files import REPOSITORY
from core.raw_table import NUMBERS
from models.labels import functions as labeling
from pipeline.config import overlay
from pipeline.config.load import CONFIGS, SMOKE, load
from pipeline.ingestion import staging
from pipeline.init import contract, example, files, leaks, looking, names, proposal
from pipeline.init.example import Example, Value
from pipeline.init.files import InitOrigin
from pipeline.init.gold_budget import SEED
from pipeline.init.looking import WEAK, InitRequest, Looked
from pipeline.init.proposal import Proposal

CHECKED_ROWS, CHECKED_OF_A_CLASS = 5000, 50  # of each part
_SIDES = (("span-1", False), ("test", True))


@dataclass(frozen=True)
class Described:
    """A new data set: what was decided, the labelling functions, the files that were written."""

    proposal: Proposal
    examples: tuple[Example, ...]
    written: tuple[str, ...]


def describe(
    request: InitRequest, origin: InitOrigin, say: Callable[[str], None] = lambda _: None
) -> Described:
    """Writes configuration, contract and data folder of a new data set, or nothing.

    Args:
        request: what was asked for.
        origin: when and how.
        say: is told what is being done.

    Raises:
        InputError: the name is taken, or the file or its label cannot be used; says which.
    """
    names.check_data_set(request.name, REPOSITORY)
    say(f"reading {request.csv}")
    try:
        content = request.csv.read_bytes()
    except OSError as error:
        raise InputError(f"--csv {request.csv}: cannot be read: {error.strerror}") from error
    found = looking.read(content, str(request.csv))
    del content
    say(f"looking at {len(found.header)} columns")
    looked = looking.look(request, found)
    table = raw_table.convert(looked.source, found.cells, str(request.csv))
    del found
    [(_, smoke)] = overlay.read_chain(str(SMOKE), CONFIGS)
    proposed, test, gold_rows = _without_leaks(looked, table, smoke, say)
    taken = [*(column.name for column in proposed.columns), proposed.label.name]
    table = {name: table[name] for name in taken}
    say("looking for labelling functions")
    unfit = {*gold_rows.suspect, *proposed.dates}
    sound = {n: v for n, v in gold_rows.values.items() if n not in unfit}
    chosen = example.find(sound, gold_rows.classes, proposed.text, gold_rows.looked_at)
    if not chosen and proposed.mode == WEAK:
        raise InputError(
            f"{request.csv}: no column has a value, a word or a range that holds for "
            f"{example.RARE_COVERAGE:.0%} to {example.MOST_COVERAGE:.0%} of the rows, which a "
            "labelling function needs to begin with, columns that tell the label aside; bring more "
            "columns or more rows, or --mode gold if nearly all rows have a label"
        )
    say("writing and checking")
    schema = contract.infer(table, proposed, _smallest_split(proposed, smoke))
    contents = files.render(proposed, contract.render(schema), chosen, origin)
    some = {part: _some(table, test, side, proposed.label.name) for part, side in _SIDES}
    _put(contents, proposed, some)
    return Described(
        proposed, tuple(chosen), (f"data/{request.name}/{proposed.source.file}", *contents)
    )


@dataclass(frozen=True)
class _GoldRows:
    """What of the training part is looked at: the gold rows, and some for coverage.

    values: values by column, of these rows only.
    classes: class of the gold rows by their number among these rows.
    looked_at: numbers of the rows that stand for all.
    suspect: columns that tell the label and stay, as their owner asked for them.
    """

    values: dict[str, list[Value | None]]
    classes: dict[int, int]
    looked_at: list[int]
    suspect: frozenset[str] = frozenset()


def _without_leaks(
    looked: Looked,
    table: Mapping[str, list[str]],
    smoke: Mapping[str, Any],
    say: Callable[[str], None],
) -> tuple[Proposal, list[bool], _GoldRows]:
    """Leaves out columns that tell the label: without them the split and the draw are others."""
    while True:
        say("splitting the rows")
        proposed, test = proposal.propose(looked, table, smoke)
        gold_rows = _gold_rows(proposed, table, test)
        found = leaks.find(gold_rows.values, gold_rows.classes, proposed.label.names)
        headers = {column.name: column.header for column in proposed.columns}
        new = {name: why for name, why in found.items() if headers[name] not in looked.leaks}
        if not new:
            return proposed, test, replace(gold_rows, suspect=frozenset(found))
        looked = looking.without(looked, new)


def _gold_rows(
    proposed: Proposal, table: Mapping[str, list[str]], test: Sequence[bool]
) -> _GoldRows:
    """The gold rows are those that a run will draw."""
    label = proposed.label
    training = [n for n, tested in enumerate(test) if not tested]
    cells = table[label.name]
    labeled = [(f"span-1:{n}", at) for n, at in enumerate(training, 1) if cells[at]]
    drawn = labeling.draw(SEED, [row_id for row_id, _ in labeled], proposed.gold_rows)
    gold = [labeled[n][1] for _, n in drawn]
    some = training[:: max(1, len(training) // example.SAMPLE)]
    values = {
        column.name: [
            None if not cell else float(cell) if column.kind in NUMBERS else cell
            for cell in map(table[column.name].__getitem__, [*gold, *some])
        ]
        for column in proposed.columns
    }
    code_of = {name: code for code, name in enumerate(label.names)}
    classes = {n: code_of[cells[at]] for n, at in enumerate(gold)}
    return _GoldRows(values, classes, list(range(len(gold), len(gold) + len(some))))


def _smallest_split(proposed: Proposal, smoke: Mapping[str, Any]) -> int:
    total = sum(proposed.rows.values())
    share = min(1.0, smoke["data"]["rows"] / total)
    return int(min(proposed.rows["test"], proposed.rows["span-1"] * 0.2) * share)


def _some(
    table: Mapping[str, list[str]], test: Sequence[bool], side: bool, label: str
) -> dict[str, list[str]]:
    """The first CHECKED_ROWS rows of a part, and the first CHECKED_OF_A_CLASS of each class."""
    of_part = [n for n, tested in enumerate(test) if tested == side]
    seen = Counter[str]()
    at = []
    for place, n in enumerate(of_part):
        seen[table[label][n]] += 1
        if place < CHECKED_ROWS or seen[table[label][n]] <= CHECKED_OF_A_CLASS:
            at.append(n)
    return {column: [cells[n] for n in at] for column, cells in table.items()}


def _put(
    contents: Mapping[str, bytes], proposed: Proposal, parts: Mapping[str, Mapping[str, list[str]]]
) -> None:
    """Writes beside the final places, moves there, and checks what is there; or undoes it all."""
    name = proposed.request.name
    places = [Path("data") / name, Path("schema") / name, Path("configs") / f"{name}.yaml"]
    scratch = Path(tempfile.mkdtemp(prefix=f".init-{name}-", dir=REPOSITORY))
    moved: list[Path] = []
    try:
        for path, content in contents.items():
            (scratch / path).parent.mkdir(parents=True, exist_ok=True)
            (scratch / path).write_bytes(content)
        raw = scratch / "data" / name / proposed.source.file
        raw.parent.mkdir()
        shutil.copyfile(proposed.request.csv, raw)
        for place in places:
            (scratch / place).rename(REPOSITORY / place)
            moved.append(REPOSITORY / place)
        _check(proposed, scratch, parts)
    except BaseException:
        for place in reversed(moved):
            shutil.rmtree(place) if place.is_dir() else place.unlink()
        raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _check(proposed: Proposal, scratch: Path, parts: Mapping[str, Mapping[str, list[str]]]) -> None:
    """Loads what was written as a run would, and stages the beginnings of both parts.

    What a cell may hold was looked at in every row when the columns and the contract were made.

    Raises:
        InputError: a run would fail.
    """
    name = proposed.request.name
    raw = REPOSITORY / "data" / name / proposed.source.file
    importlib.invalidate_caches()
    before = sys.dont_write_bytecode
    sys.dont_write_bytecode = True  # what is put in place is what was written, and nothing else
    try:
        load(name)
        with open(raw, "rb") as file:
            copied = hashlib.file_digest(file, "sha256").hexdigest()
        spans = importlib.import_module(f"data.{name}.spans")
        if copied != proposed.source.sha256 or proposed.source != spans.SOURCE:
            raise InputError(f"{proposed.request.csv}: changed while it was read; start again")
        for part, cells in parts.items():
            lines = csv_text.to_lines([list(cells), *zip(*cells.values(), strict=True)])
            (scratch / "parts" / part).mkdir(parents=True)
            (scratch / "parts" / part / "data.csv").write_text("".join(lines), "utf-8", newline="")
        labelled = sum(map(bool, parts["span-1"][proposed.label.name]))
        budget = min(proposed.gold_rows, labelled)
        overrides = [f"data.folder={scratch / 'parts'}", "data.loader=null"]
        config = load(name, [*overrides, f"labeling.gold_rows={budget}"])
        staging.stage(config, scratch / "run")
        if config.labeling.functions is not None:
            labeling.load(config.labeling.functions)
    finally:
        sys.dont_write_bytecode = before
