"""One network in two sizes: embeddings of all ids, a small MLP, and a wide part beside it."""

from dataclasses import dataclass

import tf_keras

from models.features import PROBABILITY, ModelInputs
from models.preprocessing import CATEGORICAL, NUMERIC

LOGIT = "logit"


@dataclass(frozen=True)
class Architecture:
    """Size and regularisation of a network.

    Attributes:
      hidden_units: Width of each hidden layer, first layer first.
      embedding_dim: Length of the vector that stands for an id.
      dropout: Share of hidden outputs dropped in training.
      l2: Factor of the squared hidden weights in the loss.
    """

    hidden_units: tuple[int, ...]
    embedding_dim: int
    dropout: float = 0.0
    l2: float = 0.0


def build_network(inputs: ModelInputs, architecture: Architecture, name: str) -> tf_keras.Model:
    """Returns an untrained network: wide and deep (Cheng et al., 2016, arXiv:1606.07792).

    The deep part concatenates `numeric` with one embedding for each column of `categorical`. The
    wide part is one number for each id. Both meet in the layer `logit`.

    Inputs: `numeric` float32 [batch, inputs.numeric], `categorical` int64 [batch,
    inputs.categorical]. Output: `probability` float32 [batch, 1].
    """
    numeric = tf_keras.Input((inputs.numeric,), dtype="float32", name=NUMERIC)
    categorical = tf_keras.Input((inputs.categorical,), dtype="int64", name=CATEGORICAL)
    layers = tf_keras.layers
    embedded = layers.Embedding(inputs.ids, architecture.embedding_dim, name="embedding")
    wide = layers.Embedding(inputs.ids, 1, embeddings_initializer="zeros", name="wide")
    deep = layers.Concatenate(name="features")(
        [numeric, layers.Flatten(name="embedded")(embedded(categorical))]
    )
    for depth, units in enumerate(architecture.hidden_units):
        deep = layers.Dense(
            units,
            activation="relu",
            kernel_regularizer=tf_keras.regularizers.L2(architecture.l2),
            name=f"hidden_{depth}",
        )(deep)
        if architecture.dropout:
            deep = layers.Dropout(architecture.dropout, name=f"dropout_{depth}")(deep)
    joined = layers.Concatenate(name="wide_and_deep")(
        [deep, layers.Flatten(name="wide_values")(wide(categorical))]
    )
    logit = layers.Dense(1, name=LOGIT)(joined)
    probability = layers.Activation("sigmoid", name=PROBABILITY)(logit)
    return tf_keras.Model({NUMERIC: numeric, CATEGORICAL: categorical}, probability, name=name)


def logits_of(model: tf_keras.Model) -> tf_keras.Model:
    """Returns the same network, weights shared, without the sigmoid: float32 [batch, 1]."""
    return tf_keras.Model(model.input, model.output.node.keras_inputs[0])
