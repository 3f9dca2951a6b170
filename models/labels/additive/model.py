"""Votes and columns together: a logistic regression on few gold rows that adds up small reasons.

A function says whether its reason holds, not how far: of two couples with a degree the older one
who works longer hours earns more. So columns count beside the votes. Few gold rows cannot find
that by themselves; what each may say is bounded by ridge penalties. Those on votes pull towards a
majority vote in which functions that share a reason count half; those on columns pull towards 0,
strongly, so that only what many gold rows have in common is learned.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.answers import folded, spread
from models.labels.additive.coding import AdditiveCoding
from models.labels.additive.majority import MajorityByColumns, votes_for
from models.labels.combiner import (
    ASSUMED_ACCURACY,
    CLIP,
    design_of_votes,
    log_odds,
    ridge_logit,
    softmax,
    votes_cast,
)
from models.labels.rows import Columns
from models.labels.votes import Floats, Gold, Votes

# Chosen on training rows that were not gold, seeds 101 to 140 of the census and 101 to 115 of SMS
# spam and visual relations (benchmarks/labels/combiners.py).
SHARED = 0.5  # of a vote's log-odds, since functions share reasons
BY_COLUMNS = 0.5  # of that, as a sum of columns; 0, .5, .6, .75 and 1 compared
RIDGE_OF_VOTES = 10.0  # pull towards the majority vote; 5, 10, 20 and 40 compared
RIDGE_OF_COUNT = 1.0  # pull of what all votes count besides; .3, 1, 3, 30 compared
RIDGE_OF_MAJORITY = 500.0  # pull of the sum's share towards the assumed one; 10, 50, 500 compared
RIDGE_OF_COLUMNS = 50.0  # pull towards 0; 30, 50, 100 and 200 compared
RIDGE_OF_CONSTANT = 1.0  # pull towards even classes before a vote; .001, 1, 5 and 20 compared
COEFFICIENTS = 600  # of columns, over all classes, at most
_SMALLEST = 1e-9  # singular values below it, as a share of the largest, are rounding


@dataclass(frozen=True)
class ColumnScores:
    """What columns add to the log-odds of classes.

    Attributes:
      coding: How columns become numbers.
      weights: float64 [coding.width, classes].
    """

    coding: AdditiveCoding
    weights: Floats

    def added(self, probability: Floats, columns: Columns) -> Floats:
        """Answers from votes with what the columns add, in their shape.

        Args:
          probability: float64 [rows], P(positive) by the votes, or [rows, classes].
          columns: Of the same rows.
        """
        shares = np.log(np.clip(spread(probability), CLIP**2, 1.0))
        return folded(softmax(shares + self.coding.weighed(columns, self.weights)))


@dataclass(frozen=True)
class VotesAndColumns:
    """A fitted model: the answers of votes alone, and what columns add to them.

    Attributes:
      probability: float64 [vectors], P(positive) of vote vectors, or [vectors, classes].
      scores: What columns add.
    """

    probability: Floats
    scores: ColumnScores


class Fitting:
    """Gold rows made ready, to be fitted on all of them and on parts of them.

    A ridge penalty leaves coefficients in the span of the rows, so a rotation of the columns into
    as many numbers as there are gold rows loses nothing. Of many classes the leading ones are kept.
    """

    def __init__(
        self, gold: Gold, majority: MajorityByColumns, columns: Columns, classes: int
    ) -> None:
        """Rotates the columns of the gold rows.

        Args:
          gold: Their votes and labels.
          majority: What the columns of all rows tell of votes.
          columns: Of the gold rows.
          classes: How many there are.
        """
        self._gold, self._majority, self._classes = gold, majority, classes
        encoded = majority.coding.encode(columns)
        self._of_majority = majority.of_encoded(encoded)
        _, sizes, directions = np.linalg.svd(encoded, full_matrices=False)
        kept = sizes > _SMALLEST * sizes.max(initial=1.0)
        self._scored = range(1, 2) if classes == 2 else range(classes)
        self._basis = directions[kept][: max(1, COEFFICIENTS // len(self._scored))].T
        self._numbers = encoded @ self._basis

    def held_out(self, rest: NDArray[np.bool_], fold: NDArray[np.bool_]) -> Floats:
        """Answers to some gold rows by a model fitted on others.

        Args:
          rest: bool [gold rows], to learn from.
          fold: bool [gold rows], to answer.
        """
        of_votes, followed, weights = self._fit(rest, self._gold.votes[fold])
        of_columns = followed * self._of_majority[fold] + self._numbers[fold] @ weights
        return folded(softmax(of_votes + of_columns))

    def fit(self, votes: Votes) -> VotesAndColumns:
        """The model on all gold rows.

        Args:
          votes: int8 [vectors, functions], the vote vectors to answer.
        """
        every, majority = np.ones(len(self._gold.labels), dtype=bool), self._majority
        of_votes, followed, weights = self._fit(every, votes)
        of_columns = followed * majority.weights + self._basis @ weights
        probability = folded(softmax(of_votes - followed * majority.mean))
        return VotesAndColumns(probability, ColumnScores(majority.coding, of_columns))

    def _fit(self, rest: NDArray[np.bool_], votes: Votes) -> tuple[Floats, float, Floats]:
        """Scores of votes, [rows, classes]; the weight of the majority by columns; weights of the
        rotated columns, [k, classes].
        """
        gold, classes = self._gold, self._classes
        cast = votes_cast(gold.votes, votes, classes)
        of_votes = design_of_votes(gold.votes[rest], cast, classes)
        shared = np.stack([votes_for(gold.votes[rest], classes), self._of_majority[rest]], axis=2)
        size = self._numbers.shape[1]
        of_columns = np.zeros((rest.sum(), classes, size * len(self._scored)))
        for place, code in enumerate(self._scored):
            of_columns[:, code, place * size : (place + 1) * size] = self._numbers[rest]
        assumed = SHARED * float(log_odds(np.array(ASSUMED_ACCURACY)))
        by_columns = BY_COLUMNS * assumed
        sizes = classes - 1, len(cast), 1, 1, of_columns.shape[2]
        # With a score for each class instead of their difference, twice the pull is the same one.
        pull = RIDGE_OF_COLUMNS * (1 if classes == 2 else 2)
        coefficients = ridge_logit(
            np.concatenate([of_votes, shared, of_columns], axis=2),
            gold.labels[rest],
            np.repeat([0.0, assumed - by_columns, 0.0, by_columns, 0.0], sizes),
            np.repeat(
                [RIDGE_OF_CONSTANT, RIDGE_OF_VOTES, RIDGE_OF_COUNT, RIDGE_OF_MAJORITY, pull], sizes
            ),
        )
        last = sizes[0] + sizes[1] + 1
        weights = np.zeros((size, classes))
        for place, code in enumerate(self._scored):
            first = last + 1 + place * size
            weights[:, code] = coefficients[first : first + size]
        of_votes = design_of_votes(votes, cast, classes) @ coefficients[: last - 1]
        of_votes += coefficients[last - 1] * votes_for(votes, classes)
        return of_votes, float(coefficients[last]), weights
