"""The network: its inputs and output, and the logit before the sigmoid."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from models.network import LOGIT, build_network, logits_of
from tests.unit.tiny_rows import ARCHITECTURE, INPUTS, make_rows


def test_output_is_one_probability_for_each_row() -> None:
    network = build_network(INPUTS, ARCHITECTURE, "network")
    output = network(make_rows(7).features)
    assert output.shape == (7, 1)
    assert output.dtype == tf.float32
    assert float(tf.reduce_min(output)) > 0
    assert float(tf.reduce_max(output)) < 1


def test_logits_share_the_weights() -> None:
    network = build_network(INPUTS, ARCHITECTURE, "network")
    rows = make_rows(7)
    logits = logits_of(network)
    network.get_layer(LOGIT).bias.assign([2.0])
    np.testing.assert_allclose(tf.sigmoid(logits(rows.features)), network(rows.features), rtol=1e-6)


def test_dropout_is_only_there_when_asked_for() -> None:
    def has_dropout(rate: float) -> bool:
        architecture = dataclasses.replace(ARCHITECTURE, dropout=rate)
        layers = build_network(INPUTS, architecture, "network").layers
        return any(isinstance(layer, tf_keras.layers.Dropout) for layer in layers)

    assert has_dropout(0.1)
    assert not has_dropout(0.0)


def test_rows_of_another_width_are_an_error() -> None:
    network = build_network(INPUTS, ARCHITECTURE, "network")
    features = make_rows(3).features
    with pytest.raises(ValueError, match="incompatible"):
        network({**features, "numeric": features["numeric"][:, :1]})
