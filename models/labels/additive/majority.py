"""What a majority vote is as a sum of what columns say, learned from rows that nobody labelled.

Votes jump where a function's threshold is; what they stand for does not. The ridge regression of
how many functions vote for a class on the columns of a sample carries it over to rows on both
sides, and to values of which few gold rows, or none, tell anything.
"""

from dataclasses import dataclass

import numpy as np

from models.labels.additive.coding import AdditiveCoding, rows_of
from models.labels.additive.sample import taken
from models.labels.rows import Columns
from models.labels.votes import Floats, Votes

ROWS = 4000  # of the sample, at most
PULL = 4.0  # towards 0, in rows


@dataclass(frozen=True)
class MajorityByColumns:
    """How many functions vote for a class, by the columns of a row.

    Attributes:
      coding: How columns become numbers.
      weights: float64 [coding.width, classes].
      mean: float64 [classes], what comes of them on average, which is taken off.
    """

    coding: AdditiveCoding
    weights: Floats
    mean: Floats

    @classmethod
    def of(cls, votes: Votes, columns: Columns, classes: int) -> "MajorityByColumns":
        """By the votes and columns of a sample.

        Args:
          votes: int8 [rows, functions].
          columns: Of the same rows, in random order.
          classes: How many there are.
        """
        coding = AdditiveCoding.of(columns)
        at = np.arange(min(ROWS, len(votes)))
        first = {name: taken(column, at) for name, column in columns.items()}
        numbers, rows = coding.encode(first), rows_of(first)
        counts = votes_for(votes[:rows], classes)
        mean = numbers.sum(axis=0) / max(1, rows)
        spread = numbers.T @ numbers - rows * np.outer(mean, mean)
        weights = np.linalg.solve(spread + PULL * np.eye(coding.width), (numbers - mean).T @ counts)
        return cls(coding, weights, mean @ weights)

    def of_encoded(self, numbers: Floats) -> Floats:
        """Votes for each class above the average, float64 [rows, classes].

        Args:
          numbers: float64 [rows, coding.width].
        """
        votes: Floats = numbers @ self.weights - self.mean
        return votes


def votes_for(votes: Votes, classes: int) -> Floats:
    """How many functions vote for each class, float64 [rows, classes].

    Args:
      votes: int8 [rows, functions].
      classes: How many there are.
    """
    counts = [(votes == code).sum(axis=1) for code in range(classes)]
    return np.stack(counts, axis=1).astype(np.float64)
