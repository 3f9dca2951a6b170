"""Networks of three classes: trained, distilled and pruned on shares of each class."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from core.answers import decided
from models.compression.goals import Goal, tables_of
from models.distillation.distillation import distill
from models.distillation.opinion import distillation_loss
from models.network.balance import balance_of, decide
from models.network.network import answers_of, build_network
from models.network.rows import Rows
from models.network.training import Plan, cross_entropy, evaluation_loss, fit
from tests.support.tiny_rows import ARCHITECTURE, INPUTS, STUDENT, make_rows

THREE = dataclasses.replace(INPUTS, outputs=3)


def three_classes(count: int, seed: int = 1) -> Rows:
    """Rows of class 0 where the first number is below .4, else of 1 or 2 by the last id."""
    rows = make_rows(count, seed)
    later = np.where(rows.categorical[:, -1] % 2 == 0, 1, 2)
    codes = np.where(rows.numeric[:, 0] < 0.4, 0, later)
    return dataclasses.replace(rows, label=np.eye(3, dtype=np.float32)[codes])


@pytest.fixture(scope="module")
def teacher() -> tf_keras.Model:
    tf_keras.utils.set_random_seed(1)
    network = build_network(THREE, ARCHITECTURE, "teacher")
    fit(network, three_classes(3000), three_classes(500, 2), cross_entropy, Plan(20, 64, 0.01, 1))
    return network


def test_it_learns_shares_that_sum_to_one(teacher: tf_keras.Model) -> None:
    rows = three_classes(1000, 3)
    answers = answers_of(teacher, rows)
    assert answers.shape == (1000, 3)
    np.testing.assert_allclose(answers.sum(axis=1), 1, atol=1e-5)
    assert (decided(answers) == rows.codes).mean() > 0.95
    expected = -np.log((answers * rows.label).sum(axis=1)).mean()
    assert evaluation_loss(teacher, rows) == pytest.approx(expected, rel=1e-4)


def test_each_class_is_answered_as_often_as_it_is(teacher: tf_keras.Model) -> None:
    """The biases are settled on all rows of both splits."""
    parts = three_classes(3000), three_classes(500, 2)
    answers = np.concatenate([answers_of(teacher, rows) for rows in parts])
    labels = np.concatenate([rows.label for rows in parts])
    np.testing.assert_allclose(answers.mean(axis=0), labels.mean(axis=0), atol=2e-3)


def test_a_student_learns_the_teachers_opinion(teacher: tf_keras.Model) -> None:
    rows = three_classes(2000, 4)
    changes = {"epochs": 15, "learning_rate": 0.01, "sparsity": 0.25}
    section = STUDENT.model_copy(update=changes)
    unlabelled = dataclasses.replace(rows, label=np.full((rows.count, 3), 1 / 3, np.float32))
    student, outcome = distill(
        teacher, THREE, unlabelled, unlabelled.take(np.arange(500)), Plan(15, 64, 0.01, 1), section
    )
    tables = tables_of(student).values()
    left = [Goal(0.25).kept(table.shape) for table in tables]
    assert [np.count_nonzero(table) for table in tables] == left
    assert outcome.sparsity == pytest.approx(1 - sum(left) / sum(table.size for table in tables))
    unseen = three_classes(1000, 5)
    assert (
        decided(answers_of(student, unseen)) == decided(answers_of(teacher, unseen))
    ).mean() > 0.9


def test_the_loss_is_least_at_the_teachers_shares() -> None:
    loss, logit = distillation_loss(2.0, 0.0), tf.constant([[1.0, -2.0, 0.5]])
    target = tf.concat([[[1.0, 0.0, 0.0]], [[1.0]], logit], axis=1)
    same = float(loss(target, logit)[0])
    for shift in ([0.1, 0, 0], [0, -0.1, 0], [0, 0.2, -0.2]):
        assert float(loss(target, logit + tf.constant([shift]))[0]) > same
    np.testing.assert_allclose(loss(target, logit), loss(target, logit + 3.0), rtol=1e-6)


def test_nothing_is_weighed_or_moved(teacher: tf_keras.Model) -> None:
    rows = three_classes(300)
    balance = balance_of(rows, 0.5)
    assert balance.is_even
    assert balance.weighed(rows) is rows
    before = answers_of(teacher, rows)
    assert decide(teacher, [rows], balance) == balance
    np.testing.assert_array_equal(answers_of(teacher, rows), before)
