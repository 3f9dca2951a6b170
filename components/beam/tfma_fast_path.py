"""A shorter way through two of TFMA's metrics, for binary labels in plain arrays.

`_CalibrationHistogramCombiner` (AUC) and `_BinaryConfusionMatrixCombiner` (accuracy, F1, fairness
indicators) take labels, predictions and weights apart with
`metric_util.to_label_prediction_example_weight`, which makes three arrays for each row and is half
of what an evaluation costs. TFMA has no public switch or hook there. `install` gives the two
classes an `add_input` that reads the arrays directly when they are what this pipeline evaluates: a
finite prediction and a label of 0 or 1 for each row, weights of 1, one output. What is added to
what, and in which order, is TFMA's, so results are equal to the last bit; anything else goes to
TFMA's own `add_input`.
"""

import functools
import inspect
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self

import numpy as np
from tensorflow_model_analysis.metrics import (
    binary_confusion_matrices,
    calibration_histogram,
    metric_util,
)

_Rows = tuple[np.ndarray, np.ndarray]
_AddRows = Callable[[Any, Any, np.ndarray, np.ndarray], Any]

# Private names that the shorter way uses, by class: without one of them it is not taken.
_SHARED = {"key", "eval_config", "aggregation_type", "class_weights", "example_weighted"}
_HISTOGRAM = {"num_buckets", "left", "right", "prediction_based_bucketing", "fractional_labels"}
_MATRIX = {
    "thresholds",
    "extract_label_prediction_and_weight",
    "example_id_key",
    "example_ids_count",
    "enable_fractional_labels",
}


@functools.cache
def install() -> bool:
    """Puts the shorter way into TFMA, once for a process.

    Returns:
      Whether it is in place. It is not, and the log says so, with a TFMA whose two classes are
      not those that it was written for (0.47 to 0.52): evaluations are then only slower.
    """
    try:
        histogram = calibration_histogram._CalibrationHistogramCombiner
        matrix = binary_confusion_matrices._BinaryConfusionMatrixCombiner
        known = _takes(histogram, _SHARED | _HISTOGRAM) and _takes(matrix, _SHARED | _MATRIX)
    except AttributeError:
        known = False
    if not known:
        logging.getLogger(__name__).warning("unknown TFMA: evaluations take TFMA's own, slower way")
        return False
    histogram.add_input = _shorter(histogram.add_input, _add_to_histogram)
    histogram.create_accumulator = lambda self: Histogram()
    histogram.extract_output = _packed(histogram.extract_output)
    matrix.add_input = _shorter(matrix.add_input, _add_to_matrix)
    return True


def _takes(combiner: type, arguments: set[str]) -> bool:
    """Whether a class is made from exactly these arguments and adds one element at a time."""
    return set(inspect.signature(combiner).parameters) == arguments and list(
        inspect.signature(combiner.add_input).parameters  # type: ignore[attr-defined]
    ) == ["self", "accumulator", "element"]


def _shorter(original: Callable[..., Any], add_rows: _AddRows) -> Callable[..., Any]:
    """`add_input` that falls back on `original`."""

    @functools.wraps(original)
    def add_input(self: Any, accumulator: Any, element: Any) -> Any:
        rows = plain_rows(self, element)
        if rows is None:
            return original(self, accumulator, element)
        return add_rows(self, accumulator, *rows)

    return add_input


class Histogram(dict[int, Any]):
    """Buckets by number: TFMA's accumulator, made so that Beam pickles it as one value.

    Of a plain dict Beam pickles every bucket by itself, at each of several stages.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpack, (Histogram, *_pack(self.values()))

    @classmethod
    def of(cls, buckets: list[Any]) -> Self:
        """The accumulator that holds `buckets`."""
        return cls((bucket.bucket_id, bucket) for bucket in buckets)


class Buckets(list[Any]):
    """Buckets in order: TFMA's result, made so that Beam pickles it as one value."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpack, (Buckets, *_pack(self))

    @classmethod
    def of(cls, buckets: list[Any]) -> Self:
        """The result that holds `buckets`."""
        return cls(buckets)


def _pack(buckets: Iterable[Any]) -> tuple[list[int], bytes]:
    rows = [
        (b.bucket_id, b.weighted_labels, b.weighted_predictions, b.weighted_examples)
        for b in buckets
    ]
    return [row[0] for row in rows], np.array([row[1:] for row in rows], np.float64).tobytes()


def _unpack(kind: type, numbers: list[int], values: bytes) -> Any:
    rows = np.frombuffer(values).reshape(-1, 3).tolist()
    pairs = zip(numbers, rows, strict=True)
    return kind.of([calibration_histogram.Bucket(n, *row) for n, row in pairs])  # type: ignore[attr-defined]


def _packed(original: Callable[..., Any]) -> Callable[..., Any]:
    """`extract_output` with the result of `original` as Buckets."""

    @functools.wraps(original)
    def extract_output(self: Any, accumulator: Any) -> Any:
        return {k: Buckets(buckets) for k, buckets in original(self, accumulator).items()}

    return extract_output


def plain_rows(combiner: Any, element: Any) -> _Rows | None:
    """Labels and predictions, each [rows]; None where TFMA's own way has to be taken.

    Args:
      combiner: One of the two combiners.
      element: TFMA's StandardMetricInputs.
    """
    key = combiner._key
    if key.sub_key or key.output_name or combiner._class_weights or combiner._aggregation_type:
        return None
    if not getattr(combiner, "_prediction_based_bucketing", True):
        return None
    extract = getattr(combiner, "_extract_label_prediction_and_weight", None)
    if extract not in (None, metric_util.to_label_prediction_example_weight):
        return None
    if getattr(combiner, "_example_id_key", None):
        return None
    labels = _of_model(element.labels, key.model_name)
    predictions = _of_model(element.predictions, key.model_name)
    if not (_is_row_of_floats(labels) and _is_row_of_floats(predictions)):
        return None
    if labels.shape != predictions.shape or not np.isfinite(predictions).all():
        return None
    if not ((labels == 0) | (labels == 1)).all():
        return None
    if combiner._example_weighted:
        weights = element.example_weights
        if not _is_row_of_floats(weights) or weights.shape != labels.shape or (weights != 1).any():
            return None
    return labels, predictions.astype(np.float64)


def _of_model(value: Any, model_name: str) -> Any:
    return value.get(model_name) if isinstance(value, Mapping) else value


def _is_row_of_floats(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype.kind == "f"


def _add_to_histogram(
    combiner: Any, accumulator: dict[int, Any], labels: np.ndarray, predictions: np.ndarray
) -> dict[int, Any]:
    """As `_CalibrationHistogramCombiner.add_input`; `positions` is its `_bucket_index`."""
    count = combiner._num_buckets
    positions = (predictions - combiner._left) / combiner._range * count + 1
    numbers = np.clip(positions, 0, count + 1).astype(np.int64)
    rows = zip(numbers.tolist(), labels.tolist(), predictions.tolist(), strict=True)
    for number, label, prediction in rows:
        bucket = accumulator.get(number)
        if bucket is None:
            accumulator[number] = calibration_histogram.Bucket(number, label, prediction, 1.0)
        else:
            bucket.weighted_labels += label
            bucket.weighted_predictions += prediction
            bucket.weighted_examples += 1.0
    return accumulator


def _add_to_matrix(
    combiner: Any, accumulator: Any, labels: np.ndarray, predictions: np.ndarray
) -> Any:
    """As `_BinaryConfusionMatrixCombiner.add_input`, which leaves the counting to another class."""
    return combiner._binary_confusion_matrices.add_input(
        accumulator=accumulator,
        labels=labels.tolist(),
        predictions=predictions.tolist(),
        example_weights=[1.0] * len(labels),
        example_id=None,
    )
