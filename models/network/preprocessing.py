"""The one preprocessing function: raw columns to model inputs, one graph in training and serving.

All columns of a kind are packed into one tensor, so that the whole function needs one analyzer
(quantiles) and one lookup table whatever the number of columns, one of each more (a vocabulary)
where there is text or a category of many values, and one analyzer more (the newest) with dates.
"""

import dataclasses
from collections.abc import Mapping, Sequence

import tensorflow as tf
import tensorflow_transform as tft

from core.answers import PROBABILITIES, PROBABILITY
from core.names import LABEL, WEIGHT
from models.columns import categories
from models.columns.dates import days_since_newest, part_ids, times_of
from models.columns.numbers import fitted_scores
from models.network.layout import Preprocessing, layout_of
from models.network.text import FIRST_ID, TOKENS, VOCABULARY, token_ids

NUMERIC = "numeric"
CATEGORICAL = "categorical"


def answer_name(outputs: int) -> str:
    """Name of an answer of so many numbers a row."""
    return PROBABILITY if outputs == 1 else PROBABILITIES


@dataclasses.dataclass(frozen=True)
class ModelInputs:
    """Shape of the transformed features.

    Attributes:
      numeric: Width of `numeric`, float32 [batch, numeric]: scaled numbers; at least 1.
      categorical: Width of `categorical`, int64 [batch, categorical]: ids in [0, ids).
      ids: Size of the one id space that all these columns share.
      text: How many text columns there are.
      tokens: Ids of each text column in `tokens`, int64 [batch, text * tokens]: 0 is padding.
      token_ids: Size of the id space of `tokens`, padding included.
      learned: How many of the ids, the last ones, are of a vocabulary of categories.
      outputs: Width of the answer: 1, the probability of the positive of two classes, or a share
        of each of more.
    """

    numeric: int
    categorical: int
    ids: int
    text: int = 0
    tokens: int = 0
    token_ids: int = 0
    learned: int = 0
    outputs: int = 1

    @property
    def answer(self) -> str:
        """Name of the answer, float32 [batch, outputs]."""
        return answer_name(self.outputs)


def preprocessing_fn(
    inputs: Mapping[str, tf.SparseTensor], custom_config: Mapping[str, str]
) -> dict[str, tf.Tensor]:
    """Maps raw columns to model inputs; the entry point that TFX Transform calls.

    Args:
      inputs: One SparseTensor [batch, 1] for each column of the selected schema.
      custom_config: `settings`, the JSON of a `Preprocessing`. Columns that the feature selection
        dropped are not in `inputs` and are left out.

    Returns:
      `numeric` float32 [batch, N]: scaled numeric columns and ages of dates, in -4..4, 0 where
      missing ([batch, 1] of 0 when there are neither); `categorical` int64
      [batch, N + C]: ids in the joint id space, of the same, of categorical columns and of the
      parts of dates ([batch, 1] of 0 when there are text columns only); where there is text,
      `tokens` int64 [batch, T * width]: see `token_ids`; `label` float32 [batch, outputs];
      `weight` float32 [batch, 1]; the passed-through columns, string [batch, 1].
    """
    preprocessing = Preprocessing.model_validate_json(custom_config["settings"])
    layout = layout_of(inputs, preprocessing)
    outputs = {}
    if layout.text is not None:
        texts = _packed([inputs[c] for c in layout.text.columns], "")
        outputs[TOKENS] = token_ids(texts, layout.text)
    offsets, ids = layout.offsets, []
    numbers = []
    if layout.numeric:
        cells = [tf.cast(inputs[column], tf.float32) for column in layout.numeric]
        numbers.append(_packed(cells, float("nan")))
    if layout.categorical:
        values = _packed([inputs[column] for column, _ in layout.categorical], "")
        ids.append(categories.listed_ids(values, layout.categorical, offsets.listed))
    if layout.dates:
        texts = _packed([inputs[date.column] for date in layout.dates], "")
        times, known = times_of(texts, layout.dates)
        numbers.append(days_since_newest(times, known))
        ids.append(part_ids(times, known, layout.dates, offsets.parts))
    if layout.hashed is not None:
        values = _packed([inputs[column] for column in layout.hashed.columns], "")
        first = offsets.vocabulary
        ids.append(categories.hashed_ids(values, layout.hashed, offsets.hashed, first))
    if layout.numbers:
        joined = tf.concat(numbers, axis=1)
        numeric, bucket_ids = fitted_scores(joined, layout.buckets, offsets.numbers)
        ids.insert(0, bucket_ids)
    elif not ids:
        ids = [tf.zeros_like(outputs[TOKENS][:, :1])]
    if not layout.numbers:
        numeric = tf.cast(tf.zeros_like(ids[0][:, :1]), tf.float32)
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
    learned = output.vocabulary_size_by_name(categories.VOCABULARY) if layout.hashed else 0
    # Without columns `numeric` is one wide, always 0; `categorical` too, always 0.
    inputs = ModelInputs(
        max(1, layout.numbers),
        max(1, layout.categories),
        layout.ids + learned,
        learned=learned,
        outputs=preprocessing.outputs,
    )
    if layout.text is None:
        return inputs
    return dataclasses.replace(
        inputs,
        text=len(layout.text.columns),
        tokens=layout.text.width,
        token_ids=FIRST_ID + output.vocabulary_size_by_name(VOCABULARY),
    )


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
