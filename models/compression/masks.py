"""TFMOT's pruning of a layer, with exactly as many weights kept as are asked for.

Its mask keeps all weights that are equal to the least one kept: every one of a table that is still
all 0, or has rows that were never trained.
"""

import tensorflow as tf
from tensorflow_model_optimization.python.core.sparsity.keras.pruning_impl import Pruning
from tensorflow_model_optimization.python.core.sparsity.keras.pruning_wrapper import (
    PruneLowMagnitude,
)


class PrunedLayer(PruneLowMagnitude):
    """A layer while it is pruned; of equal weights those that come first are kept.

    Args and attributes are those of `tfmot.sparsity.keras.prune_low_magnitude`, which makes
    TFMOT's own of a layer; `strip_pruning` takes this one off as well.
    """

    def build(self, input_shape: tf.TensorShape) -> None:
        """Makes the masks' variables, and what sets them."""
        super().build(input_shape)
        self.pruning_obj = _Masks(
            training_step_fn=lambda: self.pruning_step,
            pruning_vars=self.pruning_vars,
            pruning_schedule=self.pruning_schedule,
            block_size=self.block_size,
            block_pooling_type=self.block_pooling_type,
            sparsity_m_by_n=self.sparsity_m_by_n,
        )


class _Masks(Pruning):
    def _update_mask(self, weights: tf.Variable) -> tuple[tf.Tensor, tf.Tensor]:
        """Threshold, a scalar, and mask, of the shape of the weights."""
        _, sparsity = self._pruning_schedule(self._step_fn())
        magnitudes = tf.reshape(tf.abs(weights), [-1])
        size = tf.size(magnitudes)
        share = 1 - sparsity
        kept = tf.cast(tf.maximum(tf.round(tf.cast(size, share.dtype) * share), 1), tf.int32)
        values, places = tf.math.top_k(magnitudes, kept)  # of equals the one that comes first
        mask = tf.scatter_nd(places[:, tf.newaxis], tf.ones_like(values), [size])
        return values[-1], tf.reshape(mask, weights.shape)
