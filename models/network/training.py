"""Fitting a network to rows in memory, one graph call for each epoch.

`tf_keras.Model.fit` traces its step four times and gathers each batch through tf.data. For networks
this small that costs several times more CPU than the arithmetic. Here an epoch is one tf.function
that is traced once and picks its batches from tensors.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras
from scipy.optimize import minimize

from core.names import LABEL, WEIGHT
from core.sections.training import Search
from models.network.network import logits_of
from models.network.penalty import Penalty
from models.network.rows import Rows

_MOST_SHIFT = 2.0  # of a logit's bias after training

Loss = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
"""(target float32 [batch, k], logit float32 [batch, outputs]) -> loss of each row, [batch]."""


@dataclass(frozen=True)
class Plan:
    """How to fit.

    Attributes:
      epochs: Passes over the rows, at most.
      batch_size: Rows in a step.
      learning_rate: Of Adam.
      seed: Of the order of the rows.
      patience: Epochs without a lower evaluation loss before stopping; the best weights are then
        restored. None: all epochs are run and the last weights kept.
      decay: Whether the learning rate falls to 0 with the last step, along half a cosine.
      kept_from: The first epoch, from 0, whose weights may be the best.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    seed: int
    patience: int | None = None
    decay: bool = False
    kept_from: int = 0


def plan_of(section: Search, learning_rate: float, seed: int) -> Plan:
    """How a teacher is fitted; `learning_rate` takes the place of the section's."""
    patience = section.epochs if section.decay else section.patience
    return Plan(
        section.epochs, section.batch_size, learning_rate, seed, patience, decay=section.decay
    )


def cross_entropy(target: tf.Tensor, logit: tf.Tensor) -> tf.Tensor:
    """Cross-entropy with soft labels: target [batch, 1] is P(positive), [batch, K] are shares."""
    if logit.shape[1] == 1:
        return tf.nn.sigmoid_cross_entropy_with_logits(target, logit)[:, 0]
    return tf.nn.softmax_cross_entropy_with_logits(target, logit)


def fit(
    model: tf_keras.Model,
    train: Rows,
    evaluation: Rows,
    loss: Loss,
    plan: Plan,
    callbacks: Sequence[tf_keras.callbacks.Callback] = (),
    penalty: Penalty | None = None,
) -> dict[str, list[float]]:
    """Trains `model` in place and returns the history: `loss` and `val_loss` by epoch.

    Rows of weight 0 are left out and weights are scaled to a mean of 1, in both splits. The last
    incomplete batch of an epoch is left out; the rows are drawn anew for each epoch. Of the
    callbacks, `on_train_begin` and `on_epoch_end` are called. A penalty is part of what is
    minimised and not of the history.

    Raises:
      FloatingPointError: The loss or an input is not finite.
    """
    train, evaluation = train.weighted(), evaluation.weighted()
    batch_size = min(plan.batch_size, train.count)
    if penalty is not None:
        penalty.prepare(train, logits_of(model), train.count // batch_size)
    rate: Any = plan.learning_rate
    if plan.decay:
        steps = plan.epochs * (train.count // batch_size)
        rate = tf_keras.optimizers.schedules.CosineDecay(rate, steps)
    run_epoch = _epoch_function(model, train, evaluation, loss, rate, penalty)
    draw = np.random.RandomState(plan.seed)
    history: dict[str, list[float]] = {"loss": [], "val_loss": []}
    # On some processors TensorFlow's fused kernels make 0 of NaN, and the loss tells nothing of it.
    finite_inputs = all(np.isfinite(rows.numeric).all() for rows in (train, evaluation))
    best = None
    for callback in callbacks:
        callback.set_model(model)
        callback.on_train_begin()
    for epoch in range(plan.epochs):
        order = draw.permutation(train.count)[: train.count // batch_size * batch_size]
        losses = run_epoch(tf.constant(order.reshape(-1, batch_size), tf.int32))
        for name, value in zip(history, losses, strict=True):
            history[name].append(float(value))
        if not (finite_inputs and np.isfinite(losses).all()):
            raise FloatingPointError(
                f"the loss of {model.name} is not finite in epoch {epoch + 1}; lower the learning "
                f"rate ({plan.learning_rate}) or look for outliers in weights and numbers"
            )
        for callback in callbacks:
            callback.on_epoch_end(epoch)
        if plan.patience is None or epoch < plan.kept_from:
            continue
        best_epoch = plan.kept_from + int(np.argmin(history["val_loss"][plan.kept_from :]))
        if best_epoch == epoch:
            best = model.get_weights()
        elif epoch - best_epoch >= plan.patience:
            break
    if best is not None:
        model.set_weights(best)
    _settle(model, [train, evaluation], loss)
    return history


def _settle(model: tf_keras.Model, parts: Sequence[Rows], loss: Loss) -> None:
    """Sets the bias of the logit to where the loss on all rows is least.

    Steps on single batches leave it a little off, and which way differs from one training to the
    next: the ranking of rows is the same, but many of them cross the threshold together.
    """
    logits = logits_of(model)
    known = [
        (tf.constant(r.label), logits(r.features, training=False), tf.constant(r.weight[:, 0]))
        for r in parts
    ]
    total_weight = sum(float(r.weight.sum()) for r in parts)

    def mean_loss(shift: np.ndarray) -> tuple[float, np.ndarray]:
        moved = tf.constant(shift, tf.float32)
        with tf.GradientTape() as tape:
            tape.watch(moved)
            parts = [tf.reduce_sum(w * loss(t, z + moved)) for t, z, w in known]
            mean = tf.add_n(parts) / total_weight
        return float(mean), tape.gradient(mean, moved).numpy().astype(np.float64)

    layer = model.output.node.keras_inputs[0].node.layer
    bias = getattr(layer, "layer", layer).bias  # pruning wraps the layer
    width = logits.output_shape[1]
    bounds = [(-_MOST_SHIFT, _MOST_SHIFT)] * width
    shift = minimize(mean_loss, np.zeros(width), jac=True, bounds=bounds, method="L-BFGS-B").x
    bias.assign_add(shift)


def evaluation_loss(model: tf_keras.Model, evaluation: Rows) -> float:
    """The cross-entropy that `fit` would report as `val_loss` if it left the model as it is."""
    rows = evaluation.weighted()
    logit = logits_of(model)(rows.features, training=False)
    loss = cross_entropy(tf.constant(rows.label), logit).numpy()
    return float(np.mean(rows.weight[:, 0] * loss))


def _epoch_function(
    model: tf_keras.Model,
    train: Rows,
    evaluation: Rows,
    loss: Loss,
    learning_rate: Any,  # a number, or what Keras calls a schedule
    penalty: Penalty | None,
) -> Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]:
    """Returns a function from row numbers [steps, batch] to mean training and evaluation loss."""
    logits = logits_of(model)
    variables = model.trainable_variables
    optimizer = tf_keras.optimizers.Adam(learning_rate)
    optimizer.build(variables)  # otherwise the first call traces everything twice
    train_rows, evaluation_rows = _tensors(train), _tensors(evaluation)

    def answered(rows: Mapping[str, tf.Tensor], training: bool) -> tf.Tensor:
        return logits({name: rows[name] for name in logits.input}, training=training)

    def weighted_loss(rows: Mapping[str, tf.Tensor], logit: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(rows[WEIGHT][:, 0] * loss(rows[LABEL], logit))

    def losses_of(batch: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """On the data, and what is added to it."""
        taken = batch if penalty is None else tf.concat([batch, penalty.drawn()], axis=0)
        rows = {name: tf.gather(column, taken) for name, column in train_rows.items()}
        logit = answered(rows, training=True)
        if penalty is None:
            return weighted_loss(rows, logit), logits.losses
        size = tf.shape(batch)[0]
        of_batch = {name: column[:size] for name, column in rows.items()}
        added = [*logits.losses, penalty.of(batch, logit)]
        return weighted_loss(of_batch, logit[:size]), added

    def step(batch: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            data_loss, added = losses_of(batch)
            total_loss = tf.add_n([data_loss, *added])
        # Dense gradients: for tables of a few hundred ids Adam's sparse update is slower.
        gradients = [tf.convert_to_tensor(g) for g in tape.gradient(total_loss, variables)]
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return data_loss

    @tf.function(autograph=False, input_signature=[tf.TensorSpec([None, None], tf.int32)])
    def run_epoch(order: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        steps = tf.shape(order)[0]

        def next_step(index: tf.Tensor, total: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            if penalty is not None:
                penalty.update(index)
            return index + 1, total + step(order[index])

        _, total = tf.while_loop(lambda index, total: index < steps, next_step, (0, 0.0))
        with tf.control_dependencies([total]):
            found = weighted_loss(evaluation_rows, answered(evaluation_rows, training=False))
            return total / tf.cast(steps, tf.float32), found

    return run_epoch


def _tensors(rows: Rows) -> dict[str, tf.Tensor]:
    columns = {**rows.features, LABEL: rows.label, WEIGHT: rows.weight}
    return {name: tf.constant(column) for name, column in columns.items()}
