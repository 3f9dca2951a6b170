"""The opinion of simple models, and the rows that a network learns it from."""

import dataclasses

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from core.sections.training import TrainerSection
from models.network.layout import Layout, TextLayout
from models.network.preprocessing import ModelInputs
from models.network.rows import Rows
from models.reference.models import (
    BOOSTED_TREES,
    LOGISTIC_REGRESSION,
    Labelled,
    boosted_trees,
)
from models.teachers.lesson import TeacherLesson, enough_rows, teacher_lesson_of
from models.teachers.opinion import Opinion, frame_of, opinion_of
from tests.support.tiny_nodes import TRAINER

LAYOUT = Layout(
    numeric=("size", "age"),
    categorical=(("colour", ("red", "blue")),),
    buckets=4,
    text=TextLayout(("words",), 10, 3, 1),
)
INPUTS = ModelInputs(2, 3, 14, text=1, tokens=3, token_ids=12)


def rows_of(count: int, seed: int, classes: int = 2) -> Rows:
    """The class goes by the sum of the numbers; with three it has three parts."""
    draw = np.random.default_rng(seed)
    numeric = draw.normal(size=(count, 2)).astype(np.float32)
    numeric[:5, 1] = 0
    buckets = np.digitize(numeric, [-0.7, 0, 0.7]) + np.array([0, 5])
    buckets[:5, 1] = 9  # missing
    colour = 10 + draw.integers(4, size=(count, 1))
    code = np.digitize(numeric.sum(axis=1), [0.0] if classes == 2 else [-1, 1])
    label = code[:, np.newaxis] if classes == 2 else np.eye(classes)[code]
    return Rows(
        numeric=numeric,
        categorical=np.concatenate([buckets, colour], axis=1),
        label=label.astype(np.float32),
        weight=np.ones((count, 1), np.float32),
        tokens=draw.integers(12, size=(count, 3)),
    )


def section(**changes: object) -> TrainerSection:
    return TrainerSection.model_validate(
        {**TRAINER, "hidden_units": (8,), "kind": "boosted_trees", **changes}
    )


def test_rows_as_a_table() -> None:
    rows = rows_of(20, 1)
    table = frame_of(rows, LAYOUT)
    assert (len(table.numeric), len(table.categorical), len(table.text)) == (2, 1, 1)
    ages = table.frame[table.numeric[1]]
    assert ages.isna().tolist() == [True] * 5 + [False] * 15
    np.testing.assert_array_equal(ages[5:], rows.numeric[5:, 1])
    np.testing.assert_array_equal(table.frame[table.categorical[0]], rows.categorical[:, 2])
    assert rows.tokens is not None
    words = [str(word) for word in rows.tokens[7] if word]
    assert table.frame[table.text[0]][7] == " ".join(words), "padding is no word"


@pytest.mark.parametrize("classes", [2, 3])
def test_an_opinion_ranks_rows_that_it_never_saw(classes: int) -> None:
    train, evaluation, test = (rows_of(n, s, classes) for n, s in ((800, 1), (200, 2), (500, 3)))
    opinion = opinion_of(train, evaluation, LAYOUT, classes, trees=50, seed=1)
    answers = opinion.of(test)
    assert answers.dtype == np.float32
    assert answers.shape == test.label.shape
    assert sum(opinion.shares.values()) == pytest.approx(1)
    assert set(opinion.shares) == {LOGISTIC_REGRESSION, BOOSTED_TREES}
    assert roc_auc_score(test.label, answers) > 0.97
    if classes == 3:
        np.testing.assert_allclose(answers.sum(axis=1), 1, rtol=1e-5)


def test_the_model_that_is_right_counts_more() -> None:
    """Only trees see a product; only the eval rows can tell."""
    train, evaluation = rows_of(3000, 1), rows_of(1000, 2)
    train, evaluation = (
        dataclasses.replace(
            rows, label=(np.prod(rows.numeric, axis=1, keepdims=True) > 0).astype(np.float32)
        )
        for rows in (train, evaluation)
    )
    shares = opinion_of(train, evaluation, LAYOUT, 2, trees=100, seed=1).shares
    assert shares[BOOSTED_TREES] > 0.8


def test_rows_of_a_lesson() -> None:
    rows = rows_of(100, 1)
    rows.weight[:40] = 0
    opinion = Opinion({}, lambda of: np.full((of.count, 1), 0.7, np.float32))
    columns = teacher_lesson_of((rows, rows), LAYOUT, INPUTS, section(), 1)
    assert columns is not None
    learnt = TeacherLesson(opinion, columns.columns, share=0.5, made=2.0, enough=0, seed=1).of(rows)
    assert learnt.count == 60 + 120
    np.testing.assert_allclose(learnt.label[:60], 0.35 + rows.label[40:] / 2)
    np.testing.assert_allclose(learnt.label[60:], 0.7)
    assert (learnt.weight == 1).all()
    for made in (learnt.numeric[60:, 0], learnt.categorical[60:, 2]):
        assert set(made) <= {*rows.numeric[40:, 0], *rows.categorical[40:, 2]}


def test_many_rows_are_enough() -> None:
    opinion = Opinion({}, lambda of: of.label)
    lesson = teacher_lesson_of((rows_of(50, 1), rows_of(50, 2)), LAYOUT, INPUTS, section(), 1)
    assert lesson is not None
    auto = dataclasses.replace(lesson, opinion=opinion)
    assert (auto.count(50), auto.count(60_000), auto.count(10**6)) == (59_950, 0, 0)
    assert dataclasses.replace(auto, made=0.0).count(50) == 0
    assert dataclasses.replace(auto, columns=auto.columns[:1]).count(50) == 0


@pytest.mark.parametrize(("numbers", "enough"), [(5, 60_000), (20, 30_000), (500, 20_000)])
def test_of_wide_tables_fewer_rows_are_made(numbers: int, enough: int) -> None:
    assert enough_rows(ModelInputs(numbers, numbers, 100)) == enough


def test_smaller_trees_are_asked_where_effects_add_up() -> None:
    """Of ten numbers whose steps add up, each tree of half of them tells more."""

    def rows(count: int, seed: int) -> Rows:
        draw = np.random.default_rng(seed)
        numeric = draw.normal(size=(count, 10)).astype(np.float32)
        odds = (numeric > 0.5).sum(axis=1) - 3.0
        label = draw.random(count) < 1 / (1 + np.exp(-odds))
        ids = np.zeros((count, 10), np.int64)
        return Rows(
            numeric, ids, label[:, None].astype(np.float32), np.ones((count, 1), np.float32)
        )

    layout = Layout(numeric=tuple(f"n{n}" for n in range(10)), categorical=(), buckets=4, text=None)
    train, evaluation, test = rows(6000, 1), rows(2000, 2), rows(4000, 3)
    opinion = opinion_of(train, evaluation, layout, 2, trees=300, seed=1)
    own = boosted_trees(
        Labelled(frame_of(train, layout), train.label, train.weight[:, 0]),
        Labelled(frame_of(evaluation, layout), evaluation.label, evaluation.weight[:, 0]),
        2,
        300,
        1,
    )
    found = roc_auc_score(test.label, opinion.of(test))
    assert found > roc_auc_score(test.label, own(frame_of(test, layout)))
    assert opinion.again is not None
    assert roc_auc_score(test.label, opinion.again(train).of(test)) == pytest.approx(
        found, abs=0.01
    )


def test_nothing_is_learnt_of_one_class_or_by_labels_alone() -> None:
    rows = rows_of(50, 1)
    assert teacher_lesson_of((rows, rows), LAYOUT, INPUTS, section(kind="wide_and_deep"), 1) is None
    alike = dataclasses.replace(rows, label=np.ones_like(rows.label))
    assert teacher_lesson_of((alike, alike), LAYOUT, INPUTS, section(), 1) is None
