"""Pruning with TensorFlow Model Optimization, from the trained weights.

Sources: Zhu and Gupta, "To prune, or not to prune" (2017), arXiv:1710.01878; Mishra et al.,
"Accelerating Sparse Deep Neural Networks" (2021), arXiv:2104.08378, of structure 2:4.
"""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import tensorflow_model_optimization as tfmot
import tf_keras

from core.sections.training import UNSTRUCTURED, PruningOptions
from models.compression.clustering import cluster
from models.compression.goals import (
    GROUP,
    ZEROS,
    Goal,
    check_reached,
    goals_for,
    measured_sparsity,
    tables_of,
    wanted_sparsity,
)
from models.compression.masks import PrunedLayer
from models.metrics.comparison import compare
from models.network.network import answers_of
from models.network.penalty import Penalty
from models.network.rows import Rows
from models.network.training import Loss, Plan, fit

_MASK_UPDATES = 20
SHARES = (1.0, 0.5, 0.25, 0.0)
"""Of the sparsity that is asked for, tried in turn; a structure is kept or left."""


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
    """How pruning went.

    Attributes:
      history: Losses by epoch.
      sparsity: Share of zero weights.
      notes: What is to be said of it.
      share: Of the sparsity that was asked for.
    """

    history: dict[str, list[float]]
    sparsity: float
    notes: list[str]
    share: float = 1.0


def prune(
    model: tf_keras.Model,
    train: Rows,
    evaluation: Rows,
    loss: Loss,
    plan: Plan,
    sparsity: float,
    penalty: Penalty | None = None,
    options: PruningOptions = UNSTRUCTURED,
    share: float = 1.0,
) -> tuple[tf_keras.Model, dict[str, list[float]]]:
    """Returns a pruned copy of a trained network, and its history; `model` is left as it is.

    The share of zeros in each Dense kernel and Embedding table rises to its sparsity over the first
    half of the steps; the rest recovers what was lost. Of the epochs that end with the whole
    sparsity the one of the least evaluation loss is kept. With `options.clusters` as many epochs
    more follow, for distinct weights. A penalty holds throughout.

    Args:
      model: Trained.
      train: Rows to train on.
      evaluation: Rows whose loss says which epoch is the best.
      loss: What to minimise.
      plan: How to fit.
      sparsity: Of the layers for which the options say nothing.
      penalty: On gaps between groups.
      options: What there is beside one sparsity for all layers.
      share: Of the sparsities.

    Raises:
      InputError: The options do not fit the network.
      RuntimeError: The copy is less sparse than asked for, or has more distinct weights.
    """
    goals = goals_for(model, sparsity, options, share)
    rows = int((train.weight > 0).sum())
    by_epoch = rows // min(plan.batch_size, rows)
    steps = plan.epochs * by_epoch
    updates = max(1, min(_MASK_UPDATES, steps // 2))
    frequency = max(1, steps // 2 // updates)
    end = updates * frequency  # a step in which the mask is updated
    if options.clusters is None or any(goal.sparsity for goal in goals.values()):
        prunable = wrap(model, goals, end, frequency)
        update = tfmot.sparsity.keras.UpdatePruningStep()
        whole_from = -(-end // by_epoch) - 1  # the first epoch that ends with the last mask
        kept = dataclasses.replace(plan, patience=plan.epochs, kept_from=max(0, whole_from))
        history = fit(prunable, train, evaluation, loss, kept, [update], penalty)
        pruned = tfmot.sparsity.keras.strip_pruning(prunable)
    else:
        pruned, history = model, {"loss": [], "val_loss": []}
    if options.clusters is not None:
        kept = dataclasses.replace(plan, patience=plan.epochs)
        pruned, further = cluster(pruned, train, evaluation, loss, kept, options.clusters, penalty)
        history = {name: values + further[name] for name, values in history.items()}
    check_reached(tables_of(pruned), goals, options.clusters, f"after {steps} steps")
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
    options: PruningOptions = UNSTRUCTURED,
) -> tuple[tf_keras.Model, PruningOutcome]:
    """Prunes as far as asked for, and less where the answers get worse by more than is allowed.

    Tried in turn are the sparsity, a half and a quarter of it, and none; with a structure only
    both or none. A network that is not pruned is no worse than itself. `finish` is done to each, in
    place, before it is looked at.
    """
    wanted = wanted_sparsity(model, goals_for(model, sparsity, options))
    whole_or_none = options.structure is not None or wanted == 0
    falls: dict[float, list[str]] = {}
    for share in (1.0, 0.0) if whole_or_none else SHARES:
        if share:
            pruned, history = prune(
                model, train, evaluation, loss, plan, sparsity, penalty, options, share
            )
        else:
            pruned, history = copied(model), {"loss": [], "val_loss": []}
        if finish is not None:
            finish(pruned)
        if not (found := limit.exceeded_by(model, pruned)):
            break
        falls[share * wanted] = found
    notes = []
    if falls:
        why = "; ".join(f"at {each:.3g}: {', '.join(found)}" for each, found in falls.items())
        notes.append(
            f"{model.name}: pruned to {measured_sparsity(pruned):.2f} instead of {wanted:.3g}, "
            f"because on the eval rows its answers get worse by more than "
            f"max_drop_from_teacher beyond chance ({why})"
        )
    return pruned, PruningOutcome(history, measured_sparsity(pruned), notes, share)


def copied(model: tf_keras.Model) -> tf_keras.Model:
    """A network of its own with the same weights."""
    copy = tf_keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    return copy


def wrap(
    model: tf_keras.Model, goals: Mapping[str, Goal], end: int, frequency: int
) -> tf_keras.Model:
    """Returns a copy, weights included, whose layers can be pruned.

    `clone_model` alone draws new weights, and `prune_low_magnitude` alone shares the layers with
    the original, which pruning would then change.

    Args:
      model: The network.
      goals: What the table of each layer is pruned to; of a structure the mask is made in the
        first step.
      end: Step at which the sparsities are reached.
      frequency: Steps from one mask to the next.
    """

    def wrap_layer(layer: tf_keras.layers.Layer) -> tf_keras.layers.Layer:
        goal = goals.get(layer.name)
        if goal is None:
            return layer
        schedule = tfmot.sparsity.keras.PolynomialDecay(
            initial_sparsity=0.0,
            final_sparsity=goal.sparsity,
            begin_step=0,
            end_step=end,
            frequency=frequency,
        )
        structure = (ZEROS, GROUP) if goal.structured else None
        return PrunedLayer(layer, pruning_schedule=schedule, sparsity_m_by_n=structure)

    return tf_keras.models.clone_model(copied(model), clone_function=wrap_layer)
