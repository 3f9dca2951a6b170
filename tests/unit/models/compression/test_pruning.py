"""Pruning: from the trained weights, to the sparsity, without touching the original."""

import dataclasses
from typing import Any

import numpy as np
import pytest
import tf_keras

from core.errors import InputError
from core.sections.training import UNSTRUCTURED, PruningOptions
from models.compression.goals import (
    Goal,
    check_reached,
    follows_structure,
    goals_for,
    measured_sparsity,
    tables_of,
)
from models.compression.pruning import PruningLimit, prune, prune_within, wrap
from models.network.network import build_network
from models.network.training import Plan, cross_entropy, evaluation_loss, fit
from tests.support.tiny_rows import ARCHITECTURE, INPUTS, make_rows

PLAN = Plan(epochs=3, batch_size=32, learning_rate=0.02, seed=1)


def options(**values: Any) -> PruningOptions:
    return UNSTRUCTURED.model_copy(update=values)


@pytest.fixture(scope="module")
def trained() -> tf_keras.Model:
    tf_keras.utils.set_random_seed(1)
    network = build_network(INPUTS, ARCHITECTURE, "student")
    fit(network, make_rows(400), make_rows(100, seed=2), cross_entropy, PLAN)
    return network


def pruned(trained: tf_keras.Model, plan: Plan, sparsity: float, **asked: Any) -> tf_keras.Model:
    rows, evaluation = make_rows(400), make_rows(100, seed=2)
    found, history = prune(
        trained, rows, evaluation, cross_entropy, plan, sparsity, options=options(**asked)
    )
    assert len(history["val_loss"]) == plan.epochs
    return found


def test_pruning_starts_from_the_trained_weights(trained: tf_keras.Model) -> None:
    rows = make_rows(50, seed=3)
    prunable = wrap(trained, goals_for(trained, 0.5, UNSTRUCTURED), end=2, frequency=1)
    np.testing.assert_allclose(prunable(rows.features), trained(rows.features), rtol=1e-6)


def test_the_sparsity_is_reached_and_the_original_kept(trained: tf_keras.Model) -> None:
    before = trained.get_weights()
    found = pruned(trained, PLAN, 0.6)
    kept = {name: Goal(0.6).kept(table.shape) for name, table in tables_of(found).items()}
    assert weights_left(found) == kept
    assert measured_sparsity(found) == pytest.approx(0.6, abs=0.02)
    assert not any("prune" in layer.name for layer in found.layers)
    for old, new in zip(before, trained.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_single_step_prunes(trained: tf_keras.Model) -> None:
    plan = dataclasses.replace(PLAN, epochs=1, batch_size=1000)
    found, _ = prune(trained, make_rows(40), make_rows(20), cross_entropy, plan, 0.5)
    assert weights_left(found) == {name: t.size // 2 for name, t in tables_of(trained).items()}


def weights_left(model: tf_keras.Model) -> dict[str, int]:
    """How many weights of each table are not 0."""
    return {name: np.count_nonzero(table) for name, table in tables_of(model).items()}


@pytest.mark.parametrize("epochs", [2, 5])
def test_of_weights_that_are_equal_no_more_are_kept(epochs: int) -> None:
    """The first and last mask of `wide` are made while all of its weights are 0, or most."""
    tf_keras.utils.set_random_seed(1)
    untrained = build_network(INPUTS, ARCHITECTURE, "student")
    assert not tables_of(untrained)["wide"].any()
    plan = dataclasses.replace(PLAN, epochs=epochs, batch_size=40)
    found, _ = prune(untrained, make_rows(40), make_rows(20), cross_entropy, plan, 0.75)
    wide = tables_of(untrained)["wide"].size
    assert weights_left(found)["wide"] == wide - 0.75 * wide


def test_no_step_is_an_error(trained: tf_keras.Model) -> None:
    plan = dataclasses.replace(PLAN, epochs=0)
    told = r"^embedding: 24 of 24 weights after 0 steps are not 0, instead of 12$"
    with pytest.raises(RuntimeError, match=told):
        prune(trained, make_rows(40), make_rows(20), cross_entropy, plan, 0.5)


def test_layers_are_pruned_as_they_are_named(trained: tf_keras.Model) -> None:
    found = pruned(trained, PLAN, 0.5, by_layer={"Embedding": 0.75, "wide": 0.25, "logit": 0.0})
    zeros = {name: float((table == 0).mean()) for name, table in tables_of(found).items()}
    wanted = {"embedding": 0.75, "wide": 0.25, "hidden_0": 0.5, "wide_numbers": 0.5, "logit": 0.0}
    assert zeros == wanted


def test_two_of_each_four_weights_of_dense_layers_are_zero(trained: tf_keras.Model) -> None:
    found = pruned(trained, PLAN, 0.25, structure="2:4")
    tables = tables_of(found)
    for name in ("hidden_0", "logit"):
        assert follows_structure(tables[name])
    assert (tables["hidden_0"] == 0).mean() == 0.5
    assert (tables["embedding"] == 0).mean() == 0.25
    assert not follows_structure(tables_of(trained)["hidden_0"])


@pytest.mark.parametrize("sparsity", [0.0, 0.5])
def test_clusters_leave_few_distinct_weights_and_keep_zeros(
    trained: tf_keras.Model, sparsity: float
) -> None:
    plan = dataclasses.replace(PLAN, epochs=2)
    rows, evaluation = make_rows(400), make_rows(300, seed=2)
    found, history = prune(
        trained, rows, evaluation, cross_entropy, plan, sparsity, options=options(clusters=6)
    )
    assert len(history["loss"]) == (4 if sparsity else 2)
    tables = tables_of(found)
    assert all(len(np.unique(table)) <= 6 for table in tables.values())
    assert all((table == 0).mean() >= sparsity for table in tables.values())
    answers = (found(evaluation.features).numpy() > 0.5) == evaluation.label
    assert answers.mean() > 0.8


def test_the_best_epoch_with_the_whole_sparsity_is_kept(trained: tf_keras.Model) -> None:
    rows, evaluation = make_rows(60), make_rows(200, seed=2)
    spoilt = dataclasses.replace(rows, label=1 - rows.label)  # each epoch is worse than the last
    plan = dataclasses.replace(PLAN, epochs=6, batch_size=20)
    found, history = prune(trained, spoilt, evaluation, cross_entropy, plan, 0.5)
    losses = history["val_loss"]
    assert losses == sorted(losses)
    assert measured_sparsity(found) == 0.5
    assert evaluation_loss(found, evaluation) <= losses[2], "step 9 of 18, in epoch 3, ends it"


def test_it_is_pruned_as_asked_where_that_costs_nothing(trained: tf_keras.Model) -> None:
    rows, evaluation = make_rows(400), make_rows(100, seed=2)
    limit = PruningLimit({"auc": 0.01, "accuracy": 0.01}, evaluation)
    found, outcome = prune_within(trained, rows, evaluation, cross_entropy, PLAN, 0.3, limit)
    assert outcome.sparsity == measured_sparsity(found) == pytest.approx(0.3, abs=0.02)
    assert (outcome.notes, outcome.share) == ([], 1.0)


@pytest.mark.parametrize(("asked", "tries"), [({}, 3), ({"structure": "2:4"}, 1)])
def test_it_is_pruned_less_where_the_eval_rows_show_it(
    trained: tf_keras.Model, asked: dict[str, Any], tries: int
) -> None:
    rows, evaluation = make_rows(400), make_rows(600, seed=2)
    truth = dataclasses.replace(
        evaluation, label=(trained(evaluation.features).numpy() > 0.5).astype(np.float32)
    )
    spoilt = dataclasses.replace(rows, label=1 - rows.label)  # pruning unlearns what was learned
    limit = PruningLimit({"accuracy": 0.01}, truth)
    told = options(**asked)
    found, outcome = prune_within(
        trained, spoilt, evaluation, cross_entropy, PLAN, 0.8, limit, options=told
    )
    np.testing.assert_allclose(found(rows.features), trained(rows.features), rtol=1e-6)
    [note] = outcome.notes
    assert note.startswith("student: pruned to 0.00 instead of 0.")
    assert "because on the eval rows" in note
    assert note.count("accuracy -") == tries, "so many were tried"
    assert outcome.share == 0


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (
            {"by_layer": {"hidden_7": 0.5}},
            r"^distiller\.pruning\.by_layer: student has no layer hidden_7; give one of "
            r"embedding, wide, hidden_0, wide_numbers, logit, or of the kinds Dense, Embedding$",
        ),
        (
            {"by_layer": {"logit": 0.5}, "structure": "2:4"},
            r"^distiller\.pruning\.by_layer: the sparsity of logit follows from "
            r"distiller\.pruning\.structure; leave out one of the two$",
        ),
    ],
)
def test_options_that_do_not_fit_the_network_are_refused(
    trained: tf_keras.Model, asked: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        goals_for(trained, 0.5, options(**asked))


def test_goals_count_what_is_left() -> None:
    assert Goal(0.5, structured=True).kept((11, 3)) == 3 * (4 + 2)
    assert Goal(0.5, structured=True).kept((9, 1)) == 5
    assert Goal(0.9).kept((4, 1)) == 1, "one weight is always left"
    assert [Goal(0.5).kept((n, 1)) for n in (9, 11)] == [4, 6], "halves go to the even one"


@pytest.mark.parametrize(
    ("table", "goal", "clusters", "said"),
    [
        ([[1.0], [2], [3], [0], [0], [0], [0], [0]], Goal(0.5, True), None, "structure 2:4"),
        ([[1.0], [2.0], [3.0], [4.0]], Goal(0.0), 3, "4 distinct weights at last instead of 3"),
    ],
)
def test_what_was_not_reached_is_an_error(
    table: list[list[float]], goal: Goal, clusters: int | None, said: str
) -> None:
    with pytest.raises(RuntimeError, match=f"hidden_0: .*{said}"):
        check_reached({"hidden_0": np.array(table)}, {"hidden_0": goal}, clusters, "at last")


def test_a_layer_that_was_missed_is_named_though_all_together_are_sparse_enough() -> None:
    tables = {"hidden_0": np.ones((10, 10)), "embedding": np.zeros((20, 10))}
    goals = {"hidden_0": Goal(0.5), "embedding": Goal(0.5)}
    told = "^hidden_0: 100 of 100 weights at last are not 0, instead of 50$"
    with pytest.raises(RuntimeError, match=told):
        check_reached(tables, goals, None, "at last")


@pytest.mark.parametrize("size", [4, 100])
def test_a_single_weight_too_many_is_an_error(size: int) -> None:
    table = (np.arange(size) < size // 2).astype(float).reshape(-1, 1)
    check_reached({"logit": table}, {"logit": Goal(0.5)}, None, "at last")
    table[-1] = 1.0
    told = f"logit: {size // 2 + 1} of {size} weights at last are not 0, instead of {size // 2}"
    with pytest.raises(RuntimeError, match=told):
        check_reached({"logit": table}, {"logit": Goal(0.5)}, None, "at last")
