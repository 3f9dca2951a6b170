"""Quantile boundaries of columns, fitted by Transform: also of columns without a single value.

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

_ERROR = 0.002
_MOST_VALUES = 1 << 32  # of a column, as in TensorFlow Transform: the error holds up to there

Accumulator = tuple[Any, np.ndarray]  # the sketch; bool [columns], whether a column has a value


def boundaries_of(values: tf.Tensor, buckets: int) -> tf.Tensor:
    """Ascending boundaries between buckets of about as many values.

    Args:
      values: float32 [batch, columns]; NaN does not count.
      buckets: How many.

    Returns:
      float32 [columns, buckets - 1]; zeros for a column without values.
    """
    shape = [values.shape[1], buckets - 1]
    [boundaries] = tft.experimental.ptransform_analyzer(
        [values], _Quantiles(*shape), [tf.float32], [shape], name="quantiles"
    )
    return boundaries


class _Quantiles(beam.PTransform):
    """Batches, each a tuple of one array [rows, columns], to one array of boundaries."""

    def __init__(self, columns: int, boundaries: int) -> None:
        super().__init__()
        self._shape = (columns, boundaries)

    def expand(self, batches: Any) -> Any:
        """Called by Beam."""
        return batches | beam.CombineGlobally(_QuantilesFn(*self._shape))


class _QuantilesFn(beam.CombineFn):
    """The sketches of all columns at once."""

    def __init__(self, columns: int, boundaries: int) -> None:
        self._columns, self._boundaries = columns, boundaries

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
        boundaries = np.zeros((self._columns, self._boundaries), np.float32)
        if seen.any():
            found = np.array(sketch.GetQuantiles(self._boundaries + 1).to_pylist(), np.float32)
            boundaries[seen] = found[:, 1:-1]  # without the least and the greatest value
        return boundaries
