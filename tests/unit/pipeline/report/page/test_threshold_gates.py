"""Which gates are decided anew at another threshold."""

from dataclasses import replace

import pytest

from models.metrics.gates import OVERALL, Gate, at_least, at_most
from pipeline.report.page.groups import SliceGroup, SliceGroups
from pipeline.report.page.threshold_gates import ThresholdGates, threshold_gates

PLACES = {OVERALL: 0, "sex=F": 1, "sex=M": 2, "sex=F,land=x": 3}
GROUPS = SliceGroups(
    ("sex",), (SliceGroup("sex=F", "F", 400, True), SliceGroup("sex=M", "M", 500, True)), 0, 0
)
SMALL = SliceGroup("sex=Z", "Z", 20, False)
KEY = "evaluation.edge"


def sorted_gates(*gates: Gate, groups: SliceGroups = GROUPS) -> ThresholdGates:
    return threshold_gates(gates, PLACES, [groups])


@pytest.mark.parametrize(
    ("gate", "kind", "metric", "places"),
    [
        (at_least("edge", "accuracy", OVERALL, 0.8, 0.7, f"{KEY}.min.accuracy"),
         "metric", "accuracy", [0]),
        (at_least("edge", "f1", "land=x,sex=F", 0.8, 0.7, f"{KEY}.min_by_slice.f1"),
         "metric", "f1", [3]),
        (at_most("edge", "accuracy drop", OVERALL, 0.0, 0.02, f"{KEY}.max_drop.accuracy"),
         "drop", "accuracy", [0]),
        (at_most("edge", "gap sex tpr", OVERALL, 0.1, 0.2, f"{KEY}.max_gap.sex.tpr"),
         "gap", "tpr", [1, 2]),
        (Gate("edge", "auc above chance", OVERALL, 0.9, "> 0.5 beyond chance", True,
              f"{KEY}.better_than_chance"), "chance", "selection_rate", [0]),
    ],
)  # fmt: skip
def test_gates_of_decisions_are_decided_anew(
    gate: Gate, kind: str, metric: str, places: list[int]
) -> None:
    found = sorted_gates(gate)
    assert not found.fixed
    assert not found.unclear
    [row] = found.moving
    assert (row["kind"], row["metric"], row["groups"]) == (kind, metric, places)
    assert row["key"] == gate.key


@pytest.mark.parametrize(
    "gate",
    [
        at_least("edge", "auc", OVERALL, 0.9, 0.8, f"{KEY}.min.auc"),
        at_least("edge", "recall_at_precision", OVERALL, 0.9, 0.8, f"{KEY}.min.x"),
        at_most("edge", "auc drop from teacher", OVERALL, 0, 1, f"{KEY}.max_drop_from_teacher.auc"),
        at_most("edge", "latency ms", OVERALL, 0.9, 50, "pusher.max_latency_ms"),
    ],
)
def test_gates_of_scores_are_not(gate: Gate) -> None:
    found = sorted_gates(gate)
    assert found.fixed == [gate]
    assert not found.moving


@pytest.mark.parametrize(
    "gate",
    [
        at_most("edge", "accuracy drop from teacher", OVERALL, 0, 0.01,
                f"{KEY}.max_drop_from_teacher.accuracy"),
        at_most("edge", "gap sex tpr growth from teacher", OVERALL, 0, 0.01,
                f"{KEY}.max_gap_growth.sex.tpr"),
        at_most("edge", "gap land tpr", OVERALL, 0, 0.01, f"{KEY}.max_gap.land.tpr"),
        at_least("edge", "f1", "sex=gone", 0.8, 0.7, f"{KEY}.min_by_slice.f1"),
    ],
)  # fmt: skip
def test_what_counts_cannot_decide_stands_as_it_was_judged(gate: Gate) -> None:
    assert sorted_gates(gate).unclear == [gate]


def test_a_bound_of_many_slices_is_one_row_with_the_verdicts_of_all() -> None:
    gates = [
        at_least("edge", "f1", name, value, 0.7, f"{KEY}.min_by_slice.f1")
        for name, value in (("sex=F", 0.8), ("sex=M", 0.6))
    ]
    [row] = sorted_gates(*gates).moving
    assert row["groups"] == [1, 2]
    assert row["verdicts"] == ["passed", "failed"]


def test_a_gap_is_between_the_groups_that_gates_look_at() -> None:
    gate = at_most("edge", "gap sex fpr", OVERALL, 0.1, 0.2, f"{KEY}.max_gap.sex.fpr")
    places = {**PLACES, SMALL.name: 4}
    groups = replace(GROUPS, shown=(*GROUPS.shown, SMALL))
    [row] = threshold_gates([gate], places, [groups]).moving
    assert row["groups"] == [1, 2]
    cut = replace(GROUPS, complete=False)
    assert sorted_gates(gate, groups=cut).unclear == [gate], "of groups that are not there"
