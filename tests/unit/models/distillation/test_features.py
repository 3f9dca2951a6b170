"""Feature distillation: the student's last values tell the teacher's."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from models.distillation.features import TeacherFeatures, matching, matching_loss, taken_over
from models.network.network import LOGIT, answers_of, build_network
from models.network.training import Plan, cross_entropy, fit
from tests.support.tiny_rows import ARCHITECTURE, INPUTS, make_rows

ROWS = make_rows(400)


@pytest.fixture(scope="module")
def teacher() -> tf_keras.Model:
    tf_keras.utils.set_random_seed(1)
    network = build_network(INPUTS, ARCHITECTURE, "teacher")
    fit(network, ROWS, make_rows(100, 2), cross_entropy, Plan(8, 32, 0.02, 1))
    return network


def test_the_features_are_scaled_and_stand_after_the_label(teacher: tf_keras.Model) -> None:
    features = TeacherFeatures.of(teacher, ROWS)
    assert features.width == ARCHITECTURE.hidden_units[-1] + INPUTS.categorical + 1
    beside = features.beside(ROWS).label
    np.testing.assert_array_equal(beside[:, :1], ROWS.label)
    found = beside[:, 1:]
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-3)
    assert set(np.round(found.std(axis=0), 2)) <= {0.0, 1.0}


def test_the_loss_adds_the_mean_squared_difference() -> None:
    loss = matching_loss(cross_entropy, 1, 2, 0.5)
    target, answer = tf.constant([[1.0, 2.0, 0.0]]), tf.constant([[0.0, 0.0, 1.0]])
    assert float(loss(target, answer)[0]) == pytest.approx(np.log(2) + 0.5 * (4 + 1) / 2)


def test_the_student_keeps_what_was_learnt_and_no_projection(teacher: tf_keras.Model) -> None:
    features = TeacherFeatures.of(teacher, ROWS)
    student = build_network(INPUTS, ARCHITECTURE, "student")
    trained = matching(student, features.width)
    plan = Plan(8, 32, 0.02, 1)
    evaluation = features.beside(make_rows(100, 2))
    loss = matching_loss(cross_entropy, 1, features.width, 1.0)
    history = fit(trained, features.beside(ROWS), evaluation, loss, plan)
    assert history["loss"][-1] < history["loss"][0]
    logit = trained(ROWS.features).numpy()[:, 0]  # of the same weights, so before they change
    taken_over(student, trained)
    np.testing.assert_allclose(answers_of(student, ROWS), 1 / (1 + np.exp(-logit)), atol=1e-5)
    kernel = student.get_layer(LOGIT).get_weights()[0]
    assert kernel.shape == (ARCHITECTURE.hidden_units[-1] + INPUTS.categorical + 1, 1)
