"""Every metric of binary decisions, one entry each; what lists metrics goes by these two tables.

A new metric is a new entry of METRICS: the configuration may then bound it, the Evaluators and
VariantEvaluator measure it, FairnessGate, PushGate and `retrain` judge it, and tables show it. A
name without an entry is an error at start-up.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.answers import THRESHOLD
from core.intervals import Z
from models.metrics import measures
from models.metrics.measures import Interval, IntervalOf, Measure, Terms

__all__ = ["EXAMPLES", "METRICS", "RATES", "THRESHOLD", "Metric", "Terms", "gap", "overall_metrics"]
__all__ += ["slice_metrics", "slice_rows"]

EXAMPLES = "examples"
"""Our name for the number of rows, which is reported beside the metrics."""


@dataclass(frozen=True)
class Metric:
    """A metric: its names, and how it is computed and compared.

    Attributes:
      name: In the configuration and in reports.
      tfma_name: Of TFMA's output.
      terms: Takes the true classes, bool [rows], and probabilities, [rows]; gives the value and the
        terms that two models are compared by (models/metrics/comparison.py), or None where it
        cannot be measured on these rows.
      tfma_class: TFMA's class; None where this entry's own function measures it inside TFMA
        (components/beam/exact_metrics.py), or FairnessIndicators does.
      greater_is_better: Whether a model is better the greater it is.
      interval_of: Takes what `terms` takes, where it gives a value; gives the ends of its 95%
        interval. None: the normal interval of the terms' means.
      short: A shorter name for tables.
    """

    name: str
    tfma_name: str
    terms: Measure
    tfma_class: str | None = None
    greater_is_better: bool = True
    interval_of: IntervalOf | None = None
    short: str | None = None

    @property
    def heading(self) -> str:
        """What it is called above a column."""
        return self.short or self.name

    def measure(self, labels: np.ndarray, probabilities: np.ndarray) -> float | None:
        """The value on labels of 0 and 1, [rows]; None where it cannot be measured."""
        found = self.terms(labels == 1, probabilities)
        return None if found is None else found[0]

    def interval(self, labels: np.ndarray, probabilities: np.ndarray) -> Interval | None:
        """Its 95% interval on labels of 0 and 1, [rows]; None where it cannot be measured."""
        found = self.terms(labels == 1, probabilities)
        if found is None or self.interval_of is not None:
            return found and self.interval_of and self.interval_of(labels == 1, probabilities)
        error = math.sqrt(sum(float(np.var(t, ddof=1)) / len(t) for t in found[1] if len(t) > 1))
        return found[0] - Z * error, found[0] + Z * error

    def fall(self, before: float, now: float) -> float:
        """By how much `now` is worse than `before`; below 0 where it is better."""
        return before - now if self.greater_is_better else now - before


def _rate(
    name: str,
    tfma_name: str,
    rows: Callable[[np.ndarray], np.ndarray],
    greater_is_better: bool = True,
) -> Metric:
    """The share of positive decisions among some rows, chosen by their true class."""
    return Metric(
        name,
        f"fairness_indicators_metrics/{tfma_name}@{THRESHOLD}",
        lambda positive, probabilities: measures.mean_of(
            (probabilities[rows(positive)] > THRESHOLD).astype(float)
        ),
        greater_is_better=greater_is_better,
        interval_of=measures.of_rows(rows, lambda positive, decisions: decisions),
    )


def _by_name(*metrics: Metric) -> dict[str, Metric]:
    return {metric.name: metric for metric in metrics}


METRICS: Mapping[str, Metric] = _by_name(
    Metric("auc", "auc", measures.auc, interval_of=measures.auc_interval),
    Metric(
        "accuracy",
        "binary_accuracy",
        measures.accuracy,
        interval_of=measures.of_rows(
            measures.every_row, lambda positive, decisions: decisions == positive
        ),
    ),
    Metric("f1", "f1_score", measures.f1, interval_of=measures.f1_interval),
    Metric(
        "average_precision",
        "average_precision",
        measures.average_precision,
        interval_of=measures.of_positives(measures.average_precision),
        short="avg prec",
    ),
    Metric(
        "recall_at_precision",
        "recall_at_precision",
        measures.recall_at_precision,
        interval_of=measures.of_positives(measures.recall_at_precision),
        short=f"recall at {measures.PRECISION:g}",
    ),
)
"""Metrics of quality, by name."""

RATES: Mapping[str, Metric] = _by_name(
    _rate("tpr", "true_positive_rate", lambda positive: positive),
    _rate("fpr", "false_positive_rate", lambda positive: ~positive, greater_is_better=False),
    _rate("selection_rate", "positive_rate", measures.every_row),
)
"""Rates whose gap between groups is bounded, by name."""

MONITORED_RATES = tuple(rate for rate in RATES if rate != "selection_rate")
"""Those that need labels: `monitor` estimates them."""


def compared() -> dict[str, Metric]:
    """What a model is compared with the live version by: quality, and the recall of each class.

    `tpr` is that of the positive class, 1 - `fpr` that of the other.
    """
    return {**METRICS, **{name: RATES[name] for name in ("tpr", "fpr")}}


def overall_metrics(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """Every metric of quality, and the number of examples.

    Args:
      labels: [rows], 0 or 1.
      probabilities: [rows].

    Raises:
      ValueError: One cannot be measured on these rows.
    """
    found: dict[str, float] = {}
    for name, metric in METRICS.items():
        value = metric.measure(labels, probabilities)
        if value is None:
            raise ValueError(f"{name} cannot be measured on {labels.size} rows of these classes")
        found[name] = value
    return {**found, EXAMPLES: int(labels.size)}


def slice_metrics(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float | None]:
    """Every metric and rate of a slice, and its examples; None where one cannot be measured.

    Args:
      labels: [rows], 0 or 1.
      probabilities: [rows].
    """
    everything = {**METRICS, **RATES}
    found = {name: m.measure(labels, probabilities) for name, m in everything.items()}
    return {**found, EXAMPLES: int(labels.size)}


def slice_rows(
    columns: Mapping[str, np.ndarray], slices: Sequence[Sequence[str]]
) -> dict[str, np.ndarray]:
    """Which rows are in each slice, bool [rows] by a name such as "sex=Female,race=White".

    Args:
      columns: Slice columns, each [rows] of str.
      slices: Lists of columns.
    """
    found = {}
    for keys in slices:
        names = np.array(
            [
                ",".join(f"{k}={v}" for k, v in zip(keys, values, strict=True))
                for values in zip(*(columns[k] for k in keys), strict=True)
            ]
        )
        found.update({str(name): names == name for name in np.unique(names)})
    return found


def gap(
    by_slice: Mapping[str, Mapping[str, float | None]], column: str, rate: str, min_slice_rows: int
) -> float | None:
    """Largest difference of a rate between the groups of a column.

    Args:
      by_slice: Metrics by slice name, with the `examples` of each.
      column: A column that was sliced by alone.
      rate: A name in RATES.
      min_slice_rows: Smaller groups are left out.

    Returns:
      None where fewer than two groups are left or one of them has no value.
    """
    groups = [
        row.get(rate)
        for name, row in by_slice.items()
        if name.startswith(f"{column}=")
        and "," not in name
        and (row[EXAMPLES] or 0) >= min_slice_rows
    ]
    values = [value for value in groups if value is not None]
    complete = len(values) == len(groups) > 1
    return max(values) - min(values) if complete else None
