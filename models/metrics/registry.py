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
__all__ += ["RATES_BY_CLASS", "THRESHOLD", "Metric", "Metrics", "Terms"]
__all__ += [
    "groups_by",
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
    return {
        name: rows
        for groups in groups_by(columns, slices).values()
        for name, rows in groups.items()
    }


def groups_by(
    columns: Mapping[str, np.ndarray], slices: Sequence[Sequence[str]]
) -> dict[str, dict[str, np.ndarray]]:
    """For each list of columns, "sex,race" as it names them, the rows of each of its groups.

    Args:
      columns: Slice columns, each [rows] of str.
      slices: Lists of columns.

    Returns:
      bool [rows] by a name such as "sex=Female,race=White"; a row is in one group.
    """
    found = {}
    for keys in slices:
        number_of: dict[tuple[str, ...], int] = {}
        of_rows = zip(*(columns[key].tolist() for key in keys), strict=True)
        numbers = [number_of.setdefault(values, len(number_of)) for values in of_rows]
        names = [
            ",".join(f"{k}={v}" for k, v in zip(keys, values, strict=True)) for values in number_of
        ]
        there, order = np.unique(np.array(names, str), return_inverse=True)
        place = order[np.array(numbers, np.int64)]
        found[",".join(keys)] = {str(name): place == n for n, name in enumerate(there)}
    return found
