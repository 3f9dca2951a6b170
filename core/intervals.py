"""95% confidence intervals of shares, their differences and areas under ROC curves."""

from dataclasses import dataclass

import numpy as np

Z = 1.959964  # standard normal quantile of a two-sided 95% interval


@dataclass(frozen=True)
class Quantity:
    """A value with its 95% interval."""

    value: float
    low: float
    high: float


def wilson_interval(right: float, total: int, z: float = Z) -> tuple[float, float] | None:
    """95% interval of a share (Wilson, Probable Inference, JASA 1927); None of no trials.

    Of another level by another `z`, as in `newcombe_interval`.
    """
    if total == 0:
        return None
    share, spread = right / total, z**2 / total
    middle = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * np.sqrt(share * (1 - share) / total + spread / (4 * total))
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))


def newcombe_interval(
    first: tuple[int, int], second: tuple[int, int], *, z: float = Z
) -> tuple[float, float]:
    """95% interval of the first share minus the second, of independent trials.

    Method 10 of Newcombe, Interval Estimation for the Difference Between Independent Proportions
    (Statistics in Medicine, 1998): made of the two Wilson intervals, so it holds for few trials.

    Args:
      first: Hits and trials, at least one trial.
      second: Hits and trials, at least one trial.
      z: Standard normal quantile; where several differences are looked at, a larger one.

    Raises:
      ValueError: There are no trials on one side.
    """
    one, other = wilson_interval(*first, z), wilson_interval(*second, z)
    if one is None or other is None:
        raise ValueError("no trials on one side")
    share, against = first[0] / first[1], second[0] / second[1]
    below = np.hypot(share - one[0], other[1] - against)
    above = np.hypot(one[1] - share, against - other[0])
    return float(share - against - below), float(share - against + above)


def auc_interval(auc: float, positive: int, negative: int) -> tuple[float, float]:
    """95% interval of an area under the ROC curve, of at least one row of each class.

    Source: Hanley and McNeil, The Meaning and Use of the Area under a ROC Curve, Radiology 1982.
    """
    both_above, both_below = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    variance = auc * (1 - auc)
    variance += (positive - 1) * (both_above - auc**2) + (negative - 1) * (both_below - auc**2)
    half = Z * np.sqrt(variance / (positive * negative))
    return max(0.0, float(auc - half)), min(1.0, float(auc + half))


def newcombe_auc_interval(auc: float, positive: int, negative: int) -> tuple[float, float]:
    """95% interval of an area under the ROC curve, also for few rows and for an area of 1.

    Method 5 of Newcombe, Confidence Intervals for an Effect Size Measure Based on the Mann-Whitney
    Statistic (Statistics in Medicine, 2006): the areas that are no further from the measured one
    than chance explains, by Hanley and McNeil's variance with the mean class size.

    Args:
      auc: The area, 0 to 1.
      positive: Rows of the positive class, at least one.
      negative: Rows of the negative class, at least one.
    """
    mean = (positive + negative) / 2 - 1

    def error(area: float) -> float:
        spread = 1 + mean * (1 - area) / (2 - area) + mean * area / (1 + area)
        return Z * float(np.sqrt(area * (1 - area) * spread / (positive * negative)))

    def end(towards: float) -> float:
        inside, outside = auc, towards
        for _ in range(50):
            middle = (inside + outside) / 2
            beyond = abs(middle - auc) > error(middle)
            inside, outside = (inside, middle) if beyond else (middle, outside)
        return inside

    return end(0.0), end(1.0)
