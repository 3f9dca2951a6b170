"""Gates on labels: coverage, accuracy on gold rows, conflict and gaps between groups."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.artifacts import GateReport, LabelReport
from components.labels.label_gate import LabelGate
from core.errors import InputError
from core.intervals import newcombe_interval, wilson_interval
from core.names import LABEL_GATES, LABEL_REPORT
from core.sections.labeling import LabelGates
from models.labels import gates as label_gates
from models.labels import groups as label_groups
from models.labels.rows import coded
from models.metrics.gates import Gate

NO_BOUNDS: dict[str, Any] = {
    "min_coverage": None,
    "min_accuracy": None,
    "max_conflict": None,
    "max_coverage_gap": None,
    "max_error_gap": None,
    "min_group_rows": 100,
    "min_group_gold_rows": 20,
}


def group(rows: int, coverage: float, gold_rows: int, wrong: int) -> dict[str, Any]:
    return {
        "rows": rows,
        "coverage": coverage,
        "gold_rows": gold_rows,
        "error": wrong / gold_rows if gold_rows else None,
        "error_interval": wilson_interval(wrong, gold_rows),
    }


REPORT: dict[str, Any] = {
    "mode": "weak",
    "coverage": 0.9,
    "conflict": 0.2,
    "accuracy_interval": (0.78, 0.9),
    "groups": {
        "sex": {"Male": group(6000, 0.95, 130, 26), "Female": group(3000, 0.8, 70, 7)},
        "race": {
            "White": group(8000, 0.9, 180, 18),
            "Black": group(900, 0.85, 15, 15),
            "Other": group(90, 0.2, 5, 0),
        },
    },
}


def judge(**bounds: float) -> list[Gate]:
    return label_gates.judge(REPORT, LabelGates.model_validate({**NO_BOUNDS, **bounds}))


def test_no_bound_no_gate() -> None:
    assert judge() == []


@pytest.mark.parametrize(
    ("key", "bound", "metric", "value", "text", "passed"),
    [
        ("min_coverage", 0.9, "coverage", 0.9, ">= 0.9", True),
        ("min_coverage", 0.91, "coverage", 0.9, ">= 0.91", False),
        ("max_conflict", 0.2, "conflict", 0.2, "<= 0.2", True),
        ("max_conflict", 0.1, "conflict", 0.2, "<= 0.1", False),
        ("min_accuracy", 0.78, "accuracy on gold, 95% low", 0.78, ">= 0.78", True),
        ("min_accuracy", 0.8, "accuracy on gold, 95% low", 0.78, ">= 0.8", False),
    ],
)
def test_bounds_on_all_rows(
    key: str, bound: float, metric: str, value: float, text: str, passed: bool
) -> None:
    path = f"labeling.gates.{key}"
    assert judge(**{key: bound}) == [Gate("labels", metric, "overall", value, text, passed, path)]


def test_coverage_gap_between_groups_that_are_large_enough() -> None:
    sex, race = judge(max_coverage_gap=0.1)
    assert (sex.metric, sex.slice, sex.passed) == (
        "gap sex coverage",
        "sex=Male against Female",
        False,
    )
    assert sex.value == pytest.approx(0.15)
    assert (race.slice, race.passed) == ("race=White against Black", True)
    assert race.value == pytest.approx(0.05)  # the 90 rows of Other have .2


def test_error_gap_is_what_the_interval_shows_of_it() -> None:
    [gate] = judge(max_error_gap=0.01)  # one race alone has 20 gold rows
    shown = newcombe_interval((26, 130), (7, 70))[0]
    assert -0.01 < shown < 0.01 < 26 / 130 - 7 / 70
    assert gate.value == max(0.0, shown)
    assert (gate.metric, gate.slice, gate.passed) == (
        "gap sex error, 95% low",
        "sex=Male against Female",
        True,
    )
    worse = {"sex": {**REPORT["groups"]["sex"], "Male": group(6000, 0.95, 130, 65)}}
    bounds = LabelGates.model_validate({**NO_BOUNDS, "max_error_gap": 0.2})
    [gate] = label_gates.judge({**REPORT, "groups": worse}, bounds)
    assert not gate.passed


def test_true_labels_are_not_gated() -> None:
    report: dict[str, Any] = {"mode": "gold", "coverage": None, "conflict": None, "groups": {}}
    assert (
        label_gates.judge(report, LabelGates.model_validate({**NO_BOUNDS, "min_coverage": 0.9}))
        == []
    )


def test_intervals_of_differences_are_those_of_the_literature() -> None:
    # Newcombe (1998), table II, method 10.
    for first, second, interval in [
        ((56, 70), (48, 80), (0.0524, 0.3339)),
        ((9, 10), (3, 10), (0.1705, 0.8090)),
        ((10, 10), (0, 10), (0.6075, 1.0)),
        ((0, 10), (0, 10), (-0.2775, 0.2775)),
    ]:
        assert newcombe_interval(first, second) == pytest.approx(interval, abs=5e-5)
    with pytest.raises(ValueError, match="no trials"):
        newcombe_interval((0, 0), (1, 2))


def test_groups_are_counted_in_parts() -> None:
    values = ["a", "b", None, "a", "a"]
    covered = np.array([True, False, True, False, True])
    whole = label_groups.count({"sex": coded(values)}, covered)
    assert whole == {"sex": {"a": (3, 2), "b": (1, 0), "missing": (1, 1)}}
    parts = [
        label_groups.count({"sex": coded(values[i:j])}, covered[i:j])
        for i, j in ((0, 2), (2, 2), (2, 5))
    ]
    assert label_groups.merge(parts) == whole


def test_report_by_group() -> None:
    counts: label_groups.Counts = {"sex": {"a": (10, 5), "b": (30, 30)}}
    found = label_groups.report(counts, {"sex": ["b", "b"]}, np.array([True, False]))
    assert list(found["sex"]) == ["b", "a"]
    assert found["sex"]["b"] == group(30, 1.0, 2, 1)
    assert found["sex"]["a"] == group(10, 0.5, 0, 0)


def call(folder: Path, **bounds: float) -> list[dict[str, Any]]:
    """The component's own function on REPORT."""
    report, gates = LabelReport(), GateReport()
    for artifact, name in ((report, "report"), (gates, "gates")):
        artifact.uri = str(folder / name)
        (folder / name).mkdir()
    (folder / "report" / LABEL_REPORT.file).write_text(json.dumps(REPORT))
    LabelGate.test_call(
        label_report=report,
        gates=gates,
        bounds=json.dumps({**NO_BOUNDS, **bounds}),
        code_sha256="",
    )
    return list(json.loads((folder / "gates" / LABEL_GATES.file).read_text()))


def test_the_node_hands_on_a_row_for_each_bound(tmp_path: Path) -> None:
    rows = call(tmp_path, min_coverage=0.8, max_coverage_gap=0.2)
    assert [(row["metric"], row["passed"]) for row in rows] == [
        ("coverage", True),
        ("gap sex coverage", True),
        ("gap race coverage", True),
    ]


def test_the_node_stops_the_run_and_says_how_to_go_on(tmp_path: Path) -> None:
    with pytest.raises(InputError) as stopped:
        call(tmp_path, min_coverage=0.95, max_conflict=0.3, max_coverage_gap=0.1)
    lines = str(stopped.value).splitlines()
    assert lines[0] == "labels miss 2 of 4 bounds; nothing was trained:"
    assert lines[1] == "  coverage, overall: 0.9000, bound >= 0.95"
    assert "to change the bound: --set labeling.gates.min_coverage=VALUE" in lines[2]
    assert lines[3] == "  gap sex coverage, sex=Male against Female: 0.1500, bound <= 0.1"
    assert not (tmp_path / "gates" / LABEL_GATES.file).exists()
