"""Gates over metrics by slice."""

import pytest

from components.evaluation.fairness_gate import apply_gates
from core.sections import Bounds
from models.metrics.gates import Gate

METRICS = {
    "overall": {"auc": 0.90, "examples": 1000},
    "sex=Female": {"auc": 0.88, "tpr": 0.5, "examples": 400},
    "sex=Male": {"auc": 0.70, "tpr": 0.6, "examples": 600},
    "race=Other": {"auc": 0.10, "tpr": 0.1, "examples": 20},
}
BOUNDS = Bounds(min={}, min_by_slice={}, max_drop={}, max_gap={})


def gates(baseline: dict[str, float] | None = None, **bounds: object) -> list[Gate]:
    return apply_gates(
        "server", METRICS, baseline, BOUNDS.model_copy(update=bounds), min_slice_rows=100
    )


def test_overall_bound_names_value_bound_and_key() -> None:
    assert gates(min={"auc": 0.85}) == [
        Gate("server", "auc", "overall", 0.90, ">= 0.85", True, "evaluation.server.min.auc")
    ]


def test_a_bound_on_a_metric_without_an_entry_is_an_error() -> None:
    with pytest.raises(KeyError, match="log_loss"):
        gates(min={"log_loss": 0.1})


@pytest.mark.parametrize(("bound", "text"), [(0.95, "auc 0.9 < 0.95"), (0.915, "auc 0.9 < 0.915")])
def test_the_reason_turns_the_bound_round(bound: float, text: str) -> None:
    (gate,) = gates(min={"auc": bound})
    assert gate.reason == text
    assert gate.margin == pytest.approx(0.9 - bound)


def test_bound_on_a_missing_metric_fails() -> None:
    (gate,) = gates(min={"f1": 0.1})
    assert not gate.passed
    assert gate.value is None


def test_slices_are_gated_when_large_enough() -> None:
    verdicts = {gate.slice: gate.passed for gate in gates(min_by_slice={"auc": 0.8})}
    assert verdicts == {"sex=Female": True, "sex=Male": False}


def test_fall_against_the_baseline() -> None:
    (gate,) = gates({"auc": 0.93}, max_drop={"auc": 0.02})
    assert gate.value == pytest.approx(0.03)
    assert not gate.passed
    assert gate.bound == "<= 0.02"


def test_no_baseline_no_fall() -> None:
    assert gates(None, max_drop={"auc": 0.02}) == []


@pytest.mark.parametrize("baseline", [{}, {"auc": 0.93}, {"f1": 0.5}])
def test_fall_of_a_metric_missing_on_either_side_fails(baseline: dict[str, float]) -> None:
    (gate,) = gates(baseline, max_drop={"f1": 0.02})
    assert gate.value is None
    assert not gate.passed


@pytest.mark.parametrize(("bound", "passed"), [(0.15, True), (0.05, False)])
def test_gap_between_groups(bound: float, passed: bool) -> None:
    (gate,) = gates(max_gap={"sex": {"tpr": bound}})
    assert gate.metric == "gap sex tpr"
    assert gate.value == pytest.approx(0.1)
    assert gate.passed is passed
    assert gate.key == "evaluation.server.max_gap.sex.tpr"


def test_gap_without_two_large_groups_fails() -> None:
    (gate,) = gates(max_gap={"race": {"tpr": 0.5}})
    assert not gate.passed
