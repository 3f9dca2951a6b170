"""Quantization-aware training with TensorFlow Model Optimization.

Source: Jacob et al., "Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference" (2018), arXiv:1712.05877.

The network is trained on with weights and activations rounded to 8 bits as an int8 file rounds
them; it then takes its own weights back, so that every TFLite variant is made of it as before.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras
from tensorflow_model_optimization.python.core.api.quantization.keras import (
    QuantizeConfig,
    QuantizeLayoutTransform,
    QuantizeScheme,
    default_8bit,
    quantize_annotate_layer,
    quantize_apply,
    quantize_scope,
)
from tensorflow_model_optimization.python.core.api.quantization.keras.quantizers import (
    LastValueQuantizer,
    MovingAverageQuantizer,
)

from models.network.penalty import Penalty
from models.network.rows import Rows
from models.network.training import Loss, Plan, fit

_PREFIX = "quant_"


def train_aware(
    model: tf_keras.Model,
    train: Rows,
    evaluation: Rows,
    loss: Loss,
    plan: Plan,
    penalty: Penalty | None = None,
) -> dict[str, list[float]]:
    """Trains a network on, in place, with its numbers rounded to 8 bits; returns the history.

    Weights that are 0 stay 0, as in TFMOT's own pruning-preserving scheme, which knows no
    Embedding. The losses of the history are those of the rounded network.

    Args:
      model: Trained, and pruned or not.
      train: Rows to train on.
      evaluation: Rows whose loss the history has.
      loss: What to minimise.
      plan: How to fit.
      penalty: Holds throughout.
    """
    copy = tf_keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    with quantize_scope({WeightsAndOutput.__name__: WeightsAndOutput}):
        annotated = tf_keras.models.clone_model(copy, clone_function=_annotated)
        aware = quantize_apply(annotated, _Scheme(), _PREFIX)
    history = fit(aware, train, evaluation, loss, plan, penalty=penalty)
    trained = {layer.name: layer for layer in aware.layers}
    for layer in model.layers:
        if layer.name in trained:
            layer.set_weights(trained[layer.name].get_weights())
        elif layer.weights:
            # The wrapper's `layer` holds rounded weights; these are what was trained.
            found = {_last(v.name): v for v in trained[_PREFIX + layer.name].weights}
            layer.set_weights([found[_last(v.name)].numpy() for v in layer.weights])
    return history


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def _annotated(layer: tf_keras.layers.Layer) -> tf_keras.layers.Layer:
    """What an int8 file rounds: weights, what is multiplied by them, and what is joined."""
    layers = tf_keras.layers
    if not layer.trainable and layer.weights:
        return layer
    if isinstance(layer, layers.Dense):
        config = WeightsAndOutput("kernel", activation=True)
    elif isinstance(layer, layers.Embedding):
        config = WeightsAndOutput("embeddings")
    elif isinstance(layer, layers.Concatenate):
        config = WeightsAndOutput(output=True)
    else:
        return layer
    return quantize_annotate_layer(layer, config)


class ZerosKept(LastValueQuantizer):
    """Rounds weights to 8 bits between their extremes of the moment; those that are 0 stay 0."""

    def __init__(self) -> None:
        super().__init__(num_bits=8, per_axis=False, symmetric=True, narrow_range=True)

    def build(self, tensor_shape: Any, name: str, layer: tf_keras.layers.Layer) -> dict[str, Any]:
        """Adds the mask to the variables of TFMOT's quantizer."""
        weights = getattr(layer.layer, name).numpy()
        mask = tf.constant((weights != 0).astype(np.float32))
        return {**super().build(tensor_shape, name, layer), "mask": mask}

    def __call__(
        self, inputs: tf.Tensor, training: bool, weights: Mapping[str, Any], **kwargs: Any
    ) -> tf.Tensor:
        """The rounded weights, with a gradient where they are not 0."""
        return super().__call__(inputs * weights["mask"], training, weights, **kwargs)


class WeightsAndOutput(QuantizeConfig):
    """What of a layer is rounded.

    Args:
      weights: Attribute of the layer with its weights; None: it has none.
      activation: Whether what its activation answers is rounded.
      output: Whether its output is rounded.
    """

    def __init__(
        self, weights: str | None = None, activation: bool = False, output: bool = False
    ) -> None:
        self._weights, self._activation, self._output = weights, activation, output

    def get_weights_and_quantizers(self, layer: tf_keras.layers.Layer) -> list[tuple[Any, Any]]:
        """The weights that are rounded, and by what."""
        return [(getattr(layer, self._weights), ZerosKept())] if self._weights else []

    def get_activations_and_quantizers(self, layer: tf_keras.layers.Layer) -> list[tuple[Any, Any]]:
        """The activation that is rounded, and by what."""
        return [(layer.activation, _activations())] if self._activation else []

    def set_quantize_weights(self, layer: tf_keras.layers.Layer, quantize_weights: Any) -> None:
        """Has the layer go by rounded weights."""
        if self._weights:
            setattr(layer, self._weights, quantize_weights[0])

    def set_quantize_activations(
        self, layer: tf_keras.layers.Layer, quantize_activations: Any
    ) -> None:
        """Has the layer answer rounded numbers."""
        if self._activation:
            layer.activation = quantize_activations[0]

    def get_output_quantizers(self, layer: tf_keras.layers.Layer) -> list[Any]:
        """What rounds the output."""
        del layer
        return [_activations()] if self._output else []

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        return {
            "weights": self._weights,
            "activation": self._activation,
            "output": self._output,
        }


def _activations() -> Any:
    return MovingAverageQuantizer(num_bits=8, per_axis=False, symmetric=False, narrow_range=False)


class _AsItIs(QuantizeLayoutTransform):
    """Changes no layer: nothing is to be fused, and TFMOT's own would round the integer inputs."""

    def apply(self, model: tf_keras.Model, layer_quantize_map: Any) -> tuple[tf_keras.Model, Any]:
        return model, layer_quantize_map


class _Scheme(QuantizeScheme):
    def get_layout_transformer(self) -> _AsItIs:
        return _AsItIs()

    def get_quantize_registry(self) -> Any:
        return default_8bit.Default8BitQuantizeRegistry()
