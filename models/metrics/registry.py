"""Quality and fairness of binary decisions, overall and by slice."""

from collections.abc import Mapping, Sequence

import numpy as np
from sklearn import metrics

THRESHOLD = 0.5
"""Decision threshold on the probability, as in TFMA's binary metrics."""


def overall_metrics(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """AUC, accuracy and F1 of the positive class.

    Args:
      labels: [rows], 0 or 1.
      probabilities: [rows].
    """
    decisions = probabilities > THRESHOLD
    return {
        "auc": float(metrics.roc_auc_score(labels, probabilities)),
        "accuracy": float(metrics.accuracy_score(labels, decisions)),
        "f1": float(metrics.f1_score(labels, decisions)),
        "examples": int(labels.size),
    }


def slice_metrics(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float | None]:
    """AUC, TPR, FPR and selection rate of a slice; None where a class has no row.

    Args:
      labels: [rows], 0 or 1.
      probabilities: [rows].
    """
    decisions = probabilities > THRESHOLD
    positive = labels == 1
    both = positive.any() and not positive.all()
    return {
        "auc": float(metrics.roc_auc_score(labels, probabilities)) if both else None,
        "tpr": float(decisions[positive].mean()) if positive.any() else None,
        "fpr": float(decisions[~positive].mean()) if not positive.all() else None,
        "selection_rate": float(decisions.mean()),
        "examples": int(labels.size),
    }


def all_slices(
    labels: np.ndarray,
    probabilities: np.ndarray,
    columns: Mapping[str, np.ndarray],
    slices: Sequence[Sequence[str]],
) -> dict[str, dict[str, float | None]]:
    """Metrics of each slice, by a name such as "sex=Female,race=White".

    Args:
      labels: [rows], 0 or 1.
      probabilities: [rows].
      columns: Slice columns, each [rows] of str.
      slices: Lists of columns.
    """
    return {
        name: slice_metrics(labels[rows], probabilities[rows])
        for name, rows in slice_rows(columns, slices).items()
    }


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
    by_slice: Mapping[str, Mapping[str, float | None]],
    column: str,
    metric: str,
    min_slice_rows: int,
) -> float | None:
    """Largest difference of a metric between the groups of a column.

    Args:
      by_slice: Metrics by slice name, with the `examples` of each.
      column: A column that was sliced by alone.
      metric: tpr, fpr, selection_rate ...
      min_slice_rows: Smaller groups are left out.

    Returns:
      None where fewer than two groups are left or one of them has no value.
    """
    groups = [
        row.get(metric)
        for name, row in by_slice.items()
        if name.startswith(f"{column}=")
        and "," not in name
        and (row["examples"] or 0) >= min_slice_rows
    ]
    values = [value for value in groups if value is not None]
    complete = len(values) == len(groups) > 1
    return max(values) - min(values) if complete else None
