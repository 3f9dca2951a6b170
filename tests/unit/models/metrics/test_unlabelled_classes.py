"""Estimates without labels for three classes: right where the truth is known, and its intervals."""

import numpy as np
import pytest
from sklearn import metrics

from models.metrics.unlabelled_classes import ClassCalibrations, measured
from tests.support.three_classes import CLASSES
from tests.support.three_classes.answers import drawn


@pytest.mark.parametrize(
    "metric", ["accuracy", "recall[small bag]", "recall[b=o,x]", "recall[Crate[1]]"]
)
def test_the_estimate_is_right_where_group_shares_have_shifted(metric: str) -> None:
    answers, groups, labels = drawn(20_000, 0.1, 1)
    calibrations = ClassCalibrations(answers, groups, labels, CLASSES)
    before = measured(labels, answers, CLASSES)[metric].value
    inside = errors = unchanged = 0.0
    for seed in range(20):
        now, now_groups, truth = drawn(4_000, 0.9, 100 + seed)
        found = calibrations.estimate(metric, now, now_groups, np.ones(len(now), bool))
        assert found is not None
        true, quantity = measured(truth, now, CLASSES)[metric].value, found.quantity()
        inside += quantity.low <= true <= quantity.high
        errors += abs(quantity.value - true) / 20
        unchanged += abs(before - true) / 20
    assert inside >= 16  # of 20, at 95%
    assert errors < 0.02 < unchanged


def test_a_gap_between_groups_is_estimated() -> None:
    answers, groups, labels = drawn(20_000, 0.5, 1)
    calibrations = ClassCalibrations(answers, groups, labels, CLASSES)
    now, now_groups, truth = drawn(8_000, 0.5, 2)
    rows = {name: now_groups["group"] == name for name in "ab"}
    a, b = (calibrations.estimate("recall[small bag]", now, now_groups, rows[n]) for n in "ab")
    assert a is not None
    assert b is not None
    of = {
        n: measured(truth[rows[n]], now[rows[n]], CLASSES)["recall[small bag]"].value for n in "ab"
    }
    gap = a.minus(b)
    assert gap.low < of["a"] - of["b"] < gap.high
    assert gap.low > 0.05


def test_what_is_measured_is_what_scikit_learn_measures() -> None:
    answers, _, labels = drawn(3_000, 0.5, 3)
    chosen = answers.argmax(axis=1)
    found = measured(labels, answers, CLASSES)
    assert found["accuracy"].value == pytest.approx(metrics.accuracy_score(labels, chosen))
    macro = metrics.f1_score(labels, chosen, average="macro")
    assert found["macro_f1"].value == pytest.approx(macro)
    loss = metrics.log_loss(labels, answers)
    assert found["log_loss"].value == pytest.approx(loss)
    assert found["log_loss"].low < loss < found["log_loss"].high
    area = metrics.roc_auc_score(labels, answers, multi_class="ovr", average="macro")
    assert found["auc"].value == pytest.approx(area)
    recalls = metrics.recall_score(labels, chosen, average=None)
    precisions = metrics.precision_score(labels, chosen, average=None)
    for code, name in enumerate(CLASSES):
        assert found[f"recall[{name}]"].value == pytest.approx(recalls[code])
        assert found[f"precision[{name}]"].value == pytest.approx(precisions[code])
    inside = 0
    for seed in range(50):
        few, _, of_few = drawn(400, 0.5, 10 + seed)
        one = measured(of_few, few, CLASSES)["macro_f1"]
        inside += one.low <= macro <= one.high
    assert inside >= 44


def test_a_class_without_rows_has_no_recall() -> None:
    answers, groups, labels = drawn(500, 0.5, 4)
    few = labels != 2
    groups = {"group": groups["group"][few]}
    calibrations = ClassCalibrations(answers[few], groups, labels[few], CLASSES)
    assert calibrations.metrics == ("accuracy", "recall[small bag]", "recall[b=o,x]")
    found = measured(labels[few], answers[few], CLASSES)
    assert "recall[Crate[1]]" not in found
    assert "precision[Crate[1]]" in found
    assert measured(labels[:0], answers[:0], CLASSES) == {}


def test_rows_that_are_all_answered_rightly_calibrate_nothing() -> None:
    answers = np.eye(3)
    with pytest.raises(ValueError, match="all 3 rows with a label are answered rightly"):
        ClassCalibrations(answers, {}, np.arange(3), CLASSES)
    with pytest.raises(ValueError, match="answered wrongly"):
        ClassCalibrations(answers, {}, (np.arange(3) + 1) % 3, CLASSES)
    with pytest.raises(ValueError, match="all 0 rows"):
        ClassCalibrations(answers[:0], {}, np.arange(0), CLASSES)


def test_a_share_of_one_is_no_infinity() -> None:
    answers, groups, labels = drawn(500, 0.5, 5)
    answers = np.eye(3)[answers.argmax(axis=1)]
    calibrations = ClassCalibrations(answers, groups, labels, CLASSES)
    for metric in calibrations.metrics:
        found = calibrations.estimate(metric, answers, groups, np.ones(500, bool))
        assert found is not None
        quantity = found.quantity()
        assert 0 <= quantity.low <= quantity.value <= quantity.high <= 1
        true = measured(labels, answers, CLASSES)[metric].value
        assert quantity.low <= true <= quantity.high
