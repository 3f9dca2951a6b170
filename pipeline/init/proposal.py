"""What `init` makes of a file: the split, the gold budget, the slices, the first run."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from core import raw_table
from core.errors import InputError
from core.raw_table import CATEGORIES, DATE, NUMBERS, TEXT, Column, Label, Source
from pipeline.ingestion import rows
from pipeline.init import slicing
from pipeline.init.gold_budget import LEAST_GOLD_ROWS, TEST_OF_A_CLASS, fits, gold_rows
from pipeline.init.kinds.seen import LABEL, LEFT_OUT, Seen, otherwise
from pipeline.init.looking import GOLD, SHOWN_HEADERS, InitRequest, Looked
from pipeline.init.slicing import Slices

SEEDS = range(1, 31)  # of the split, tried until both parts have rows of all classes


@dataclass(frozen=True)
class Proposal:
    """The data set as it is going to be described.

    seen: every column of the file, in its order.
    label_why: the classes and their rows, in words.
    rows: rows by part.
    labelled: training rows that have a label.
    gold_rows: the gold budget.
    mode: of labelling.
    shares: of the classes among the labelled training rows, by their codes.
    batch_size: rows; small files of texts need small steps: of these no rows are made.
    buckets: for each number: of many rows there may be more.
    slices: what to slice by.
    notes: what its owner should know besides.
    left_out: columns that are left out, and what it would take to keep them.
    dropped: rows that are, in the same way.
    first_run: the command of a run that can work, in small if it can.
    """

    request: InitRequest
    source: Source
    seen: tuple[Seen, ...]
    label_why: str
    rows: Mapping[str, int]
    labelled: int
    gold_rows: int
    mode: str
    shares: tuple[float, ...]
    batch_size: int
    buckets: int
    slices: Slices
    notes: tuple[str, ...]
    left_out: tuple[str, ...]
    dropped: tuple[str, ...]
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
        """Names of the categories that models learn from."""
        known = {each.header for each in self.seen if each.learned}
        return [
            column.name
            for column in self.columns
            if column.kind in CATEGORIES and column.header in known
        ]

    @property
    def dates(self) -> dict[str, dict[str, str]]:
        """How the columns of dates are written, by their names."""
        formats = {each.header: each.format for each in self.seen}
        return {
            column.name: {"format": formats[column.header]}
            for column in self.columns
            if column.kind == DATE
        }

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
    label = source.label
    taken = {name: table[name] for name in (*(c.name for c in source.columns), label.name)}
    classes, count = taken[label.name], len(label.names)
    for seed in SEEDS:
        contents = raw_table.contents_of(taken, label)
        test = raw_table.in_test(contents, classes, request.test_fraction, seed)
        train_part, test_part = _parts(classes, test)
        gold = gold_rows(train_part, None, count)
        all_used = looked.mode == GOLD
        if gold and fits(train_part, test_part, None, None if all_used else gold, count):
            break
    else:
        raise InputError(_too_few(request, classes))
    uneven = raw_table.uneven(classes, test, label.names[-1:] if count == 2 else label.names)
    training = len(train_part)
    known = train_part["label"].value_counts()
    labelled = int(known.drop("", errors="ignore").sum())
    slices, about_slices = slicing.propose(looked, taken)
    of_texts = any(column.kind == TEXT for column in source.columns)
    proposal = Proposal(
        request,
        replace(source, seed=seed),
        looked.seen,
        next(each.why for each in looked.seen if each.kind == LABEL),
        {"span-1": training, "test": len(test_part)},
        labelled,
        gold,
        looked.mode,
        tuple(known[name] / labelled for name in label.names),
        _by_rows(training, ((5000, 256), (1000, 64), (0, 32))) if of_texts else 256,
        _by_rows(training, ((24_000, 128), (12_000, 64), (0, 32))),
        slices,
        (*filter(None, [uneven]), *about_slices, *_leak_notes(looked)),
        _left_out(looked),
        looked.dropped,
        _first_run(looked, train_part, test_part, gold, smoke),
    )
    return proposal, test


def _by_rows(rows: int, sizes: Sequence[tuple[int, int]]) -> int:
    """The first size for which there are enough rows."""
    return next(size for least, size in sizes if rows >= least)


def _left_out(looked: Looked) -> tuple[str, ...]:
    """Columns that are left out unasked, with what it would take to keep them."""
    return tuple(
        f"{each.header or '(no name)'}: {each.why}"
        + (f" (to keep it: {each.advice})" if each.advice else "")
        for each in looked.seen
        if each.kind == LEFT_OUT and looked.request.kinds.get(each.header) != "leave-out"
    )


def _leak_notes(looked: Looked) -> list[str]:
    """A line for columns that were left out, one for each that their owner asked for."""
    asked = [header for header in looked.leaks if header in looked.request.kinds]
    left = [header for header in looked.leaks if header not in asked]
    notes = [
        f"{header} {looked.leaks[header]}: is it known when a prediction is asked for? If not, "
        f"start again with {otherwise(header, 'leave-out')}"
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
    looked: Looked, train: pd.DataFrame, test: pd.DataFrame, gold: int, smoke: Mapping[str, Any]
) -> str:
    """The command of a smoke run that can work, with what it needs; else of a whole run."""
    name, count = looked.request.name, len(looked.source.label.names)
    drawn, shown = smoke["data"]["rows"], min(gold, smoke["labeling"]["gold_rows"])
    fewer = min(shown, gold_rows(train, drawn, count))
    tries: list[tuple[int | None, int | None, list[str]]] = [
        (drawn, shown, []),
        (drawn, fewer, [f"labeling.gold_rows={fewer}"]),
        (None, shown, ["data.rows=null"]),
        (None, gold, ["data.rows=null", f"labeling.gold_rows={gold}"]),
    ]
    if looked.mode == GOLD:
        tries = [(drawn, None, []), (None, None, ["data.rows=null"])]
    for most, budget, sets in tries:
        if budget != 0 and fits(train, test, most, budget, count):
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
