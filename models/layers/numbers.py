"""What the deep part sees of numbers besides the numbers themselves: a vector for each.

Stock Keras layers alone, so that a saved network loads without code of ours.
"""

from typing import Any

import tensorflow as tf
import tf_keras

EMBEDDED = "numeric_embedded"
_SPREAD = 3.0  # of the places at which units of an untrained embedding bend, and of phases
_FREQUENCIES = 2.0  # standard deviation, in radians for a step of 1


def embedded_numbers(numeric: Any, kind: str, dim: int, l2: float) -> Any:
    """A vector for each number, from [batch, numbers] to [batch, numbers * dim].

    `relu`: pieces of lines that bend where training puts them; `periodic`: sines whose frequency
    and phase are trained, then a layer of the number's own (Gorishniy, Rubachev and Babenko, On
    Embeddings for Numerical Features in Tabular Deep Learning, 2022, arXiv:2203.05556: LR and PLR).

    Args:
      numeric: float32 [batch, numbers].
      kind: relu or periodic.
      dim: Length of a vector.
      l2: Factor of the squared weights in the loss.
    """
    layers = tf_keras.layers
    count = numeric.shape[1]
    spread = tf_keras.initializers.RandomUniform(-_SPREAD, _SPREAD)
    # Each number by weights of its own.
    if kind == "periodic":
        angle = layers.EinsumDense(
            "bn,nf->bnf",
            (count, dim),
            bias_axes="nf",
            kernel_initializer=tf_keras.initializers.RandomNormal(stddev=_FREQUENCIES),
            bias_initializer=spread,
            name="numeric_frequencies",
        )(numeric)
        # The name of a function's layer goes by how many there were before: give it one.
        sines = layers.Activation("linear", name="numeric_sines")(tf.sin(angle))
        vectors = layers.EinsumDense(
            "bnf,nfd->bnd",
            (count, dim),
            bias_axes="nd",
            kernel_regularizer=tf_keras.regularizers.L2(l2),
            name="numeric_embedding",
        )(sines)
    else:
        vectors = layers.EinsumDense(
            "bn,nd->bnd",
            (count, dim),
            bias_axes="nd",
            kernel_initializer=tf_keras.initializers.RandomNormal(stddev=1.0),
            bias_initializer=spread,
            kernel_regularizer=tf_keras.regularizers.L2(l2),
            name="numeric_embedding",
        )(numeric)
    bent = layers.Activation("relu", name="numeric_bent")(vectors)
    return layers.Flatten(name=EMBEDDED)(bent)
