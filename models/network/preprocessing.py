"""The one preprocessing function: raw columns to model inputs, one graph in training and serving.

All columns of a kind are packed into one tensor, so that the whole function needs one analyzer
(quantiles) and one lookup table whatever the number of columns, one of each more (a vocabulary)
where there is text or a category of many values, and one analyzer more (the newest) with dates.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from core.names import LABEL, WEIGHT
from models.columns import categories
from models.columns.date_formats import PARTS
from models.columns.dates import NEWEST_TENSOR, NONE, days_since_newest, part_ids, times_of
from models.columns.hashing import KEY
from models.columns.numbers import BOUNDARIES_TENSOR, fitted_ranks
from models.network.layout import Layout, Preprocessing, layout_of
from models.network.text import FIRST_ID, PADDING, STEPS, TOKENS, UNKNOWN, VOCABULARY, token_ids

NUMERIC = "numeric"
CATEGORICAL = "categorical"

PROBABILITY = "probability"  # what a network answers


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
      learned: How many of the ids, the last ones, are of a vocabulary of categories.
    """

    numeric: int
    categorical: int
    ids: int
    text: int = 0
    tokens: int = 0
    token_ids: int = 0
    learned: int = 0


@dataclasses.dataclass(frozen=True)
class Description:
    """Everything that turns a raw record into model inputs without TensorFlow.

    Attributes:
      layout: The columns and their ids.
      boundaries: float32 [numeric columns + dates, buckets - 1], ascending quantile boundaries.
      vocabulary: Words and n-grams of the text columns, in the order of their ids.
      newest: int64 [dates], the newest time of each in the training rows.
      values: Columns of many values and their values, in the order of their ids.
    """

    layout: Layout
    boundaries: np.ndarray
    vocabulary: tuple[str, ...] = ()
    newest: tuple[int, ...] = ()
    values: tuple[tuple[str, str], ...] = ()

    def document(self) -> dict[str, Any]:
        """The form in which a device gets it, in `preprocessing.json`."""
        layout, offsets = self.layout, self.layout.offsets
        split = len(layout.numeric)
        boundaries = [[float(b) for b in row] for row in self.boundaries]
        document: dict[str, Any] = {
            "format": 2,
            "buckets": layout.buckets,
            "numeric": [
                {"column": column, "offset": offset, "boundaries": row}
                for column, offset, row in zip(
                    layout.numeric, offsets.numbers[:split], boundaries[:split], strict=True
                )
            ],
            "categorical": [
                {
                    "column": column,
                    "offset": offset,
                    "values": list(values),
                    "missing": offset + 1 + len(values),
                }
                for (column, values), offset in zip(layout.categorical, offsets.listed, strict=True)
            ],
        }
        if layout.dates:
            document["dates"] = self._dates(boundaries[split:])
        if layout.hashed is not None:
            document["hashed"] = self._hashed()
        if layout.text is not None:
            document["text"] = {
                "columns": list(layout.text.columns),
                "steps": [list(step) for step in STEPS],
                "ngrams": layout.text.ngrams,
                "width": layout.text.width,
                "padding": PADDING,
                "unknown": UNKNOWN,
                "offset": FIRST_ID,
                "vocabulary": list(self.vocabulary),
            }
        return document

    def _dates(self, boundaries: list[list[float]]) -> list[dict[str, Any]]:
        layout, offsets = self.layout, self.layout.offsets
        parts, documents = iter(offsets.parts), []
        for n, date in enumerate(layout.dates):
            documents.append(
                {
                    "column": date.column,
                    "format": date.format,
                    "timezone": date.timezone,
                    "pattern": date.pattern,
                    "fields": list(date.fields),
                    "offsets": [list(pair) for pair in date.offsets],
                    "newest": self.newest[n],
                    "offset": offsets.numbers[len(layout.numeric) + n],
                    "boundaries": boundaries[n],
                    "parts": [
                        {"part": part, "offset": next(parts), "values": PARTS[part]}
                        for part in date.parts
                    ],
                }
            )
        return documents

    def _hashed(self) -> dict[str, Any]:
        hashed, offsets = self.layout.hashed, self.layout.offsets
        assert hashed is not None
        ids: dict[str, dict[str, int]] = {column: {} for column in hashed.columns}
        for number, (column, value) in enumerate(self.values, offsets.vocabulary):
            if column in ids:  # of an empty vocabulary TensorFlow Transform makes one up
                ids[column][value] = number
        return {
            "key": list(KEY),
            "buckets": hashed.buckets,
            "vocabulary": len(self.values),
            "columns": [
                {"column": column, "offset": offset, "values": ids[column]}
                for column, offset in zip(hashed.columns, offsets.hashed, strict=True)
            ],
        }


def preprocessing_fn(
    inputs: Mapping[str, tf.SparseTensor], custom_config: Mapping[str, str]
) -> dict[str, tf.Tensor]:
    """Maps raw columns to model inputs; the entry point that TFX Transform calls.

    Args:
      inputs: One SparseTensor [batch, 1] for each column of the selected schema.
      custom_config: `settings`, the JSON of a `Preprocessing`. Columns that the feature selection
        dropped are not in `inputs` and are left out.

    Returns:
      `numeric` float32 [batch, N]: quantile rank in 0..1 of numeric columns and of the ages of
      dates, .5 where missing ([batch, 1] of .5 when there are neither); `categorical` int64
      [batch, N + C]: ids in the joint id space, of the same, of categorical columns and of the
      parts of dates ([batch, 1] of 0 when there are text columns only); where there is text,
      `tokens` int64
      [batch, T * width]: see `token_ids`; `label` and `weight` float32 [batch, 1]; the
      passed-through columns, string [batch, 1].
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
        numeric, bucket_ids = fitted_ranks(joined, layout.buckets, offsets.numbers)
        ids.insert(0, bucket_ids)
    elif not ids:
        ids = [tf.zeros_like(outputs[TOKENS][:, :1])]
    if not layout.numbers:
        numeric = tf.cast(tf.ones_like(ids[0][:, :1]), tf.float32) / 2.0
    outputs |= {
        NUMERIC: numeric,
        CATEGORICAL: tf.concat(ids, axis=1),
        LABEL: _dense(inputs[LABEL], 0.0),
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
    # Without columns `numeric` is one wide, always .5; `categorical` too, always 0.
    inputs = ModelInputs(
        max(1, layout.numbers), max(1, layout.categories), layout.ids + learned, learned=learned
    )
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
    description = Description(layout, np.zeros([0, layout.buckets - 1], np.float32))
    if layout.numbers:
        boundaries = fitted_boundaries(output)
        description = dataclasses.replace(description, boundaries=boundaries)
    if layout.dates:
        times = fitted(output, NEWEST_TENSOR)
        newest = tuple(0 if time == NONE else int(time) for time in times)
        description = dataclasses.replace(description, newest=newest)
    if layout.hashed is not None:
        keys = (key.decode() for key in output.vocabulary_by_name(categories.VOCABULARY))
        pairs = (key.partition(categories.SEPARATOR)[::2] for key in keys)
        description = dataclasses.replace(description, values=tuple(pairs))
    if layout.text is not None:
        grams = tuple(gram.decode() for gram in output.vocabulary_by_name(VOCABULARY))
        description = dataclasses.replace(description, vocabulary=grams)
    return description


def fitted_boundaries(output: tft.TFTransformOutput) -> np.ndarray:
    """The quantile boundaries, float32 [numeric columns + dates, buckets - 1]."""
    return fitted(output, BOUNDARIES_TENSOR)


def fitted(output: tft.TFTransformOutput, tensor: str) -> np.ndarray:
    """What an analyzer found, by the name of its tensor.

    Raises:
      ValueError: There is no such tensor.
    """
    transform_fn = tf.saved_model.load(output.transform_savedmodel_dir).transform_fn
    captured = transform_fn.captured_inputs
    fitted = dict(
        zip((t.name for t in transform_fn.graph.inputs[-len(captured) :]), captured, strict=True)
    )
    operations = {operation.name: operation for operation in transform_fn.graph.get_operations()}
    if tensor not in operations:
        folder = output.transform_savedmodel_dir
        raise ValueError(f"{folder}: no tensor '{tensor}' in this graph")
    return fitted[operations[tensor].inputs[0].name].numpy()


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


def _dense(column: tf.SparseTensor, default: float | str) -> tf.Tensor:
    """[batch, 1] with `default` where the column is missing."""
    return tft.sparse_tensor_to_dense_with_shape(column, [None, 1], default)
