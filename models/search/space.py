"""What is searched, and where the search begins."""

from collections.abc import Mapping
from typing import Any

import keras_tuner

from core.sections.training import Hyperparameters
from models.network.preprocessing import ModelInputs
from models.search.values import as_trial

_LEARNING_RATES = (1e-3, 2e-2)
_VALUES: Mapping[str, tuple[Any, ...]] = {
    "hidden_units": ("32", "64-32", "128-64"),
    "dropout": (0.0, 0.1, 0.2, 0.3),
    "embedding_dim": (4, 8, 16),
    "l2": (0.0, 1e-5, 1e-4),
}
"""Tried by random, hyperband and bayesian, besides the learning rate."""

_ARCHITECTURES: Mapping[str, tuple[Any, ...]] = {
    "hidden_units": ("32", "64-32", "128-64", "256-128", "64-64-64", "128-128-128"),
    "dropout": (0.0, 0.1, 0.2, 0.3),
    "embedding_dim": (2, 4, 8, 16),
    "l2": (0.0, 1e-5, 1e-4, 1e-3),
    "numeric_embedding": ("none", "relu-4", "relu-8", "periodic-4", "periodic-8", "periodic-16"),
    "normalization": ("none", "batch", "layer"),
    "residual": (False, True),
    "crosses": (0, 1, 2),
}
"""Tried by automl. A field of `Hyperparameters` that is not named here is left as it is."""

_MOST_NUMBERS = 2048  # values that stand for all numbers of a row

STARTS: tuple[Mapping[str, Any], ...] = (
    {"numeric_embedding": "periodic-8", "hidden_units": "128-64"},
    {"numeric_embedding": "relu-8", "crosses": 1},
    {"hidden_units": "128-128-128", "residual": True, "normalization": "batch"},
)
"""What automl tries after the default, one change of kind each; the rest is the default's."""


def space_around(values: Hyperparameters) -> keras_tuner.HyperParameters:
    """The space that is searched within one architecture; the values are its default point."""
    return _space(values, _VALUES)


def automl_space(values: Hyperparameters, inputs: ModelInputs) -> keras_tuner.HyperParameters:
    """The space that is searched with the architecture; the values are its default point.

    Args:
      values: Where the search begins.
      inputs: Widths of the features: of many numbers the embeddings are shorter.
    """
    kinds = tuple(
        kind
        for kind in _ARCHITECTURES["numeric_embedding"]
        if inputs.numeric * int(kind.partition("-")[2] or 1) <= _MOST_NUMBERS
    )
    return _space(values, {**_ARCHITECTURES, "numeric_embedding": kinds or ("none",)})


def _space(
    values: Hyperparameters, tried: Mapping[str, tuple[Any, ...]]
) -> keras_tuner.HyperParameters:
    hp = keras_tuner.HyperParameters()
    rates = (*_LEARNING_RATES, values.learning_rate)
    hp.Float("learning_rate", min(rates), max(rates), sampling="log", default=values.learning_rate)
    for name, default in as_trial(values).items():
        if name in tried and isinstance(default, bool):
            hp.Boolean(name, default=default)
        elif name in tried:
            hp.Choice(name, sorted({*tried[name], default}), default=default)
        elif name != "learning_rate":
            hp.Fixed(name, default)
    return hp
