"""Numbers in the Transform graph: each as its quantile rank, and as the bucket that it is in."""

from collections.abc import Sequence

import tensorflow as tf

from models.columns.quantiles import boundaries_of

BOUNDARIES_TENSOR = "preprocessing_boundaries"
TINY = 2.0**-100  # numbers that are closer to zero count as zero


def fitted_ranks(
    values: tf.Tensor, buckets: int, offsets: Sequence[int]
) -> tuple[tf.Tensor, tf.Tensor]:
    """`ranks` between quantiles, which are fitted as part of Transform.

    Zeros are left out of the quantiles: columns such as capital gains are zero nearly everywhere,
    and their few other values are what matters.
    """
    values = _without_tiny(values)
    boundaries = boundaries_of(tf.where(tf.equal(values, 0.0), float("nan"), values), buckets)
    return ranks(values, tf.identity(boundaries, name=BOUNDARIES_TENSOR), buckets, offsets)


def ranks(
    values: tf.Tensor, boundaries: tf.Tensor, buckets: int, offsets: Sequence[int]
) -> tuple[tf.Tensor, tf.Tensor]:
    """Quantile rank, float32 [batch, columns], and bucket id, int64 [batch, columns], of numbers.

    Args:
      values: float32 [batch, columns]; NaN where missing.
      boundaries: float32 [columns, buckets - 1].
      buckets: Of each column; the id after those is for missing.
      offsets: First id of each column.
    """
    values = _without_tiny(values)
    columns = len(offsets)
    boundaries = tf.ensure_shape(boundaries, [columns, buckets - 1])
    missing = tf.math.is_nan(values)
    bucket = tf.reduce_sum(tf.cast(values[:, :, tf.newaxis] >= boundaries, tf.int32), axis=2)
    last = buckets - 2
    starts = tf.constant([column * (last + 1) for column in range(columns)], tf.int32)
    flat = tf.reshape(boundaries, [-1]) / 2.0  # halves: their differences are finite
    below = tf.gather(flat, starts + tf.clip_by_value(bucket - 1, 0, last))
    above = tf.gather(flat, starts + tf.clip_by_value(bucket, 0, last))
    within = tf.math.divide_no_nan(values / 2.0 - below, above - below)
    rank = (tf.cast(bucket, tf.float32) + tf.clip_by_value(within, 0.0, 1.0)) / buckets
    rank = tf.where(missing, 0.5, rank)
    ids = tf.where(missing, buckets, bucket) + tf.constant(list(offsets), tf.int32)
    return rank, tf.cast(ids, tf.int64)


def _without_tiny(values: tf.Tensor) -> tf.Tensor:
    """Zero in place of numbers so small that TensorFlow may take their differences for zero."""
    return tf.where(tf.abs(values) < TINY, 0.0, values)
