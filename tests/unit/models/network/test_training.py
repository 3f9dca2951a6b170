"""Fitting: it learns, honours weights and seeds, stops early, and notices divergence."""

import dataclasses

import numpy as np
import pytest
import tf_keras

from models.network import training
from models.network.network import build_network
from models.network.rows import Rows
from models.network.training import Plan, cross_entropy, fit
from tests.support.tiny_rows import ARCHITECTURE, INPUTS, make_rows

PLAN = Plan(epochs=6, batch_size=32, learning_rate=0.02, seed=1)


def train(rows: Rows, plan: Plan = PLAN) -> tuple[tf_keras.Model, dict[str, list[float]]]:
    tf_keras.utils.set_random_seed(1)
    network = build_network(INPUTS, ARCHITECTURE, "network")
    return network, fit(network, rows, make_rows(200, seed=2), cross_entropy, plan)


def test_the_evaluation_loss_falls() -> None:
    network, history = train(make_rows(600))
    assert history["val_loss"][-1] < 0.6 * history["val_loss"][0]
    rows = make_rows(200, seed=3)
    decisions = network(rows.features).numpy() > 0.5
    assert (decisions == (rows.label > 0.5)).mean() > 0.85


def test_the_reported_loss_is_that_of_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "_MOST_SHIFT", 1e-9)
    network, history = train(make_rows(100))
    rows = make_rows(200, seed=2)
    loss = tf_keras.losses.BinaryCrossentropy()(rows.label, network(rows.features))
    assert history["val_loss"][-1] == pytest.approx(float(loss), rel=1e-4)


def test_the_mean_probability_is_the_share_of_positives() -> None:
    rows, evaluation = make_rows(400), make_rows(200, seed=2)
    network, _ = train(rows)
    told = np.concatenate([network(part.features).numpy() for part in (rows, evaluation)])
    true = np.concatenate([rows.label, evaluation.label])
    assert told.mean() == pytest.approx(true.mean(), abs=1e-3)


def test_the_same_seed_gives_the_same_network() -> None:
    weights = [train(make_rows(100))[0].get_weights() for _ in range(2)]
    for first, second in zip(*weights, strict=True):
        np.testing.assert_array_equal(first, second)


def test_rows_of_weight_zero_do_not_count() -> None:
    rows = make_rows(100)
    wrong = dataclasses.replace(rows, label=1 - rows.label, weight=0 * rows.weight)
    both = Rows(
        *(
            np.concatenate([getattr(rows, name), getattr(wrong, name)])
            for name in ("numeric", "categorical", "label", "weight")
        )
    )
    assert train(both)[1] == train(rows)[1]


def test_patience_keeps_the_best_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "_MOST_SHIFT", 1e-9)
    rows = make_rows(64)
    random = dataclasses.replace(rows, label=make_rows(64, seed=9).label)
    plan = dataclasses.replace(PLAN, epochs=60, patience=2)
    network, history = train(random, plan)
    assert len(history["val_loss"]) < 60
    assert int(np.argmin(history["val_loss"])) == len(history["val_loss"]) - 3
    rows = make_rows(200, seed=2)
    loss = tf_keras.losses.BinaryCrossentropy()(rows.label, network(rows.features))
    assert min(history["val_loss"]) == pytest.approx(float(loss), rel=1e-4)


def test_a_loss_that_is_not_finite_is_an_error() -> None:
    rows = make_rows(64)
    rows.numeric[3, 0] = np.nan
    with pytest.raises(FloatingPointError, match="loss of network is not finite in epoch 1"):
        train(rows)
