"""One network in two sizes: embeddings of all ids, a small MLP, and a wide part beside it."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import tf_keras

from core.answers import by_row
from models.layers.hidden import crossed, hidden_layer
from models.layers.numbers import embedded_numbers
from models.network.preprocessing import CATEGORICAL, NUMERIC, ModelInputs
from models.network.rows import Rows
from models.network.text import TOKENS

LOGIT = "logit"


@dataclass(frozen=True)
class Architecture:
    """Size and regularisation of a network, and what it has besides.

    Attributes:
      hidden_units: Width of each hidden layer, first layer first.
      embedding_dim: Length of the vector that stands for an id.
      dropout: Share of hidden outputs dropped in training.
      l2: Factor of the squared hidden weights in the loss.
      numeric_embedding: Whether a vector stands for each number, too: none, relu or periodic.
      numeric_dim: Its length.
      normalization: Of hidden layers: none, batch or layer.
      residual: Whether a hidden layer after the first adds what it was given.
      crosses: Layers that multiply pairs of features, beside the hidden ones.
    """

    hidden_units: tuple[int, ...]
    embedding_dim: int
    dropout: float = 0.0
    l2: float = 0.0
    numeric_embedding: str = "none"
    numeric_dim: int = 8
    normalization: str = "none"
    residual: bool = False
    crosses: int = 0


def build_network(inputs: ModelInputs, architecture: Architecture, name: str) -> tf_keras.Model:
    """Returns an untrained network: wide and deep (Cheng et al., 2016, arXiv:1606.07792).

    The deep part concatenates `numeric`, one embedding for each column of `categorical`, and the
    mean and the maximum of the embeddings of each text column's `tokens`. The wide part is one
    number for each id and output, for tokens their mean, and a weighted sum of `numeric`. Both, and
    layers that multiply pairs of what the deep part reads where there are such, meet in the layer
    `logit`.

    Inputs: `numeric` float32 [batch, inputs.numeric], `categorical` int64 [batch,
    inputs.categorical]; where there is text, `tokens` int64 [batch, inputs.text * inputs.tokens].
    Output: `probability` float32 [batch, 1], or with more than two classes `probabilities` float32
    [batch, inputs.outputs], which sum to 1.
    """
    numeric = tf_keras.Input((inputs.numeric,), dtype="float32", name=NUMERIC)
    categorical = tf_keras.Input((inputs.categorical,), dtype="int64", name=CATEGORICAL)
    layers = tf_keras.layers
    embedded = layers.Embedding(inputs.ids, architecture.embedding_dim, name="embedding")
    wide = layers.Embedding(inputs.ids, inputs.outputs, embeddings_initializer="zeros", name="wide")
    features = [numeric, layers.Flatten(name="embedded")(embedded(categorical))]
    wide_values = [layers.Flatten(name="wide_values")(wide(categorical))]
    model_inputs = {NUMERIC: numeric, CATEGORICAL: categorical}
    if inputs.text:
        tokens = tf_keras.Input((inputs.text * inputs.tokens,), dtype="int64", name=TOKENS)
        model_inputs[TOKENS] = tokens
        features += _bags(tokens, inputs, architecture.embedding_dim)
        wide_text = layers.Embedding(
            inputs.token_ids,
            inputs.outputs,
            embeddings_initializer="zeros",
            name="wide_text_embedding",
        )
        wide_values.append(_scaled_mean(wide_text(tokens), inputs, "wide_text"))
    wide_values.append(layers.Dense(inputs.outputs, use_bias=False, name="wide_numbers")(numeric))
    parts = [*_deep(features, architecture), *wide_values]
    joined = layers.Concatenate(name="wide_and_deep")(parts)
    logit = layers.Dense(inputs.outputs, name=LOGIT)(joined)
    squashed = "sigmoid" if inputs.outputs == 1 else "softmax"
    answer = layers.Activation(squashed, name=inputs.answer)(logit)
    return tf_keras.Model(model_inputs, answer, name=name)


def _deep(features: list[Any], architecture: Architecture) -> list[Any]:
    """What the hidden layers make of the features, the numbers first, and their products."""
    kind, l2 = architecture.numeric_embedding, architecture.l2
    if kind != "none":
        features = [*features, embedded_numbers(features[0], kind, architecture.numeric_dim, l2)]
    joined = deep = tf_keras.layers.Concatenate(name="features")(features)
    for depth, units in enumerate(architecture.hidden_units):
        deep = hidden_layer(
            deep,
            depth,
            units,
            l2,
            architecture.dropout,
            architecture.normalization,
            architecture.residual,
        )
    return [deep, crossed(joined, architecture.crosses, l2)] if architecture.crosses else [deep]


def _bags(tokens: Any, inputs: ModelInputs, dim: int) -> list[Any]:
    """Scaled mean and maximum over the embeddings of each text column, [batch, inputs.text * dim].

    No id is masked: padding has an embedding of its own. The mean is then an affine function of the
    sum over the words, an empty text has finite ones, and a device has kernels for all of it.
    """
    layers = tf_keras.layers
    embedded = layers.Embedding(inputs.token_ids, dim, name="text_embedding")(tokens)
    highest = layers.MaxPooling1D(inputs.tokens, name="text_maximum")(embedded)
    return [
        _scaled_mean(embedded, inputs, "text"),
        layers.Flatten(name="text_maximum_values")(highest),
    ]


def _scaled_mean(embedded: Any, inputs: ModelInputs, name: str) -> Any:
    """Mean over the ids of each text column, times the square root of how many there are.

    From [batch, inputs.text * inputs.tokens, dim] to [batch, inputs.text * dim].
    """
    layers = tf_keras.layers
    mean = layers.AveragePooling1D(inputs.tokens, name=f"{name}_mean")(embedded)
    scaled = layers.Rescaling(math.sqrt(inputs.tokens), name=f"{name}_scale")(mean)
    return layers.Flatten(name=f"{name}_values")(scaled)


def logits_of(model: tf_keras.Model) -> tf_keras.Model:
    """Returns the same network, weights shared, without sigmoid or softmax: float32 [batch, k]."""
    return tf_keras.Model(model.input, model.output.node.keras_inputs[0])


def answers_of(model: tf_keras.Model, rows: Rows) -> np.ndarray:
    """What a network answers, float32 [rows] for two classes, [rows, K] for more."""
    return by_row(model(rows.features, training=False).numpy())


def meanings(model: tf_keras.Model) -> dict[str, list[str]]:
    """What the weights of a network stand for, by layer: names of what it reads, in order.

    An input's name says what the ids are that rows of an embedding stand for; a dense layer's
    weights are for the values of one layer after the other. Layers that only join or drop values
    are seen through, so that it is told here alone which weight is for what.
    """
    return {layer.name: _read_by(layer) for layer in model.layers if layer.weights}


def _read_by(layer: Any) -> list[str]:
    names: list[str] = []
    for source in (tensor.node.layer for tensor in layer.inbound_nodes[0].keras_inputs):
        seen_through = isinstance(source, tf_keras.layers.Concatenate | tf_keras.layers.Dropout)
        names += _read_by(source) if seen_through else [source.name]
    return names
