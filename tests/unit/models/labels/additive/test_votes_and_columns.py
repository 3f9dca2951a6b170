"""Votes and columns together: what few gold rows can say of both."""

import numpy as np
import pytest

from core.sections.labeling import LabelFitting, LabelTuning
from models.labels import label_model
from models.labels.additive.majority import MajorityByColumns
from models.labels.additive.model import Fitting
from models.labels.additive.sample import taken
from models.labels.label_model import SeenRows
from models.labels.rows import Columns, coded
from models.labels.scores import most_likely
from models.labels.votes import ABSTAIN, Gold, Votes, distinct

GOLD_ROWS = 200
NO_TUNING = LabelTuning(learning_rate=(), l2=(), epochs=(), prec_init=())


def problem(classes: int, rows: int = 4000) -> tuple[Votes, np.ndarray, Columns]:
    """Votes right in most cases, and a number that tells rows with the same votes apart."""
    rng = np.random.default_rng(4)
    number = rng.normal(size=rows)
    score = 2 * number[:, None] * np.linspace(-1, 1, classes) + rng.gumbel(size=(rows, classes))
    labels = score.argmax(axis=1).astype(np.int8)
    votes = np.where(
        rng.random((rows, 5)) < 0.7, labels[:, None], rng.integers(classes, size=(rows, 5))
    )
    votes = np.where(rng.random((rows, 5)) < 0.4, votes, ABSTAIN).astype(np.int8)
    columns = {"number": coded(number.round(2).tolist()), "kind": coded(["a", "b"] * (rows // 2))}
    return votes, labels, columns


def fit(classes: int, method: str) -> tuple[label_model.Fitted, np.ndarray]:
    votes, labels, columns = problem(classes)
    vectors, counts, vector_of_row = distinct(votes)
    gold = Gold(votes[:GOLD_ROWS], labels[:GOLD_ROWS])
    first = np.arange(GOLD_ROWS)
    majority = MajorityByColumns.of(votes, columns, classes)
    seen = SeenRows(majority, {n: taken(c, first) for n, c in columns.items()})
    how = LabelFitting.model_validate({"method": method, "epochs": 100, "tuning": NO_TUNING})
    names = [f"function_{n}" for n in range(5)]
    called = [f"class_{n}" for n in range(classes)]
    fitted = label_model.fit(vectors, counts, gold, names, how, 1, classes=called, seen=seen)
    return fitted, fitted.answers(vector_of_row, columns)[GOLD_ROWS:]


@pytest.mark.parametrize("classes", [2, 3])
def test_columns_tell_rows_with_the_same_votes_apart(classes: int) -> None:
    truth = problem(classes)[1][GOLD_ROWS:]
    fitted, answers = fit(classes, "votes_and_columns")
    assert fitted.columns is not None
    _, before = fit(classes, "average")
    right, earlier = (float((most_likely(a) == truth).mean()) for a in (answers, before))
    assert right > earlier + 0.02
    assert fitted.accuracy_on_gold == pytest.approx(right, abs=0.08)
    assert answers.shape == ((len(truth),) if classes == 2 else (len(truth), classes))


def test_a_method_without_columns_answers_by_votes() -> None:
    fitted, _ = fit(2, "average")
    assert fitted.columns is None


def test_parts_of_the_gold_rows_are_answered_by_the_others() -> None:
    votes, labels, columns = problem(2, 200)
    gold = Gold(votes, labels)
    majority = MajorityByColumns.of(votes, columns, 2)
    fitting = Fitting(gold, majority, columns, 2)
    fold = np.arange(200) % 5 == 0
    told = fitting.held_out(~fold, fold)
    alone = Gold(votes[~fold], labels[~fold])
    rest = {n: taken(c, np.flatnonzero(~fold)) for n, c in columns.items()}
    own = {n: taken(c, np.flatnonzero(fold)) for n, c in columns.items()}
    fitted = Fitting(alone, majority, rest, 2).fit(votes[fold])
    np.testing.assert_allclose(told, fitted.scores.added(fitted.probability, own), atol=1e-6)


def test_of_many_classes_the_work_is_bounded() -> None:
    votes, labels, columns = problem(40, 400)
    majority = MajorityByColumns.of(votes, columns, 40)
    fitted = Fitting(Gold(votes, labels), majority, columns, 40).fit(votes)
    answers = fitted.scores.added(fitted.probability, columns)
    np.testing.assert_allclose(answers.sum(axis=1), 1)
