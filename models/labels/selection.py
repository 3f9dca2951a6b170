"""Which rows to show to people: the ones whose labels would tell the models most.

The greedy I-optimal design of a logistic regression (Yu, Bi, Tresp, Active Learning via
Transductive Experimental Design, ICML 2006; Schein, Ungar, Active Learning for Logistic Regression,
Machine Learning 2007): each pick lowers most what the labels known so far leave open about all
rows. A row counts for much when its label is uncertain, when it is like many other rows, and when
none like it is labelled or picked yet; so no two picks say the same.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.labels.votes import Floats

PRECISION = 1.0  # of the coefficients before any label is known
BINS = 16  # quantiles of a number column


def one_hot(columns: Mapping[str, Sequence[float | str | None]]) -> Floats:
    """Values as indicators, float64 [rows, 1 + indicators]; the first column is 1.

    Numbers are cut at their quantiles, a missing value is one of its own. Columns in which nearly
    every row has a value of its own, such as texts, are left out.
    """
    rows = len(next(iter(columns.values())))
    blocks = [np.ones((rows, 1))]
    for values in columns.values():
        kinds, codes = np.unique(_coarse(values), return_inverse=True)
        if len(kinds) <= rows / 10:
            blocks.append(np.eye(len(kinds))[codes])
    return np.hstack(blocks)


def _coarse(values: Sequence[float | str | None]) -> NDArray[Any]:
    """Texts as they are, numbers as the quantile they are in, [rows]."""
    if all(value is None or isinstance(value, str) for value in values):
        return np.array([str(value) for value in values])
    numbers = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    edges = np.unique(np.nanquantile(numbers, np.linspace(0, 1, BINS + 1)[1:-1]))
    return np.where(np.isnan(numbers), -1, np.searchsorted(edges, numbers))


def uncertainty(probability: Floats) -> Floats:
    """Variance of a label, float64 [rows]: p(1 - p) of two classes, of more half their sum.

    Half, since of two classes, each with its share, it is the same number.

    Args:
      probability: float64 [rows], P(positive), or [rows, classes].
    """
    each = probability * (1 - probability)
    return each if each.ndim == 1 else each.sum(axis=1) / 2


def most_informative(
    features: Floats,
    probability: Floats,
    known: NDArray[np.int64],
    candidates: NDArray[np.int64],
    count: int,
) -> list[int]:
    """Picks `count` of the candidates, the most informative first.

    Args:
      features: float64 [rows, features] of all rows that matter.
      probability: float64 [rows], P(positive) as far as it is known, or [rows, classes].
      known: Rows whose label is known.
      candidates: Rows to pick from; as many are picked if there are fewer than `count`.
      count: How many.

    Returns:
      Indices into the rows.
    """
    noise = uncertainty(probability)
    old = features[known]
    information = (old.T * noise[known]) @ old + PRECISION * np.eye(features.shape[1])
    covariance = np.linalg.inv(information)
    target = (features.T * noise**2) @ features  # variance of all rows' probabilities
    new, new_noise = features[candidates], noise[candidates]
    spread = new @ covariance
    variance = (spread * new).sum(axis=1)
    reduction = ((spread @ target) * spread).sum(axis=1)
    picked: list[int] = []
    free = np.ones(len(candidates), dtype=bool)
    for _ in range(min(count, len(candidates))):
        gain = np.where(free, reduction * new_noise / (1 + new_noise * variance), -1.0)
        best = int(gain.argmax())
        free[best] = False
        picked.append(int(candidates[best]))
        # Sherman-Morrison: what the pick's label will have told, whatever it is.
        direction = covariance @ new[best]
        factor = new_noise[best] / (1 + new_noise[best] * variance[best])
        moved = covariance @ (target @ direction)
        along, across = new @ direction, new @ moved
        reduction += factor**2 * (direction @ target @ direction) * along**2
        reduction -= 2 * factor * along * across
        variance -= factor * along**2
        covariance -= factor * np.outer(direction, direction)
    return picked
