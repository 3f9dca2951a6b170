"""Quality of answers whose truth is not known, from calibrated probabilities.

Confidence-based performance estimation: a row that is of the positive class with probability c, and
is decided to be, is right with probability c; metrics are sums of such terms. What c is for an
answer is learnt on rows with labels. The calibration sees the groups of a row, too: a model that is
wrongly calibrated within a group is estimated wrongly as soon as the group's share changes.

Of more than two classes the accuracy is the mean of the probability that the chosen class, the one
with the largest share, is right; recall of a class is that of the class against the others.

It holds as long as rows alike are labelled alike. When that changes (concept drift), no estimate
without labels can know.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression

from core.intervals import Quantity, Z
from models.metrics.registry import METRICS, RATES, THRESHOLD

Columns = Mapping[str, np.ndarray]
_STRENGTH = 1.0  # variance of the prior of a coefficient
_KNOTS = (0.1, 0.3, 0.5, 0.7, 0.9)  # quantiles of the answers at which the calibration bends
_MIN_ROWS = 50  # a group of fewer has no coefficients of its own
_FURTHEST = 12.0  # log odds


@dataclass(frozen=True)
class Sensitivity:
    """How an estimate was come by.

    Attributes:
      value: The estimate.
      gradient: Its derivative by the coefficients of the calibration.
      variance: That of the true value around it, when the calibration is right.
      by: The calibration.
    """

    value: float
    gradient: np.ndarray
    variance: float
    by: "Calibration"

    def quantity(self) -> Quantity:
        """The estimate, and where the true value is: of these rows, and with this calibration."""
        half = self.by.half(self.gradient, self.variance)
        return Quantity(self.value, max(0.0, self.value - half), min(1.0, self.value + half))

    def minus(self, other: "Sensitivity") -> Quantity:
        """The difference of two estimates by one calibration, of different rows."""
        value = self.value - other.value
        half = self.by.half(self.gradient - other.gradient, self.variance + other.variance)
        return Quantity(value, value - half, value + half)


class Calibration:
    """Probability of the positive class given a model's answer and the groups of the row."""

    def __init__(self, answers: np.ndarray, groups: Columns, labels: np.ndarray) -> None:
        """Learns it by logistic regression on log odds, bent at quantiles, and groups.

        Args:
          answers: Probabilities, [rows].
          groups: Columns of texts, each [rows]; "" is no group.
          labels: bool [rows], of both classes.

        Raises:
          ValueError: All labels are of one class.
        """
        if labels.all() or not labels.any():
            raise ValueError("labels of both classes are needed")
        odds = _log_odds(answers)
        self._knots = np.unique(np.quantile(odds, _KNOTS))
        self._groups = {
            column: [v for v, n in zip(*np.unique(cells, return_counts=True), strict=True)
                     if v != "" and n >= _MIN_ROWS]
            for column, cells in groups.items()
        }  # fmt: skip
        terms = self._terms(answers, groups)
        fitted = LogisticRegression(C=_STRENGTH, fit_intercept=False, max_iter=2000)
        self._coefficients = fitted.fit(terms, labels).coef_[0]
        certain = self._of(terms)
        information = (terms * (certain * (1 - certain))[:, None]).T @ terms
        self._covariance = np.linalg.inv(information + np.eye(terms.shape[1]) / _STRENGTH)

    def probabilities(self, answers: np.ndarray, groups: Columns) -> np.ndarray:
        """Calibrated probabilities, [rows]; arguments as for the class."""
        return self._of(self._terms(answers, groups))

    def estimate(
        self,
        metric: str,
        answers: np.ndarray,
        groups: Columns,
        rows: np.ndarray,
        decisions: np.ndarray | None = None,
    ) -> Sensitivity | None:
        """A metric on some rows; None where there is nothing to measure it on.

        Args:
          metric: A name in ESTIMATORS.
          answers: Probabilities, [all rows].
          groups: Columns, each [all rows].
          rows: bool [all rows], which are meant.
          decisions: 1 where the positive class is decided, 0 elsewhere, [all rows]; None: where the
            answer is above the threshold.
        """
        chosen = answers[rows]
        terms = self._terms(chosen, {column: cells[rows] for column, cells in groups.items()})
        certain = self._of(terms)
        decided = chosen if decisions is None else decisions[rows]
        found = ESTIMATORS[metric](certain, decided) if len(chosen) else None
        if found is None:
            return None
        value, slope = found
        spread = certain * (1 - certain)
        return Sensitivity(value, (slope * spread) @ terms, float((slope**2 * spread).sum()), self)

    def half(self, gradient: np.ndarray, variance: float) -> float:
        """Half the width of the 95% interval of an estimate; arguments as of `Sensitivity`."""
        return Z * float(np.sqrt(variance + gradient @ self._covariance @ gradient))

    def _of(self, terms: np.ndarray) -> np.ndarray:
        chances: np.ndarray = 1 / (1 + np.exp(-terms @ self._coefficients))
        return chances

    def _terms(self, answers: np.ndarray, groups: Columns) -> np.ndarray:
        odds = _log_odds(answers)
        bent = [np.maximum(odds - knot, 0) for knot in self._knots]
        of_groups = [
            term
            for column, values in self._groups.items()
            for value in values
            for inside in [(groups[column] == value).astype(float)]
            for term in (inside, inside * odds)
        ]
        return np.stack([np.ones(len(odds)), odds, *bent, *of_groups], axis=1)


def _log_odds(answers: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        odds = np.log(answers.astype(np.float64)) - np.log1p(-answers.astype(np.float64))
    return np.clip(odds, -_FURTHEST, _FURTHEST)


# An estimate from probabilities of the positive class and answers, both [rows], with its derivative
# by these probabilities, [rows].
Estimator = Callable[[np.ndarray, np.ndarray], tuple[float, np.ndarray] | None]


def _ratio(terms: Callable[[np.ndarray], tuple[np.ndarray, ...]]) -> Estimator:
    """Of sums: `terms` takes decisions, 0 or 1, and gives a, b, c, d of sum(a+bp) / sum(c+dp)."""

    def estimate(certain: np.ndarray, answers: np.ndarray) -> tuple[float, np.ndarray] | None:
        above, by_above, below, by_below = terms((answers > THRESHOLD).astype(float))
        size = float((below + by_below * certain).sum())
        if size <= 0:
            return None
        value = float((above + by_above * certain).sum()) / size
        return value, (by_above - value * by_below) / size

    return estimate


def _auc(certain: np.ndarray, answers: np.ndarray) -> tuple[float, np.ndarray] | None:
    """Each row counts as one of the positive class by p and as one of the other by 1 - p."""
    positive, negative = float(certain.sum()), float((1 - certain).sum())
    if positive <= 0 or negative <= 0:
        return None
    _, place, sizes = np.unique(answers, return_inverse=True, return_counts=True)
    of_positive = np.bincount(place, certain, len(sizes))
    of_negative = np.bincount(place, 1 - certain, len(sizes))
    negative_below = (np.cumsum(of_negative) - of_negative / 2)[place]
    positive_above = (positive - np.cumsum(of_positive) + of_positive / 2)[place]
    pairs = positive * negative
    value = float((certain * negative_below).sum()) / pairs
    slope = (negative_below - positive_above - value * (negative - positive)) / pairs
    return value, slope


ESTIMATORS: Mapping[str, Estimator] = {
    "auc": _auc,
    "accuracy": _ratio(lambda d: (1 - d, 2 * d - 1, np.ones_like(d), 0 * d)),
    "f1": _ratio(lambda d: (0 * d, 2 * d, d, np.ones_like(d))),
    "tpr": _ratio(lambda d: (0 * d, d, 0 * d, np.ones_like(d))),
    "fpr": _ratio(lambda d: (d, -d, np.ones_like(d), -np.ones_like(d))),
}
"""By name of METRICS and RATES; the selection rate needs no label."""


def measured(metric: str, labels: np.ndarray, answers: np.ndarray) -> Quantity | None:
    """A metric on rows with labels; None where it cannot be measured on them.

    Args:
      metric: A name in METRICS or RATES.
      labels: bool [rows].
      answers: Probabilities, [rows].
    """
    found = {**METRICS, **RATES}[metric].terms(labels, answers) if len(labels) else None
    if found is None:
        return None
    return quantity_of(*found)


def quantity_of(value: float, groups: Sequence[np.ndarray], most: float = 1.0) -> Quantity:
    """A measured value between 0 and `most` with the interval that its terms give."""
    # One more row of either kind: a share of few rows that are all alike is not certain.
    variance = sum(
        (float(terms.var()) * len(terms) + 0.25) / (len(terms) * (len(terms) + 1))
        for terms in groups
    )
    half = Z * float(np.sqrt(variance))
    return Quantity(value, max(0.0, value - half), min(most, value + half))
