"""The network: its inputs and output, and the logit before the sigmoid."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from models.network.network import LOGIT, build_network, logits_of, meanings
from models.network.preprocessing import ModelInputs
from tests.support.tiny_rows import ARCHITECTURE, INPUTS, WITH_TEXT, make_rows


@pytest.mark.parametrize("inputs", [INPUTS, WITH_TEXT], ids=["without text", "with text"])
def test_output_is_one_probability_for_each_row(inputs: ModelInputs) -> None:
    network = build_network(inputs, ARCHITECTURE, "network")
    output = network(make_rows(7, inputs=inputs).features)
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


def test_the_network_says_what_its_weights_are_for() -> None:
    architecture = dataclasses.replace(ARCHITECTURE, hidden_units=(8, 4), dropout=0.1)
    assert meanings(build_network(WITH_TEXT, architecture, "network")) == {
        "embedding": ["categorical"],
        "wide": ["categorical"],
        "text_embedding": ["tokens"],
        "wide_text_embedding": ["tokens"],
        "wide_numbers": ["numeric"],
        "hidden_0": ["numeric", "embedded", "text_values", "text_maximum_values"],
        "hidden_1": ["hidden_0"],
        "logit": ["hidden_1", "wide_values", "wide_text_values", "wide_numbers"],
    }


def test_dropout_is_only_there_when_asked_for() -> None:
    def has_dropout(rate: float) -> bool:
        architecture = dataclasses.replace(ARCHITECTURE, dropout=rate)
        layers = build_network(INPUTS, architecture, "network").layers
        return any(isinstance(layer, tf_keras.layers.Dropout) for layer in layers)

    assert has_dropout(0.1)
    assert not has_dropout(0.0)


def test_a_text_counts_through_its_words_wherever_they_stand() -> None:
    tf_keras.utils.set_random_seed(1)
    network = build_network(WITH_TEXT, ARCHITECTURE, "network")
    features = {
        name: column[:1] for name, column in make_rows(1, inputs=WITH_TEXT).features.items()
    }

    def answer(*tokens: int) -> float:
        texts = np.array([[*tokens, *[0] * (10 - len(tokens))]])
        return float(network({**features, "tokens": texts}))

    assert answer(3, 4, 5) == pytest.approx(answer(5, 3, 4), abs=1e-6)
    assert answer(3, 4, 5) != pytest.approx(answer(3, 4, 6), abs=1e-6)
    assert answer(3, 0, 0, 0, 0, 4) != pytest.approx(answer(4, 0, 0, 0, 0, 3), abs=1e-6)
    assert np.isfinite(answer()), "a row without words"


def test_rows_of_another_width_are_an_error() -> None:
    network = build_network(INPUTS, ARCHITECTURE, "network")
    features = make_rows(3).features
    with pytest.raises(ValueError, match="incompatible"):
        network({**features, "numeric": features["numeric"][:, :1]})
