"""The table of gates at the width of a terminal: what is folded, and that no word is broken."""

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from models.metrics.gates import Gate, at_least, at_most, gates_of, write_gates
from pipeline.report.gate_table import fold, print_gates
from pipeline.report.summary import Summary
from tests.support.records.summaries import VALUES

SLICES = {
    "age_group=25-39": 0.8874, "age_group=40-54": 0.8912, "age_group=55+": 0.8799,
    "race=Asian-Pac-Islander": 0.9013, "race=Black": 0.9241, "race=White": 0.9027,
    "sex=Female": 0.9301, "sex=Female,race=Black": 0.9377, "sex=Female,race=White": 0.9268,
    "sex=Male": 0.8801, "sex=Male,race=Asian-Pac-Islander": 0.8716, "sex=Male,race=Black": 0.8923,
    "sex=Male,race=White": 0.8795,
}  # fmt: skip


def against(metric: str, where: str, value: float) -> Gate:
    key = f"pusher.max_regression.{metric}"
    gate = at_least("edge", f"{metric} against live", where, value, -0.01, key)
    return replace(gate, bound=f"{gate.bound} beyond chance", interval=(-0.02, 0.02), rows=900)


def gates_of_a_run(failed: str | None = None) -> list[Gate]:
    """The rows of a run of the census configuration; `failed` is a slice below its bound."""
    labels = "labeling.gates"
    gates = [
        at_least("labels", "coverage", "overall", 0.9713, 0.9, f"{labels}.min_coverage"),
        at_least(
            "labels", "accuracy on gold, 95% low", "overall", 0.777, 0.72, f"{labels}.min_accuracy"
        ),
        at_most("labels", "conflict", "overall", 0.2134, 0.3, f"{labels}.max_conflict"),
        at_most("labels", "gap sex coverage", "sex=Male against Female", 0.0213, 0.1,
                f"{labels}.max_coverage_gap"),
        at_most("labels", "gap race error, 95% low", "race=White against Black", 0.0, 0.25,
                f"{labels}.max_error_gap"),
    ]  # fmt: skip
    for target in ("server", "edge"):
        key = f"evaluation.{target}"
        gates.append(at_least(target, "auc", "overall", 0.9021, 0.85, f"{key}.min.auc"))
        gates.append(at_least(target, "accuracy", "overall", 0.8513, 0.8, f"{key}.min.accuracy"))
        gates += [
            at_least(target, "auc", name, 0.7012 if (target, name) == ("edge", failed) else value,
                     0.75, f"{key}.min_by_slice.auc")
            for name, value in SLICES.items()
        ]  # fmt: skip
        gates.append(at_most(target, "auc drop", "overall", 0.0004, 0.02, f"{key}.max_drop.auc"))
        for rate in ("tpr", "selection_rate"):
            where = f"{key}.max_gap.sex.{rate}"
            gates.append(at_most(target, f"gap sex {rate}", "overall", 0.1134, 0.25, where))
    gates += [against(m, name, 0.0) for m in ("auc", "accuracy") for name in ("overall", *SLICES)]
    return gates


def printed(gates: list[Gate], width: int, every: bool = False) -> str:
    out = Console(width=width, record=True, file=io.StringIO())
    print_gates(out, gates, every)
    return out.export_text()


def words(gates: list[Gate], every: bool) -> set[str]:
    """All that no line may break."""
    lines = [(gate, 1) for gate in gates] if every else fold(gates)
    shown = {word for g, _ in lines for word in f"{g.metric} {g.slice} {g.bound}".split()}
    return shown | {gate.key for gate in gates if every or not gate.passed}


@pytest.mark.parametrize("every", [False, True])
@pytest.mark.parametrize("width", [100, 107, 118, 140, 200])
def test_no_word_is_broken(width: int, every: bool) -> None:
    gates = gates_of_a_run(failed="sex=Male,race=Asian-Pac-Islander")
    text = printed(gates, width, every)
    assert words(gates, every) <= set(text.split())
    assert max(map(len, text.splitlines())) <= width


def test_what_passed_is_one_line_for_each_target_and_metric() -> None:
    gates = gates_of_a_run()
    lines = fold(gates)
    assert len(lines) == len({(gate.target, gate.metric) for gate in gates}) < len(gates) / 3
    [(auc, count)] = [line for line in lines if (line[0].target, line[0].metric) == ("edge", "auc")]
    assert (auc.slice, auc.value, auc.bound, count) == ("overall", 0.9021, ">= 0.85", 14)
    row = next(
        line for line in printed(gates, 100).splitlines() if line.split()[:2] == ["edge", "auc"]
    )
    assert row.split() == ["edge", "auc", "overall", "0.9021", ">=", "0.85", "14", "passed"]


def test_what_failed_is_told_in_full_beside_what_passed() -> None:
    gates = gates_of_a_run(failed="sex=Female")
    failed, passed = [
        line
        for line in fold(gates)
        if line[0].key == "evaluation.edge.min_by_slice.auc"
        or (line[0].target, line[0].metric) == ("edge", "auc")
    ]
    assert (failed[0].slice, failed[0].passed, passed[1]) == ("sex=Female", False, 13)
    text = printed(gates, 100)
    [row] = [line.split() for line in text.splitlines() if line.rstrip().endswith("failed")]
    assert row == ["edge", "auc", "sex=Female", "0.7012", ">=", "0.75", "failed"]
    assert text.splitlines()[-2:] == [
        "to change: --set KEY=VALUE",
        "  edge, auc: evaluation.edge.min_by_slice.auc",
    ]


def test_gates_of_an_older_summary_are_read_and_all_shown() -> None:
    row = {k: v for k, v in VALUES["gates"][0].items() if k not in ("sign", "limit")}
    checks = {"sample_rows": 100, "latency_ms": None, "live_version": None, "compared_on": None,
              "problem": None, "surprise": 1}  # fmt: skip
    assert Summary.model_validate({**VALUES, "push_checks": {"edge": checks}}).push_checks["edge"]
    old = [row, {**row, "slice": "sex=Male", "interval": [0.1, 0.2], "rows": 3, "surprise": 1}]
    gates = Summary.model_validate({**VALUES, "gates": old}).gates
    assert (gates[1].interval, gates[1].rows, gates[1].margin) == ((0.1, 0.2), 3, None)
    assert fold(gates) == [(gate, 1) for gate in gates]


def test_a_gate_has_one_form(tmp_path: Path) -> None:
    gates = [
        *gates_of_a_run(),
        Gate("edge", "answers", "overall", None, "given", False, "k", "why"),
    ]
    write_gates(tmp_path / "gates.json", gates)
    summary = Summary.model_validate({**VALUES, "gates": gates})
    again = Summary.model_validate_json(summary.model_dump_json()).gates
    stored = gates_of(json.loads((tmp_path / "gates.json").read_text()))
    assert stored == again == gates
    assert [g.limit for g in stored] == [g.limit for g in again] == [g.limit for g in gates]
