"""What Explainer and `monitor` leave, for the report of a run that is made of records alone."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.names import EXPLANATION
from pipeline.metadata.executions import Artifact, Execution
from pipeline.monitoring import records
from pipeline.monitoring.records import MonitorReport
from pipeline.report.page.part import RunRecord
from tests.support.records.measured import HOSTILE

EXPLAINED: dict[str, Any] = {
    "scale": "probability",
    "rows": 200,
    "base_value": 0.23,
    "mean_abs": {"age": 0.05, HOSTILE: 0.08, "所得": 0.01},
    "by_group": {
        f"sex={HOSTILE}": {"age": 0.06, HOSTILE: 0.02, "所得": 0.0},
        "sex=Männer": {"age": 0.0, HOSTILE: 0.0, "所得": 0.0},
    },
    "group_rows": {f"sex={HOSTILE}": 90, "sex=Männer": 110},
    "stability": {"age": [0.04, 0.06], HOSTILE: [0.06, 0.1]},
    "dependence": {
        HOSTILE: [
            {"value": HOSTILE, "answer": 0.3, "share": 0.7},
            {"value": "", "answer": 0.2, "share": 0.2999},
            {"value": "only me", "answer": 0.9, "share": 0.0001},
        ],
        "age": [
            {"value": 20, "answer": 0.1, "share": 0.5},
            {"value": 45, "answer": 0.4, "share": 0.5},
        ],
    },
    "warnings": [f"sex: {HOSTILE} carries 57%"],
}
BY_CLASS: dict[str, Any] = {
    **EXPLAINED,
    "mean_abs": {"age": {"walk": 0.05, "ride": 0.02}, "sex": {"walk": 0.01, "ride": 0.03}},
    "by_group": {},
    "stability": {"age": [{"walk": 0.04, "ride": 0.01}, {"walk": 0.06, "ride": 0.03}]},
    "dependence": {
        "age": [
            {"value": 20, "answer": {"walk": 0.7, "ride": 0.3}, "share": 0.5},
            {"value": 45, "answer": {"walk": 0.4, "ride": 0.6}, "share": 0.5},
        ]
    },
}


def with_explanation(record: RunRecord, explained: dict[str, Any]) -> RunRecord:
    """The record of a run whose Explainer reported this of both targets."""
    folder = record.folder / "artifacts" / "explanation"
    folder.mkdir(parents=True, exist_ok=True)
    report = {"targets": {"server": explained, "edge": explained}}
    (folder / EXPLANATION.file).write_text(json.dumps(report), encoding="utf-8")
    made = Artifact(1, EXPLANATION.artifact, str(folder), {})
    execution = Execution(1, EXPLANATION.node, "COMPLETE", 1.0, {"explanation": [made]})
    return replace(record, executions=[*record.executions, execution])


def _of(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 0.03, "high": value + 0.03}


MONITORED: dict[str, Any] = {
    "at": "2026-01-03T00:00:00Z",
    "config": "census",
    "target": "server",
    "version": 7,
    "run_id": "20260102T030405Z",
    "window": {"rows": 3000, "requests": 2900, "first": "2026-01-02T00:00:00Z",
               "last": "2026-01-03T00:00:00Z", "others": 5, "unreadable": 1},
    "checks": [
        {"kind": "drift", "of": HOSTILE, "value": 0.2, "bound": 0.05, "exceeded": True,
         "key": "schema.pbtxt"},
        {"kind": "estimate", "of": "accuracy drop", "value": 0.01, "low": -0.01, "high": 0.03,
         "bound": 0.05, "exceeded": False, "key": "monitor.max_drop.accuracy"},
        {"kind": "missing", "of": "age", "value": 0.0, "bound": 0.0, "exceeded": False,
         "key": "monitor.max_missing"},
    ],
    "unknown": [{"what": "slices by race", "why": "requests are logged without it"}],
    "answers": {"requests": [0.7, *[0.0] * 8, 0.3], "test": [0.6, *[0.0] * 8, 0.4]},
    "slices": {
        "all": {"rows": 3000, "share": 1.0, "test_share": 1.0, "positive": _of(0.2),
                "test_positive": 0.24, "estimated": {"accuracy": _of(0.85), "tpr": _of(0.6)},
                "test": {"accuracy": 0.84, "tpr": 0.62}, "labelled": 300,
                "measured": {"accuracy": _of(0.86)}},
        f"sex={HOSTILE}": {"rows": 900, "share": 0.3, "test": {"accuracy": 0.9},
                           "estimated": {"accuracy": _of(0.88)}},
        "sex=tiny": {"rows": 3, "share": 0.001, "test": {"accuracy": 0.123}},
    },
    "gaps": [{"column": "sex", "rate": "tpr", "how": "estimated", "higher": "sex=Männer",
              "lower": f"sex={HOSTILE}", "gap": _of(0.1)}],
    "errors": [{"metric": "accuracy", "rows": 300, "measured": 0.86, "estimated": 0.85,
                "error": 0.01, "unchanged": None}],
    "shadow": {"target": "edge", "version": 9, "rows": 800, "failed": 2, "error": HOSTILE,
               "difference": 0.02, "largest": 0.3, "other_decisions": _of(0.05), "labelled": 300,
               "accuracy_gain": _of(-0.01), "verdict": "go on", "why": "no fall beyond the bound"},
    "canary": {"version": 8, "rows": 90, "live_rows": 800, "requests": 90, "live_requests": 800,
               "failed": 0, "error": None, "decisions": {"positive": _of(-0.04)},
               "latency_ms": {"live": _of(1.0), "canary": _of(1.2), "difference": _of(0.2)},
               "labelled": 10, "live_labelled": 90, "accuracy_gain": None, "verdict": "unknown",
               "why": "10 rows with a label"},
}  # fmt: skip


def monitored(folder: Path, **changes: Any) -> None:
    """Keeps a report of `monitor` in a run's folder."""
    records.append(folder, MonitorReport.model_validate({**MONITORED, **changes}))
