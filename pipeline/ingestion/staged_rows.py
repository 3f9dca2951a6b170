"""Rows of staged data as labelling functions see them, and true labels of chosen rows only."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core import csv_text
from core.config import Config
from core.names import ROW_ID
from models.labels.functions import Row
from pipeline.ingestion.contract import raw_columns, slice_columns
from pipeline.ingestion.staging import Staged

TRAINING_SPLITS = ("train", "eval")
Value = float | str | None


@dataclass(frozen=True)
class StagedRows:
    """The rows of train and eval.

    Attributes:
      row_ids: Name of each row.
      columns: Values of the feature columns, one a row; None where missing.
      groups: Values of the columns that evaluation slices by.
      labeled: Indices of the rows that have a true label.
    """

    row_ids: list[str]
    columns: dict[str, list[Value]]
    groups: dict[str, list[Value]]
    labeled: list[int]
    _cells: Sequence[str]
    _classes: tuple[str, ...]

    def rows(self) -> list[Row]:
        """One mapping from column to value a row."""
        values = zip(*self.columns.values(), strict=True)
        return [dict(zip(self.columns, row, strict=True)) for row in values]

    def true_labels(self, at: Sequence[int]) -> NDArray[np.int8]:
        """Classes of chosen rows of `labeled`: int8 [rows]."""
        codes = (self._classes.index(self._cells[n]) for n in at)
        return np.fromiter(codes, dtype=np.int8, count=len(at))


def read(staged: Staged, config: Config) -> StagedRows:
    """Reads train and eval, values in the types that the labeler gives to functions."""
    table: dict[str, list[str]] = {}
    for split in TRAINING_SPLITS:
        path = Path(staged.path) / split / "data.csv"
        with open(path, encoding="utf-8", newline="") as file:
            header, *rows = csv_text.read(file, str(path))
        for column, cells in zip(header, zip(*rows, strict=True), strict=True):
            table.setdefault(column, []).extend(cells)
    kinds = raw_columns(config).kinds
    features = config.columns.features
    labels = table[config.columns.label]
    return StagedRows(
        table[ROW_ID],
        {column: _values(table[column], kinds[column]) for column in features},
        {column: _values(table[column], "BYTES") for column in slice_columns(config)},
        [n for n, cell in enumerate(labels) if cell],
        labels,
        config.columns.names,
    )


def read_cells(
    staged: Staged, row_ids: Collection[str], splits: Sequence[str] = TRAINING_SPLITS
) -> Iterator[dict[str, str]]:
    """Rows by id, as text by column, in the order of the files; ids that are not there are none."""
    for split in splits:
        path = Path(staged.path) / split / "data.csv"
        with open(path, encoding="utf-8", newline="") as file:
            header, *rows = csv_text.read(file, str(path))
        at = header.index(ROW_ID)
        for row in rows:
            if row[at] in row_ids:
                yield dict(zip(header, row, strict=True))


def _values(cells: list[str], kind: str) -> list[Value]:
    """Numbers or texts; equal ones are one object."""
    value_of: dict[str, Value] = {cell: _value(cell, kind) for cell in set(cells)}
    return [value_of[cell] for cell in cells]


def _value(cell: str, kind: str) -> Value:
    if not cell:
        return None
    if kind == "INT":
        return int(cell)
    return float(np.float32(cell)) if kind == "FLOAT" else cell  # Examples hold 32-bit floats
