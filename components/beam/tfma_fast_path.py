"""A shorter way through one of TFMA's metrics, for binary labels in plain arrays.

`_BinaryConfusionMatrixCombiner` (fairness indicators) takes labels, predictions and weights apart
with `metric_util.to_label_prediction_example_weight`, which makes three arrays for each row and is
half of what an evaluation costs. TFMA has no public switch or hook there. `install` gives the
class an `add_input` that reads the arrays directly when they are what this pipeline evaluates: a
finite prediction and a label of 0 or 1 for each row, weights of 1, one output. What is added to
what, and in which order, is TFMA's, so results are equal to the last bit; anything else goes to
TFMA's own `add_input`.
"""

import functools
import inspect
import logging
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from tensorflow_model_analysis.metrics import (
    binary_confusion_matrices,
    metric_util,
)

_Rows = tuple[np.ndarray, np.ndarray]
_AddRows = Callable[[Any, Any, np.ndarray, np.ndarray], Any]

# Private names that the shorter way uses: without one of them it is not taken.
_MATRIX = {
    "key",
    "eval_config",
    "aggregation_type",
    "class_weights",
    "example_weighted",
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
      Whether it is in place. It is not, and the log says so, with a TFMA whose class is not the
      one that it was written for (0.47 to 0.52): evaluations are then only slower.
    """
    try:
        matrix = binary_confusion_matrices._BinaryConfusionMatrixCombiner
        known = _takes(matrix, _MATRIX)
    except AttributeError:
        known = False
    if not known:
        logging.getLogger(__name__).warning("unknown TFMA: evaluations take TFMA's own, slower way")
        return False
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


def plain_rows(combiner: Any, element: Any) -> _Rows | None:
    """Labels and predictions, each [rows]; None where TFMA's own way has to be taken.

    Args:
      combiner: The combiner.
      element: TFMA's StandardMetricInputs.
    """
    key = combiner._key
    if key.sub_key or key.output_name or combiner._class_weights or combiner._aggregation_type:
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
