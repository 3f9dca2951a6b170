"""Numbers in the Transform graph: each scaled, and as the quantile bucket that it is in."""

from collections.abc import Sequence

import tensorflow as tf

from models.columns.quantiles import TINY, numbers_of

NUMBERS_TENSOR = "preprocessing_numbers"
LIMIT = 4.0  # scaled numbers lie between this below and above zero


def fitted_scores(
    values: tf.Tensor, buckets: int, offsets: Sequence[int]
) -> tuple[tf.Tensor, tf.Tensor]:
    """`scores` by what is fitted as part of Transform.

    Zeros are left out of it: columns such as capital gains are zero nearly everywhere, and their
    few other values are what matters.
    """
    values = _without_tiny(values)
    fitted = numbers_of(tf.where(tf.equal(values, 0.0), float("nan"), values), buckets)
    return scores(values, tf.identity(fitted, name=NUMBERS_TENSOR), buckets, offsets)


def scores(
    values: tf.Tensor, fitted: tf.Tensor, buckets: int, offsets: Sequence[int]
) -> tuple[tf.Tensor, tf.Tensor]:
    """Scaled numbers, float32 [batch, columns], and bucket ids, int64 [batch, columns].

    A scaled number is its distance from the column's center in terms of its scale, at most `LIMIT`
    to either side; 0 where missing.

    Args:
      values: float32 [batch, columns]; NaN where missing.
      fitted: float32 [columns, buckets + 1], as `numbers_of` returns it.
      buckets: Of each column; the id after those is for missing.
      offsets: First id of each column.
    """
    values = _without_tiny(values)
    fitted = tf.ensure_shape(fitted, [len(offsets), buckets + 1])
    boundaries, center, scale = fitted[:, :-2], fitted[:, -2], fitted[:, -1]
    missing = tf.math.is_nan(values)
    bucket = tf.reduce_sum(tf.cast(values[:, :, tf.newaxis] >= boundaries, tf.int32), axis=2)
    score = tf.clip_by_value((values - center) / scale, -LIMIT, LIMIT)
    score = tf.where(missing, 0.0, score)
    ids = tf.where(missing, buckets, bucket) + tf.constant(list(offsets), tf.int32)
    return score, tf.cast(ids, tf.int64)


def _without_tiny(values: tf.Tensor) -> tf.Tensor:
    """Zero in place of numbers so small that TensorFlow may take their differences for zero."""
    return tf.where(tf.abs(values) < TINY, 0.0, values)
