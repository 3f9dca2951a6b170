"""Penalties on differences between groups, as part of the loss in training.

`RatePenalty` moves the rate itself, at the decision, and no more than is needed; `ScorePenalty`
moves all answers, by the MinDiff loss of TensorFlow Model Remediation, and costs more of the AUC
for the same gap. A batch has few rows of a small group: the first is linear in what a batch says
and measures the rates on all rows, the second draws rows of each group beside the batch.
"""

from typing import Protocol

import numpy as np
import tensorflow as tf
import tf_keras

from core.sections.fairness import Mitigation
from models.network.rows import Rows

_MEASUREMENTS = 8  # of the rates, in each epoch
_MEASURED_ROWS = 5000  # of each group, at most
_DRAWN_ROWS = 128  # of each group, with each batch
_STEP = 1.0  # of what pulls a group, for a difference of 1 in its rate
_MOST_PULL = 10.0


class Penalty(Protocol):
    """A term of the loss; it is prepared anew for the rows of each fit, and keeps what it found."""

    def prepare(self, train: Rows, logits: tf_keras.Model, steps: int) -> None:
        """Takes the rows of a fit, with `counted`; in each epoch `steps` batches are drawn."""

    def drawn(self) -> tf.Tensor:
        """Numbers of rows that go through the network with a batch, int32 [any]."""

    def update(self, step: tf.Tensor) -> None:
        """Called before each step, with its number in the epoch, int32."""

    def of(self, batch: tf.Tensor, logit: tf.Tensor) -> tf.Tensor:
        """The term, from row numbers [batch] and the logits of these and then the drawn rows."""


def penalty_of(told: Mitigation, groups: int, seed: int) -> Penalty:
    """The penalty that the configuration asks for."""
    if told.loss == "mmd":
        assert not isinstance(told.strength, str)  # checked with the configuration
        return ScorePenalty(groups, told.strength, seed)
    return RatePenalty(groups, None if isinstance(told.strength, str) else told.strength, seed)


class RatePenalty:
    """Pulls the logits of a group with a low rate up, those of one with a high rate down.

    The loss has, for each row that counts, its group's pull times the sigmoid of its logit, a
    smooth stand-in for the decision; the pull follows the rates that are really decided, which are
    measured some times an epoch. Without a strength it is a Lagrange multiplier and grows until the
    rates are alike (Cotter et al., Optimization with Non-Differentiable Constraints, JMLR 2019);
    with one it is the gradient of a squared penalty, and part of the gap stays.
    """

    def __init__(self, groups: int, strength: float | None, seed: int) -> None:
        """`strength`: Pull for a difference of 1 in the rate; None: as much as is needed."""
        self.pull = tf.Variable(tf.zeros([groups]), trainable=False, name="pull")
        self._strength = strength
        self._seed = seed

    def prepare(self, train: Rows, logits: tf_keras.Model, steps: int) -> None:
        """See `Penalty`."""
        assert train.counted is not None
        counted, weight = train.counted.astype(np.float64), train.weight.astype(np.float64)
        # In the terms of the loss, in which a rare class may weigh more than it counts.
        scale = (counted * weight).sum() / (counted**2).sum()
        self._coefficient = tf.constant(counted * scale, tf.float32)
        measured = _some_of_each(counted, self._seed)
        rows = train.take(measured)
        self._features = {name: tf.constant(column) for name, column in rows.features.items()}
        self._share = tf.constant(counted[measured] / counted[measured].sum(axis=0), tf.float32)
        self._part = tf.constant(counted.sum(axis=0) / counted.sum(), tf.float32)
        self._logits = logits
        self._every = max(1, steps // _MEASUREMENTS)

    def drawn(self) -> tf.Tensor:
        """None; see `Penalty`."""
        return tf.zeros([0], tf.int32)

    def update(self, step: tf.Tensor) -> None:
        """See `Penalty`."""
        tf.cond(tf.equal(step % self._every, 0), self._measure, lambda: tf.constant(0.0))

    def _measure(self) -> tf.Tensor:
        positive = tf.cast(self._logits(self._features, training=False) > 0, tf.float32)
        rates = tf.reduce_sum(self._share * positive, axis=0)
        # From the rate of all rows: the pulls on all rows then sum to nothing.
        below = tf.reduce_sum(self._part * rates) - rates
        if self._strength is None:
            pull = self.pull + _STEP * below
        else:  # half of the way, because the answer to a pull comes late
            pull = (self.pull + self._strength * below) / 2
        self.pull.assign(tf.clip_by_value(pull, -_MOST_PULL, _MOST_PULL))
        return tf.constant(0.0)

    def of(self, batch: tf.Tensor, logit: tf.Tensor) -> tf.Tensor:
        """See `Penalty`."""
        pull = tf.linalg.matvec(tf.gather(self._coefficient, batch), self.pull)
        return -tf.reduce_mean(pull * tf.sigmoid(logit[:, 0]))


class ScorePenalty:
    """The distribution of the answers of a group against those of the others.

    The maximum mean discrepancy of TensorFlow Model Remediation's `MMDLoss` (Prost, Qian, Chen et
    al., Toward a better trade-off between performance and fairness with kernel-based distribution
    matching, 2019). With each batch as many rows of each group are drawn as it takes.
    """

    def __init__(self, groups: int, strength: float, seed: int) -> None:
        """`strength`: Weight of the term."""
        # loads TensorFlow Hub
        from tensorflow_model_remediation.min_diff.losses import MMDLoss

        self._loss = MMDLoss()
        self._groups = groups
        self._strength = strength
        self._draw = tf.random.Generator.from_seed(seed)
        of_row = np.repeat(np.arange(groups), _DRAWN_ROWS)
        compared = range(1 if groups == 2 else groups)  # of two, one is the other's opposite
        self._members = [tf.constant(of_row == g, tf.float32)[:, None] for g in compared]

    def prepare(self, train: Rows, logits: tf_keras.Model, steps: int) -> None:
        """See `Penalty`."""
        assert train.counted is not None
        up_to = np.cumsum(train.counted.astype(np.float64), axis=0).T
        self._up_to = [tf.constant(each / each[-1], tf.float32) for each in up_to]
        self._last = train.count - 1

    def drawn(self) -> tf.Tensor:
        """Rows of each group, as often as they count; see `Penalty`."""
        drawn = [
            tf.searchsorted(up_to, self._draw.uniform([_DRAWN_ROWS]), side="right")
            for up_to in self._up_to
        ]
        return tf.minimum(tf.concat(drawn, axis=0), self._last)

    def update(self, step: tf.Tensor) -> None:
        """Nothing to do; see `Penalty`."""

    def of(self, batch: tf.Tensor, logit: tf.Tensor) -> tf.Tensor:
        """See `Penalty`."""
        answers = tf.sigmoid(logit[tf.shape(batch)[0] :])
        terms = [self._loss(member, answers) for member in self._members]
        return self._strength * tf.add_n(terms) / len(terms)


def _some_of_each(counted: np.ndarray, seed: int) -> np.ndarray:
    """Numbers of rows that count, at most so many of each group; in ascending order."""
    draw = np.random.RandomState(seed)
    chosen = [draw.permutation(np.flatnonzero(of_group))[:_MEASURED_ROWS] for of_group in counted.T]
    return np.sort(np.concatenate(chosen))
