"""What follows from counts of rows by class and bin, against the rows themselves."""

from pathlib import Path

import numpy as np
import pytest

from core.intervals import wilson_interval
from pipeline.report.page.score_counts import (
    Counts,
    calibration_error,
    counts_of,
    reliability,
)
from tests.support.records.measured import (
    BINS,
    SLICES,
    at_threshold,
    groups_of,
    record_of,
    rows_of_two,
)


@pytest.mark.parametrize("threshold", [0.05, 0.325, 0.5, 0.75])
def test_counts_say_at_a_threshold_what_the_rows_say(tmp_path: Path, threshold: float) -> None:
    rows = rows_of_two()
    counts = counts_of(record_of(rows, tmp_path).summary.models["teacher_pruned"])
    for name, members in groups_of(rows, SLICES).items():
        if members.sum() < 50:
            continue
        found = counts[name].at(round(threshold * BINS))
        assert found == pytest.approx(at_threshold(rows, "teacher_pruned", members, threshold))


def test_what_has_no_rows_is_none() -> None:
    negative = Counts(np.array([3, 1]), np.array([0, 0]))
    found = negative.at(1)
    assert (found["accuracy"], found["fpr"]) == (0.75, 0.25)
    assert found["tpr"] is None
    assert found["f1"] is None
    assert negative.at(2)["precision"] is None
    assert negative.interval("tpr", 1) is None
    assert negative.interval("fpr", 1) == wilson_interval(1, 4)
    assert calibration_error(Counts(np.zeros(4, int), np.zeros(4, int))) is None


def test_counts_are_none_where_the_run_took_none(tmp_path: Path) -> None:
    model = record_of(rows_of_two(), tmp_path).summary.models["teacher"]
    assert counts_of(model.model_copy(update={"scores": None})) == {}


def test_the_rows_of_each_step_with_the_share_that_is_positive() -> None:
    counts = Counts(np.array([8, 0, 0, 0, 1]), np.array([2, 0, 0, 0, 9]))
    low, high = reliability(counts, 5)
    assert (low.rows, low.share) == (10, 0.2)
    assert low.mean == pytest.approx(0.1)
    assert (high.low, high.high, high.share) == (0.8, 1.0, 0.9)
    assert low.interval[0] < 0.2 < low.interval[1]


def test_right_probabilities_err_by_chance_alone_and_wrong_ones_by_more() -> None:
    random = np.random.default_rng(3)
    probabilities = random.random(4000)
    errors = {}
    for name, truth in (("right", probabilities), ("wrong", probabilities**2)):
        positive = random.random(4000) < truth
        place = (probabilities * BINS).astype(int)
        counts = [np.bincount(place[positive == code], minlength=BINS) for code in (0, 1)]
        found = calibration_error(Counts(*counts))
        assert found is not None
        errors[name] = found
    right, wrong = errors["right"], errors["wrong"]
    assert right.expected < 2 * right.by_chance
    assert wrong.expected > 10 * wrong.by_chance
    assert wrong.bias == pytest.approx(1 / 2 - 1 / 3, abs=0.02), "too high"


def test_chance_alone_is_what_many_draws_come_to() -> None:
    random = np.random.default_rng(4)
    middles = (np.arange(BINS) + 0.5) / BINS
    found = []
    for _ in range(200):
        positive = random.binomial(3, middles)
        error = calibration_error(Counts(3 - positive, positive))
        assert error is not None
        found.append((error.expected, error.by_chance))
    expected, by_chance = np.mean(found, axis=0)
    assert expected == pytest.approx(by_chance, rel=0.1)
