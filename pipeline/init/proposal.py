"""What `init` makes of a file: its columns, its label, the split, the gold budget, the slices."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from core import csv_text, raw_table
from core.csv_text import Table
from core.errors import InputError
from core.raw_table import CATEGORY, NUMBER, NUMBERS, TEXT, Column, Label, Source
from pipeline.ingestion import rows
from pipeline.init import columns, label, names
from pipeline.init.columns import LABEL, LEFT_OUT, Seen
from pipeline.init.gold_budget import LEAST_GOLD_ROWS, TEST_OF_A_CLASS, fits, gold_rows

KINDS = {"number": NUMBER, "category": CATEGORY, "text": TEXT, "leave-out": LEFT_OUT}
SEEDS = range(1, 31)  # of the split, tried until both parts have rows of both classes
MOST_SLICE_VALUES = 8
SLICES = 2
_SENSITIVE = ("sex", "gender", "race", "ethnic", "religion", "nationality", "disab", "age_group")
RAW = "raw/data.csv"


@dataclass(frozen=True)
class InitRequest:
    """What was asked for: the file, the label, the name, and what its owner says of the columns.

    kinds: kind by header, a value of `KINDS`.
    """

    csv: Path
    label: str
    name: str
    positive: str | None
    test_fraction: float
    missing: tuple[str, ...]
    kinds: Mapping[str, str]


@dataclass(frozen=True)
class Proposal:
    """The data set as it is going to be described.

    seen: every column of the file, in its order.
    label_why: the classes and their rows, in words.
    rows: rows by part.
    labelled: training rows that have a label.
    gold_rows: the gold budget.
    batch_size: rows; small files need small steps.
    slices: categories to slice by.
    notes: what its owner should know besides.
    """

    request: InitRequest
    source: Source
    seen: tuple[Seen, ...]
    label_why: str
    rows: Mapping[str, int]
    labelled: int
    gold_rows: int
    batch_size: int
    slices: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns that are taken over."""
        return self.source.columns

    @property
    def label(self) -> Label:
        """The label."""
        return self.source.label

    @property
    def names(self) -> dict[str, str]:
        """Names in the pipeline of the columns that are taken over, the label too, by header."""
        taken = {column.header: column.name for column in self.columns}
        return taken | {self.label.header: self.label.name}

    @property
    def numeric(self) -> list[str]:
        """Names of the columns of numbers."""
        return [column.name for column in self.columns if column.kind in NUMBERS]

    @property
    def categorical(self) -> list[str]:
        """Names of the categories."""
        return [column.name for column in self.columns if column.kind == CATEGORY]

    @property
    def text(self) -> list[str]:
        """Names of the columns of free text."""
        return [column.name for column in self.columns if column.kind == TEXT]


@dataclass(frozen=True)
class Read:
    """A file as text."""

    sha256: str
    delimiter: str
    header: list[str]
    rows: Table

    def cells(self, header: str) -> list[str]:
        """The cells of a column."""
        at = self.header.index(header)
        return [row[at] for row in self.rows]


def read(content: bytes, name: str) -> Read:
    """Reads a file, finding its delimiter.

    Raises:
        InputError: it is not UTF-8, not CSV, ragged, empty, or has two columns of one name.
    """
    text = csv_text.decode(content, name)
    delimiter = csv_text.find_delimiter(text)
    header, table = csv_text.parse(text, name, delimiter)
    for column, times in Counter(filter(None, header)).items():
        if times > 1:
            raise InputError(f"{name}: {times} columns are called '{column}'; rename all but one")
    csv_text.check_widths(header, table, name)
    return Read(hashlib.sha256(content).hexdigest(), delimiter, header, table)


def propose(request: InitRequest, found: Read, smoke: Mapping[str, Any]) -> Proposal:
    """Decides everything that can be decided from the rows.

    Args:
        request: what was asked for.
        found: the file.
        smoke: values of smoke's overlay.

    Raises:
        InputError: the label is unfit, no column can be learned from, or rows are too few.
    """
    _check_headers(request, found.header)
    cells = {header: found.cells(header) for header in found.header if header}
    missing = columns.unknown_texts(cells, request.missing)
    safe = names.safe_names(list(cells))
    chosen, why = label.choose(
        request.label, safe[request.label], cells[request.label], missing, request.positive
    )
    seen = tuple(
        Seen(header, LABEL, why)
        if header == request.label
        else columns.describe(
            header, cells.get(header, []), missing, KINDS.get(request.kinds.get(header, ""))
        )
        for header in found.header
    )
    taken = tuple(
        Column(each.header, safe[each.header], each.kind)
        for each in seen
        if each.kind in (*NUMBERS, CATEGORY, TEXT)
    )
    if not taken:
        reasons = "; ".join(f"{each.header}: {each.why}" for each in seen if each.kind == LEFT_OUT)
        raise InputError(f"{request.csv}: no column is left to learn from ({reasons})")
    source = Source(
        RAW, found.sha256, found.delimiter, missing, taken, chosen, request.test_fraction, 0
    )
    return _with_split(request, source, found, seen, why, smoke)


def _check_headers(request: InitRequest, header: Sequence[str]) -> None:
    for flag, name in [("--label", request.label), *(("--kind", kind) for kind in request.kinds)]:
        if name not in header or not name:
            known = ", ".join(f"'{column}'" for column in header)
            raise InputError(f"{flag} {name}: {request.csv} has no such column; it has {known}")
    if request.label in request.kinds:
        raise InputError(f"--kind {request.label}: it is the label; --positive says what it means")


def _with_split(
    request: InitRequest,
    source: Source,
    found: Read,
    seen: tuple[Seen, ...],
    why: str,
    smoke: Mapping[str, Any],
) -> Proposal:
    table = raw_table.convert(source, found.header, found.rows, str(request.csv))
    classes, contents = table[source.label.name], raw_table.contents_of(table, source.label)
    for seed in SEEDS:
        test = raw_table.in_test(contents, classes, request.test_fraction, seed)
        train_part, test_part = _parts(classes, test)
        gold = gold_rows(train_part, None)
        if gold and fits(train_part, test_part, None, gold):
            break
    else:
        raise InputError(_too_few(request, classes))
    notes = [note] if (note := raw_table.uneven(classes, test, source.label.positive)) else []
    smoke_rows, smoke_gold = smoke["data"]["rows"], smoke["labeling"]["gold_rows"]
    in_smoke = min(gold, gold_rows(train_part, smoke_rows))
    if in_smoke and fits(train_part, test_part, smoke_rows, min(in_smoke, smoke_gold)):
        gold = in_smoke
    else:
        notes.append(
            f"labels of one class are too rare for a smoke run's draw of {smoke_rows} rows and "
            f"{smoke_gold} of them as gold: give it more with "
            f"ARGS='--set data.rows=null --set labeling.gold_rows={gold}'"
        )
    training = len(train_part)
    return Proposal(
        request,
        replace(source, seed=seed),
        seen,
        why,
        {"span-1": training, "test": len(test_part)},
        int((train_part["label"] != "").sum()),
        gold,
        next(size for least, size in ((5000, 256), (1000, 64), (0, 32)) if training >= least),
        _slices(source.columns, seen),
        tuple(notes),
    )


def _parts(classes: Sequence[str], test: Sequence[bool]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Ids and labels of the rows of both parts, as staging sees them."""
    table = pd.DataFrame({"label": classes, "test": test}, dtype=object)
    train_part, test_part = (
        rows.with_row_ids(table.loc[table["test"] == side, ["label"]].reset_index(drop=True), part)
        for part, side in (("span-1", False), ("test", True))
    )
    return train_part, test_part


def _too_few(request: InitRequest, classes: Sequence[str]) -> str:
    counts = Counter(name for name in classes if name)
    held = ", ".join(f"'{name}': {count}" for name, count in counts.items())
    return (
        f"--label {request.label}: too few labelled rows ({held}) for a training part with "
        f"{LEAST_GOLD_ROWS} gold rows or more and a test part with {TEST_OF_A_CLASS} rows of each "
        f"class or more; bring more rows, or change --test-fraction {request.test_fraction}"
    )


def _slices(taken: Sequence[Column], seen: Sequence[Seen]) -> tuple[str, ...]:
    """Categories of few values; those that a fairness review would ask about come first."""
    values = {each.header: each.values for each in seen}
    few = [
        column.name
        for column in taken
        if column.kind == CATEGORY and 2 <= len(values[column.header]) <= MOST_SLICE_VALUES
    ]
    ranked = sorted(few, key=lambda name: not any(word in name.lower() for word in _SENSITIVE))
    return tuple(ranked[:SLICES])
