"""Distillation: the loss by hand, and a student that follows its teacher."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from models.distillation.columns import ColumnPlaces
from models.distillation.distillation import RowsUsed, distill, lesson_of
from models.distillation.opinion import distillation_loss, with_opinion
from models.network.network import answers_of, build_network
from models.network.training import Plan, cross_entropy, fit
from tests.support.tiny_rows import ARCHITECTURE, INPUTS, STUDENT, make_rows

PLAN = Plan(STUDENT.epochs, batch_size=32, learning_rate=STUDENT.learning_rate, seed=1)

COLUMNS = (
    ColumnPlaces((0,), (0,)),
    ColumnPlaces((1,), (1,)),
    ColumnPlaces(categorical=(2,)),
)


@pytest.fixture(scope="module")
def teacher() -> tf_keras.Model:
    tf_keras.utils.set_random_seed(1)
    network = build_network(INPUTS, ARCHITECTURE, "teacher")
    fit(network, make_rows(600), make_rows(100, seed=2), cross_entropy, PLAN)
    return network


def test_the_loss_mixes_label_and_teacher() -> None:
    target = tf.constant([[1.0, 2.0, 0.0]])  # label, its weight, the teacher's logit
    logit = tf.constant([[0.0]])
    loss = distillation_loss(temperature=2.0, share=0.25)
    expected = 0.25 * 2.0 * np.log(2) + 0.75 * 4.0 * np.log(2)
    assert float(loss(target, logit)[0]) == pytest.approx(expected)


def test_the_labels_alone_give_plain_cross_entropy() -> None:
    rows = make_rows(20)
    logit = tf.reshape(tf.linspace(-3.0, 3.0, 20), [20, 1])
    target = tf.concat([rows.label, rows.weight, -logit], axis=1)
    loss = distillation_loss(temperature=3.0, share=1.0)
    np.testing.assert_allclose(loss(target, logit), cross_entropy(rows.label, logit), rtol=1e-6)


def test_rows_without_label_weight_have_an_opinion_too(teacher: tf_keras.Model) -> None:
    weight = np.array([[0.0], [2.0]], np.float32)
    rows = with_opinion(dataclasses.replace(make_rows(2), weight=weight), teacher)
    assert rows.weight.tolist() == [[1.0], [1.0]]
    assert rows.label[:, 1].tolist() == [0.0, 2.0]


def test_the_student_follows_the_teacher_not_the_labels(teacher: tf_keras.Model) -> None:
    rows = make_rows(600)
    wrong = dataclasses.replace(rows, label=1 - rows.label)
    student, report = distill(
        teacher,
        INPUTS,
        wrong,
        dataclasses.replace(make_rows(100, seed=2), label=np.ones((100, 1), np.float32)),
        PLAN,
        STUDENT,
    )
    fresh = make_rows(300, seed=5)
    agreement = (student(fresh.features).numpy() > 0.5) == (teacher(fresh.features).numpy() > 0.5)
    assert agreement.mean() > 0.9
    assert report.sparsity == pytest.approx(0.3, abs=0.02)
    assert report.rows == RowsUsed(labelled=600, unlabelled=0, made=0)


def test_few_rows_get_as_many_steps_and_rows_are_made(teacher: tf_keras.Model) -> None:
    weight = np.ones((40, 1), np.float32)
    weight[:30] = 0.0
    rows = dataclasses.replace(make_rows(40), weight=weight)
    section = STUDENT.model_copy(update={"steps": 250, "augmentation": "auto", "features": 0.5})
    lesson = lesson_of(teacher, (rows, make_rows(20, 2)), PLAN, section, COLUMNS)
    assert lesson.used == RowsUsed(labelled=10, unlabelled=30, made=400)
    assert lesson.train.count >= 100 * PLAN.batch_size
    assert lesson.train.label.shape == (lesson.train.count, 3)
    assert (lesson.train.label[:, 1] > 0).mean() == pytest.approx(10 / 440, abs=1e-3)
    assert 250 <= lesson.steps < 350
    student, report = distill(
        teacher, INPUTS, rows, make_rows(20, 2), PLAN, section, columns=COLUMNS
    )
    assert report.steps == lesson.steps
    fresh = make_rows(300, 5)
    agreement = (answers_of(student, fresh) > 0.5) == (answers_of(teacher, fresh) > 0.5)
    assert agreement.mean() > 0.8


def test_many_rows_are_not_repeated(teacher: tf_keras.Model) -> None:
    plan = dataclasses.replace(PLAN, batch_size=2, epochs=3)
    lesson = lesson_of(teacher, (make_rows(300), make_rows(20, 2)), plan, STUDENT, COLUMNS)
    assert lesson.train.count == 300
    assert lesson.plan.epochs == 3
    assert lesson.plan.decay


def test_a_teacher_on_other_inputs_is_an_error(teacher: tf_keras.Model) -> None:
    rows = make_rows(5)
    narrow = dataclasses.replace(rows, numeric=rows.numeric[:, :1])
    with pytest.raises(ValueError, match="incompatible"):
        with_opinion(narrow, teacher)
