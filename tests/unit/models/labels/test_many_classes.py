"""Label model, combiner and scores of more than two classes."""

import time

import numpy as np
import pytest
from sklearn import metrics

from core.errors import InputError
from core.sections.labeling import LabelFitting
from models.labels import label_model, scores
from models.labels import report as label_report
from models.labels.combiner import ASSUMED_ACCURACY, combine, temper
from models.labels.label_model import Fitted
from models.labels.votes import ABSTAIN, Gold, distinct

HOW = LabelFitting.model_validate(
    {
        "method": "auto",
        "epochs": 300,
        "tuning": {"learning_rate": (), "l2": (), "epochs": (), "prec_init": ()},
    }
)


def draw(classes: int, rows: int, accuracies: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """Labels, and votes of functions: each for some classes, as often right as its accuracy."""
    rng = np.random.default_rng(classes)
    labels = rng.permutation(np.arange(rows) % classes).astype(np.int8)
    votes = np.full((rows, len(accuracies)), ABSTAIN, np.int8)
    for n, accuracy in enumerate(accuracies):
        told = np.where(rng.random(rows) < accuracy, labels, rng.integers(0, classes, rows))
        covered = rng.random(rows) < 0.7
        votes[covered, n] = told[covered]
    return labels, votes


def fit(
    labels: np.ndarray, votes: np.ndarray, gold: int, classes: int
) -> tuple[Fitted, np.ndarray]:
    vectors, counts, vector_of_row = distinct(votes)
    known = Gold(votes[:gold], labels[:gold])
    called = [f"class {code}" for code in range(classes)]
    names = [f"f{n}" for n in range(votes.shape[1])]
    fitted = label_model.fit(vectors, counts, known, names, HOW, 1, classes=called)
    report = label_report.weak(names, vectors, counts, known, fitted, classes=called)
    assert list(report["class_balance"]) == called
    return fitted, vector_of_row


def test_every_method_beats_the_majority_where_functions_differ() -> None:
    labels, votes = draw(3, 6000, [0.9, 0.5, 0.45, 0.4, 0.35])
    fitted, vector_of_row = fit(labels, votes, 300, 3)
    shares = fitted.probability[vector_of_row]
    assert shares.shape == (6000, 3)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    majority = fitted.scores["majority_vote"]
    for name in ("average", "combiner", "label_model"):
        assert fitted.scores[name].log_loss < majority.log_loss
    assert (shares.argmax(axis=1) == labels).mean() > majority.accuracy
    np.testing.assert_allclose(fitted.class_balance, 1 / 3, atol=0.1)
    assert fitted.weight.argmax() == 0


def test_scores_are_scikit_learns() -> None:
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 4, 500).astype(np.int8)
    shares = rng.dirichlet(np.ones(4), 500) + 0.3 * np.eye(4)[labels]
    shares /= shares.sum(axis=1, keepdims=True)
    found = scores.score(shares, labels)
    decided = shares.argmax(axis=1)
    assert found.accuracy == metrics.accuracy_score(labels, decided)
    assert found.f1 == pytest.approx(metrics.f1_score(labels, decided, average="macro"))
    assert found.auc == pytest.approx(metrics.roc_auc_score(labels, shares, multi_class="ovr"))
    assert found.log_loss == pytest.approx(metrics.log_loss(labels, shares), rel=1e-2)
    assert found.auc_interval[0] < found.auc < found.auc_interval[1]


def test_the_combiner_is_a_majority_vote_without_evidence() -> None:
    nothing = Gold(np.full((3, 4), ABSTAIN, np.int8), np.array([0, 1, 2], np.int8))
    votes = np.array([[2, 2, 0, 1], [1, ABSTAIN, ABSTAIN, ABSTAIN]], np.int8)
    odds = ASSUMED_ACCURACY / (1 - ASSUMED_ACCURACY)
    scored = np.array([[odds, odds, odds**2], [1, odds, 1]])
    expected = scored / scored.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(combine(nothing, votes, 3), expected, atol=1e-6)


def test_tempering_keeps_the_order_of_classes() -> None:
    rng = np.random.default_rng(0)
    true = rng.dirichlet(np.ones(3), 3000)
    labels = np.array([rng.choice(3, p=p) for p in true], np.int8)
    sure = true**3 / (true**3).sum(axis=1, keepdims=True)
    tempered = temper(sure[:600], labels[:600], sure)
    clear = sure.min(axis=1) > 1e-3
    np.testing.assert_array_equal(tempered[clear].argsort(axis=1), sure[clear].argsort(axis=1))
    np.testing.assert_allclose(tempered, true, atol=0.1)


def test_forty_classes_take_seconds() -> None:
    labels, votes = draw(40, 8000, [0.8, 0.7, 0.6, 0.6, 0.5, 0.5])
    start = time.process_time()
    fitted, vector_of_row = fit(labels, votes, 400, 40)
    assert time.process_time() - start < 60
    assert (fitted.probability[vector_of_row].argmax(axis=1) == labels).mean() > 0.6


def test_a_class_without_a_gold_row_is_named() -> None:
    labels, votes = draw(3, 300, [0.8, 0.8, 0.8])
    with pytest.raises(InputError, match=r"none of 100 gold rows has the class 'class 2'"):
        fit(labels[labels < 2], votes[labels < 2], 100, 3)


@pytest.mark.parametrize("accuracies", [[0.8], [0.8, 0.7]])
def test_fewer_than_three_functions_leave_the_combiner(accuracies: list[float]) -> None:
    labels, votes = draw(3, 600, accuracies)
    fitted, _ = fit(labels, votes, 100, 3)
    assert list(fitted.scores) == ["combiner", "majority_vote"]
    assert fitted.method == "combiner"
    assert fitted.accuracy_on_gold > 0.6


def test_a_class_that_none_votes_for_and_a_function_of_one_class() -> None:
    labels, votes = draw(3, 600, [0.8, 0.7, 0.6])
    votes[votes == 2] = ABSTAIN
    votes = np.hstack([votes, np.full((600, 1), 1, np.int8)])
    fitted, vector_of_row = fit(labels, votes, 100, 3)
    shares = fitted.probability[vector_of_row]
    assert np.isfinite(shares).all()
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert (shares.argmax(axis=1) == labels).mean() > 0.6
