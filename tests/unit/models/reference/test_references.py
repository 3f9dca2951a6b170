"""The references on tiny tables of every kind of column."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from core.sections.evaluation import Judging
from models.metrics.against_reference import reference_gates
from models.metrics.comparison import Difference
from models.metrics.evidence import SliceEvidence
from models.reference.answers import read_answers, write_answers
from models.reference.columns import RawFrame, examples_of, known_classes, table_of
from models.reference.models import (
    Answer,
    Labelled,
    boosted_trees,
    is_one_class,
    logistic_regression,
)
from tests.support.data_sets.every_kind import LAYOUT, columns

RULE = Judging(min_slice_rows=100, few_rows=50, when_too_few="warn")
CODES = 20


def fitted(labels: np.ndarray, weights: np.ndarray, frame: RawFrame, width: int) -> list[Answer]:
    train = Labelled(frame, labels, weights)
    return [logistic_regression(train, width), boosted_trees(train, train, width, 60, 1)]


def test_both_learn_from_every_kind_of_column() -> None:
    made, unseen = columns(1500, codes=CODES), columns(600, seed=1, codes=CODES)
    unseen["code"][0] = "never seen"
    frame, asked = table_of(made, LAYOUT), table_of(unseen, LAYOUT)
    told = {
        "size": lambda c: np.nan_to_num(c["size"]) > 0.3,
        "colour": lambda c: c["colour"] == "red",
        "words": lambda c: c["words"] == "free prize",
        "day": lambda c: c["day"] == "2024-02-29",
        "code": lambda c: np.isin(c["code"], ["c1", "c2", "c3"]),
    }
    for column, rule in told.items():
        labels = rule(made).astype(np.float64)[:, np.newaxis]
        for answer in fitted(labels, np.ones(1500), frame, 2):
            auc = roc_auc_score(rule(unseen)[1:], answer(asked)[1:])
            assert auc > 0.9, column


def test_soft_labels_and_weights_count() -> None:
    made = columns(2000, codes=CODES)
    red = made["colour"] == "red"
    labels = np.where(red, 0.8, 0.2)[:, np.newaxis]
    weights = np.ones(2000)
    labels[:1000] = 1 - labels[:1000]
    weights[:1000] = 0.0  # what they say is the opposite
    for answer in fitted(labels, weights, table_of(made, LAYOUT), 2):
        found = answer(table_of(made, LAYOUT))
        assert found[red].mean() == pytest.approx(0.8, abs=0.05)
        assert found[~red].mean() == pytest.approx(0.2, abs=0.05)


def test_three_classes_have_shares_that_sum_to_one() -> None:
    made = columns(1500, codes=CODES)
    codes = np.select([made["colour"] == "red", made["colour"] == "blue"], [0, 1], 2)
    for answer in fitted(np.eye(3)[codes], np.ones(1500), table_of(made, LAYOUT), 3):
        shares = answer(table_of(made, LAYOUT))
        assert shares.shape == (1500, 3)
        assert shares.sum(axis=1) == pytest.approx(1.0)
        assert (shares.argmax(axis=1) == codes).mean() > 0.95


def test_a_share_is_a_row_of_its_class() -> None:
    labels, weights = np.array([[0.25], [1.0], [0.5]]), np.array([2.0, 1.0, 0.0])
    rows, codes, shares = examples_of(labels, weights, 2)
    assert list(zip(rows.tolist(), codes.tolist(), shares.tolist(), strict=True)) == [
        (0, 0, 1.5),
        (0, 1, 0.5),
        (1, 1, 1.0),
    ]


def test_a_class_that_was_not_seen_has_no_share() -> None:
    found = known_classes([0, 2], np.array([[0.3, 0.7]]), 3)
    assert found.tolist() == [[0.3, 0.0, 0.7]]


def test_one_class_alone_is_told() -> None:
    frame = table_of(columns(3, codes=CODES), LAYOUT)
    assert is_one_class(Labelled(frame, np.array([[1.0], [1.0], [0.0]]), np.array([1.0, 1.0, 0.0])))
    assert not is_one_class(Labelled(frame, np.array([[1.0], [0.4], [0.0]]), np.ones(3)))


def test_answers_are_found_by_row_id(tmp_path: Path) -> None:
    ids = np.array(["span-1:1", "span-1:2", "span-2:1"], object)
    write_answers(tmp_path, ids, {"boosted_trees": np.array([0.1, 0.2, 0.3])})
    assert read_answers(tmp_path, ids[::-1])["boosted_trees"].tolist() == [0.3, 0.2, 0.1]
    with pytest.raises(KeyError, match="span-9:1"):
        read_answers(tmp_path, np.array(["span-9:1"]))


@pytest.mark.parametrize(
    ("value", "low", "high", "bound", "passed"),
    [
        (-0.004, -0.006, -0.002, -0.005, True),  # behind by less than the bound
        (-0.02, -0.03, -0.01, -0.005, False),
        (-0.02, -0.05, 0.01, -0.005, True),  # within chance
        (0.001, -0.01, 0.01, 0.01, False),  # a lead is asked for
        (0.02, 0.01, 0.03, 0.01, True),
    ],
)
def test_the_better_reference_is_the_one_that_counts(
    value: float, low: float, high: float, bound: float, passed: bool
) -> None:
    seen = SliceEvidence(1000, 300, {})
    ahead = Difference("auc", "overall", 1000, 0.1, 0.05, 0.15, 0.02)
    other = Difference("auc", "overall", 1000, value, low, high, 0.01)
    against = {"logistic_regression": [ahead], "boosted_trees": [other]}
    [gate] = reference_gates("server", {"auc": bound}, against, seen, RULE)
    assert (gate.value, gate.passed, gate.interval) == (value, passed, (low, high))
    assert gate.key == "evaluation.server.min_over_reference.auc"
    if not passed:
        assert "boosted trees" in gate.reason


def test_of_a_loss_the_lower_one_is_ahead() -> None:
    behind = Difference("log_loss", "overall", 1000, 0.3, 0.2, 0.4, 0.02)
    seen = SliceEvidence(1000, None, {}, {"a": 500, "b": 400, "c": 100})
    [gate] = reference_gates("edge", {"log_loss": -0.01}, {"boosted_trees": [behind]}, seen, RULE)
    assert (gate.value, gate.interval, gate.passed) == (-0.3, (-0.4, -0.2), False)


def test_without_references_there_is_no_gate() -> None:
    assert reference_gates("edge", {"auc": 0.0}, {}, SliceEvidence(10, 5, {}), RULE) == []
