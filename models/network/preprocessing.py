"""The one preprocessing function: raw columns to model inputs, one graph in training and serving.

All numeric columns are packed into one tensor, all categorical columns into another and all text
columns into a third, so that the whole function needs one analyzer (quantiles) and one lookup table
whatever the number of columns, and one of each more (the vocabulary) where there is text.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from core.answers import PROBABILITIES, PROBABILITY
from core.names import LABEL, WEIGHT
from models.network.layout import Layout, Preprocessing, layout_of
from models.network.quantiles import boundaries_of
from models.network.text import FIRST_ID, PADDING, STEPS, TOKENS, UNKNOWN, VOCABULARY, token_ids

NUMERIC = "numeric"
CATEGORICAL = "categorical"

TINY = 2.0**-100  # numbers that are closer to zero count as zero

_SEPARATOR = "\x1f"
_BOUNDARIES_TENSOR = "preprocessing_boundaries"


def answer_name(outputs: int) -> str:
    """Name of an answer of so many numbers a row."""
    return PROBABILITY if outputs == 1 else PROBABILITIES


@dataclasses.dataclass(frozen=True)
class ModelInputs:
    """Shape of the transformed features.

    Attributes:
      numeric: Width of `numeric`, float32 [batch, numeric]: quantile ranks in [0, 1]; at least 1.
      categorical: Width of `categorical`, int64 [batch, categorical]: ids in [0, ids).
      ids: Size of the one id space that all these columns share.
      text: How many text columns there are.
      tokens: Ids of each text column in `tokens`, int64 [batch, text * tokens]: 0 is padding.
      token_ids: Size of the id space of `tokens`, padding included.
      outputs: Width of the answer: 1, the probability of the positive of two classes, or a share
        of each of more.
    """

    numeric: int
    categorical: int
    ids: int
    text: int = 0
    tokens: int = 0
    token_ids: int = 0
    outputs: int = 1

    @property
    def answer(self) -> str:
        """Name of the answer, float32 [batch, outputs]."""
        return answer_name(self.outputs)


@dataclasses.dataclass(frozen=True)
class Description:
    """Everything that turns a raw record into model inputs without TensorFlow.

    Attributes:
      layout: The columns and their ids.
      boundaries: float32 [numeric columns, buckets - 1], ascending quantile boundaries.
      vocabulary: Words and n-grams of the text columns, in the order of their ids.
    """

    layout: Layout
    boundaries: np.ndarray
    vocabulary: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """The form in which a device gets it, in `preprocessing.json`."""
        offsets = self.layout.offsets
        split = len(self.layout.numeric)
        document: dict[str, Any] = {
            "format": 1,
            "buckets": self.layout.buckets,
            "numeric": [
                {"column": column, "offset": offset, "boundaries": [float(b) for b in boundaries]}
                for column, offset, boundaries in zip(
                    self.layout.numeric, offsets[:split], self.boundaries, strict=True
                )
            ],
            "categorical": [
                {"column": column, "offset": offset, "values": list(values)}
                for (column, values), offset in zip(
                    self.layout.categorical, offsets[split:], strict=True
                )
            ],
        }
        if self.layout.text is not None:
            document["text"] = {
                "columns": list(self.layout.text.columns),
                "steps": [list(step) for step in STEPS],
                "ngrams": self.layout.text.ngrams,
                "width": self.layout.text.width,
                "padding": PADDING,
                "unknown": UNKNOWN,
                "offset": FIRST_ID,
                "vocabulary": list(self.vocabulary),
            }
        return document


def preprocessing_fn(
    inputs: Mapping[str, tf.SparseTensor], custom_config: Mapping[str, str]
) -> dict[str, tf.Tensor]:
    """Maps raw columns to model inputs; the entry point that TFX Transform calls.

    Args:
      inputs: One SparseTensor [batch, 1] for each column of the selected schema.
      custom_config: `settings`, the JSON of a `Preprocessing`. Columns that the feature selection
        dropped are not in `inputs` and are left out.

    Returns:
      `numeric` float32 [batch, N]: quantile rank in 0..1, .5 where missing ([batch, 1] of .5 when
      there are no numeric columns); `categorical` int64 [batch, N + C]: ids in the joint id space
      ([batch, 1] of 0 when there are text columns only); where there is text, `tokens` int64
      [batch, T * width]: see `token_ids`; `label` float32 [batch, outputs]; `weight` float32
      [batch, 1]; the passed-through columns, string [batch, 1].
    """
    preprocessing = Preprocessing.model_validate_json(custom_config["settings"])
    layout = layout_of(inputs, preprocessing)
    outputs = {}
    if layout.text is not None:
        texts = _packed([inputs[c] for c in layout.text.columns], "")
        outputs[TOKENS] = token_ids(texts, layout.text)
    ids = [_category_ids(inputs, layout)] if layout.categorical else []
    if layout.numeric:
        numeric, bucket_ids = _numeric(inputs, layout)
        ids.insert(0, bucket_ids)
    elif not ids:
        ids = [tf.zeros_like(outputs[TOKENS][:, :1])]
    if not layout.numeric:
        numeric = tf.cast(tf.ones_like(ids[0][:, :1]), tf.float32) / 2.0
    outputs |= {
        NUMERIC: numeric,
        CATEGORICAL: tf.concat(ids, axis=1),
        LABEL: _dense(inputs[LABEL], 0.0, preprocessing.outputs),
        WEIGHT: _dense(inputs[WEIGHT], 0.0),
    }
    outputs.update({c: _dense(inputs[c], "") for c in preprocessing.passed_through})
    return outputs


def model_inputs_of(transform_graph: str, preprocessing: Preprocessing) -> ModelInputs:
    """Reads the widths that are left after feature selection.

    Args:
      transform_graph: URI of the `transform_graph` artifact of TFX Transform.
      preprocessing: What Transform was given.
    """
    output = tft.TFTransformOutput(transform_graph)
    layout = layout_of(output.raw_feature_spec(), preprocessing)
    numeric, both = len(layout.numeric), len(layout.numeric) + len(layout.categorical)
    # Without columns `numeric` is one wide, always .5; `categorical` too, always 0.
    inputs = ModelInputs(max(1, numeric), max(1, both), layout.ids, outputs=preprocessing.outputs)
    if layout.text is None:
        return inputs
    return dataclasses.replace(
        inputs,
        text=len(layout.text.columns),
        tokens=layout.text.width,
        token_ids=FIRST_ID + output.vocabulary_size_by_name(VOCABULARY),
    )


def describe(transform_graph: str, preprocessing: Preprocessing) -> Description:
    """Reads what `preprocessing_fn` fitted out of a Transform graph.

    Args:
      transform_graph: URI of the `transform_graph` artifact of TFX Transform.
      preprocessing: What Transform was given.

    Raises:
      ValueError: The graph was not made by this module's `preprocessing_fn`.
    """
    output = tft.TFTransformOutput(transform_graph)
    layout = layout_of(output.raw_feature_spec(), preprocessing)
    boundaries = np.zeros([0, layout.buckets - 1], np.float32)
    if layout.numeric:
        boundaries = fitted_boundaries(output)
    if layout.text is None:
        return Description(layout, boundaries)
    vocabulary = output.vocabulary_by_name(VOCABULARY)
    return Description(layout, boundaries, tuple(gram.decode() for gram in vocabulary))


def fitted_boundaries(output: tft.TFTransformOutput) -> np.ndarray:
    """The tensor of that name, float32 [numeric columns, buckets - 1]."""
    transform_fn = tf.saved_model.load(output.transform_savedmodel_dir).transform_fn
    captured = transform_fn.captured_inputs
    fitted = dict(
        zip((t.name for t in transform_fn.graph.inputs[-len(captured) :]), captured, strict=True)
    )
    operations = {operation.name: operation for operation in transform_fn.graph.get_operations()}
    if _BOUNDARIES_TENSOR not in operations:
        folder = output.transform_savedmodel_dir
        raise ValueError(f"{folder}: no tensor '{_BOUNDARIES_TENSOR}' in this graph")
    return fitted[operations[_BOUNDARIES_TENSOR].inputs[0].name].numpy()


def _numeric(inputs: Mapping[str, tf.SparseTensor], layout: Layout) -> tuple[tf.Tensor, tf.Tensor]:
    """Quantile rank, float32 [batch, N], and bucket id, int64 [batch, N], of the numeric columns.

    Zeros are left out of the quantiles: columns such as capital gains are zero nearly everywhere,
    and their few other values are what matters.
    """
    columns = [tf.cast(inputs[c], tf.float32) for c in layout.numeric]
    values = _without_tiny(_packed(columns, float("nan")))
    boundaries = boundaries_of(
        tf.where(tf.equal(values, 0.0), float("nan"), values), layout.buckets
    )
    return ranks(values, tf.identity(boundaries, name=_BOUNDARIES_TENSOR), layout)


def ranks(values: tf.Tensor, boundaries: tf.Tensor, layout: Layout) -> tuple[tf.Tensor, tf.Tensor]:
    """Quantile rank, float32 [batch, N], and bucket id, int64 [batch, N], of numbers.

    Args:
      values: float32 [batch, N], the numeric columns; NaN where missing.
      boundaries: float32 [N, buckets - 1].
      layout: The columns and their ids.
    """
    values = _without_tiny(values)
    columns = len(layout.numeric)
    boundaries = tf.ensure_shape(boundaries, [columns, layout.buckets - 1])
    missing = tf.math.is_nan(values)
    bucket = tf.reduce_sum(tf.cast(values[:, :, tf.newaxis] >= boundaries, tf.int32), axis=2)
    last = layout.buckets - 2
    starts = tf.constant([column * (last + 1) for column in range(columns)], tf.int32)
    flat = tf.reshape(boundaries, [-1]) / 2.0  # halves: their differences are finite
    below = tf.gather(flat, starts + tf.clip_by_value(bucket - 1, 0, last))
    above = tf.gather(flat, starts + tf.clip_by_value(bucket, 0, last))
    within = tf.math.divide_no_nan(values / 2.0 - below, above - below)
    rank = (tf.cast(bucket, tf.float32) + tf.clip_by_value(within, 0.0, 1.0)) / layout.buckets
    rank = tf.where(missing, 0.5, rank)
    ids = tf.where(missing, layout.buckets, bucket) + tf.constant(
        layout.offsets[:columns], tf.int32
    )
    return rank, tf.cast(ids, tf.int64)


def _without_tiny(values: tf.Tensor) -> tf.Tensor:
    """Zero in place of numbers so small that TensorFlow may take their differences for zero."""
    return tf.where(tf.abs(values) < TINY, 0.0, values)


def _category_ids(inputs: Mapping[str, tf.SparseTensor], layout: Layout) -> tf.Tensor:
    """Ids of the categorical columns in the joint id space, int64 [batch, C]."""
    offsets = layout.offsets[len(layout.numeric) :]
    keys: list[str] = []
    ids: list[int] = []
    for (column, values), offset in zip(layout.categorical, offsets, strict=True):
        keys += [column + _SEPARATOR + value for value in values]
        ids += range(offset + 1, offset + 1 + len(values))
    table = tft.make_and_track_object(
        lambda: tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(
                tf.constant(keys, tf.string), tf.constant(ids, tf.int64)
            ),
            default_value=-1,
        ),
        name="category_ids",
    )
    values = _packed([inputs[c] for c, _ in layout.categorical], "")
    prefixes = tf.constant([[c + _SEPARATOR for c, _ in layout.categorical]])
    found = table.lookup(tf.add(prefixes, values))
    return tf.where(found < 0, tf.constant([offsets], tf.int64), found)


def _packed(columns: Sequence[tf.SparseTensor], default: float | str) -> tf.Tensor:
    """[batch, columns] with `default` where a column is missing.

    The columns share what `_dense` makes anew for each: TFX traces this graph about ten times.
    """
    shape = tf.stack([columns[0].dense_shape[0], 1])
    missing = tf.constant(default, columns[0].dtype)
    dense = [
        tf.raw_ops.SparseToDense(
            sparse_indices=column.indices,
            output_shape=shape,
            sparse_values=column.values,
            default_value=missing,
        )
        for column in columns
    ]
    return tf.concat(dense, axis=1)


def _dense(column: tf.SparseTensor, default: float | str, width: int = 1) -> tf.Tensor:
    """[batch, width] with `default` where the column is missing."""
    return tft.sparse_tensor_to_dense_with_shape(column, [None, width], default)
