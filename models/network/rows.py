"""Transformed rows in memory, and reading them from the TFRecords that Transform writes."""

import dataclasses
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from core.answers import decided
from core.errors import InputError
from core.names import LABEL, WEIGHT
from models.network.preprocessing import CATEGORICAL, NUMERIC, ModelInputs
from models.network.text import TOKENS

_PARSE_ROWS = 8192


@dataclasses.dataclass(frozen=True)
class Rows:
    """Transformed rows, under the names of their columns.

    Attributes:
      numeric: float32 [rows, N].
      categorical: int64 [rows, N + C].
      label: float32 [rows, k]: the probability of the positive class (k = 1), a share of each
        class, or what a loss asks for.
      weight: float32 [rows, 1], not negative.
      tokens: int64 [rows, T * tokens], or None when there are no text columns.
      counted: float32 [rows, groups]: by how much each row counts for the rate of each group
        (models/network/mitigation.py), or None where no rate is to be made alike.
    """

    numeric: np.ndarray
    categorical: np.ndarray
    label: np.ndarray
    weight: np.ndarray
    tokens: np.ndarray | None = None
    counted: np.ndarray | None = None

    @property
    def count(self) -> int:
        """Number of rows."""
        return len(self.numeric)

    @property
    def codes(self) -> np.ndarray:
        """The class that each label, [rows, 1] or [rows, K], makes most likely: int64 [rows]."""
        return decided(self.label)

    @property
    def features(self) -> dict[str, np.ndarray]:
        """The inputs of a network."""
        features = {NUMERIC: self.numeric, CATEGORICAL: self.categorical}
        return features if self.tokens is None else {**features, TOKENS: self.tokens}

    def take(self, index: np.ndarray) -> "Rows":
        """Returns the rows that a boolean mask or an array of row numbers selects."""
        columns = {name: c[index] for name, c in vars(self).items() if c is not None}
        return Rows(**columns)

    def followed_by(self, other: "Rows") -> "Rows":
        """Returns these rows, then those of `other`."""
        there = {name: c for name, c in vars(self).items() if c is not None}
        return Rows(**{n: np.concatenate([c, getattr(other, n)]) for n, c in there.items()})

    def weighted(self) -> "Rows":
        """Drops rows of weight 0 and scales the weights to a mean of 1."""
        rows = self.take(self.weight[:, 0] > 0)
        return dataclasses.replace(rows, weight=rows.weight / rows.weight.mean())

    def sample(self, count: int, seed: int) -> "Rows":
        """Draws `count` rows, or all rows in another order where there are fewer."""
        draw = np.random.RandomState(seed).permutation(self.count)
        return self.take(draw[:count])


def load_rows(patterns: Sequence[str], inputs: ModelInputs) -> Rows:
    """Reads transformed examples into memory.

    Args:
      patterns: File patterns of TFRecords of serialized tf.Examples; `.gz` files are gzipped.
      inputs: Widths of the features.

    Raises:
      InputError: No file matches, a file is truncated or damaged, or no row has a weight.
    """
    spec = {
        NUMERIC: tf.io.FixedLenFeature([inputs.numeric], tf.float32),
        CATEGORICAL: tf.io.FixedLenFeature([inputs.categorical], tf.int64),
        LABEL: tf.io.FixedLenFeature([inputs.outputs], tf.float32),
        WEIGHT: tf.io.FixedLenFeature([1], tf.float32),
    }
    if inputs.text:
        spec[TOKENS] = tf.io.FixedLenFeature([inputs.text * inputs.tokens], tf.int64)
    rows = Rows(**_parse(patterns, spec))
    if not rows.weight.any():
        raise InputError(
            f"{', '.join(patterns)}: no row has a weight above 0; see the label report, "
            "labeling.functions and labeling.gold_weight"
        )
    return rows


def load_columns(patterns: Sequence[str], names: Sequence[str]) -> dict[str, np.ndarray]:
    """Reads string columns, each [rows] of str, in the order in which `load_rows` reads rows.

    Raises:
      InputError: No file matches, or a file is truncated or damaged.
    """
    if not names:
        return {}
    spec = {name: tf.io.FixedLenFeature([1], tf.string) for name in names}
    columns = _parse(patterns, spec)
    return {name: np.char.decode(columns[name][:, 0].astype(bytes), "utf-8") for name in names}


def load_records(patterns: Sequence[str], count: int | None = None) -> list[bytes]:
    """Reads the first `count` serialized examples; None: all.

    Raises:
      InputError: No file matches, or a file is truncated or damaged.
    """
    batches = (b.numpy() for path in _paths(patterns) for b in _batches(path, count or _PARSE_ROWS))
    return list(itertools.islice(itertools.chain.from_iterable(batches), count))


def _parse(patterns: Sequence[str], spec: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Reads the features of a spec, each [rows, width]."""
    columns: dict[str, list[np.ndarray]] = {name: [] for name in spec}
    for path in _paths(patterns):
        for batch in _batches(path, _PARSE_ROWS):
            for name, values in tf.io.parse_example(batch, spec).items():
                columns[name].append(values.numpy())
    if not columns[next(iter(spec))]:
        raise InputError(f"{', '.join(patterns)}: there are no rows in these files")
    return {name: np.concatenate(parts) for name, parts in columns.items()}


def _paths(patterns: Sequence[str]) -> list[str]:
    paths = sorted(path for pattern in patterns for path in tf.io.gfile.glob(pattern))
    if not paths:
        raise InputError(f"{', '.join(patterns)}: no such file; run the pipeline again")
    return paths


def _batches(path: str, batch_size: int) -> Iterator[tf.Tensor]:
    """Yields serialized examples of one file, string [batch]."""
    compression = "GZIP" if path.endswith(".gz") else ""
    try:
        yield from tf.data.TFRecordDataset(path, compression).batch(batch_size)
    except tf.errors.DataLossError as error:
        raise InputError(
            f"{path}: truncated or damaged ({error.message}); "
            "delete the folder of its artifact and run again"
        ) from error
