"""What each group was answered, as counts: from them follow its rates at any threshold.

Of two classes the probabilities of a slice are counted in even bins. A row is decided for the
positive class where its probability is above the threshold (core/answers.py), so a bin holds its
upper end and not its lower one: the rows above k / BINS are those of bin k and of all after it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from typing_extensions import TypedDict

from models.metrics.evidence import SliceEvidence
from models.metrics.registry import EXAMPLES, Metrics

BINS = 200
"""Bins of the probability, each half a hundredth wide."""

_NO_DIRECTION = "selection_rate"  # neither more nor less of it is better


@dataclass(frozen=True)
class WorstGroup:
    """The slice in which a metric is worst, its value there with its 95% interval, its rows."""

    slice: str
    value: float
    low: float | None
    high: float | None
    rows: int


class ScoreCounts(TypedDict):
    """Rows of a group by bin of the probability, of either true class."""

    negative: list[int]
    positive: list[int]


class GroupScores(TypedDict):
    """What the groups were answered."""

    bins: int
    groups: dict[str, ScoreCounts]


def scores(
    labels: np.ndarray, probabilities: np.ndarray, groups: Mapping[str, np.ndarray]
) -> GroupScores:
    """Rows of each group by true class and bin of the probability, of two classes.

    Args:
      labels: [rows], 0 or 1.
      probabilities: [rows], 0 to 1.
      groups: bool [rows] by name.

    Returns:
      `bins`, and `groups` by name with the counts of the `negative` and `positive` rows, BINS each:
      bin 0 is up to 1 / BINS, with 0 itself.
    """
    ends = np.arange(1, BINS) / BINS
    cells = BINS * (labels == 1) + np.searchsorted(ends, probabilities.astype(np.float64))
    found: dict[str, ScoreCounts] = {}
    for name, rows in groups.items():
        negative, positive = np.bincount(cells[rows], minlength=2 * BINS).reshape(2, BINS).tolist()
        found[name] = {"negative": negative, "positive": positive}
    return {"bins": BINS, "groups": found}


def rates_at(counts: ScoreCounts, threshold: float) -> dict[str, float | None]:
    """Rates of a group whose rows are decided for the positive class above a threshold.

    Args:
      counts: Of the group, from `scores`.
      threshold: A whole number of bins: k divided by as many bins as there are.

    Returns:
      tpr, fpr and selection_rate; None where there is no row that it would be a share of.
    """
    negative, positive = np.array(counts["negative"]), np.array(counts["positive"])
    first = round(threshold * len(negative))

    def share(rows: np.ndarray) -> float | None:
        return float(rows[first:].sum() / rows.sum()) if rows.sum() else None

    return {
        "tpr": share(positive),
        "fpr": share(negative),
        "selection_rate": share(positive + negative),
    }


def worst_groups(
    by_slice: Mapping[str, Mapping[str, float | None]],
    evidence: Mapping[str, SliceEvidence],
    measured: Metrics,
    min_slice_rows: int,
) -> dict[str, WorstGroup]:
    """For each metric that has a better and a worse, the slice in which it is worst.

    Args:
      by_slice: Metrics by slice name, with the `examples` of each.
      evidence: What they rest on, by slice name.
      measured: The metrics that there are for the classes.
      min_slice_rows: Smaller slices are left out.
    """
    large = {n: row for n, row in by_slice.items() if (row[EXAMPLES] or 0) >= min_slice_rows}
    found = {}
    for name, metric in measured.everything.items():
        if name.startswith(_NO_DIRECTION):
            continue
        values = {at: value for at, row in large.items() if (value := row.get(name)) is not None}
        if not values:
            continue
        at = (min if metric.greater_is_better else max)(values, key=values.__getitem__)
        low, high = evidence[at].intervals.get(name) or (None, None)
        found[name] = WorstGroup(at, values[at], low, high, int(large[at][EXAMPLES] or 0))
    return found
