"""Where labels of two classes decide: as they are, or with errors of both kinds alike.

Decided at .5, shares that are hedged find fewer positives than they expect: what is probably
negative with .6 counts as negative, all of it. That is most often right, and costs recall. Moved so
that as many rows are above .5 as are expected to be positive, labels are wrong about as often in
either way, which suits F1; half of the way has most of what can be had, for next to no accuracy.
"""

from dataclasses import replace

import numpy as np

from models.labels.additive.sample import Sample
from models.labels.by_group.shifts import shifted
from models.labels.combiner import log_odds
from models.labels.label_model import Fitted
from models.labels.scores import most_likely
from models.labels.votes import ABSTAIN, Counts, Floats, Gold, Votes

FARTHEST = 1.0  # log-odds; where nothing lies between the classes the way would be long


def moved(
    fitted: Fitted, share: float, vectors: Votes, counts: Counts, gold: Gold, sample: Sample
) -> Fitted:
    """The labels with a constant added to their log-odds; as they are of more than two classes.

    Args:
      fitted: The label model.
      share: Of the way to where as many rows are labelled positive as are expected to be.
      vectors: int8 [vectors, functions], distinct vote vectors.
      counts: int64 [vectors], rows behind each vector.
      gold: Votes and labels of the gold rows.
      sample: Rows, by which it is seen what columns add.
    """
    if share == 0 or fitted.probability.ndim > 1:
        return fitted
    probability, weights = _labels(fitted, vectors, counts, sample)
    shift = share * even_shift(probability, weights)
    held_out = shifted(fitted.held_out, shift)
    right = most_likely(held_out[gold.at_random]) == gold.drawn.labels
    reason = f"{fitted.reason}; moved by {shift:+.2f} in log-odds (labeling.even_errors={share:g})"
    return replace(
        fitted,
        probability=shifted(fitted.probability, shift),
        held_out=held_out,
        accuracy_on_gold=float(right.mean()),
        reason=reason,
    )


def even_shift(probability: Floats, weights: Floats) -> float:
    """What is to be added to log-odds so that as many rows are above .5 as are expected positive.

    Args:
      probability: float64 [rows], P(positive).
      weights: float64 [rows], how often each row counts.
    """
    order = np.argsort(-probability, kind="stable")
    expected = float(probability @ weights)
    at = int(np.searchsorted(np.cumsum(weights[order]), expected))
    cut = float(log_odds(probability[order[min(at, len(order) - 1)]]))
    return float(np.clip(-cut, -FARTHEST, FARTHEST))


def _labels(
    fitted: Fitted, vectors: Votes, counts: Counts, sample: Sample
) -> tuple[Floats, Floats]:
    """Labels of rows with a vote, and how often each counts."""
    if fitted.columns is None:
        voted = (vectors != ABSTAIN).any(axis=1)
        return fitted.probability[voted], counts[voted].astype(np.float64)
    number_of = {vector.tobytes(): n for n, vector in enumerate(vectors)}
    rows = sample.take(np.flatnonzero((sample.votes != ABSTAIN).any(axis=1)))
    at = np.array([number_of[votes.tobytes()] for votes in rows.votes])
    return fitted.answers(at, rows.columns), np.ones(len(at))
