"""What the metrics of the registry compute: values, their terms, their 95% intervals."""

import math
from collections.abc import Callable

import numpy as np

from core import intervals
from core.answers import THRESHOLD
from core.intervals import wilson_interval

PRECISION = 0.5
"""The least precision at which `recall_at_precision` counts what is found."""

Terms = tuple[float, list[np.ndarray]]
"""A value, and the groups of terms, one a row, whose means it varies with."""

Interval = tuple[float, float]


Measure = Callable[[np.ndarray, np.ndarray], Terms | None]
"""From the true classes, bool [rows], and probabilities, [rows]."""

IntervalOf = Callable[[np.ndarray, np.ndarray], Interval | None]


def mean_of(terms: np.ndarray) -> Terms | None:
    """A mean of one term a row; None of no rows."""
    return (float(terms.mean()), [terms]) if len(terms) else None


def auc(positive: np.ndarray, probabilities: np.ndarray) -> Terms | None:
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


def auc_interval(positive: np.ndarray, probabilities: np.ndarray) -> Interval | None:
    """Newcombe's; None where a class is missing."""
    found = auc(positive, probabilities)
    return found and intervals.newcombe_auc_interval(
        found[0], int(positive.sum()), int((~positive).sum())
    )


def accuracy(positive: np.ndarray, probabilities: np.ndarray) -> Terms | None:
    """The share of right decisions."""
    return mean_of(((probabilities > THRESHOLD) == positive).astype(float))


def f1(positive: np.ndarray, probabilities: np.ndarray) -> Terms | None:
    """The ratio of true positives to its denominator, linearised (delta method)."""
    if not positive.any():
        return None
    decisions = probabilities > THRESHOLD
    size = decisions.astype(float) + positive
    f1 = 2.0 * float((decisions & positive).sum()) / float(size.sum())
    return f1, [(2.0 * (decisions & positive) - f1 * size) / float(size.mean())]


def f1_interval(positive: np.ndarray, probabilities: np.ndarray) -> Interval | None:
    """Wilson's, of the share j of true positives among the rows of either class: F1 = 2j/(1+j)."""
    decisions = probabilities > THRESHOLD
    found = wilson_interval(int((decisions & positive).sum()), int((decisions | positive).sum()))
    return found and (2 * found[0] / (1 + found[0]), 2 * found[1] / (1 + found[1]))


def average_precision(positive: np.ndarray, probabilities: np.ndarray) -> Terms | None:
    """The mean, over the positive rows, of the precision at each one's probability.

    As scikit-learn's. The terms are the derivatives by the weight of each row (its influence).
    """
    if not positive.any():
        return None
    values, others = np.sort(probabilities[positive]), np.sort(probabilities[~positive])
    above = len(values) - np.searchsorted(values, values, "left")
    all_above = above + len(others) - np.searchsorted(others, values, "left")
    precision = above / all_above
    gained = np.cumsum((all_above - above) / all_above**2)
    lost = np.cumsum(np.append(0.0, above / all_above**2)) * len(others) / len(values)
    # Equal probabilities are found together or not at all.
    own = np.searchsorted(values, probabilities[positive], "right")
    below = np.searchsorted(values, probabilities[~positive], "right")
    terms = [precision[own - 1] + gained[own - 1], -lost[below]]
    return float(precision.mean()), terms[: 1 + bool(len(others))]


def recall_at_precision(positive: np.ndarray, probabilities: np.ndarray) -> Terms | None:
    """The largest share of the positive rows that a threshold finds with that precision.

    The terms are derivatives, as for the average precision: a row above the threshold that is
    right lets the threshold fall, a wrong one has it rise, the faster the more the two classes are
    alike there, which the nearest rows tell.
    """
    if not positive.any():
        return None
    order = np.argsort(-probabilities, kind="stable")
    ordered = positive[order]
    found, rank = np.cumsum(ordered), np.arange(1, len(order) + 1)
    last = np.append(np.diff(probabilities[order]) != 0, True)  # equal ones are found together
    enough = np.flatnonzero(last & (found >= PRECISION * rank) & (found > 0))
    if not enough.size:
        return 0.0, [np.zeros(int(positive.sum())), np.zeros(int((~positive).sum()))]
    end = int(enough[-1])
    near = ordered[max(0, end - math.isqrt(len(order))) : end + math.isqrt(len(order)) + 1]
    slope = PRECISION * (~near).sum() / max(1, near.sum()) - (1 - PRECISION)
    moved = 1 / max(slope, 1 / math.sqrt(len(near)))  # a threshold moves no further than its rows
    if end == len(order) - 1:
        moved = 0.0  # no lower threshold is left
    above = (probabilities >= probabilities[order[end]]).astype(float)
    ratio = (~positive).sum() / positive.sum()
    terms = [
        above[positive] * (1 + (1 - PRECISION) * moved),
        -above[~positive] * PRECISION * moved * ratio,
    ]
    return float(found[end] / positive.sum()), [t for t in terms if len(t)]


def of_positives(measure: Measure) -> IntervalOf:
    """The wider of the terms' normal interval and Wilson's, of as many trials as positive rows.

    Wilson's holds for few rows; for the average precision it is the binomial interval of Boyd, Eng
    and Page, Area Under the Precision-Recall Curve (ECML 2013), for the recall it takes the
    threshold for given.
    """

    def interval(positive: np.ndarray, probabilities: np.ndarray) -> Interval | None:
        if (found := measure(positive, probabilities)) is None:
            return None
        value, terms = found
        error = math.sqrt(sum(float(np.var(t, ddof=1)) / len(t) for t in terms if len(t) > 1))
        rows = int(positive.sum())
        low, high = wilson_interval(value * rows, rows) or (0.0, 1.0)
        half = intervals.Z * error
        return min(low, max(0.0, value - half)), max(high, min(1.0, value + half))

    return interval


def of_rows(
    rows: Callable[[np.ndarray], np.ndarray], hits: Callable[..., np.ndarray]
) -> IntervalOf:
    """Wilson's interval of the share of hits among some rows."""

    def interval(positive: np.ndarray, probabilities: np.ndarray) -> Interval | None:
        among = rows(positive)
        hit = hits(positive, probabilities > THRESHOLD)
        return wilson_interval(int((hit & among).sum()), int(among.sum()))

    return interval


def every_row(positive: np.ndarray) -> np.ndarray:
    """All rows, whatever their class."""
    return np.ones_like(positive)
