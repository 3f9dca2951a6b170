"""Groups, weights, and penalties in training: real networks on rows with a rule and two groups."""

import dataclasses
from typing import Any

import numpy as np
import pytest
import tf_keras

from core.errors import InputError
from core.sections.fairness import Mitigation, Rate
from models.compression.goals import measured_sparsity
from models.compression.pruning import prune
from models.network.balance import balance_of, decide
from models.network.mitigation import (
    Grouped,
    class_weights,
    counted,
    grouped,
    groups_of,
    reweighed,
    true_rows,
)
from models.network.network import answers_of, build_network
from models.network.rows import Rows
from models.network.training import Plan, cross_entropy, fit
from tests.support.tiny_rows import ARCHITECTURE, INPUTS, two_groups

PLAN = Plan(epochs=6, batch_size=64, learning_rate=0.02, seed=1)


def told(**changes: Any) -> Mitigation:
    values = {
        "mitigation": "min_diff",
        "column": "sex",
        "rate": "tpr",
        "loss": "rate",
        "strength": "auto",
        "epochs": 4,
        "min_group_rows": 20,
    }
    return Mitigation.model_validate({**values, **changes})


TRAIN, EVAL = two_groups(6000, 1), two_groups(12000, 2)


def in_groups(**changes: Any) -> Grouped:
    (train, train_values), (evaluation, values) = TRAIN, EVAL
    return grouped(told(**changes), (train, evaluation), (train_values, values))


@pytest.fixture(scope="module")
def trained() -> tf_keras.Model:
    tf_keras.utils.set_random_seed(1)
    network = build_network(INPUTS, ARCHITECTURE, "teacher")
    fit(network, TRAIN[0], EVAL[0], cross_entropy, PLAN)
    return network


def copy_of(network: tf_keras.Model) -> tf_keras.Model:
    copy = tf_keras.models.clone_model(network)
    copy.set_weights(network.get_weights())
    return copy


@pytest.mark.parametrize(
    "changes",
    [
        {"rate": "tpr"},
        {"rate": "fpr"},
        {"rate": "selection_rate"},
        {"loss": "mmd", "strength": 2.0},
    ],
    ids=["tpr", "fpr", "selection rate", "mmd"],
)
def test_a_penalty_closes_the_gap_and_pruning_keeps_it_closed(
    trained: tf_keras.Model, changes: dict[str, Any]
) -> None:
    rows = in_groups(**changes)
    before = rows.rates(trained)
    assert before["gap"] > 0.04
    penalty = rows.penalty(seed=1)
    network = copy_of(trained)
    plan = dataclasses.replace(PLAN, epochs=4, learning_rate=0.005)
    fit(network, rows.train, rows.evaluation, cross_entropy, plan, penalty=penalty)
    after = rows.rates(network)
    assert after["gap"] < before["gap"] / 2
    assert after["accuracy"] > before["accuracy"] - 0.06
    pruned, _ = prune(network, rows.train, rows.evaluation, cross_entropy, plan, 0.5, penalty)
    assert measured_sparsity(pruned) == pytest.approx(0.5, abs=0.02)
    assert rows.rates(pruned)["gap"] < before["gap"] / 2


def test_a_stronger_penalty_leaves_less_of_the_gap(trained: tf_keras.Model) -> None:
    gaps = []
    for strength in (0.5, 20.0):
        rows, network = in_groups(strength=strength), copy_of(trained)
        penalty = rows.penalty(seed=1)
        fit(network, rows.train, rows.evaluation, cross_entropy, PLAN, penalty=penalty)
        gaps.append(rows.rates(network)["gap"])
    assert gaps[1] < gaps[0] < in_groups().rates(trained)["gap"]


def test_three_groups_are_made_alike_and_a_fourth_with_few_rows_is_left() -> None:
    (train, of_train), (evaluation, of_eval) = TRAIN, EVAL

    def regrouped(values: np.ndarray, seed: int) -> np.ndarray:
        draw = np.random.RandomState(seed).rand(len(values))
        return np.where(draw < 0.002, "d", np.where((values == "a") & (draw < 0.4), "c", values))

    values = regrouped(of_train, 3), regrouped(of_eval, 4)
    rows = grouped(told(), (train, evaluation), values)
    assert rows.groups.names == ("a", "b", "c")
    [note] = rows.groups.notes(rows.told)
    assert "sex=d has only" in note
    assert "positive rows in training and is left as it is" in note
    tf_keras.utils.set_random_seed(1)
    network = build_network(INPUTS, ARCHITECTURE, "teacher")
    fit(network, rows.train, rows.evaluation, cross_entropy, PLAN)
    before = rows.rates(network)["gap"]
    fit(network, rows.train, rows.evaluation, cross_entropy, PLAN, penalty=rows.penalty(1))
    assert rows.rates(network)["gap"] < before / 2


def test_rare_positives_are_alike_where_the_decision_is() -> None:
    rows, values = two_groups(12000, 5, noise=0.05)
    rare = (rows.label[:, 0] == 0) | (np.random.RandomState(6).rand(rows.count) < 0.05)
    rows, values = rows.take(rare), values[rare]
    made = grouped(told(rate="fpr"), (rows, rows), (values, values))
    balance = balance_of(made.train, 0.05)
    assert not balance.is_even
    tf_keras.utils.set_random_seed(1)
    network = build_network(INPUTS, ARCHITECTURE, "teacher")
    weighed = balance.weighed(made.train)
    fit(network, weighed, weighed, cross_entropy, PLAN)
    balance = decide(network, [made.train], balance)
    before = made.rates(network)["gap"]
    weighed = balance.weighed(made.train)
    fit(network, weighed, weighed, cross_entropy, PLAN, penalty=made.penalty(1))
    decide(network, [made.train], balance)
    assert made.rates(network)["gap"] < before
    positive = float((answers_of(network, rows) > 0.5).mean())
    assert positive == pytest.approx(float(rows.label.mean()), abs=0.002)


def test_rows_without_a_weight_and_soft_labels_count_by_what_is_known() -> None:
    label = np.array([[1.0], [0.25], [1.0]], np.float32)
    weight = np.array([[1.0], [2.0], [0.0]], np.float32)
    rows = Rows(np.zeros((3, 1), np.float32), np.zeros((3, 1), np.int64), label, weight)
    codes = np.array([0, 1, 1])
    expected: dict[Rate, list[list[float]]] = {
        "tpr": [[1, 0], [0, 0.5], [0, 0]],
        "fpr": [[0, 0], [0, 1.5], [0, 0]],
        "selection_rate": [[1, 0], [0, 2], [0, 0]],
    }
    for rate, of_rows in expected.items():
        found = counted(rows, codes, 2, rate).counted
        assert found is not None
        np.testing.assert_allclose(found, np.array(of_rows))


def test_a_group_without_positives_is_an_error_that_says_what_to_do() -> None:
    rows, values = TRAIN
    none = dataclasses.replace(rows, label=np.where(values[:, None] == "b", 0, rows.label))
    with pytest.raises(InputError, match=r"two groups are needed.*positive rows.*b 0\.0; bring"):
        groups_of(none, values, told())
    groups_of(none, values, told(rate="fpr"))  # there are negatives
    with pytest.raises(InputError, match="there are missing"):
        groups_of(rows, np.full(rows.count, ""), told())


def test_weights_make_the_class_independent_of_the_group() -> None:
    rows, values = TRAIN
    made = in_groups(mitigation="reweighing")
    assert made.penalty(1) is None
    of_b = (values == "b")[:, None]
    label, weight = made.train.label, made.train.weight
    shares = [float((weight * label)[of].sum() / weight[of].sum()) for of in (of_b, ~of_b)]
    assert shares == pytest.approx([float(rows.label.mean())] * 2, abs=1e-4)
    assert weight.sum() == pytest.approx(rows.weight.sum(), rel=1e-4)
    np.testing.assert_allclose(label, rows.label, atol=1e-6)
    assert set(made.report()["weights"]) == {"a", "b"}


def test_weights_of_soft_labels_and_of_three_classes() -> None:
    shares = np.random.RandomState(1).dirichlet([1, 2, 3], 500).astype(np.float32)
    codes = np.arange(500) % 2
    shares[codes == 1] = shares[codes == 1][:, [2, 0, 1]]
    rows = Rows(
        np.zeros((500, 1), np.float32),
        np.zeros((500, 1), np.int64),
        shares,
        np.ones((500, 1), np.float32),
    )
    made = reweighed(rows, codes, class_weights(rows, codes, 2))
    np.testing.assert_allclose(made.label.sum(axis=1), 1, rtol=1e-5)
    joint = [(made.weight * made.label)[codes == g].sum(axis=0) for g in (0, 1)]
    np.testing.assert_allclose(joint[0] / joint[0].sum(), joint[1] / joint[1].sum(), rtol=1e-4)
    np.testing.assert_allclose(joint[0] + joint[1], shares.sum(axis=0), rtol=1e-4)
    wide = grouped(told(mitigation="reweighing"), (rows, rows), (codes.astype(str),) * 2)
    assert wide.train.counted is None
    assert wide.rates(build_network(INPUTS, ARCHITECTURE, "unused")) == {}


def test_a_class_that_a_group_lacks_is_not_weighed() -> None:
    rows, values = TRAIN
    none = dataclasses.replace(rows, label=np.where(values[:, None] == "b", 0, rows.label))
    found = class_weights(none, (values == "b").astype(int), 2)
    assert np.isfinite(found).all()
    assert found[1, 1] == 1


def test_true_rows_are_known_by_their_weight() -> None:
    rows = TRAIN[0].take(np.arange(4))
    weighed = dataclasses.replace(rows, weight=np.array([[10.0], [1], [0.3], [0]], np.float32))
    assert true_rows(weighed, 10.0).tolist() == [True, False, False, False]
    assert true_rows(weighed, None).tolist() == [True, True, True, False]
