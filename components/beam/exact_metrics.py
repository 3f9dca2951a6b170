"""A metric of the registry, measured inside TensorFlow Model Analysis to the last digit.

TFMA's own AUC and the like count rows in even bins of the probability. Where a class is rare most
probabilities lie in the lowest bin, in which the order of rows is lost: an AUC of .83 reads .78.
Here the rows of a slice are kept, 16 bytes each, and the registry's function is called on them, so
that the gates have the very figure of the table of models and of the comparison with the live
version.

The EvalConfig finds `RegistryMetric` by this module's name (pipeline/evaluation.py).
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import apache_beam as beam
import numpy as np
from tensorflow_model_analysis.metrics import metric_types, metric_util
from tensorflow_model_analysis.proto import config_pb2

from core.answers import PROBABILITIES, decided
from models.metrics.registry import Metric, metrics_of

_ROWS = "_labels_and_probabilities"

Scores = tuple[np.ndarray, np.ndarray]
"""Codes of the true classes, [rows], and answers, [rows] or [rows, K]."""


class RegistryMetric(metric_types.Metric):
    """A metric of the registry.

    Args:
      name: TFMA's name of it, `tfma_name` in the registry.
      classes: The classes by their codes.
    """

    def __init__(self, name: str, classes: list[str]) -> None:
        super().__init__(computations, name=name, classes=classes)


def computations(
    name: str,
    classes: list[str],
    eval_config: config_pb2.EvalConfig | None = None,
    model_names: list[str] | None = None,
    output_names: list[str] | None = None,
    example_weighted: bool = False,
) -> metric_types.MetricComputations:
    """What TFMA has to compute: rows once for all metrics of a model, and from them this one.

    Raises:
      KeyError: The registry has no metric of that name.
    """
    known = metrics_of(tuple(classes)).everything.values()
    metric = {metric.tfma_name: metric for metric in known}[name]
    made: metric_types.MetricComputations = []
    for model in model_names or [""]:
        for output in output_names or [""]:
            keys = [
                metric_types.MetricKey(
                    name=of, model_name=model, output_name=output, example_weighted=weighted
                )
                for of, weighted in ((_ROWS, None), (name, example_weighted))
            ]
            made += [
                metric_types.MetricComputation(
                    [keys[0]], None, _Rows(keys[0], eval_config, len(classes))
                ),
                metric_types.DerivedMetricComputation([keys[1]], _Measured(metric, *keys)),
            ]
    return made


class _Measured:
    """From the rows of a slice to the value; NaN where it cannot be measured on them."""

    def __init__(
        self, metric: Metric, rows: metric_types.MetricKey, key: metric_types.MetricKey
    ) -> None:
        self._metric, self._rows, self._key = metric, rows, key

    def __call__(
        self, metrics: Mapping[metric_types.MetricKey, Any]
    ) -> dict[metric_types.MetricKey, float]:
        value = self._metric.measure(*metrics[self._rows])
        return {self._key: math.nan if value is None else value}


class _Rows(beam.CombineFn):
    """Joins the rows of a slice; a row counts once, whatever its weight."""

    def __init__(
        self,
        key: metric_types.MetricKey,
        eval_config: config_pb2.EvalConfig | None,
        classes: int,
    ) -> None:
        self._key, self._eval_config, self._classes = key, eval_config, classes

    def create_accumulator(self) -> list[Scores]:
        return []

    def add_input(
        self, accumulator: list[Scores], element: metric_types.StandardMetricInputs
    ) -> list[Scores]:
        pair: tuple[Any, ...] = tuple(
            value.get(self._key.model_name) if isinstance(value, Mapping) else value
            for value in (element.labels, element.predictions)
        )
        if self._classes > 2:
            of_model = (element.labels, element.predictions)
            pair = tuple(_shares(v, self._key.model_name, self._classes) for v in of_model)
            pair = (decided(pair[0]), pair[1])
        elif not all(isinstance(v, np.ndarray) and v.ndim == 1 and v.size > 1 for v in pair):
            rows = list(
                metric_util.to_label_prediction_example_weight(
                    element,
                    eval_config=self._eval_config,
                    model_name=self._key.model_name,
                    output_name=self._key.output_name,
                    flatten=True,
                )
            )
            pair = tuple(np.concatenate([row[n] for row in rows]) for n in (0, 1))
        if not np.isfinite(pair[1]).all():
            raise ValueError(f"{(~np.isfinite(pair[1])).sum()} answers are no numbers (NaN)")
        accumulator.append((pair[0].astype(np.float64), pair[1].astype(np.float64)))
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[list[Scores]]) -> list[Scores]:
        return [part for accumulator in accumulators for part in accumulator]

    def compact(self, accumulator: list[Scores]) -> list[Scores]:
        return [_joined(accumulator)] if accumulator else []

    def extract_output(self, accumulator: list[Scores]) -> dict[metric_types.MetricKey, Scores]:
        return {self._key: _joined(accumulator)}


def _shares(value: Any, model: str, classes: int) -> np.ndarray:
    """Shares of each class, [rows, classes], from labels or from what models answer."""
    for name in (model, PROBABILITIES):
        if isinstance(value, Mapping) and name in value:
            value = value[name]
    return np.asarray(value).reshape(-1, classes)


def _joined(parts: list[Scores]) -> Scores:
    labels, probabilities = zip(*parts, strict=True)
    return np.concatenate(labels), np.concatenate(probabilities)
