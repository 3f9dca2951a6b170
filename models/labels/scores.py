"""How well candidates for the label of a row do on gold rows, and which of them to take."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics

from core.answers import spread
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
      auc: Area under the ROC curve; of more than two classes the mean of each against the rest.
      auc_interval: Hanley and McNeil's; of more than two classes the mean of the ends.
      f1: Of the positive class, or the mean over more than two classes; no interval.
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
    shares = spread(probability)[np.arange(len(labels)), labels]
    return -np.log(np.clip(shares, CLIP, 1 - CLIP))


def most_likely(probability: Floats) -> NDArray[np.int64]:
    """Code of the class with the largest share, int64 [rows]; the last of equal ones."""
    shares = spread(probability)
    last: NDArray[np.int64] = shares.shape[1] - 1 - shares[:, ::-1].argmax(axis=1)
    return last


def score(probability: Floats, labels: NDArray[np.int8]) -> Score:
    """Scores the probabilities of gold rows of at least two classes.

    Args:
      probability: float64 [rows], P(positive), or shares, [rows, classes], by a candidate that did
        not see the row's label.
      labels: int8 [rows].
    """
    each = losses(probability, labels)
    half = Z * float(each.std(ddof=1)) / np.sqrt(len(each))
    decided, shares = most_likely(probability), spread(probability)
    right = int((decided == labels).sum())
    told = [POSITIVE] if shares.shape[1] == 2 else np.unique(labels).tolist()
    aucs = [float(metrics.roc_auc_score(labels == code, shares[:, code])) for code in told]
    ends = [
        auc_interval(auc, int((labels == code).sum()), int((labels != code).sum()))
        for code, auc in zip(told, aucs, strict=True)
    ]
    f1 = metrics.f1_score(labels, decided, labels=told, average="macro", zero_division=0.0)
    mean = float(each.mean())
    return Score(
        log_loss=mean,
        log_loss_interval=(max(0.0, mean - half), mean + half),
        accuracy=right / len(labels),
        accuracy_interval=wilson_interval(right, len(labels)),
        auc=fmean(aucs),
        auc_interval=(fmean(low for low, _ in ends), fmean(high for _, high in ends)),
        f1=float(f1),
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
