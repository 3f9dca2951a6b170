"""Magnitude pruning with TensorFlow Model Optimization, from the trained weights.

Source: Zhu and Gupta, "To prune, or not to prune" (2017), arXiv:1710.01878.
"""

import numpy as np
import tensorflow_model_optimization as tfmot
import tf_keras

from models.network.rows import Rows
from models.network.training import Loss, Plan, fit

_PRUNED_LAYERS = (tf_keras.layers.Dense, tf_keras.layers.Embedding)
_MASK_UPDATES = 20


def prune(
    model: tf_keras.Model, train: Rows, evaluation: Rows, loss: Loss, plan: Plan, sparsity: float
) -> tuple[tf_keras.Model, dict[str, list[float]]]:
    """Returns a pruned copy of a trained network, and its history; `model` is left as it is.

    The share of zeros in each Dense kernel and Embedding table rises to `sparsity` over the first
    half of the steps; the rest recovers what was lost.

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
    history = fit(prunable, train, evaluation, loss, plan, [update])
    pruned = tfmot.sparsity.keras.strip_pruning(prunable)
    if measured_sparsity(pruned) < sparsity - 0.01:
        raise RuntimeError(
            f"sparsity {measured_sparsity(pruned):.3f} after {steps} steps instead of {sparsity}"
        )
    return pruned, history


def wrap(model: tf_keras.Model, schedule: tfmot.sparsity.keras.PruningSchedule) -> tf_keras.Model:
    """Returns a copy, weights included, whose Dense and Embedding layers can be pruned.

    `clone_model` alone draws new weights, and `prune_low_magnitude` alone shares the layers with
    the original, which pruning would then change.
    """
    copies = tf_keras.models.clone_model(model)
    copies.set_weights(model.get_weights())

    def wrap_layer(layer: tf_keras.layers.Layer) -> tf_keras.layers.Layer:
        if not isinstance(layer, _PRUNED_LAYERS):
            return layer
        return tfmot.sparsity.keras.prune_low_magnitude(layer, pruning_schedule=schedule)

    return tf_keras.models.clone_model(copies, clone_function=wrap_layer)


def measured_sparsity(model: tf_keras.Model) -> float:
    """Share of zeros in the Dense kernels and Embedding tables of a network, 0 to 1."""
    pruned = (layer for layer in model.layers if isinstance(layer, _PRUNED_LAYERS))
    tables = [layer.get_weights()[0] for layer in pruned]
    return 1.0 - sum(np.count_nonzero(t) for t in tables) / sum(t.size for t in tables)
