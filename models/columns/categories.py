"""Categorical columns as ids in the Transform graph.

Columns whose values the contract lists take their ids from that list. Columns of many values share
one vocabulary, the values that the training rows have most often; each has buckets beside it, into
which a hash puts the values outside (Weinberger et al., 2009, arXiv:0902.2206). A missing value has
an id of its own in both.
"""

from collections.abc import Sequence

import tensorflow as tf
import tensorflow_transform as tft

from models.columns.hashing import KEY
from models.network.layout import HashedLayout

VOCABULARY = "category_vocabulary"
SEPARATOR = "\x1f"  # between a column and its value; no column's name has one

_LEAST_ROWS = 2  # of a value in the vocabulary: nothing is to be learned from a single row


def listed_ids(
    values: tf.Tensor, columns: Sequence[tuple[str, tuple[str, ...]]], offsets: Sequence[int]
) -> tf.Tensor:
    """Ids of values that are listed, int64 [batch, columns].

    Args:
      values: string [batch, columns]; "" where missing.
      columns: Names and values.
      offsets: First id of each: that of an unknown value, before those of the values and that of a
        missing one.
    """
    keys: list[str] = []
    ids: list[int] = []
    for (column, known), offset in zip(columns, offsets, strict=True):
        keys += [column + SEPARATOR + value for value in (*known, "")]
        ids += range(offset + 1, offset + 2 + len(known))
    table = tft.make_and_track_object(
        lambda: tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(
                tf.constant(keys, tf.string), tf.constant(ids, tf.int64)
            ),
            default_value=-1,
        ),
        name="category_ids",
    )
    found = table.lookup(_keys([column for column, _ in columns], values))
    return tf.where(found < 0, tf.constant([list(offsets)], tf.int64), found)


def hashed_ids(
    values: tf.Tensor, layout: HashedLayout, offsets: Sequence[int], first: int
) -> tf.Tensor:
    """Ids of many-valued columns, int64 [batch, columns]; fits their vocabulary.

    Args:
      values: string [batch, columns]; "" where missing.
      layout: The columns.
      offsets: First id of each: the buckets, then that of a missing value.
      first: Id of the first value of the vocabulary.
    """
    keys = _keys(layout.columns, values)
    there = tf.not_equal(values, "")
    vocabulary = tft.vocabulary(
        tf.boolean_mask(keys, there),
        top_k=layout.vocabulary,
        frequency_threshold=_LEAST_ROWS,
        vocab_filename=VOCABULARY,
    )
    found = tft.apply_vocabulary(keys, vocabulary, default_value=-1)
    bucket = tf.strings.to_hash_bucket_strong(values, layout.buckets, list(KEY))
    outside = tf.where(there, bucket, tf.constant(layout.buckets, tf.int64))
    outside += tf.constant([list(offsets)], tf.int64)
    return tf.where(found < 0, outside, found + first)


def _keys(columns: Sequence[str], values: tf.Tensor) -> tf.Tensor:
    return tf.add(tf.constant([[column + SEPARATOR for column in columns]]), values)
