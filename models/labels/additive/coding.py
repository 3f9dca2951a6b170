"""Columns as numbers that an additive model weighs, a block of them for each column.

A number becomes its distance from the median on a scale that is logarithmic far out (asinh), the
square of that, and indicators of the quantile it lies in; a category indicators of its values. All
of a block depends on the value alone, so it is worked out once for each distinct value.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.labels.rows import CodedColumn, Columns, Value
from models.labels.votes import Floats

BINS = 16  # quantiles of a number
FARTHEST = 4.0  # standard deviations by which a number may count
KINDS = 64  # values of a category that have an indicator: the most frequent ones
LEAST_ROWS = 5  # of a category's value for an indicator of its own
LEAST_SHARE = 0.5  # of the rows whose value has an indicator; less says that a column is text


@dataclass(frozen=True)
class NumberCoding:
    """How a number is coded.

    Attributes:
      median: Of the rows with a value.
      scale: Distance between the quartiles, or the standard deviation where that is 0.
      mean: Of the coded number, so that it is 0 on average.
      deviation: Its standard deviation; 0 where all are the same.
      square: Mean of the square of what comes of it.
      edges: Quantiles between the indicators, ascending.
    """

    median: float
    scale: float
    mean: float
    deviation: float
    square: float
    edges: tuple[float, ...]

    @classmethod
    def of(cls, numbers: Floats) -> "NumberCoding":
        """By float64 [rows], NaN where a value is missing, at least one of which is not."""
        known = numbers[np.isfinite(numbers)]
        low, median, high = (float(each) for each in np.quantile(known, (0.25, 0.5, 0.75)))
        scale = (high - low) or float(known.std()) or 1.0
        bent = np.arcsinh((known - median) / scale)
        deviation = float(bent.std())
        straight = _within(bent, float(bent.mean()), deviation)
        edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1]))
        square = float((straight**2).mean())
        return cls(median, scale, float(bent.mean()), deviation, square, tuple(edges.tolist()))

    @property
    def width(self) -> int:
        """Numbers in the block: the number, its square, the quantiles, whether it is missing."""
        return 2 + len(self.edges) + 2

    def encode(self, values: Sequence[Value]) -> Floats:
        """The block of each value, float64 [values, width]."""
        numbers, known = _numbers(values), np.array([value is not None for value in values])
        bent = np.arcsinh((numbers - self.median) / self.scale)
        straight = np.where(known, _within(bent, self.mean, self.deviation), 0.0)
        place = np.where(known, np.searchsorted(self.edges, numbers), len(self.edges) + 1)
        squared = np.where(known, straight**2 - self.square, 0.0)
        indicators = np.eye(len(self.edges) + 2)[place]
        return np.hstack([straight[:, None], squared[:, None], indicators])


@dataclass(frozen=True)
class CategoryCoding:
    """How a category is coded: the values that have an indicator, in order."""

    kinds: tuple[Value, ...]

    @property
    def width(self) -> int:
        """Numbers in the block: the indicators."""
        return len(self.kinds)

    def encode(self, values: Sequence[Value]) -> Floats:
        """The block of each value, float64 [values, width]."""
        place = {kind: n for n, kind in enumerate(self.kinds)}
        none = len(self.kinds)
        return np.eye(none + 1)[[place.get(value, none) for value in values], :none]


@dataclass(frozen=True)
class AdditiveCoding:
    """How columns are coded, by name; columns that tell rows apart by no shared value are not."""

    columns: dict[str, NumberCoding | CategoryCoding]

    @classmethod
    def of(cls, columns: Columns) -> "AdditiveCoding":
        """By the values of a sample of rows."""
        found = {name: _coding(column) for name, column in columns.items()}
        return cls({name: coding for name, coding in found.items() if coding is not None})

    @property
    def width(self) -> int:
        """Numbers for a row; 0 where there is no column to weigh."""
        return sum(coding.width for coding in self.columns.values())

    def encode(self, columns: Columns) -> Floats:
        """The numbers of each row, float64 [rows, width]; columns that are not coded are left out.

        Args:
          columns: Of rows with the same columns as the sample.
        """
        blocks = [
            coding.encode(columns[name].values)[columns[name].codes]
            for name, coding in self.columns.items()
        ]
        return np.hstack(blocks) if blocks else np.zeros((rows_of(columns), 0))

    def weighed(self, columns: Columns, weights: Floats) -> Floats:
        """`encode(columns) @ weights` without the numbers of each row, float64 [rows, classes].

        Args:
          columns: As for `encode`.
          weights: float64 [width, classes].
        """
        total, first = np.zeros((rows_of(columns), weights.shape[1])), 0
        for name, coding in self.columns.items():
            own = weights[first : first + coding.width]
            total += (coding.encode(columns[name].values) @ own)[columns[name].codes]
            first += coding.width
        return total


def rows_of(columns: Columns) -> int:
    """How many rows there are."""
    return next((len(column.codes) for column in columns.values()), 0)


def _coding(column: CodedColumn) -> NumberCoding | CategoryCoding | None:
    if not len(column.codes):
        return None
    counts = np.bincount(column.codes, minlength=len(column.values))
    seen = [value for value, rows in zip(column.values, counts, strict=True) if rows]
    known = [value for value in seen if value is not None]
    if known and not any(isinstance(value, str) for value in known):
        return NumberCoding.of(_numbers(column.values)[column.codes])
    often = [n for n in np.argsort(-counts, kind="stable") if counts[n] >= LEAST_ROWS][:KINDS]
    if counts[often].sum() < LEAST_SHARE * len(column.codes):
        return None
    return CategoryCoding(tuple(sorted((column.values[n] for n in often), key=str)))


def _numbers(values: Sequence[Value]) -> Floats:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _within(bent: Floats, mean: float, deviation: float) -> NDArray[np.float64]:
    if deviation == 0:
        return np.zeros_like(bent)
    return np.clip((bent - mean) / deviation, -FARTHEST, FARTHEST)
