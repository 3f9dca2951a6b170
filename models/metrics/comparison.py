"""How much better or worse one model is than another on the same rows, and how sure that is.

Both models answer the same rows, so their differences are taken row by row: what makes a row hard
for both cancels out. Each metric is written as a mean of one term for each row, whose spread gives
the standard error of the difference; the registry has the terms.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from statistics import NormalDist

import numpy as np

from models.metrics.gates import OVERALL
from models.metrics.registry import Metrics, Terms, metric_of, unnamed


@dataclasses.dataclass(frozen=True)
class Difference:
    """Candidate minus live version.

    Attributes:
      metric: A name in `Metrics.compared`.
      slice: "overall" or the slice's name.
      rows: How many rows.
      value: The difference.
      low: Lower end of the interval.
      high: Upper end of the interval.
      error: Standard error of the difference.
    """

    metric: str
    slice: str
    rows: int
    value: float
    low: float
    high: float
    error: float

    @property
    def uncertainty(self) -> float:
        """How large a difference may be chance: half the 95% interval of this metric alone.

        At least what 3 in as many rows are, for rows that all agree show no spread.
        """
        return max(NormalDist().inv_cdf(0.975) * self.error, 3.0 / self.rows)

    def is_worse(self, tolerance: float) -> bool:
        """Whether it is worse by more than `tolerance`, and by more than chance explains."""
        if metric_of(self.metric).greater_is_better:
            return self.value < -tolerance and self.high < 0.0
        return self.value > tolerance and self.low > 0.0


def compare(
    labels: np.ndarray,
    candidate: np.ndarray,
    live: np.ndarray,
    slices: Mapping[str, np.ndarray],
    metrics: Sequence[str],
    confidence: float = 0.95,
    among: Metrics | None = None,
) -> list[Difference]:
    """Differences of each metric overall and in each slice, those that can be measured.

    The intervals hold all at once with at least `confidence` (Bonferroni): with many slices one
    would otherwise seem worse by chance.

    Args:
      labels: [rows], codes of classes.
      candidate: [rows] or [rows, K], answers of the candidate.
      live: The same of the live version.
      slices: bool [rows] by slice name.
      metrics: Names in `Metrics.compared`.
      confidence: Of all intervals together.
      among: The metrics that there are; None: those of as many classes without their names.
    """
    everything = {OVERALL: np.ones(len(labels), bool), **slices}
    known, found = (among or unnamed(candidate)).compared, []
    for name, rows in everything.items():
        for metric in metrics:
            pair = [known[metric].found(labels[rows], p[rows]) for p in (candidate, live)]
            if (measured := _difference(*pair)) is not None:
                found.append((metric, name, int(rows.sum()), *measured))
    width = NormalDist().inv_cdf(1 - (1 - confidence) / 2 / max(1, len(found)))
    return [
        Difference(metric, name, rows, value, value - width * error, value + width * error, error)
        for metric, name, rows, value, error in found
    ]


def _difference(candidate: Terms | None, live: Terms | None) -> tuple[float, float] | None:
    """Difference and its standard error; None where either cannot be measured."""
    if candidate is None or live is None:
        return None
    variance = 0.0
    for mine, other in zip(candidate[1], live[1], strict=True):
        if len(mine) > 1:
            variance += float(np.var(mine - other, ddof=1)) / len(mine)
    return candidate[0] - live[0], variance**0.5
