"""How well candidates for the label of a row do on gold rows, and which of them to take."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics

from core.intervals import Z, auc_interval, wilson_interval
from models.labels.votes import POSITIVE, Floats

CLIP = 1e-3  # probabilities are kept this far from 0 and 1 before their logarithm is taken


@dataclass(frozen=True)
class Score:
    """Figures on gold rows that the candidate did not see, each with its 95% interval.

    Attributes:
      log_loss: Mean negative log-likelihood of the true label.
      log_loss_interval: Normal interval of the mean.
      accuracy: Share labelled rightly.
      accuracy_interval: Wilson's.
      auc: Area under the ROC curve.
      auc_interval: Hanley and McNeil's.
      f1: Of the positive class; no interval.
    """

    log_loss: float
    log_loss_interval: tuple[float, float]
    accuracy: float
    accuracy_interval: tuple[float, float] | None
    auc: float
    auc_interval: tuple[float, float]
    f1: float


def losses(probability: Floats, labels: NDArray[np.int8]) -> Floats:
    """Negative log-likelihood of each true label: float64 [rows]."""
    clipped = np.clip(probability, CLIP, 1 - CLIP)
    return -np.log(np.where(labels == POSITIVE, clipped, 1 - clipped))


def score(probability: Floats, labels: NDArray[np.int8]) -> Score:
    """Scores the probabilities of gold rows of both classes.

    Args:
      probability: float64 [rows], P(positive), by a candidate that did not see the row's label.
      labels: int8 [rows].
    """
    each = losses(probability, labels)
    half = Z * float(each.std(ddof=1)) / np.sqrt(len(each))
    positive, decided = labels == POSITIVE, probability >= 0.5
    right = int((decided == positive).sum())
    auc = float(metrics.roc_auc_score(positive, probability))
    mean = float(each.mean())
    return Score(
        log_loss=mean,
        log_loss_interval=(max(0.0, mean - half), mean + half),
        accuracy=right / len(labels),
        accuracy_interval=wilson_interval(right, len(labels)),
        auc=auc,
        auc_interval=auc_interval(auc, int(positive.sum()), int((~positive).sum())),
        f1=float(metrics.f1_score(positive, decided, zero_division=0.0)),
    )


def best(each: Sequence[Floats]) -> int:
    """The candidate to take: the first, unless another's loss is lower beyond chance.

    A few hundred gold rows tell candidates apart poorly: taking the lowest mean would follow the
    draw. Another candidate is taken where the 95% interval of the mean paired difference lies below
    zero; of several, the one of the lowest mean.

    Args:
      each: Losses of each candidate on the same gold rows, float64 [rows].
    """
    chosen = 0
    for n in range(1, len(each)):
        difference = each[n] - each[0]
        half = Z * difference.std(ddof=1) / np.sqrt(len(difference))
        if each[n].mean() < each[chosen].mean() and difference.mean() + half < 0:
            chosen = n
    return chosen
