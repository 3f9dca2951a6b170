"""What the gold rows add: a combiner of votes, and a factor on a label model's log-odds.

Both are ridge logistic regressions, conditional ones of more than two classes. The combiner's
penalty pulls towards a majority vote, where every function is right equally often, so that a
function on which few gold rows tell anything counts like any other. The factor tempers a label
model, which is too sure where functions share a reason and so do not err independently; it changes
neither the order of rows nor the decisions.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.answers import folded, spread
from models.labels.votes import Floats, Gold, Votes

ASSUMED_ACCURACY = 0.7  # of a vote before any gold row is seen; Snorkel's own prec_init
RIDGE = 3.0  # pull towards the majority vote; 1, 3 and 5 compared
FREE = 1e-3  # pull on the intercept
FACTOR = 0.5  # on log-odds before any gold row is seen
CLIP = 1e-4  # probabilities are kept this far from 0 and 1 before their log-odds are taken
NEWTON_STEPS = 50  # at most; about ten are taken
TOLERANCE = 1e-8  # largest change of a coefficient in the last step


def combine(gold: Gold, votes: Votes, classes: int = 2) -> Floats:
    """Shares of the classes by a regression on the votes of the gold rows.

    A class scores a constant of its own (0 for the first) and, for each function that votes for it,
    one that belongs to the two of them.

    Args:
      gold: Rows to learn from.
      votes: int8 [rows, functions].
      classes: How many.

    Returns:
      float64 [rows], P(positive), of two classes; [rows, classes] of more.
    """
    cast = votes_cast(gold.votes, votes, classes)
    constants, assumed = classes - 1, float(log_odds(np.array(ASSUMED_ACCURACY)))
    target = np.repeat([0.0, assumed], [constants, len(cast)])
    penalty = np.repeat([FREE, RIDGE], [constants, len(cast)])
    design = design_of_votes(gold.votes, cast, classes)
    coefficients = ridge_logit(design, gold.labels, target, penalty)
    scores = np.tile(np.insert(coefficients[:constants], 0, 0.0), (len(votes), 1))
    for (n, code), coefficient in zip(cast, coefficients[constants:], strict=True):
        scores[votes[:, n] == code, code] += coefficient
    return folded(softmax(scores))


def temper(gold: Floats, labels: NDArray[np.int8], probability: Floats) -> Floats:
    """Shares whose log-odds are multiplied by a factor fitted on gold rows, in their shape.

    Args:
      gold: float64 [gold rows] or [gold rows, classes], shares by the label model.
      labels: int8 [gold rows].
      probability: float64 [rows] or [rows, classes], shares by the label model.
    """
    one = np.ones(1)
    [factor] = ridge_logit(_logarithms(gold)[:, :, None], labels, FACTOR * one, one)
    return folded(softmax(factor * _logarithms(probability)))


def _logarithms(answers: Floats) -> Floats:
    """Finite logarithms of shares, float64 [rows, classes]."""
    logarithms: Floats = np.log(np.clip(spread(answers), CLIP, 1 - CLIP))
    return logarithms


def votes_cast(first: Votes, second: Votes, classes: int) -> list[tuple[int, int]]:
    """Function and class of each kind of vote that there is in int8 [rows, functions] of two."""
    return [
        (n, code)
        for n in range(second.shape[1])
        for code in range(classes)
        if (second[:, n] == code).any() or (first[:, n] == code).any()
    ]


def design_of_votes(votes: Votes, cast: Sequence[tuple[int, int]], classes: int) -> Floats:
    """What each class scores by, float64 [rows, classes, classes - 1 + len(cast)]."""
    design = np.zeros((len(votes), classes, classes - 1 + len(cast)))
    for code in range(1, classes):
        design[:, code, code - 1] = 1.0
    for place, (n, code) in enumerate(cast, classes - 1):
        design[:, code, place] = votes[:, n] == code
    return design


def ridge_logit(
    design: Floats, labels: NDArray[np.int8], target: Floats, penalty: Floats
) -> Floats:
    """Conditional logistic regression by Newton's method: float64 [columns].

    The score of a class is a sum over columns; of two classes this is logistic regression on the
    difference of theirs.

    Args:
      design: float64 [rows, classes, columns].
      labels: int8 [rows], codes of classes.
      target: float64 [columns], what each coefficient is pulled towards.
      penalty: float64 [columns], how strongly.
    """
    rows, classes = np.arange(len(labels)), range(design.shape[1])
    scored = [np.flatnonzero(design[:, code].any(axis=0)) for code in classes]
    chosen = design[rows, labels].sum(axis=0)

    def loss(coefficients: Floats) -> float:
        scores = design @ coefficients
        misfit = np.logaddexp.reduce(scores, axis=1) - scores[rows, labels]
        return float(misfit.sum() + penalty @ (coefficients - target) ** 2 / 2)

    coefficients = target.copy()
    for _ in range(NEWTON_STEPS):
        shares = softmax(design @ coefficients)
        mean = np.einsum("nk,nkp->np", shares, design)
        gradient = mean.sum(axis=0) - chosen + penalty * (coefficients - target)
        curvature = np.diag(penalty) - mean.T @ mean
        for code in classes:  # most columns are of one class: 40 times less work for 40 classes
            own = design[:, code, scored[code]]
            block = np.ix_(scored[code], scored[code])
            curvature[block] += (own.T * shares[:, code]) @ own
        step = np.linalg.solve(curvature, gradient)
        while loss(coefficients - step) > loss(coefficients) and np.abs(step).max() > TOLERANCE:
            step = step / 2
        coefficients -= step
        if np.abs(step).max() < TOLERANCE:
            break
    return coefficients


def softmax(scores: Floats) -> Floats:
    """Shares that sum to 1 from scores, float64 [rows, classes]."""
    above = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: Floats = above / above.sum(axis=1, keepdims=True)
    return shares


def log_odds(probability: Floats) -> Floats:
    """Log-odds from probability, finite."""
    clipped = np.clip(probability, CLIP, 1 - CLIP)
    odds: Floats = np.log(clipped / (1 - clipped))
    return odds
