"""The decision table: reasons to run, and what stands against them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.ingestion.spans import SpanFinding
from pipeline.report import summary
from pipeline.retraining.decision import Earlier, Inputs, Verdict, decide, find_earlier, is_blocked
from pipeline.retraining.evidence import Evidence, State
from pipeline.run.failures import Failure
from tests.support.records.summaries import VALUES

RUN = "20260102T030405Z"
SUSPECTED = SpanFinding(4, "suspicious labels", "labels agree in 60%")
WAITING = SpanFinding(5, "incomplete", "no marker")


def evidence(state: State) -> Evidence:
    return Evidence(kind="new span", state=state, message="span 4")


BLOCKED, PUSHED = Earlier(RUN, "AnomalyGate"), Earlier(RUN, None)


@pytest.mark.parametrize(
    ("states", "held_back", "earlier", "action", "first"),
    [
        (["quiet"], [], None, "nothing", "nothing new"),
        (["quiet", "unknown"], [], None, "nothing", "nothing new"),
        (["unknown", "reason"], [], None, "run", "new span: span 4"),
        (["quiet"], [WAITING], None, "nothing", "nothing new"),
        (["blocking"], [SUSPECTED], None, "blocked", "suspicious labels in span 4"),
        (["quiet"], [SUSPECTED], None, "blocked", "suspicious labels in span 4"),
        (["blocking", "reason"], [SUSPECTED], None, "run", "new span: span 4"),
        (["reason"], [], BLOCKED, "blocked", "blocked already by AnomalyGate, nothing changed"),
        (["quiet"], [], BLOCKED, "nothing", "nothing new"),
        (["reason"], [], PUSHED, "nothing", "data, configuration and code are those of run"),
        (["reason"], [SUSPECTED], PUSHED, "blocked", "data, configuration and code are those"),
    ],
)
def test_the_table(
    states: list[State],
    held_back: list[SpanFinding],
    earlier: Earlier | None,
    action: str,
    first: str,
) -> None:
    verdict = decide([evidence(state) for state in states], True, held_back, earlier)
    assert verdict.action == action
    assert verdict.reasons[0].startswith(first)


def test_without_a_span_nothing_runs_whatever_the_reasons() -> None:
    verdict = decide([evidence("reason")], False, [SUSPECTED], None)
    assert verdict == Verdict("blocked", ["suspicious labels in span 4: labels agree in 60%"])


def write(folder: Path, run_id: str, **values: Any) -> None:
    pushed = {"server": {"version": 7, "why": None}, "edge": {"version": 7, "why": None}}
    known = {
        **VALUES,
        "run_id": run_id,
        "config_sha256": "c",
        "code_sha256": "d",
        "data": {**VALUES["data"], "files": {"span-1/data.csv": "e"}, "contract_sha256": "f"},
        "state": "COMPLETE",
        "failure": None,
        "pushed": pushed,
    }
    path = summary.path_of(folder, run_id)
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(known | values))


def failure(node: str) -> dict[str, Any]:
    return {"node": node, "cause": "", "code": None, "resume": "", "input_at_fault": True}


INPUTS = Inputs("c", "d", "f", {"span-1/data.csv": "e"}, frozenset(), {"server": 7, "edge": 7})


def find(folder: Path, **values: Any) -> Earlier | None:
    return find_earlier(folder, replace(INPUTS, **values))


def test_the_last_run_of_the_same_data_configuration_and_code_is_found(tmp_path: Path) -> None:
    assert find(tmp_path) is None
    write(tmp_path, "20260101T000000Z")
    assert find(tmp_path) == Earlier("20260101T000000Z", None)
    for field in ("config_sha256", "code_sha256", "contract_sha256"):
        assert find(tmp_path, **{field: "other"}) is None
    assert find(tmp_path, files={"span-1/data.csv": "other"}) is None
    why = {"server": {"version": None, "why": "auc 0.8 < 0.85"}, "edge": {"version": 8}}
    write(tmp_path, "20260102T000000Z", pushed=why)
    assert find(tmp_path) == Earlier("20260102T000000Z", "server: auc 0.8 < 0.85")


def test_a_model_that_lost_against_another_live_version_is_tried_again(tmp_path: Path) -> None:
    pushed = {"server": {"version": None, "why": "worse than live"}, "edge": {"version": 9}}
    told = {"sample_rows": 1, "latency_ms": 1.0, "compared_on": "rows", "problem": None}
    checks = {"server": {**told, "live_version": 7}, "edge": {**told, "live_version": 6}}
    write(tmp_path, "20260101T000000Z", pushed=pushed, push_checks=checks)
    assert find(tmp_path) == Earlier("20260101T000000Z", "server: worse than live")
    assert find(tmp_path, live={"server": 5, "edge": 7}) is None, "7 was rolled back"


def test_a_version_that_was_deleted_is_pushed_anew(tmp_path: Path) -> None:
    pushed = {"server": {"version": 7, "path": "serving/tiny/7"}, "edge": {"version": 7}}
    write(tmp_path, RUN, pushed=pushed)
    assert find(tmp_path) is None
    (tmp_path / "serving" / ".tiny.rolled-back" / "7").mkdir(parents=True)
    assert find(tmp_path) == Earlier(RUN, None), "it is not pushed again"
    (tmp_path / "serving" / ".tiny.rolled-back" / "7").rmdir()
    (tmp_path / "serving" / "tiny" / "7").mkdir(parents=True)
    assert find(tmp_path) == Earlier(RUN, None)


def test_a_run_that_its_data_stopped_counts_and_one_that_broke_does_not(tmp_path: Path) -> None:
    write(tmp_path, "20260101T000000Z", state="FAILED", failure=failure("Trainer"))
    write(tmp_path, "20260102T000000Z", state="INTERRUPTED")
    assert find(tmp_path) is None
    write(tmp_path, "20260103T000000Z", state="FAILED", failure=failure("AnomalyGate"))
    assert find(tmp_path) == Earlier("20260103T000000Z", "AnomalyGate")
    (tmp_path / "reports" / "20260104T000000Z").mkdir()
    (tmp_path / "reports" / "20260104T000000Z" / "summary.json").write_text("{")
    assert find(tmp_path) == Earlier("20260103T000000Z", "AnomalyGate"), "a damaged one is passed"


@pytest.mark.parametrize(
    ("node", "input_at_fault", "blocked"),
    [
        ("AnomalyGate", True, True),
        ("LabelGate", True, True),
        ("AnomalyGate", False, False),  # the disk was full
        ("PushGate.server", True, False),
        ("Trainer", True, False),
        (None, True, False),
    ],
)
def test_gates_of_data_block(node: str | None, input_at_fault: bool, blocked: bool) -> None:
    failure = Failure(node=node, cause="", code=None, resume="", input_at_fault=input_at_fault)
    assert is_blocked(failure) is blocked
    assert not is_blocked(None)
