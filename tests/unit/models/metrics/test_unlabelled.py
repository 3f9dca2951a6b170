"""Estimates without labels: right where the truth is known, with intervals that hold it."""

import numpy as np
import pytest

from models.metrics.registry import METRICS, RATES
from models.metrics.unlabelled import ESTIMATORS, Calibration, measured


def drawn(
    count: int, share: float, seed: int
) -> tuple[np.ndarray, dict[str, np.ndarray], np.ndarray]:
    """Answers of a model that is too sure, and wrong by more in group b: rows, groups, labels."""
    draw = np.random.default_rng(seed)
    group = np.where(draw.random(count) < share, "b", "a").astype(object)
    odds = draw.normal(-1, 1.5, count)
    answers = 1 / (1 + np.exp(-2 * odds))
    true = 1 / (1 + np.exp(-(odds + np.where(group == "b", -1.0, 0.3))))
    return answers, {"group": group}, draw.random(count) < true


@pytest.mark.parametrize("metric", ESTIMATORS)
def test_the_estimate_is_right_where_group_shares_have_shifted(metric: str) -> None:
    assert metric in {**METRICS, **RATES}
    answers, groups, labels = drawn(20_000, 0.2, 1)
    calibration = Calibration(answers, groups, labels)
    inside = errors = unchanged = 0.0
    for seed in range(20):
        now, now_groups, truth = drawn(4_000, 0.8, 100 + seed)
        rows = np.ones(len(now), bool)
        found = calibration.estimate(metric, now, now_groups, rows)
        true = {**METRICS, **RATES}[metric].measure(truth.astype(int), now)
        before = {**METRICS, **RATES}[metric].measure(labels.astype(int), answers)
        assert found is not None
        assert true is not None
        assert before is not None
        quantity = found.quantity()
        inside += quantity.low <= true <= quantity.high
        errors += abs(quantity.value - true) / 20
        unchanged += abs(before - true) / 20
    assert inside >= 16  # of 20, at 95%
    assert errors < 0.03
    assert errors < unchanged or unchanged < 0.02


@pytest.mark.parametrize("metric", ESTIMATORS)
def test_the_gradient_is_the_derivative(metric: str) -> None:
    certain = np.array([0.1, 0.4, 0.7, 0.9])
    answers = np.array([0.2, 0.6, 0.4, 0.6])
    found = ESTIMATORS[metric](certain, answers)
    assert found is not None
    for at in range(4):
        step = np.zeros(4)
        step[at] = 1e-6
        more = ESTIMATORS[metric](certain + step, answers)
        assert more is not None
        assert (more[0] - found[0]) / 1e-6 == pytest.approx(found[1][at], abs=1e-4)


@pytest.mark.parametrize("metric", ESTIMATORS)
def test_certain_rows_give_the_metric_itself(metric: str) -> None:
    labels, answers = np.array([0, 1, 1, 0, 1]), np.array([0.2, 0.6, 0.4, 0.6, 0.6])
    found = ESTIMATORS[metric](labels.astype(float), answers)
    assert found is not None
    assert found[0] == pytest.approx({**METRICS, **RATES}[metric].measure(labels, answers))


def test_without_positive_rows_there_is_no_rate() -> None:
    assert ESTIMATORS["tpr"](np.zeros(3), np.full(3, 0.7)) is None
    assert ESTIMATORS["auc"](np.zeros(3), np.full(3, 0.7)) is None
    assert measured("tpr", np.zeros(3, bool), np.full(3, 0.7)) is None
    assert measured("accuracy", np.zeros(0, bool), np.zeros(0)) is None


def test_labels_of_one_class_calibrate_nothing() -> None:
    with pytest.raises(ValueError, match="both classes"):
        Calibration(np.array([0.1, 0.2]), {}, np.array([True, True]))


def test_a_measured_share_of_few_rows_is_not_certain() -> None:
    found = measured("accuracy", np.ones(10, bool), np.full(10, 0.9))
    assert found is not None
    assert found.value == 1.0
    assert 0.5 < found.low < 0.95
