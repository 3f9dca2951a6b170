"""Hidden layers, and layers that multiply features, of stock Keras layers alone."""

from typing import Any

import tf_keras

_CROSS_RANK = 16
_MOMENTUM = 0.9  # of batch statistics: Keras' .99 is behind where an epoch has few batches


def hidden_layer(
    values: Any,
    depth: int,
    units: int,
    l2: float,
    dropout: float,
    normalization: str,
    residual: bool,
) -> Any:
    """One hidden layer: dense, normalised, ReLU, dropout; and what it was given, added at the end.

    From [batch, any] to [batch, units].

    Args:
      values: What it reads.
      depth: Its place, 0 the first; part of the names.
      units: Its width.
      l2: Factor of the squared weights in the loss.
      dropout: Share of its values dropped in training.
      normalization: none, batch (Ioffe and Szegedy, 2015) or layer (Ba, Kiros and Hinton, 2016).
      residual: Whether a layer after the first passes on what it was given, too, through a matrix
        where its width is another (He et al., 2016).
    """
    layers = tf_keras.layers
    dense = layers.Dense(
        units,
        activation="relu" if normalization == "none" else None,
        kernel_regularizer=tf_keras.regularizers.L2(l2),
        name=f"hidden_{depth}",
    )
    deep = dense(values)
    if normalization != "none":
        name = f"normalization_{depth}"
        if normalization == "batch":
            deep = layers.BatchNormalization(momentum=_MOMENTUM, name=name)(deep)
        else:
            deep = layers.LayerNormalization(name=name)(deep)
        deep = layers.Activation("relu", name=f"normalized_{depth}")(deep)
    if dropout:
        deep = layers.Dropout(dropout, name=f"dropout_{depth}")(deep)
    if not residual or depth == 0:
        return deep
    if values.shape[1] != units:
        values = layers.Dense(units, use_bias=False, name=f"skip_{depth}")(values)
    return layers.Add(name=f"residual_{depth}")([values, deep])


def crossed(features: Any, crosses: int, l2: float) -> Any:
    """Products of pairs of features, and of more the more layers: [batch, any], the shape is kept.

    Each layer adds the features times a linear function of what the layer before gave, whose matrix
    is of low rank (DCN-V2: Wang et al., Improved Deep & Cross Network, 2021, arXiv:2008.13535).

    Args:
      features: [batch, any].
      crosses: How many layers, at least 1.
      l2: Factor of the squared weights in the loss.
    """
    layers, width = tf_keras.layers, features.shape[1]
    given = features
    for depth in range(crosses):
        narrow = layers.Dense(min(_CROSS_RANK, width), use_bias=False, name=f"cross_in_{depth}")
        wide = layers.Dense(
            width, kernel_regularizer=tf_keras.regularizers.L2(l2), name=f"cross_out_{depth}"
        )
        products = layers.Multiply(name=f"products_{depth}")([features, wide(narrow(given))])
        given = layers.Add(name=f"crossed_{depth}")([given, products])
    return given
