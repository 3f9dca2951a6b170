"""What the nodes of a run found: labels, models, gates, pushed versions, from their artifacts."""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from core.names import (
    CHOICE,
    DISTILLATION_REPORT,
    EXPLANATION,
    FAIRNESS_GATES,
    FEATURE_REPORT,
    LABEL_GATES,
    LABEL_REPORT,
    PUSH_CHECKS,
    PUSH_GATES,
    REFERENCES_REPORT,
    SEARCH_REPORT,
    TRAINING_REPORT,
    TUNER_REPORT,
    VARIANT_REPORT,
    Report,
)
from core.sections.labeling import LabelGates
from core.targets import TARGETS
from core.version_record import read_record, withdrawn_folder
from models.frontier.record import VariantSelection, choice_of
from models.labels import gates as label_gates
from models.metrics.gates import Gate, PushChecks, gates_of
from pipeline.metadata.executions import Artifact, Execution, find
from pipeline.report.summary import Pushed

_CHECKS = TypeAdapter(PushChecks)
_PUSHED = "PushedModel"
NOT_YET = "the run has not come to it yet"
STOPPED = "the run stopped before it"


@dataclass(frozen=True)
class Findings:
    """Parts of a summary; None or empty where their nodes have not ended."""

    labels: dict[str, Any] | None
    features: dict[str, Any] | None
    tuner: list[dict[str, Any]] | None
    search: dict[str, Any] | None
    training: dict[str, Any] | None
    choices: dict[str, VariantSelection]
    models: dict[str, Any]
    references: dict[str, Any]
    gates: list[Gate]
    push_checks: dict[str, PushChecks]
    pushed: dict[str, Pushed]
    explained: dict[str, Any]


def collect(
    executions: Sequence[Execution],
    run_folder: Path,
    running: bool,
    label_bounds: LabelGates,
) -> Findings:
    """Reads the reports of a run's executions.

    Args:
        executions: those of the run.
        run_folder: <root>/<name>; paths are given relative to it.
        running: whether nodes that are missing may still come.
        label_bounds: `labeling.gates`; a gate that stops the run hands no report on, so its rows
            are judged anew.
    """
    labels = read_report(executions, LABEL_REPORT)
    if labels and any(e.node == LABEL_GATES.node and e.state == "FAILED" for e in executions):
        gates = label_gates.judge(labels, label_bounds)
    else:
        gates = gates_of(read_report(executions, LABEL_GATES) or [])
    checks: dict[str, PushChecks] = {}
    for target in TARGETS:
        for report in (FAIRNESS_GATES, PUSH_GATES):
            gates += gates_of(read_report(executions, report.of(target)) or [])
        if told := read_report(executions, PUSH_CHECKS.of(target)):
            checks[target] = _CHECKS.validate_python(told)
    return Findings(
        labels,
        read_report(executions, FEATURE_REPORT),
        read_report(executions, TUNER_REPORT),
        read_report(executions, SEARCH_REPORT),
        _training(executions),
        _choices(executions),
        read_report(executions, VARIANT_REPORT) or {},
        read_report(executions, REFERENCES_REPORT) or {},
        gates,
        checks,
        {target: _pushed(executions, target, gates, run_folder, running) for target in TARGETS},
        (read_report(executions, EXPLANATION) or {}).get("targets", {}),
    )


def _choices(executions: Sequence[Execution]) -> dict[str, VariantSelection]:
    """What each target's Selector chose, of those that came to their end."""
    found = {target: read_report(executions, CHOICE.of(target)) for target in TARGETS}
    return {target: choice_of(told) for target, told in found.items() if told}


def _training(executions: Sequence[Execution]) -> dict[str, Any] | None:
    """How the teacher started, and what is to be said of teacher and student."""
    teacher = read_report(executions, TRAINING_REPORT) or {}
    student = read_report(executions, DISTILLATION_REPORT) or {}
    start = teacher.get("start")
    if start is None:
        return None
    done = [report["mitigation"] for report in (teacher, student) if report.get("mitigation")]
    mitigation = None
    if done:
        by_network = {
            key: {name: of for each in done for name, of in each[key].items()}
            for key in ("eval", "shifts")
        }
        mitigation = {**done[0], **by_network}
    notes = [*start.get("notes", []), *student.get("notes", [])]
    return {**start, "notes": notes, "mitigation": mitigation}


def base_model(executions: Sequence[Execution]) -> str | None:
    """URI of the model that the teacher started from; None when it started cold."""
    report = read_report(executions, TRAINING_REPORT) or {}
    warm = report.get("start", {}).get("start") == "warm"
    return str(report["base_model"]) if warm else None


def read_report(executions: Sequence[Execution], report: Report) -> Any:
    """What a node reported, null for what is no number; None where there is no report."""
    artifact = find(executions, report.node, report.artifact)
    path = Path(artifact.uri) / report.file if artifact else None
    if path is None or not path.is_file():
        return None
    return json.loads(path.read_text(encoding="utf-8"), parse_constant=lambda _: None)


def finite(value: Any) -> Any:
    """The value with null in place of NaN and infinities, which JSON has no words for."""
    if isinstance(value, dict):
        return {key: finite(each) for key, each in value.items()}
    if isinstance(value, list):
        return [finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _pushed(
    executions: Sequence[Execution],
    target: str,
    gates: Iterable[Gate],
    run_folder: Path,
    running: bool,
) -> Pushed:
    artifact = find(executions, f"Pusher.{target}", _PUSHED)
    if artifact is None:
        return Pushed(version=None, why=NOT_YET if running else STOPPED)
    if artifact.properties.get("pushed"):
        return _version(artifact, run_folder)
    failed = [gate.reason for gate in gates if gate.target == target and not gate.passed]
    return Pushed(version=None, why="; ".join(failed) or "the Evaluator did not bless it")


def _version(artifact: Artifact, run_folder: Path) -> Pushed:
    """The version that a Pusher named, if its folder is still there."""
    path = Path(str(artifact.properties["pushed_destination"]))
    if not path.is_dir():
        return Pushed(version=None, why=_where_it_went(path))
    inside = path.relative_to(run_folder) if path.is_relative_to(run_folder) else path
    already_live = bool(artifact.properties.get("already_live"))
    return Pushed(version=int(path.name), path=str(inside), already_live=already_live)


def _where_it_went(version: Path) -> str:
    withdrawn = withdrawn_folder(version.parent) / version.name
    if not withdrawn.is_dir():
        return f"version {version.name} was pushed, but its folder {version} is gone"
    record = read_record(withdrawn)
    why = f" ({record.events[-1].reason})" if record and record.events else ""
    return f"version {version.name} was rolled back{why}"
