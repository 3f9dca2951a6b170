"""Magnitude pruning with TensorFlow Model Optimization, from the trained weights.

Source: Zhu and Gupta, "To prune, or not to prune" (2017), arXiv:1710.01878.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import tensorflow_model_optimization as tfmot
import tf_keras

from models.metrics.comparison import compare
from models.network.network import answers_of
from models.network.penalty import Penalty
from models.network.rows import Rows
from models.network.training import Loss, Plan, fit

_PRUNED_LAYERS = (tf_keras.layers.Dense, tf_keras.layers.Embedding)
_MASK_UPDATES = 20
SHARES = (1.0, 0.5, 0.25, 0.0)
"""Of the sparsity that is asked for, tried in turn."""


@dataclass(frozen=True)
class PruningLimit:
    """How much worse a network may get by being pruned.

    Attributes:
      max_drop: Largest fall by metric; a fall within chance is none.
      rows: Rows with their labels to look at; those without a weight do not count.
    """

    max_drop: Mapping[str, float]
    rows: Rows

    def exceeded_by(self, model: tf_keras.Model, pruned: tf_keras.Model) -> list[str]:
        """The falls that are too large, in words."""
        rows = self.rows.weighted()
        labels = rows.codes
        now, before = (answers_of(each, rows) for each in (pruned, model))
        return [
            f"{found.metric} {found.value:+.4f} ({found.low:+.4f} to {found.high:+.4f})"
            for metric, bound in self.max_drop.items()
            for found in compare(labels, now, before, {}, [metric])
            if found.is_worse(bound)
        ]


@dataclass(frozen=True)
class PruningOutcome:
    """How pruning went: losses by epoch, share of zero weights, and what is to be said of it."""

    history: dict[str, list[float]]
    sparsity: float
    notes: list[str]


def prune(
    model: tf_keras.Model,
    train: Rows,
    evaluation: Rows,
    loss: Loss,
    plan: Plan,
    sparsity: float,
    penalty: Penalty | None = None,
) -> tuple[tf_keras.Model, dict[str, list[float]]]:
    """Returns a pruned copy of a trained network, and its history; `model` is left as it is.

    The share of zeros in each Dense kernel and Embedding table rises to `sparsity` over the first
    half of the steps; the rest recovers what was lost. A penalty holds throughout.

    Raises:
      RuntimeError: The copy is less sparse than asked for.
    """
    rows = int((train.weight > 0).sum())
    steps = plan.epochs * (rows // min(plan.batch_size, rows))
    updates = max(1, min(_MASK_UPDATES, steps // 2))
    frequency = max(1, steps // 2 // updates)
    schedule = tfmot.sparsity.keras.PolynomialDecay(
        initial_sparsity=0.0,
        final_sparsity=sparsity,
        begin_step=0,
        end_step=updates * frequency,  # a step in which the mask is updated
        frequency=frequency,
    )
    prunable = wrap(model, schedule)
    update = tfmot.sparsity.keras.UpdatePruningStep()
    history = fit(prunable, train, evaluation, loss, plan, [update], penalty)
    pruned = tfmot.sparsity.keras.strip_pruning(prunable)
    if measured_sparsity(pruned) < sparsity - 0.01 - _rounding(pruned):
        raise RuntimeError(
            f"sparsity {measured_sparsity(pruned):.3f} after {steps} steps instead of {sparsity}"
        )
    return pruned, history


def prune_within(
    model: tf_keras.Model,
    train: Rows,
    evaluation: Rows,
    loss: Loss,
    plan: Plan,
    sparsity: float,
    limit: PruningLimit,
    finish: Callable[[tf_keras.Model], object] | None = None,
    penalty: Penalty | None = None,
) -> tuple[tf_keras.Model, PruningOutcome]:
    """Prunes as far as asked for, and less where the answers get worse by more than is allowed.

    Tried in turn are the sparsity, a half and a quarter of it, and none; a network that is not
    pruned is no worse than itself. `finish` is done to each, in place, before it is looked at.
    """
    falls: dict[float, list[str]] = {}
    for share in SHARES:
        if share:
            pruned, history = prune(model, train, evaluation, loss, plan, share * sparsity, penalty)
        else:
            pruned, history = copied(model), {"loss": [], "val_loss": []}
        if finish is not None:
            finish(pruned)
        if not (found := limit.exceeded_by(model, pruned)):
            break
        falls[share * sparsity] = found
    notes = []
    if falls:
        why = "; ".join(f"at {each:g}: {', '.join(found)}" for each, found in falls.items())
        notes.append(
            f"{model.name}: pruned to {measured_sparsity(pruned):.2f} instead of {sparsity:g}, "
            f"because on the eval rows its answers get worse by more than "
            f"max_drop_from_teacher beyond chance ({why})"
        )
    return pruned, PruningOutcome(history, measured_sparsity(pruned), notes)


def copied(model: tf_keras.Model) -> tf_keras.Model:
    """A network of its own with the same weights."""
    copy = tf_keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    return copy


def wrap(model: tf_keras.Model, schedule: tfmot.sparsity.keras.PruningSchedule) -> tf_keras.Model:
    """Returns a copy, weights included, whose Dense and Embedding layers can be pruned.

    `clone_model` alone draws new weights, and `prune_low_magnitude` alone shares the layers with
    the original, which pruning would then change.
    """
    copies = copied(model)

    def wrap_layer(layer: tf_keras.layers.Layer) -> tf_keras.layers.Layer:
        if not _is_pruned(layer):
            return layer
        return tfmot.sparsity.keras.prune_low_magnitude(layer, pruning_schedule=schedule)

    return tf_keras.models.clone_model(copies, clone_function=wrap_layer)


def _rounding(model: tf_keras.Model) -> float:
    """How far the sparsity may be off because each table prunes whole weights."""
    tables = _tables(model)
    return 0.5 * len(tables) / sum(table.size for table in tables)


def _tables(model: tf_keras.Model) -> list[np.ndarray]:
    return [layer.get_weights()[0] for layer in model.layers if _is_pruned(layer)]


def _is_pruned(layer: tf_keras.layers.Layer) -> bool:
    """What was not trained, such as the shifts of groups, is no weight to prune."""
    return isinstance(layer, _PRUNED_LAYERS) and layer.trainable


def measured_sparsity(model: tf_keras.Model) -> float:
    """Share of zeros in the Dense kernels and Embedding tables of a network, 0 to 1."""
    tables = _tables(model)
    return 1.0 - sum(np.count_nonzero(t) for t in tables) / sum(t.size for t in tables)
