"""How much better or worse one model is than another on the same rows, and how sure that is.

Both models answer the same rows, so their differences are taken row by row: what makes a row hard
for both cancels out. Each metric is written as a mean of one term for each row, whose spread gives
the standard error of the difference: for AUC the components of DeLong et al. (Biometrics 44, 1988),
for F1 the linearised ratio (delta method), for accuracy the decision itself.
"""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from scipy import stats

from models.metrics.registry import THRESHOLD

OVERALL = "overall"


@dataclasses.dataclass(frozen=True)
class Difference:
    """Candidate minus live version.

    Attributes:
      metric: auc, accuracy or f1.
      slice: "overall" or the slice's name.
      rows: How many rows.
      value: The difference.
      low: Lower end of the interval.
      high: Upper end of the interval.
    """

    metric: str
    slice: str
    rows: int
    value: float
    low: float
    high: float

    def is_worse(self, tolerance: float) -> bool:
        """Whether it is worse by more than `tolerance`, and by more than chance explains."""
        return self.value < -tolerance and self.high < 0.0


def compare(
    labels: np.ndarray,
    candidate: np.ndarray,
    live: np.ndarray,
    slices: Mapping[str, np.ndarray],
    metrics: Sequence[str],
    confidence: float = 0.95,
) -> list[Difference]:
    """Differences of each metric overall and in each slice, those that can be measured.

    The intervals hold all at once with at least `confidence` (Bonferroni): with many slices one
    would otherwise seem worse by chance.

    Args:
      labels: [rows], 0 or 1.
      candidate: [rows], probabilities of the candidate.
      live: [rows], probabilities of the live version.
      slices: bool [rows] by slice name.
      metrics: auc, accuracy, f1.
      confidence: Of all intervals together.
    """
    everything = {OVERALL: np.ones(len(labels), bool), **slices}
    found = []
    for name, rows in everything.items():
        for metric in metrics:
            pair = [_terms(metric, labels[rows], p[rows]) for p in (candidate, live)]
            if (measured := _difference(*pair)) is not None:
                found.append((metric, name, int(rows.sum()), *measured))
    width = stats.norm.ppf(1 - (1 - confidence) / 2 / max(1, len(found)))
    return [
        Difference(metric, name, rows, value, value - width * error, value + width * error)
        for metric, name, rows, value, error in found
    ]


_Terms = tuple[float, list[np.ndarray]] | None


def _difference(candidate: _Terms, live: _Terms) -> tuple[float, float] | None:
    """Difference and its standard error; None where either cannot be measured."""
    if candidate is None or live is None:
        return None
    variance = 0.0
    for mine, other in zip(candidate[1], live[1], strict=True):
        if len(mine) > 1:
            variance += float(np.var(mine - other, ddof=1)) / len(mine)
    return candidate[0] - live[0], variance**0.5


def _terms(metric: str, labels: np.ndarray, probabilities: np.ndarray) -> _Terms:
    """The metric, and the groups of terms whose means it varies with."""
    positive = labels == 1
    decisions = probabilities > THRESHOLD
    if metric == "accuracy":
        right = (decisions == positive).astype(float)
        return (float(right.mean()), [right]) if len(right) else None
    if metric == "f1":
        size = decisions.astype(float) + positive
        if not positive.any():
            return None
        f1 = 2.0 * float((decisions & positive).sum()) / float(size.sum())
        return f1, [(2.0 * (decisions & positive) - f1 * size) / float(size.mean())]
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
