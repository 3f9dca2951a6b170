"""Pruning: from the trained weights, to the sparsity, without touching the original."""

import dataclasses

import numpy as np
import pytest
import tensorflow_model_optimization as tfmot
import tf_keras

from models.network.network import build_network
from models.network.pruning import PruningLimit, measured_sparsity, prune, prune_within, wrap
from models.network.training import Plan, cross_entropy, fit
from tests.support.tiny_rows import ARCHITECTURE, INPUTS, make_rows

PLAN = Plan(epochs=3, batch_size=32, learning_rate=0.02, seed=1)


@pytest.fixture(scope="module")
def trained() -> tf_keras.Model:
    tf_keras.utils.set_random_seed(1)
    network = build_network(INPUTS, ARCHITECTURE, "network")
    fit(network, make_rows(400), make_rows(100, seed=2), cross_entropy, PLAN)
    return network


def test_pruning_starts_from_the_trained_weights(trained: tf_keras.Model) -> None:
    rows = make_rows(50, seed=3)
    prunable = wrap(trained, tfmot.sparsity.keras.ConstantSparsity(0.5, begin_step=0))
    np.testing.assert_allclose(prunable(rows.features), trained(rows.features), rtol=1e-6)


def test_the_sparsity_is_reached_and_the_original_kept(trained: tf_keras.Model) -> None:
    before = trained.get_weights()
    rows, evaluation = make_rows(400), make_rows(100, seed=2)
    pruned, history = prune(trained, rows, evaluation, cross_entropy, PLAN, 0.6)
    assert measured_sparsity(pruned) == pytest.approx(0.6, abs=0.02)
    assert not any("prune" in layer.name for layer in pruned.layers)
    assert len(history["val_loss"]) == PLAN.epochs
    for old, new in zip(before, trained.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_single_step_prunes(trained: tf_keras.Model) -> None:
    plan = dataclasses.replace(PLAN, epochs=1, batch_size=1000)
    pruned, _ = prune(trained, make_rows(40), make_rows(20), cross_entropy, plan, 0.5)
    assert measured_sparsity(pruned) == pytest.approx(0.5, abs=0.02)


def test_no_step_is_an_error(trained: tf_keras.Model) -> None:
    plan = dataclasses.replace(PLAN, epochs=0)
    with pytest.raises(RuntimeError, match=r"after 0 steps instead of 0\.5"):
        prune(trained, make_rows(40), make_rows(20), cross_entropy, plan, 0.5)


def test_it_is_pruned_as_asked_where_that_costs_nothing(trained: tf_keras.Model) -> None:
    rows, evaluation = make_rows(400), make_rows(100, seed=2)
    limit = PruningLimit({"auc": 0.01, "accuracy": 0.01}, evaluation)
    pruned, outcome = prune_within(trained, rows, evaluation, cross_entropy, PLAN, 0.3, limit)
    assert outcome.sparsity == measured_sparsity(pruned) == pytest.approx(0.3, abs=0.02)
    assert outcome.notes == []


def test_it_is_pruned_less_where_the_eval_rows_show_it(trained: tf_keras.Model) -> None:
    rows, evaluation = make_rows(400), make_rows(600, seed=2)
    truth = dataclasses.replace(
        evaluation, label=(trained(evaluation.features).numpy() > 0.5).astype(np.float32)
    )
    spoilt = dataclasses.replace(rows, label=1 - rows.label)  # pruning unlearns what was learned
    limit = PruningLimit({"accuracy": 0.01}, truth)
    pruned, outcome = prune_within(trained, spoilt, evaluation, cross_entropy, PLAN, 0.8, limit)
    np.testing.assert_allclose(pruned(rows.features), trained(rows.features), rtol=1e-6)
    [note] = outcome.notes
    assert note.startswith("network: pruned to 0.00 instead of 0.8, because on the eval rows")
    assert note.count("accuracy -") == 3, "three were tried"
