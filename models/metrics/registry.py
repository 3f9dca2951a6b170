"""Every metric of binary decisions, one entry each; what lists metrics goes by these two tables.

A new metric is a new entry of METRICS: the configuration may then bound it, the Evaluators and
VariantEvaluator measure it, FairnessGate, PushGate and `retrain` judge it, and tables show it. A
name without an entry is an error at start-up.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

THRESHOLD = 0.5
"""Decision threshold on the probability, as in TFMA's binary metrics."""

EXAMPLES = "examples"
"""Our name for the number of rows, which is reported beside the metrics."""

Terms = tuple[float, list[np.ndarray]]
"""A value, and the groups of terms, one a row, whose means it varies with."""


@dataclass(frozen=True)
class Metric:
    """A metric: its names, and how it is computed and compared.

    Attributes:
      name: In the configuration and in reports.
      tfma_name: Of TFMA's output.
      terms: Takes the true classes, bool [rows], and probabilities, [rows]; gives the value and the
        terms that two models are compared by (models/metrics/comparison.py), or None where it
        cannot be measured on these rows.
      tfma_class: TFMA's class; None where it comes with FairnessIndicators.
      greater_is_better: Whether a model is better the greater it is.
    """

    name: str
    tfma_name: str
    terms: Callable[[np.ndarray, np.ndarray], Terms | None]
    tfma_class: str | None = None
    greater_is_better: bool = True

    def measure(self, labels: np.ndarray, probabilities: np.ndarray) -> float | None:
        """The value on labels of 0 and 1, [rows]; None where it cannot be measured."""
        found = self.terms(labels == 1, probabilities)
        return None if found is None else found[0]

    def fall(self, before: float, now: float) -> float:
        """By how much `now` is worse than `before`; below 0 where it is better."""
        return before - now if self.greater_is_better else now - before


def _mean(terms: np.ndarray) -> Terms | None:
    return (float(terms.mean()), [terms]) if len(terms) else None


def _auc(positive: np.ndarray, probabilities: np.ndarray) -> Terms | None:
    """The components of DeLong et al. (Biometrics 44, 1988)."""
    if not positive.any() or positive.all():
        return None
    above = _shares_below(probabilities[positive], probabilities[~positive])
    below = 1.0 - _shares_below(probabilities[~positive], probabilities[positive])
    return float(above.mean()), [above, below]


def _shares_below(values: np.ndarray, others: np.ndarray) -> np.ndarray:
    """For each value the share of the others that are less; equal ones count half."""
    ordered = np.sort(others)
    less = np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")
    return less / (2.0 * len(others))


def _accuracy(positive: np.ndarray, probabilities: np.ndarray) -> Terms | None:
    return _mean(((probabilities > THRESHOLD) == positive).astype(float))


def _f1(positive: np.ndarray, probabilities: np.ndarray) -> Terms | None:
    """The ratio of true positives to its denominator, linearised (delta method)."""
    if not positive.any():
        return None
    decisions = probabilities > THRESHOLD
    size = decisions.astype(float) + positive
    f1 = 2.0 * float((decisions & positive).sum()) / float(size.sum())
    return f1, [(2.0 * (decisions & positive) - f1 * size) / float(size.mean())]


def _rate(name: str, tfma_name: str, rows: Callable[[np.ndarray], np.ndarray]) -> Metric:
    """The share of positive decisions among some rows, chosen by their true class."""
    return Metric(
        name,
        f"fairness_indicators_metrics/{tfma_name}@{THRESHOLD}",
        lambda positive, probabilities: _mean(
            (probabilities[rows(positive)] > THRESHOLD).astype(float)
        ),
    )


def _by_name(*metrics: Metric) -> dict[str, Metric]:
    return {metric.name: metric for metric in metrics}


METRICS: Mapping[str, Metric] = _by_name(
    Metric("auc", "auc", _auc, "AUC"),
    Metric("accuracy", "binary_accuracy", _accuracy, "BinaryAccuracy"),
    Metric("f1", "f1_score", _f1, "F1Score"),
)
"""Metrics of quality, by name."""

RATES: Mapping[str, Metric] = _by_name(
    _rate("tpr", "true_positive_rate", lambda positive: positive),
    _rate("fpr", "false_positive_rate", lambda positive: ~positive),
    _rate("selection_rate", "positive_rate", np.ones_like),
)
"""Rates whose gap between groups is bounded, by name."""

MONITORED_RATES = tuple(rate for rate in RATES if rate != "selection_rate")
"""Those that need labels: `monitor` estimates them."""


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
