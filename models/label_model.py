"""From the votes of labelling functions to the probability of the positive class.

Everything works on distinct vote vectors with counts, so cost does not grow with rows. Two steps:
Snorkel's label model (Ratner et al., Training Complex Models with Multi-Task Weak Supervision, AAAI
2019) learns from agreement and disagreement alone how far each function can be trusted, with the
class balance of the gold rows; a ridge logistic regression on the gold rows' votes then corrects
its log-odds, which are too sharp because functions that share a reason do not err independently.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import InputError

NEGATIVE, POSITIVE, ABSTAIN = 0, 1, -1
MIN_FUNCTIONS = 3  # Snorkel's label model needs a third vote to tell who is right
ASSUMED_ACCURACY = 0.7  # of a vote, where functions are too few to learn it; Snorkel's prec_init
MU_EPS = 0.01  # smallest P(vote | class) in the label model: no function is infallible
RIDGE = 1.0  # pull of the correction towards the label model; 0.3, 1 and 3 compared on gold rows
FOLDS = 10  # of the cross-validation
NEWTON_STEPS = 50  # at most; about ten are taken
TOLERANCE = 1e-8  # largest change of a coefficient in the last step

Votes = NDArray[np.int8]
Counts = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Gold:
    """Rows whose true label is known.

    Attributes:
      votes: int8 [rows, functions], values NEGATIVE, POSITIVE, ABSTAIN.
      labels: int8 [rows], values NEGATIVE, POSITIVE.
      random: bool [rows], rows drawn at random; the others were chosen for what their votes are, so
        shares of them say nothing about all rows. None: all rows were drawn at random.
    """

    votes: Votes
    labels: NDArray[np.int8]
    random: NDArray[np.bool_] | None = None

    @property
    def at_random(self) -> NDArray[np.bool_]:
        """Bool [rows], whether a row was drawn at random."""
        return np.ones(len(self.labels), dtype=bool) if self.random is None else self.random

    @property
    def drawn(self) -> "Gold":
        """The rows drawn at random: the ones that shares and accuracies are estimated on."""
        return Gold(self.votes[self.at_random], self.labels[self.at_random])


@dataclass(frozen=True)
class Fitted:
    """What the label model says.

    Attributes:
      probability: float64 [vectors], P(positive) of each distinct vote vector.
      weight: float64 [functions], Snorkel's estimate of each function's accuracy where it votes;
        NaN where it never votes, or fewer than three functions do.
      class_balance: Share of positives among the gold rows drawn at random.
      held_out: float64 [gold rows], P(positive) of each gold row from a correction that did not
        see it (cross-validated).
      accuracy_on_gold: Share of the gold rows drawn at random that `held_out` labels rightly.
    """

    probability: Floats
    weight: Floats
    class_balance: float
    held_out: Floats
    accuracy_on_gold: float


def distinct(votes: Votes) -> tuple[Votes, Counts, NDArray[np.int64]]:
    """Distinct rows of int8 [rows, functions]: the vectors, their counts, each row's vector."""
    rows, functions = votes.shape
    # Rows as opaque bytes: thirty times faster than np.unique over an axis.
    keys = np.ascontiguousarray(votes).view(f"V{functions}")[:, 0] if functions else np.zeros(rows)
    _, first, inverse, counts = np.unique(
        keys, return_index=True, return_inverse=True, return_counts=True
    )
    return votes[first], counts.astype(np.int64), inverse.reshape(-1)


def merge(parts: Sequence[tuple[Votes, Counts]]) -> tuple[Votes, Counts]:
    """One set of distinct vectors with counts from several."""
    vectors, _, vector_of_row = distinct(np.concatenate([vectors for vectors, _ in parts]))
    counts = np.bincount(vector_of_row, np.concatenate([counts for _, counts in parts]))
    return vectors, counts.astype(np.int64)


def check_gold(rows: int) -> None:
    """Checks that there are gold rows at all.

    Raises:
      InputError: There are none.
    """
    if rows == 0:
        raise InputError(
            "no gold rows: labeling.gold_rows is 0 and nobody has answered yet; have rows "
            "labelled: python -m pipeline to-label"
        )


def class_balance(positive: int, negative: int) -> float:
    """Share of positives among gold rows.

    Raises:
      InputError: They are all of one class.
    """
    if positive == 0 or negative == 0:
        only = "positive" if positive else "negative"
        raise InputError(
            f"all {positive + negative} gold rows are {only}, both classes are needed: raise "
            "labeling.gold_rows, or correct columns.positive and columns.negative"
        )
    return positive / (positive + negative)


def fit(
    vectors: Votes,
    counts: Counts,
    gold: Gold,
    names: Sequence[str],
    epochs: int,
    seed: int,
) -> Fitted:
    """Fits the label model on all rows' votes and corrects it on the gold rows.

    Agreement tells something from three functions on. Where fewer vote, every vote is taken to be
    right as often as the next (`ASSUMED_ACCURACY`), and the correction alone tells them apart.

    Args:
      vectors: int8 [vectors, functions], distinct vote vectors.
      counts: int64 [vectors], rows behind each vector.
      gold: Votes and labels of the gold rows.
      names: Names of the functions, for messages.
      epochs: Training steps of Snorkel's label model.
      seed: Draws its initial weights and the folds of the cross-validation.

    Raises:
      InputError: No function votes, or the gold rows are all of one class.
    """
    drawn = gold.drawn.labels
    positive = int((drawn == POSITIVE).sum())
    balance = class_balance(positive, len(drawn) - positive)
    voting = (vectors != ABSTAIN).any(axis=0)
    if not voting.any():
        raise InputError(
            f"none of {len(names)} labelling functions votes on any row: see labeling.functions"
        )
    weight = np.full(len(names), np.nan)
    if voting.sum() >= MIN_FUNCTIONS:
        model = _snorkel_model(vectors[:, voting], counts, balance, epochs, seed)
        weight[voting] = model.get_weights()

    def log_odds(votes: Votes) -> Floats:
        if voting.sum() < MIN_FUNCTIONS:
            return _assumed_log_odds(votes, balance)
        probability = model.predict_proba(votes[:, voting].astype(np.int64))[:, POSITIVE]
        return _log_odds(probability)

    prior, gold_prior = log_odds(vectors), log_odds(gold.votes)
    probability = _correct(gold_prior, gold, prior, vectors)
    held_out = np.empty(len(gold.labels))
    for fold in _folds(gold.labels, seed):
        rest = Gold(gold.votes[~fold], gold.labels[~fold])
        held_out[fold] = _correct(gold_prior[~fold], rest, gold_prior[fold], gold.votes[fold])
    right = (held_out >= 0.5) == (gold.labels == POSITIVE)
    accuracy = float(np.mean(right[gold.at_random]))
    return Fitted(probability, weight, balance, held_out, accuracy)


def _assumed_log_odds(votes: Votes, balance: float) -> Floats:
    """Log-odds of independent votes that are right in a share of ASSUMED_ACCURACY."""
    lead = (votes == POSITIVE).sum(axis=1) - (votes == NEGATIVE).sum(axis=1)
    prior, vote = _log_odds(np.array([balance, ASSUMED_ACCURACY]))
    return prior + lead * vote


class _Momentum:
    """Gradient descent with momentum, as Snorkel takes it from torch.optim by default.

    Making any optimizer of torch.optim imports torch's compiler, which costs more than the fit.
    """

    def __init__(self, parameters: Iterable[Any], learning_rate: float, momentum: float) -> None:
        self.parameters = [(parameter, parameter.data * 0) for parameter in parameters]
        self.learning_rate = learning_rate
        self.momentum = momentum

    def zero_grad(self) -> None:
        for parameter, _ in self.parameters:
            parameter.grad = None

    def step(self) -> None:
        for parameter, velocity in self.parameters:
            velocity.mul_(self.momentum).add_(parameter.grad)
            parameter.data.sub_(velocity, alpha=self.learning_rate)


def _snorkel_model(vectors: Votes, counts: Counts, balance: float, epochs: int, seed: int) -> Any:
    """Snorkel's LabelModel, fitted on distinct vote vectors that count several times.

    PyTorch is imported here: only a run in weak mode pays for it.
    """
    import torch
    from snorkel.labeling.model import LabelModel

    class CountedLabelModel(LabelModel):
        """Its fit reads the votes only through the two statistics of _generate_O."""

        def _generate_O(self, L: NDArray[np.int64], higher_order: bool = False) -> None:  # noqa: N802, N803
            indicators = self._get_augmented_label_matrix(L, higher_order=higher_order)
            share = counts / counts.sum()
            self.d = indicators.shape[1]
            self.O = torch.from_numpy((indicators.T * share) @ indicators).float()
            self.coverage = share @ (L > 0)

        def _set_optimizer(self) -> None:
            momentum = self.train_config.optimizer_config.sgd_config.momentum
            self.optimizer = _Momentum(self.parameters(), self.train_config.lr, momentum)

    model = CountedLabelModel(cardinality=2, verbose=False)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the matrices are tiny: threads would only wait for each other
    try:
        model.fit(
            vectors.astype(np.int64),
            class_balance=[1 - balance, balance],
            n_epochs=epochs,
            seed=seed,
            mu_eps=MU_EPS,
            progress_bar=False,
        )
    finally:
        torch.set_num_threads(threads)
    return model


def _correct(gold_prior: Floats, gold: Gold, prior: Floats, votes: Votes) -> Floats:
    """P(positive) of `votes`: their log-odds corrected by a ridge regression on the gold rows.

    The penalty pulls towards leaving the label model's log-odds as they are.
    """
    coefficients = ridge_logistic(_design(gold_prior, gold.votes), gold.labels.astype(float))
    design = _design(prior, votes)
    return _sigmoid(design @ coefficients)


def _design(prior: Floats, votes: Votes) -> Floats:
    """float64 [rows, 2 + 2 * functions]: 1, log-odds, votes for positive, votes for negative."""
    ones = np.ones((len(votes), 1))
    return np.hstack([ones, prior[:, None], votes == POSITIVE, votes == NEGATIVE])


def ridge_logistic(design: Floats, labels: Floats) -> Floats:
    """Logistic regression by Newton's method: float64 [columns] from [rows, columns] and [rows].

    Coefficient 0, the intercept, is free; coefficient 1 is pulled towards 1, the rest towards 0.
    """
    target = np.zeros(design.shape[1])
    target[1] = 1.0
    penalty = np.full(design.shape[1], RIDGE)
    penalty[0] = 1e-3

    def loss(coefficients: Floats) -> float:
        scores = design @ coefficients
        misfit = np.logaddexp(0, scores) - labels * scores
        return float(misfit.sum() + penalty @ (coefficients - target) ** 2 / 2)

    coefficients = target.copy()
    for _ in range(NEWTON_STEPS):
        probability = _sigmoid(design @ coefficients)
        gradient = design.T @ (probability - labels) + penalty * (coefficients - target)
        curvature = (design.T * (probability * (1 - probability))) @ design + np.diag(penalty)
        step = np.linalg.solve(curvature, gradient)
        while loss(coefficients - step) > loss(coefficients) and np.abs(step).max() > TOLERANCE:
            step = step / 2
        coefficients -= step
        if np.abs(step).max() < TOLERANCE:
            break
    return coefficients


def _sigmoid(scores: Floats) -> Floats:
    return 0.5 * (1 + np.tanh(scores / 2))


def _log_odds(probability: Floats) -> Floats:
    clipped = np.clip(probability, 1e-3, 1 - 1e-3)
    return np.log(clipped / (1 - clipped))


def _folds(labels: NDArray[np.int8], seed: int) -> list[NDArray[np.bool_]]:
    """Masks of disjoint, equally large parts of the gold rows with the same class balance."""
    order = np.random.default_rng(seed).permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    part = np.empty(len(labels), dtype=np.int64)
    part[order] = np.arange(len(labels)) % FOLDS
    return [part == fold for fold in range(FOLDS) if (part == fold).any()]
