"""Rare classes: how they are weighed, and where 0.5 is moved to."""

import dataclasses

import numpy as np
import pytest
import tf_keras

from models.network.balance import Balance, balance_of, decide, note
from models.network.network import build_network
from models.network.rows import Rows
from models.network.training import Plan, cross_entropy, fit
from tests.support.tiny_rows import ARCHITECTURE, INPUTS, make_rows


def with_labels(rows: Rows, share: float) -> Rows:
    """Rows of which this share is positive, by the size of a number."""
    order = np.argsort(np.argsort(-rows.numeric[:, 0]))
    label = (order < round(share * rows.count)).astype(np.float32)[:, None]
    return dataclasses.replace(rows, label=label, weight=np.ones_like(label))


@pytest.mark.parametrize("share", [0.01, 0.99])
def test_a_rare_class_weighs_as_much_as_the_other(share: float) -> None:
    rows = with_labels(make_rows(1000), share)
    balance = balance_of(rows, 0.05)
    weighed = balance.weighed(rows).weighted()
    assert float((weighed.weight * weighed.label).mean()) == pytest.approx(0.5, abs=1e-4)
    np.testing.assert_allclose(weighed.label, rows.label, rtol=1e-5)


def test_soft_labels_keep_their_evidence() -> None:
    rows = dataclasses.replace(with_labels(make_rows(4), 0), label=np.full((4, 1), 0.2, np.float32))
    weighed = Balance(0.2, odds=4.0).weighed(rows)
    np.testing.assert_allclose(weighed.label, 0.5, rtol=1e-6)  # odds of 1 to 4, times 4
    np.testing.assert_allclose(weighed.weight, 1.6, rtol=1e-6)  # 4 times .2, and .8


@pytest.mark.parametrize(("share", "rare"), [(0.2, 0.05), (0.01, 0.0)])
def test_other_classes_are_left_as_they_are(share: float, rare: float) -> None:
    rows = with_labels(make_rows(1000), share)
    balance = balance_of(rows, rare)
    assert balance.is_even
    assert balance.weighed(rows) is rows
    assert note("teacher", balance, rare) == []


def test_rows_without_a_weight_count_for_the_share_alone() -> None:
    rows = with_labels(make_rows(1000), 0.02)
    weight = np.where(np.arange(1000)[:, None] < 500, 1, 0).astype(np.float32)
    balance = balance_of(dataclasses.replace(rows, weight=weight), 0.05)
    assert balance.share == pytest.approx(0.02)
    weighed = balance.weighed(dataclasses.replace(rows, weight=weight)).weighted()
    assert float((weighed.weight * weighed.label).mean()) == pytest.approx(0.5, abs=1e-4)


@pytest.fixture(scope="module")
def rare() -> tuple[Rows, tf_keras.Model, Balance]:
    tf_keras.utils.set_random_seed(1)
    rows = with_labels(make_rows(2000), 0.02)
    balance = balance_of(rows, 0.05)
    network = build_network(INPUTS, ARCHITECTURE, "teacher")
    weighed = balance.weighed(rows)
    fit(network, weighed, weighed, cross_entropy, Plan(6, 64, 0.02, 1))
    return rows, network, balance


def test_half_finds_as_many_rows_as_there_are_positives(
    rare: tuple[Rows, tf_keras.Model, Balance],
) -> None:
    rows, network, balance = rare
    before = network(rows.features).numpy()[:, 0]
    moved = decide(network, [rows], balance)
    after = network(rows.features).numpy()[:, 0]
    assert (after > 0.5).sum() == 40
    assert (np.argsort(before) == np.argsort(after)).mean() > 0.99
    odds = [(p / (1 - p)) for p in (before[:50], after[:50])]
    np.testing.assert_allclose(odds[1] / odds[0], moved.odds / balance.odds, rtol=1e-3)
    [said] = note("teacher", moved, 0.05)
    assert said.startswith("teacher: 2.00% of the training rows are positive")


def test_a_network_of_two_answers_on_other_classes_is_not_moved() -> None:
    tf_keras.utils.set_random_seed(1)
    rows = make_rows(200)
    network = build_network(INPUTS, ARCHITECTURE, "teacher")
    fit(network, rows, rows, cross_entropy, Plan(6, 32, 0.02, 1))
    before = network.get_weights()
    assert decide(network, [rows], Balance(0.5)) == Balance(0.5)
    for old, new in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_network_that_says_no_every_time_is_moved() -> None:
    tf_keras.utils.set_random_seed(1)
    rows = make_rows(200)
    network = build_network(INPUTS, ARCHITECTURE, "teacher")
    layer = network.get_layer("logit")
    layer.set_weights([layer.get_weights()[0], np.array([-9.0], np.float32)])
    moved = decide(network, [rows], Balance(0.3))
    assert (network(rows.features).numpy() > 0.5).sum() == pytest.approx(60, abs=5)
    assert "every row was answered alike" in note("teacher", moved, 0.05)[0]
