"""What the metrics of more than two classes compute: values, and the terms they vary with.

Each takes the codes of the true classes, int [rows], and the shares of all classes, [rows, K]; the
class with the largest share is decided for.
"""

from statistics import fmean

import numpy as np

from core.answers import decided
from models.metrics import measures
from models.metrics.measures import Measure, Terms, mean_of

LEAST_SHARE = 1e-7
"""Shares count as at least this in the log loss: a device's may be 0."""


def accuracy(codes: np.ndarray, shares: np.ndarray) -> Terms | None:
    """The share of right decisions."""
    return mean_of((decided(shares) == codes).astype(float))


def log_loss(codes: np.ndarray, shares: np.ndarray) -> Terms | None:
    """The mean negative logarithm of the true class's share."""
    own = shares[np.arange(len(codes)), codes].astype(np.float64)
    return mean_of(-np.log(np.clip(own, LEAST_SHARE, 1.0)))


def macro_f1(codes: np.ndarray, shares: np.ndarray) -> Terms | None:
    """The mean F1 of the classes that are true of a row or decided for; as scikit-learn's."""
    chosen = decided(shares)
    found = [
        _f1(codes == code, chosen == code)
        for code in np.union1d(codes, chosen).astype(int).tolist()
    ]
    return _mean(found) if found else None


def _f1(positive: np.ndarray, chosen: np.ndarray) -> Terms:
    """F1 of one class, and a term a row; 0 where it is true of none."""
    size = chosen.astype(float) + positive
    value = 2.0 * float((chosen & positive).sum()) / float(size.sum())
    return value, [(2.0 * (chosen & positive) - value * size) / float(size.mean())]


def auc(codes: np.ndarray, shares: np.ndarray) -> Terms | None:
    """The mean area under the ROC curve of each class, that has rows, against the rest.

    The components of DeLong et al. (Biometrics 44, 1988), joined to one term a row, because a row
    counts for every class.
    """
    found = []
    for code in np.unique(codes).tolist():
        positive = codes == code
        if (terms := measures.auc(positive, shares[:, code])) is None:
            return None
        value, (above, below) = terms
        each = np.empty(len(codes))
        each[positive] = (above - value) / positive.mean()
        each[~positive] = (below - value) / (~positive).mean()
        found.append((value, [each]))
    return _mean(found) if found else None


def _mean(found: list[Terms]) -> Terms:
    return fmean(value for value, _ in found), [np.mean([each for _, [each] in found], axis=0)]


def precision(code: int) -> Measure:
    """Of the rows that one class is decided for, the share that are of it."""

    def measure(codes: np.ndarray, shares: np.ndarray) -> Terms | None:
        chosen = decided(shares) == code
        if not chosen.any():
            return None
        right = chosen & (codes == code)
        value = float(right.sum() / chosen.sum())
        return value, [(right - value * chosen) / float(chosen.mean())]

    return measure


def recall(code: int) -> Measure:
    """Of the rows of one class, the share that it is decided for."""
    return lambda codes, shares: mean_of((decided(shares[codes == code]) == code).astype(float))


def f1(code: int) -> Measure:
    """F1 of one class."""

    def measure(codes: np.ndarray, shares: np.ndarray) -> Terms | None:
        positive = codes == code
        return _f1(positive, decided(shares) == code) if positive.any() else None

    return measure


def selection_rate(code: int) -> Measure:
    """Of all rows, the share that one class is decided for."""
    return lambda codes, shares: mean_of((decided(shares) == code).astype(float))
