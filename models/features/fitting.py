"""A logistic regression and boosted trees on columns in numbers, with soft labels and weights."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import lightgbm
import numpy as np
from scipy.special import expit
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from models.reference.columns import examples_of
from models.reference.models import TREES

_LEAST = 1e-6  # probability in a loss
_NEVER = -10.0  # logit of a class that no row has
_SMALL: Mapping[str, Any] = {"num_leaves": 15, "min_data_in_leaf": 10, "max_bin": 63}


@dataclass(frozen=True)
class Linear:
    """A logistic regression of the second of two classes, or of each of K against the others.

    Attributes:
      weights: [inputs, 1 or K].
      bias: [1 or K].
    """

    weights: np.ndarray
    bias: np.ndarray

    def answers(self, design: np.ndarray) -> np.ndarray:
        """Shares of the classes, [rows, K]."""
        chances = expit(design @ self.weights + self.bias)
        if chances.shape[1] == 1:
            return np.concatenate([1 - chances, chances], axis=1)
        return np.asarray(chances / chances.sum(axis=1, keepdims=True))


@dataclass(frozen=True)
class Trees:
    """Boosted trees."""

    booster: lightgbm.Booster

    def answers(self, cells: np.ndarray) -> np.ndarray:
        """Shares of the classes, [rows, K]."""
        found = np.asarray(self.booster.predict(cells))
        return found if found.ndim == 2 else np.stack([1 - found, found], axis=1)


def fit_linear(
    design: np.ndarray, shares: np.ndarray, weights: np.ndarray, penalty: Literal["l1", "l2"]
) -> Linear:
    """Fits a logistic regression. Source: scikit-learn.

    Args:
      design: [rows, inputs], scaled.
      shares: [rows, K], of the classes.
      weights: [rows]; rows of weight 0 do not count.
      penalty: Of the weights: l1 with the universal threshold, or l2 of scikit-learn's default.
    """
    inputs, width = design.shape[1], shares.shape[1]
    classes = [1] if width == 2 else list(range(width))
    found, bias = np.zeros((inputs, len(classes))), np.full(len(classes), _NEVER)
    # The score of a weight without effect has at most this deviation; the most of all so many.
    threshold = 0.5 * np.sqrt(2 * np.log(max(inputs, 2)) * (weights**2).sum())
    strength = 1 / threshold if penalty == "l1" else 1.0
    for at, code in enumerate(classes):
        rows, labels, weight = examples_of(shares[:, [code]], weights, 2)
        if len(np.unique(labels)) < 2:
            bias[at] = -_NEVER if labels.any() else _NEVER
            continue
        model = LogisticRegression(
            penalty=penalty, C=strength, solver="liblinear", intercept_scaling=10.0, max_iter=50,
            random_state=0, tol=1e-3,
        )  # fmt: skip
        with warnings.catch_warnings():
            # After so many steps of columns that repeat each other it is near enough.
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(design[rows], labels, sample_weight=weight)
        found[:, at], bias[at] = model.coef_[0], model.intercept_[0]
    return Linear(found, bias)


def fit_trees(
    cells: np.ndarray,
    categorical: np.ndarray,
    shares: np.ndarray,
    weights: np.ndarray,
    trees: int,
    seed: int,
    **options: Any,
) -> Trees:
    """Fits boosted trees. Source: LightGBM.

    Args:
      cells: float32 [rows, cells], with NaN.
      categorical: bool [cells], which are codes without an order.
      shares: [rows, K], of the classes.
      weights: [rows]; rows of weight 0 do not count.
      trees: How many; of K > 2 classes fewer, as each takes K.
      seed: Of LightGBM.
      options: Of LightGBM, besides those of all trees here.
    """
    width = shares.shape[1]
    told: dict[str, Any] = {"objective": "cross_entropy", "seed": seed}
    if width == 2:
        rows = np.flatnonzero(weights > 0)
        labels, weight = shares[rows, 1], weights[rows]
    else:
        rows, labels, weight = examples_of(shares, weights, width)
        told |= {"objective": "multiclass", "num_class": width}
        trees = max(10, 2 * trees // width)
    data = lightgbm.Dataset(
        cells[rows],
        labels,
        weight=weight,
        categorical_feature=[int(at) for at in np.flatnonzero(categorical)],
    )
    return Trees(
        lightgbm.train({**TREES, **_SMALL, **told, **options}, data, num_boost_round=trees)
    )


def losses_of(shares: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """Loss of each row in nats, float64 [rows].

    Args:
      shares: [rows, K], of the classes; each row sums to 1.
      answers: [rows, K], probabilities; those near 0 are taken for a very small one.
    """
    return np.asarray(-(shares * np.log(np.clip(answers, _LEAST, 1))).sum(axis=1))


def cross_entropy(shares: np.ndarray, answers: np.ndarray, weights: np.ndarray) -> float:
    """Mean loss of answers, in nats.

    Args:
      shares: [rows, K], of the classes.
      answers: [rows, K], probabilities.
      weights: [rows], not all 0.
    """
    return float(np.average(losses_of(shares, answers), weights=weights))
