"""Transformed rows in memory, and reading them from the TFRecords that Transform writes."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from models.errors import InputError
from models.features import ModelInputs
from models.preprocessing import CATEGORICAL, LABEL, NUMERIC, WEIGHT

_PARSE_ROWS = 8192


@dataclasses.dataclass(frozen=True)
class Rows:
    """Transformed rows.

    Attributes:
      numeric: float32 [rows, N].
      categorical: int64 [rows, N + C].
      label: float32 [rows, k]: the probability of the positive class, or what a loss asks for.
      weight: float32 [rows, 1], not negative.
    """

    numeric: np.ndarray
    categorical: np.ndarray
    label: np.ndarray
    weight: np.ndarray

    @property
    def count(self) -> int:
        return len(self.numeric)

    @property
    def features(self) -> dict[str, np.ndarray]:
        """The inputs of a network."""
        return {NUMERIC: self.numeric, CATEGORICAL: self.categorical}

    def take(self, index: np.ndarray) -> "Rows":
        """Returns the rows that a boolean mask or an array of row numbers selects."""
        return Rows(
            self.numeric[index], self.categorical[index], self.label[index], self.weight[index]
        )

    def weighted(self) -> "Rows":
        """Drops rows of weight 0 and scales the weights to a mean of 1."""
        rows = self.take(self.weight[:, 0] > 0)
        return dataclasses.replace(rows, weight=rows.weight / rows.weight.mean())


def load_rows(patterns: Sequence[str], inputs: ModelInputs) -> Rows:
    """Reads transformed examples into memory.

    Args:
      patterns: File patterns of TFRecords of serialized tf.Examples; `.gz` files are gzipped.
      inputs: Widths of the features.

    Raises:
      InputError: No file matches, a file is truncated or damaged, or no row has a weight.
    """
    paths = sorted(path for pattern in patterns for path in tf.io.gfile.glob(pattern))
    if not paths:
        raise InputError(f"{', '.join(patterns)}: no such file; run the pipeline again")
    parts = [_read(path, inputs) for path in paths]
    rows = Rows(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    if not rows.weight.any():
        raise InputError(
            f"{', '.join(patterns)}: no row has a weight above 0; see the label report, "
            "labeling.uncovered and labeling.gold_weight"
        )
    return rows


def _read(path: str, inputs: ModelInputs) -> list[np.ndarray]:
    """Returns numeric, categorical, label and weight of one file."""
    spec = {
        NUMERIC: tf.io.FixedLenFeature([inputs.numeric], tf.float32),
        CATEGORICAL: tf.io.FixedLenFeature([inputs.categorical], tf.int64),
        LABEL: tf.io.FixedLenFeature([1], tf.float32),
        WEIGHT: tf.io.FixedLenFeature([1], tf.float32),
    }
    compression = "GZIP" if path.endswith(".gz") else ""
    batches = tf.data.TFRecordDataset(path, compression).batch(_PARSE_ROWS)
    columns = {
        name: [np.zeros((0, *feature.shape), feature.dtype.as_numpy_dtype)]
        for name, feature in spec.items()
    }
    try:
        for batch in batches:
            for name, values in tf.io.parse_example(batch, spec).items():
                columns[name].append(values.numpy())
    except tf.errors.DataLossError as error:
        raise InputError(
            f"{path}: truncated or damaged ({error.message}); "
            "delete the folder of its artifact and run again"
        ) from error
    return [np.concatenate(columns[name]) for name in spec]
