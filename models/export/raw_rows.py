"""Raw rows in memory, as clients send them: serialized, and by column."""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from core.errors import InputError
from core.names import LABEL, ROW_ID, WEIGHT
from models.network.rows import load_records, sample_records

TYPES = {"INT": tf.int64, "FLOAT": tf.float32, "BYTES": tf.string}
"""What holds a column in a tf.Example, by its type in the contract."""

_PARSE_ROWS = 8192
_SPAN = re.compile(r"span-(\d+):")


@dataclasses.dataclass(frozen=True)
class RawRows:
    """Raw rows.

    Attributes:
      examples: Serialized tf.Examples.
      columns: By name, each [rows]: float32 with NaN, or str with "", where a cell is empty; the
        shares of K > 2 classes are [rows, K].
    """

    examples: list[bytes]
    columns: dict[str, np.ndarray]

    @property
    def count(self) -> int:
        """Number of rows."""
        return len(self.examples)

    def take(self, index: np.ndarray) -> "RawRows":
        """Returns the rows that an array of row numbers selects."""
        columns = {name: values[index] for name, values in self.columns.items()}
        return RawRows([self.examples[row] for row in index], columns)

    def followed_by(self, other: "RawRows") -> "RawRows":
        """Returns these rows, then those of `other`."""
        columns = {n: np.concatenate([v, other.columns[n]]) for n, v in self.columns.items()}
        return RawRows([*self.examples, *other.examples], columns)


def load_raw_rows(patterns: Sequence[str], spec: Mapping[str, Any]) -> RawRows:
    """Reads labelled raw examples.

    Args:
      patterns: File patterns of TFRecords of serialized tf.Examples.
      spec: A VarLenFeature for each column, of which the first value counts; a FixedLenFeature for
        one that every row has as often.

    Raises:
      InputError: No file matches, or a file is truncated or damaged.
    """
    return parse_rows(load_records(patterns), spec)


def parse_rows(examples: list[bytes], spec: Mapping[str, Any]) -> RawRows:
    """The rows of serialized examples, of which there is at least one; `spec` as above."""
    parts: dict[str, list[np.ndarray]] = {name: [] for name in spec}
    for first in range(0, len(examples), _PARSE_ROWS):
        parsed = tf.io.parse_example(examples[first : first + _PARSE_ROWS], dict(spec))
        for name, column in parsed.items():
            parts[name].append(_dense(column))
    return RawRows(examples, {name: np.concatenate(found) for name, found in parts.items()})


def sample_rows(
    patterns: Sequence[str], types: Mapping[str, str], count: int, seed: int
) -> RawRows:
    """Draws rows, in random order; all of them where there are fewer.

    A 32-bit number is read as the decimal number that it was written as, 0.1 as 0.1.

    Args:
      patterns: As in `load_raw_rows`.
      types: INT, FLOAT or BYTES of each column that is read.
      count: Most rows.
      seed: Of the draw.

    Raises:
      InputError: As `load_raw_rows`, or there are no rows.
    """
    examples = sample_records(patterns, count, seed)
    if not examples:
        raise InputError(f"{', '.join(patterns)}: there are no rows in these files")
    spec = {name: tf.io.VarLenFeature(TYPES[kind]) for name, kind in types.items()}
    rows = parse_rows(examples, spec)
    columns = {
        name: values if values.dtype == object else values.astype(str).astype(np.float64)
        for name, values in rows.columns.items()
    }
    return RawRows(rows.examples, columns)


def _dense(column: tf.SparseTensor | tf.Tensor) -> np.ndarray:
    if not isinstance(column, tf.SparseTensor):
        values: np.ndarray = column.numpy()
        return values
    rows = int(column.dense_shape[0])
    first = column.indices.numpy()[:, 1] == 0
    places, found = column.indices.numpy()[first, 0], column.values.numpy()[first]
    if column.dtype == tf.string:
        dense = np.full(rows, "", object)
        dense[places] = [value.decode("utf-8") for value in found]
        return dense
    numbers = np.full(rows, np.nan, np.float32)
    numbers[places] = found
    return numbers


def labelled_spans(rows: RawRows, label_column: str, mode: str) -> tuple[np.ndarray, np.ndarray]:
    """The span of each row, int [rows], and which rows have a true label, bool [rows].

    In gold mode these are the rows that weigh anything. In weak mode they are those in which the
    labeler left the true label, and those that weigh more than a weakly labelled row can: people
    gave that label.

    Args:
      rows: With `label`, `weight`, the column of the true label and `row_id`, `span-3:17`.
      label_column: The column of the true label; where it is called `label` the labeler wrote over
        it, and only the weights tell.
      mode: `weak` or `gold`, as in the configuration.
    """
    matches = [_SPAN.match(text) for text in rows.columns[ROW_ID]]
    spans = np.array([int(match[1]) if match else 0 for match in matches])
    weight, truth = rows.columns[WEIGHT], rows.columns[label_column]
    known = weight > (0.0 if mode == "gold" else 1.0)
    if mode == "weak" and label_column != LABEL:
        known |= truth != "" if truth.dtype == object else ~np.isnan(truth)
    return spans, known
