"""A sample of rows with their columns and votes, drawn while files are read one after another.

The rows with the lowest place in the seeded draw, and those of the labelled rows: neither the order
of rows nor how they are split changes it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.labels.rows import CodedColumn, Columns, Value
from models.labels.votes import Votes

SIZE = 10_000  # rows of the sample, and labelled rows of it, at least where there are as many
NO_LABEL = -1


@dataclass(frozen=True)
class Sample:
    """Rows of a sample.

    Attributes:
      order: uint64 [rows], places in the draw.
      row_ids: Of the rows.
      labels: int8 [rows], true labels; NO_LABEL where there is none.
      votes: int8 [rows, functions].
      columns: The columns that functions may read.
      groups: The columns by whose values labels are reported.
    """

    order: NDArray[np.uint64]
    row_ids: Sequence[str]
    labels: NDArray[np.int8]
    votes: Votes
    columns: Columns
    groups: Columns

    def take(self, at: NDArray[np.int64]) -> "Sample":
        """The rows at these places."""
        return Sample(
            self.order[at],
            [self.row_ids[n] for n in at],
            self.labels[at],
            self.votes[at],
            {name: taken(column, at) for name, column in self.columns.items()},
            {name: taken(column, at) for name, column in self.groups.items()},
        )

    def drawn(self, size: int) -> "Sample":
        """The `size` rows that come first in the draw, and as many labelled ones, in its order."""
        at = np.argsort(self.order, kind="stable")
        labelled = self.labels[at] != NO_LABEL
        kept = labelled & (np.cumsum(labelled) <= size)
        kept[:size] = True
        return self.take(at[kept])


def joined(parts: Sequence[Sample]) -> Sample:
    """The rows of several parts, of which there is at least one."""
    return Sample(
        np.concatenate([part.order for part in parts]),
        [row_id for part in parts for row_id in part.row_ids],
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.votes for part in parts]),
        joined_columns([part.columns for part in parts]),
        joined_columns([part.groups for part in parts]),
    )


def joined_columns(parts: Sequence[Columns]) -> dict[str, CodedColumn]:
    """The same columns of several parts of the rows, one after another."""
    return {name: _joined([part[name] for part in parts]) for name in parts[0]}


def _joined(parts: Sequence[CodedColumn]) -> CodedColumn:
    code_of: dict[Value, int] = {}
    codes = []
    for part in parts:
        places = [code_of.setdefault(value, len(code_of)) for value in part.values]
        codes.append(np.array(places, dtype=np.int64)[part.codes])
    return CodedColumn(np.concatenate(codes), list(code_of))


def taken(column: CodedColumn, at: NDArray[np.int64]) -> CodedColumn:
    """The rows of a column at these places, with the values that they have."""
    used, codes = np.unique(column.codes[at], return_inverse=True)
    return CodedColumn(codes.reshape(-1).astype(np.int64), [column.values[n] for n in used])


class Drawing:
    """The sample of the rows so far; it holds no more than a few times its size."""

    def __init__(self, size: int = SIZE) -> None:
        """An empty one, to hold `size` rows."""
        self._size = size
        self._parts: list[Sample] = []
        self._held = 0
        self._last = self._last_labelled = np.uint64(2**64 - 1)  # places: later is too late

    @property
    def used(self) -> bool:
        """Whether a batch was added."""
        return bool(self._parts)

    def add(self, batch: Sample) -> None:
        """Takes what may belong to the sample of the rows of a batch."""
        labelled = batch.labels != NO_LABEL
        early = batch.order <= self._last
        early |= labelled & (batch.order <= self._last_labelled)
        self._parts.append(batch.take(np.flatnonzero(early)))
        self._held += int(early.sum())
        if self._held > 4 * self._size:
            self._parts = [self.sample()]
            self._held = len(self._parts[0].order)

    def sample(self) -> Sample:
        """The sample as it is now; at least one batch was added."""
        found = joined(self._parts).drawn(self._size)
        known = found.order[found.labels != NO_LABEL]
        if len(found.order) >= self._size:
            self._last = found.order[self._size - 1]
        if len(known) >= self._size:
            self._last_labelled = known[self._size - 1]
        return found
