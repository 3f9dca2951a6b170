"""What the gold rows add: a combiner of votes, and a factor on a label model's log-odds.

Both are ridge logistic regressions. The combiner's penalty pulls towards a majority vote, where
every function is right equally often, so that a function on which few gold rows tell anything
counts like any other. The factor tempers a label model, which is too sure where functions share a
reason and so do not err independently; it changes neither the order of rows nor the decisions.
"""

import numpy as np
from numpy.typing import NDArray

from models.labels.votes import NEGATIVE, POSITIVE, Floats, Gold, Votes

ASSUMED_ACCURACY = 0.7  # of a vote before any gold row is seen; Snorkel's own prec_init
RIDGE = 3.0  # pull towards the majority vote; 1, 3 and 5 compared
FREE = 1e-3  # pull on the intercept
FACTOR = 0.5  # on log-odds before any gold row is seen
CLIP = 1e-4  # probabilities are kept this far from 0 and 1 before their log-odds are taken
NEWTON_STEPS = 50  # at most; about ten are taken
TOLERANCE = 1e-8  # largest change of a coefficient in the last step


def combine(gold: Gold, votes: Votes) -> Floats:
    """P(positive) of votes, float64 [rows], by a regression on the votes of the gold rows.

    Args:
      gold: Rows to learn from.
      votes: int8 [rows, functions].
    """
    functions = votes.shape[1]
    target = np.repeat([0.0, 1.0, -1.0], [1, functions, functions]) * log_odds(
        np.array(ASSUMED_ACCURACY)
    )
    penalty = np.repeat([FREE, RIDGE], [1, 2 * functions])
    labels = gold.labels.astype(float)
    coefficients = ridge_logistic(_design(gold.votes), labels, target, penalty)
    return sigmoid(_design(votes) @ coefficients)


def temper(gold: Floats, labels: NDArray[np.int8], probability: Floats) -> Floats:
    """Probabilities whose log-odds are multiplied by a factor fitted on gold rows: float64 [rows].

    Args:
      gold: float64 [gold rows], P(positive) by the label model.
      labels: int8 [gold rows].
      probability: float64 [rows], P(positive) by the label model.
    """
    design, one = log_odds(gold)[:, None], np.ones(1)
    [factor] = ridge_logistic(design, labels.astype(float), FACTOR * one, one)
    return sigmoid(factor * log_odds(probability))


def _design(votes: Votes) -> Floats:
    """float64 [rows, 1 + 2 * functions]: 1, votes for positive, votes for negative."""
    return np.hstack([np.ones((len(votes), 1)), votes == POSITIVE, votes == NEGATIVE])


def ridge_logistic(design: Floats, labels: Floats, target: Floats, penalty: Floats) -> Floats:
    """Logistic regression by Newton's method: float64 [columns] from [rows, columns] and [rows].

    Args:
      design: float64 [rows, columns].
      labels: float64 [rows], 0 or 1.
      target: float64 [columns], what each coefficient is pulled towards.
      penalty: float64 [columns], how strongly.
    """

    def loss(coefficients: Floats) -> float:
        scores = design @ coefficients
        misfit = np.logaddexp(0, scores) - labels * scores
        return float(misfit.sum() + penalty @ (coefficients - target) ** 2 / 2)

    coefficients = target.copy()
    for _ in range(NEWTON_STEPS):
        probability = sigmoid(design @ coefficients)
        gradient = design.T @ (probability - labels) + penalty * (coefficients - target)
        curvature = (design.T * (probability * (1 - probability))) @ design + np.diag(penalty)
        step = np.linalg.solve(curvature, gradient)
        while loss(coefficients - step) > loss(coefficients) and np.abs(step).max() > TOLERANCE:
            step = step / 2
        coefficients -= step
        if np.abs(step).max() < TOLERANCE:
            break
    return coefficients


def sigmoid(scores: Floats) -> Floats:
    """Probability from log-odds."""
    return 0.5 * (1 + np.tanh(scores / 2))


def log_odds(probability: Floats) -> Floats:
    """Log-odds from probability, finite."""
    clipped = np.clip(probability, CLIP, 1 - CLIP)
    odds: Floats = np.log(clipped / (1 - clipped))
    return odds
