"""Quantiles, center and scale of columns, fitted by Transform: also of those without a value.

`tft.quantiles` leaves such a column out of its result and fails on the number of the others. The
sketch is the same, and so are the boundaries of columns with values.
"""

from collections.abc import Iterable
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import tensorflow as tf
import tensorflow_transform as tft
from tfx_bsl import sketches

TINY = 2.0**-100  # numbers that are closer to zero count as zero
_ERROR = 0.002
_MOST_VALUES = 1 << 32  # of a column, as in TensorFlow Transform: the error holds up to there

Accumulator = tuple[Any, np.ndarray]  # the sketch; bool [columns], whether a column has a value


def numbers_of(values: tf.Tensor, buckets: int) -> tf.Tensor:
    """Ascending boundaries between buckets of about as many values, and their center and scale.

    Center and scale are the mean and the standard deviation of the boundaries, which no value far
    out moves. Where all of them are equal, the scale is that value, or 1.

    Args:
      values: float32 [batch, columns]; NaN does not count.
      buckets: How many.

    Returns:
      float32 [columns, buckets + 1]: the boundaries, then center and scale; of a column without
      values zeros, and 1 as its scale.
    """
    shape = [values.shape[1], buckets + 1]
    [fitted] = tft.experimental.ptransform_analyzer(
        [values], _Quantiles(values.shape[1], buckets), [tf.float32], [shape], name="quantiles"
    )
    return fitted


class _Quantiles(beam.PTransform):
    """Batches, each a tuple of one array [rows, columns], to what `numbers_of` returns."""

    def __init__(self, columns: int, buckets: int) -> None:
        super().__init__()
        self._shape = (columns, buckets)

    def expand(self, batches: Any) -> Any:
        """Called by Beam."""
        return batches | beam.CombineGlobally(_QuantilesFn(*self._shape))


class _QuantilesFn(beam.CombineFn):
    """The sketches of all columns at once."""

    def __init__(self, columns: int, buckets: int) -> None:
        self._columns, self._buckets = columns, buckets

    def create_accumulator(self) -> Accumulator:
        sketch = sketches.QuantilesSketch(_ERROR, _MOST_VALUES, self._columns)
        return sketch, np.zeros(self._columns, bool)

    def add_input(self, accumulator: Accumulator, element: tuple[np.ndarray]) -> Accumulator:
        (sketch, seen), [values] = accumulator, element
        sketch.AddValues(pa.array(np.ravel(values)))
        return sketch, seen | ~np.isnan(values).all(axis=0)

    def merge_accumulators(self, accumulators: Iterable[Accumulator]) -> Accumulator:
        sketch, seen = self.create_accumulator()
        for other, there in accumulators:
            sketch.Merge(other)
            seen = seen | there
        return sketch, seen

    def compact(self, accumulator: Accumulator) -> Accumulator:
        accumulator[0].Compact()
        return accumulator

    def extract_output(self, accumulator: Accumulator) -> np.ndarray:
        sketch, seen = accumulator
        boundaries = np.zeros((self._columns, self._buckets - 1), np.float32)
        if seen.any():
            found = np.array(sketch.GetQuantiles(self._buckets).to_pylist(), np.float32)
            boundaries[seen] = found[:, 1:-1]  # without the least and the greatest value
        return with_center_and_scale(boundaries)


def with_center_and_scale(boundaries: np.ndarray) -> np.ndarray:
    """Boundaries, float32 [columns, buckets - 1], followed by their center and scale."""
    center = np.mean(boundaries, axis=1, dtype=np.float64)
    scale = np.std(boundaries.astype(np.float64), axis=1)
    for replacement in (np.abs(center), np.ones_like(center)):
        scale = np.where(scale < np.maximum(TINY, 1e-6 * np.abs(center)), replacement, scale)
    scale = np.minimum(scale, 1 / TINY)  # the inverse of a larger one may count as zero
    return np.column_stack([boundaries, center, scale]).astype(np.float32)
