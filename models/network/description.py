"""What preprocessing fitted, and the form in which a device gets it."""

import dataclasses
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from models.columns import categories
from models.columns.date_formats import PARTS
from models.columns.dates import NEWEST_TENSOR, NONE
from models.columns.hashing import KEY
from models.columns.numbers import LIMIT, NUMBERS_TENSOR
from models.network.layout import Layout, Preprocessing, layout_of
from models.network.text import FIRST_ID, PADDING, STEPS, UNKNOWN, VOCABULARY

FORMAT = 3  # of the document


@dataclasses.dataclass(frozen=True)
class Description:
    """Everything that turns a raw record into model inputs without TensorFlow.

    Attributes:
      layout: The columns and their ids.
      numbers: float32 [numeric columns + dates, buckets + 1], of each its ascending quantile
        boundaries, its center and its scale.
      vocabulary: Words and n-grams of the text columns, in the order of their ids.
      newest: int64 [dates], the newest time of each in the training rows.
      values: Columns of many values and their values, in the order of their ids.
    """

    layout: Layout
    numbers: np.ndarray
    vocabulary: tuple[str, ...] = ()
    newest: tuple[int, ...] = ()
    values: tuple[tuple[str, str], ...] = ()

    def document(self) -> dict[str, Any]:
        """The form in which a device gets it, in `preprocessing.json`."""
        layout, offsets = self.layout, self.layout.offsets
        split = len(layout.numeric)
        numbers = [_number(row) for row in self.numbers]
        document: dict[str, Any] = {
            "format": FORMAT,
            "buckets": layout.buckets,
            "limit": LIMIT,
            "numeric": [
                {"column": column, "offset": offset, **number}
                for column, offset, number in zip(
                    layout.numeric, offsets.numbers[:split], numbers[:split], strict=True
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
            document["dates"] = self._dates(numbers[split:])
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

    def _dates(self, numbers: list[dict[str, Any]]) -> list[dict[str, Any]]:
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
                    **numbers[n],
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
    description = Description(layout, np.zeros([0, layout.buckets + 1], np.float32))
    if layout.numbers:
        description = dataclasses.replace(description, numbers=fitted_numbers(output))
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


def _number(fitted: np.ndarray) -> dict[str, Any]:
    """What a device needs of a number or the age of a date."""
    *boundaries, center, scale = (float(value) for value in fitted)
    return {"boundaries": boundaries, "center": center, "scale": scale}


def fitted_numbers(output: tft.TFTransformOutput) -> np.ndarray:
    """Boundaries, center and scale, float32 [numeric columns + dates, buckets + 1]."""
    return fitted(output, NUMBERS_TENSOR)


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
