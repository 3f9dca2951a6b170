"""Slices, gaps and errors of the estimate, on rows whose truth is known."""

import numpy as np
import pytest

from core.sections.evaluation import Slicing
from pipeline.monitoring.quality import Answered, Judge, distance, errors_of
from pipeline.monitoring.records import ALL_ROWS
from pipeline.monitoring.reference import Reference

SLICING = Slicing(slices=(("sex",),), min_slice_rows=1)


def reference(count: int, share: float, seed: int) -> Reference:
    """Women are labelled positive less often than the model says."""
    draw = np.random.default_rng(seed)
    sex = np.where(draw.random(count) < share, "F", "M").astype(object)
    answers = draw.random(count)
    true = np.where(sex == "F", 0.6 * answers**3, answers)
    return Reference({"sex": sex}, draw.random(count) < true, answers)


def judge(labelled: int = 0, rows: int = 4_000, test: Reference | None = None) -> Judge:
    now = reference(rows, 0.8, 2)
    labels = np.where(np.arange(rows) < labelled, now.labels, -1).astype(np.int8)
    return Judge(Answered(now.columns, now.answers, labels), test, SLICING, 100)


def test_slices_are_estimated_and_measured_where_labels_came() -> None:
    slices = judge(3_000, test=reference(20_000, 0.2, 1)).slices()
    everything, women = slices[ALL_ROWS], slices["sex=F"]
    assert women.share == pytest.approx(0.8, abs=0.02)
    assert women.test_share == pytest.approx(0.2, abs=0.02)
    assert women.test["accuracy"] == pytest.approx(0.63, abs=0.03)
    assert (everything.rows, everything.labelled) == (4_000, 3_000)
    true = everything.measured["accuracy"]
    assert true.low < everything.estimated["accuracy"].value < true.high
    [error] = [e for e in errors_of(everything) if e.metric == "accuracy"]
    assert error.unchanged is not None
    assert error.error < 0.02 < error.unchanged


def test_gaps_are_between_the_groups_that_are_furthest_apart() -> None:
    gaps = list(judge(4_000, test=reference(20_000, 0.5, 1)).gaps())
    found = {(gap.rate, gap.how): gap for gap in gaps}
    assert set(found) == {(r, h) for r in ("tpr", "fpr") for h in ("estimated", "measured")}
    gap = found["tpr", "estimated"]
    assert (gap.higher, gap.lower) == ("sex=F", "sex=M")
    true = found["tpr", "measured"].gap
    assert gap.gap.low < true.value < gap.gap.high
    assert true.low < gap.gap.value < true.high


def test_without_test_rows_there_is_no_estimate_and_labels_still_measure() -> None:
    without = judge(4_000)
    everything = without.slices()[ALL_ROWS]
    assert without.answers() is None
    assert without.calibration is None
    assert not everything.estimated
    assert everything.test_share is None
    assert set(everything.measured) >= {"accuracy", "auc"}
    assert errors_of(everything) == []
    assert {gap.how for gap in without.gaps()} == {"measured"}


def test_of_few_rows_nothing_is_said() -> None:
    slices = judge(50, rows=90, test=reference(2_000, 0.5, 1)).slices()
    assert set(slices) == {ALL_ROWS}
    assert slices[ALL_ROWS].measured == {}
    nothing = judge(0, rows=0).slices()[ALL_ROWS]
    assert nothing.rows == 0
    assert nothing.positive is None


def test_rows_without_a_group_are_in_no_slice() -> None:
    columns = {"sex": np.array(["F", "", "F"], object)}
    answered = Answered(columns, np.full(3, 0.7), np.full(3, -1, np.int8))
    slices = Judge(answered, None, SLICING, 1).slices()
    assert set(slices) == {ALL_ROWS, "sex=F"}
    assert slices["sex=F"].rows == 2


def test_distance_of_distributions() -> None:
    assert distance([0.5, 0.5], [0.5, 0.5]) == 0
    assert distance([1.0, 0.0], [0.0, 1.0]) == pytest.approx(1)
