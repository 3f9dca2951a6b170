"""Training with rounded numbers: zeros stay, the network stays plain, int8 files come nearer."""

import dataclasses

import numpy as np
import pytest
import tf_keras

from models.compression.goals import tables_of
from models.compression.pruning import copied, prune
from models.compression.quantization_aware import train_aware
from models.export.tflite import INT8, convert_all, predict
from models.network.network import Architecture, build_network
from models.network.training import Plan, cross_entropy, evaluation_loss, fit
from tests.support.tiny_rows import INPUTS, WITH_TEXT, make_rows

PLAN = Plan(epochs=4, batch_size=32, learning_rate=0.02, seed=1)


@pytest.fixture(scope="module")
def pruned() -> tf_keras.Model:
    tf_keras.utils.set_random_seed(1)
    network = build_network(INPUTS, Architecture((8,), 4), "student")
    rows = make_rows(600), make_rows(200, seed=2)
    fit(network, *rows, cross_entropy, PLAN)
    found, _ = prune(network, *rows, cross_entropy, PLAN, 0.5)
    return found


def test_zeros_stay_and_the_network_is_a_plain_one(pruned: tf_keras.Model) -> None:
    network = copied(pruned)
    rows, evaluation = make_rows(600), make_rows(200, seed=2)
    history = train_aware(network, rows, evaluation, cross_entropy, PLAN)
    assert len(history["val_loss"]) == PLAN.epochs
    assert network.get_config() == copied(pruned).get_config()
    for name, table in tables_of(network).items():
        np.testing.assert_array_equal(table == 0, tables_of(pruned)[name] == 0)
        assert np.abs(table - tables_of(pruned)[name]).max() > 0, "it was trained"
    assert evaluation_loss(network, evaluation) < 0.3


def test_its_losses_are_those_of_the_int8_file(pruned: tf_keras.Model) -> None:
    network = copied(pruned)
    rows, evaluation = make_rows(600), make_rows(400, seed=2)
    plan = dataclasses.replace(PLAN, epochs=2, learning_rate=1e-6)  # what is rounded hardly moves
    history = train_aware(network, rows, evaluation, cross_entropy, plan)
    [content] = convert_all(network, rows, [INT8]).values()
    answers = np.clip(predict(content, evaluation.features), 1 / 512, 1 - 1 / 512)
    right = np.where(evaluation.label[:, 0] == 1, answers, 1 - answers)
    of_file, of_network = -np.log(right).mean(), evaluation_loss(network, evaluation)
    assert history["val_loss"][-1] == pytest.approx(of_file, abs=0.02)
    assert history["val_loss"][-1] != of_network


def test_texts_can_be_trained_so_too() -> None:
    tf_keras.utils.set_random_seed(1)
    network = build_network(WITH_TEXT, Architecture((4,), 2), "student")
    rows = make_rows(200, inputs=WITH_TEXT)
    before = network.get_weights()
    history = train_aware(network, rows, rows, cross_entropy, PLAN)
    assert np.isfinite(history["loss"]).all()
    assert any((a != b).any() for a, b in zip(before, network.get_weights(), strict=True))
