"""One training of the search, as a task and its outcome that cross the bounds of a process."""

import dataclasses
import time
import traceback
from collections.abc import Sequence

import numpy as np
import tensorflow as tf
import tf_keras

from core.sections.training import Hyperparameters
from models.network.network import build_network, logits_of
from models.network.preprocessing import ModelInputs
from models.network.rows import Rows
from models.network.training import Plan, cross_entropy, evaluation_loss, fit
from models.search.values import architecture_of


@dataclasses.dataclass(frozen=True)
class SearchRows:
    """What all trainings of a search read.

    Attributes:
      inputs: Widths of the features.
      train: Rows to learn from.
      evaluation: Rows by which trials are judged; those without a weight do not count.
    """

    inputs: ModelInputs
    train: Rows
    evaluation: Rows


@dataclasses.dataclass(frozen=True)
class TrialTask:
    """What to train.

    Attributes:
      values: The hyperparameters.
      plan: How to fit; its seed is of the first weights, too.
      start: Weights to go on from; None: untrained ones.
      start_loss: Evaluation loss with these weights; None without.
      deadline: Value of time.monotonic() after which no further epoch begins; None: no such.
      always: Whether it trains an epoch at least, however late it is.
      keeps_weights: Whether the weights are wanted.
      keeps_answers: Whether the answers to the evaluation rows are wanted.
    """

    values: Hyperparameters
    plan: Plan
    start: Sequence[np.ndarray] | None = None
    start_loss: float | None = None
    deadline: float | None = None
    always: bool = False
    keeps_weights: bool = False
    keeps_answers: bool = False

    def is_over(self, grace: float = 0.0) -> bool:
        """Whether its time is up, and so many seconds more."""
        late = self.deadline is not None and time.monotonic() >= self.deadline + grace
        return late and not self.always


@dataclasses.dataclass(frozen=True)
class TrialAnswers:
    """What a network answers to the evaluation rows that have a weight.

    Attributes:
      probabilities: float32 [rows] of two classes, [rows, K] of more.
      losses: float64 [rows], the cross-entropy of each row.
    """

    probabilities: np.ndarray
    losses: np.ndarray


@dataclasses.dataclass(frozen=True)
class TrialOutcome:
    """How a training went.

    Attributes:
      loss: Evaluation loss with the best weights; None where it failed or never began.
      epochs: That were run.
      seconds: That it took.
      message: Why it failed or never began; None where it did not.
      in_time: Whether it ended before its deadline.
      weights: The best ones, if they are wanted.
      answers: With the best weights, if they are wanted.
    """

    loss: float | None
    epochs: int = 0
    seconds: float = 0.0
    message: str | None = None
    in_time: bool = True
    weights: Sequence[np.ndarray] | None = None
    answers: TrialAnswers | None = None


NOT_BEGUN = TrialOutcome(None, message="tuner.seconds were over before it began", in_time=False)


class _Deadline(tf_keras.callbacks.Callback):
    """Ends a training once its time is over."""

    def __init__(self, deadline: float | None) -> None:
        super().__init__()
        self.epochs = 0
        self._deadline = deadline

    def on_epoch_end(self, epoch: int, logs: object = None) -> None:
        """Raises `_OutOfTime` after the deadline."""
        del logs
        self.epochs = epoch + 1
        if self._deadline is not None and time.monotonic() >= self._deadline:
            raise _OutOfTime


class _OutOfTime(Exception):  # noqa: N818 - it is no error
    """The deadline of a training has passed."""


def run(task: TrialTask, rows: SearchRows) -> TrialOutcome:
    """Trains a network; a training that fails is an outcome, too, so that nothing is raised.

    Args:
      task: What to train, how, and until when on this machine's monotonic clock.
      rows: To train on, and to measure the loss on.
    """
    started = time.monotonic()
    if task.is_over():
        return NOT_BEGUN
    try:
        outcome = _trained(task, rows)
    except Exception:  # whatever it is: the search goes on with the other trials
        outcome = TrialOutcome(None, message=traceback.format_exc())
    return dataclasses.replace(outcome, seconds=time.monotonic() - started)


def _trained(task: TrialTask, rows: SearchRows) -> TrialOutcome:
    tf_keras.utils.set_random_seed(task.plan.seed)
    model = build_network(rows.inputs, architecture_of(task.values), "trial")
    if task.start is not None:
        model.set_weights(task.start)
    clock, in_time = _Deadline(task.deadline), True
    try:
        fit(model, rows.train, rows.evaluation, cross_entropy, task.plan, [clock])
    except _OutOfTime:
        in_time = False
    # Not the lowest of the history: `fit` moves the answers once it has the best weights.
    loss = evaluation_loss(model, rows.evaluation)
    if task.start is not None and task.start_loss is not None and task.start_loss <= loss:
        model.set_weights(task.start)
        loss = task.start_loss
    return TrialOutcome(
        float(loss),
        clock.epochs,
        in_time=in_time,
        weights=model.get_weights() if task.keeps_weights else None,
        answers=_answers(model, rows.evaluation) if task.keeps_answers else None,
    )


def _answers(model: tf_keras.Model, evaluation: Rows) -> TrialAnswers:
    rows = evaluation.weighted()
    logit = logits_of(model)(rows.features, training=False)
    losses = cross_entropy(tf.constant(rows.label), logit).numpy().astype(np.float64)
    squashed = tf.sigmoid(logit)[:, 0] if logit.shape[1] == 1 else tf.nn.softmax(logit)
    return TrialAnswers(squashed.numpy(), losses)
