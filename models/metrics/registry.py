"""Every metric, one entry each; what lists metrics goes by these tables.

`metrics_of` gives those there are for the classes: METRICS and RATES for two, and those of
models/metrics/many_classes.py for more. A new metric is a new entry: the configuration may then
bound it, the Evaluators and VariantEvaluator measure it, FairnessGate, PushGate and `retrain` judge
it, and tables show it. A name without an entry is an error at start-up.
"""

import functools
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from core.answers import THRESHOLD
from models.metrics import measures
from models.metrics.many_classes import QUALITY_BY_CLASS, RATES_BY_CLASS, of_many
from models.metrics.measures import Terms
from models.metrics.metric import EXAMPLES, Metric, Metrics, by_name

__all__ = ["EXAMPLES", "METRICS", "OF_TWO", "QUALITY_BY_CLASS", "RATES"]
__all__ += ["RATES_BY_CLASS", "THRESHOLD", "Metric", "Metrics", "Terms", "gap"]
__all__ += [
    "measured_by",
    "metric_of",
    "metrics_of",
    "slice_rows",
    "unnamed",
]


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


METRICS: Mapping[str, Metric] = by_name(
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

RATES: Mapping[str, Metric] = by_name(
    _rate("tpr", "true_positive_rate", lambda positive: positive),
    _rate("fpr", "false_positive_rate", lambda positive: ~positive, greater_is_better=False),
    _rate("selection_rate", "positive_rate", measures.every_row),
)
"""Rates whose gap between groups is bounded, by name."""

MONITORED_RATES = tuple(rate for rate in RATES if rate != "selection_rate")
"""Those that need labels: `monitor` estimates them."""


OF_TWO = Metrics(METRICS, RATES)
"""Of two classes."""

_ANY_CLASSES = ("", " ", "  ")


@functools.cache
def metrics_of(classes: tuple[str, ...]) -> Metrics:
    """The metrics for these classes, by their codes."""
    return OF_TWO if len(classes) == 2 else of_many(classes)


def unnamed(probabilities: np.ndarray) -> Metrics:
    """The metrics for answers [rows] or [rows, K], where no class is called by its name."""
    if probabilities.ndim == 1:
        return OF_TWO
    return metrics_of(tuple(str(code) for code in range(probabilities.shape[1])))


def metric_of(name: str) -> Metric:
    """The metric of a name, where it is not known for which classes; any class's stands for all.

    Raises:
      KeyError: There is none.
    """
    kind, bracket, _ = name.partition("[")
    known = OF_TWO if name in OF_TWO.everything else metrics_of(_ANY_CLASSES)
    return known.everything[f"{kind}[]" if bracket else name]


def measured_by(metrics: Mapping[str, object]) -> Mapping[str, Metric]:
    """The metrics of all classes together that a model was measured by, told by their names."""
    return metrics_of(_ANY_CLASSES).together if "macro_f1" in metrics else METRICS


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
