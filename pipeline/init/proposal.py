"""What `init` makes of a file: the split, the gold budget, the slices, the first run."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from core import raw_table
from core.errors import InputError
from core.raw_table import CATEGORY, NUMBERS, TEXT, Column, Label, Source
from pipeline.ingestion import rows
from pipeline.init import columns, header_words
from pipeline.init.columns import LABEL, Seen
from pipeline.init.gold_budget import LEAST_GOLD_ROWS, TEST_OF_A_CLASS, fits, gold_rows
from pipeline.init.looking import SHOWN_HEADERS, InitRequest, Looked

SEEDS = range(1, 31)  # of the split, tried until both parts have rows of both classes
MOST_SLICE_VALUES = 8
SLICES = 4


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
    first_run: the command of a run that can work, in small if it can.
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
    first_run: str

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


def propose(
    looked: Looked, table: Mapping[str, Sequence[str]], smoke: Mapping[str, Any]
) -> tuple[Proposal, list[bool]]:
    """Decides what can be decided from the rows.

    Args:
        looked: what the columns are.
        table: the rows in the pipeline's form (`raw_table.convert`).
        smoke: values of smoke's overlay.

    Returns:
        What was decided, and whether each row is of the test part.

    Raises:
        InputError: rows are too few.
    """
    request, source = looked.request, looked.source
    taken = {name: table[name] for name in (*(c.name for c in source.columns), source.label.name)}
    classes = taken[source.label.name]
    for seed in SEEDS:
        contents = raw_table.contents_of(taken, source.label)
        test = raw_table.in_test(contents, classes, request.test_fraction, seed)
        train_part, test_part = _parts(classes, test)
        gold = gold_rows(train_part, None)
        if gold and fits(train_part, test_part, None, gold):
            break
    else:
        raise InputError(_too_few(request, classes))
    notes = [note] if (note := raw_table.uneven(classes, test, source.label.positive)) else []
    training = len(train_part)
    slices, about_people = _slices(source.columns, looked.seen)
    proposal = Proposal(
        request,
        replace(source, seed=seed),
        looked.seen,
        next(each.why for each in looked.seen if each.kind == LABEL),
        {"span-1": training, "test": len(test_part)},
        int((train_part["label"] != "").sum()),
        gold,
        next(size for least, size in ((5000, 256), (1000, 64), (0, 32)) if training >= least),
        slices,
        (*notes, *about_people, *_leak_notes(looked)),
        _first_run(request.name, train_part, test_part, gold, smoke),
    )
    return proposal, test


def _leak_notes(looked: Looked) -> list[str]:
    """A line for columns that were left out, one for each that their owner asked for."""
    asked = [header for header in looked.leaks if header in looked.request.kinds]
    left = [header for header in looked.leaks if header not in asked]
    notes = [
        f"{header} {looked.leaks[header]}: is it known when a prediction is asked for? If not, "
        f"start again with {columns.otherwise(header, 'leave-out')}"
        for header in asked
    ]
    if left:
        shown = "; ".join(f"{header} {looked.leaks[header]}" for header in left[:SHOWN_HEADERS])
        more = f"; and {len(left) - SHOWN_HEADERS} more" if len(left) > SHOWN_HEADERS else ""
        notes.append(
            f"left out, as they tell the label and are often known only after it: {shown}{more}"
        )
    return notes


def _first_run(
    name: str, train: pd.DataFrame, test: pd.DataFrame, gold: int, smoke: Mapping[str, Any]
) -> str:
    """The command of a smoke run that can work, with what it needs; else of a whole run."""
    drawn, shown = smoke["data"]["rows"], min(gold, smoke["labeling"]["gold_rows"])
    fewer = min(shown, gold_rows(train, drawn))
    for most, budget, sets in (
        (drawn, shown, []),
        (drawn, fewer, [f"labeling.gold_rows={fewer}"]),
        (None, shown, ["data.rows=null"]),
        (None, gold, ["data.rows=null", f"labeling.gold_rows={gold}"]),
    ):
        if budget and fits(train, test, most, budget):
            flags = " ".join(f"--set {each}" for each in sets)
            return f"make smoke CONFIG={name}" + (f' ARGS="{flags}"' if flags else "")
    return f"make run-local CONFIG={name}"


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


def _slices(taken: Sequence[Column], seen: Sequence[Seen]) -> tuple[tuple[str, ...], list[str]]:
    """Categories of few values by which a fairness review would ask for results, and a note."""
    values = {each.header: each.values for each in seen}
    asked = [column for column in taken if header_words.is_sensitive(column.header)]
    few = tuple(
        column.name
        for column in asked
        if column.kind == CATEGORY and 2 <= len(values[column.header]) <= MOST_SLICE_VALUES
    )
    if not asked:
        return (), []
    known = ", ".join(column.name for column in asked[:SHOWN_HEADERS])
    by = f"results are sliced by {', '.join(few[:SLICES])}" if few else "none is sliced by"
    return few[:SLICES], [
        f"about who people are, by their names: {known}; {by} (evaluation.slices, columns.groups)"
    ]
