"""What the nodes of a run found: labels, models, gates, pushed versions, from their artifacts."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

from core.version_record import read_record, withdrawn_folder
from models.labels import gates as label_gates
from pipeline.metadata.executions import Artifact, Execution, find
from pipeline.report.summary import Gate, PushChecks, Pushed, Target

TARGETS: tuple[Target, ...] = get_args(Target)
_REPORTS = {
    "labels": ("SnorkelLabeler", "LabelReport", "label_report.json"),
    "features": ("FeatureSelector", "FeatureReport", "feature_report.json"),
    "tuner": ("Tuner", "TunerResults", "tuner_results.json"),
    "training": ("Trainer", "ModelRun", "training.json"),
    "models": ("VariantEvaluator", "VariantReport", "variants.json"),
    "gates.labels": ("LabelGate", "GateReport", "gates.json"),
    "gates.server": ("FairnessGate.server", "GateReport", "gates.json"),
    "gates.edge": ("FairnessGate.edge", "GateReport", "gates.json"),
    "push gates.server": ("PushGate.server", "GateReport", "gates.json"),
    "push gates.edge": ("PushGate.edge", "GateReport", "gates.json"),
    "push checks.server": ("PushGate.server", "GateReport", "checks.json"),
    "push checks.edge": ("PushGate.edge", "GateReport", "checks.json"),
}
_PUSHED = "PushedModel"
NOT_YET = "the run has not come to it yet"
STOPPED = "the run stopped before it"


@dataclass(frozen=True)
class Findings:
    """Parts of a summary; None or empty where their nodes have not ended."""

    labels: dict[str, Any] | None
    features: dict[str, Any] | None
    tuner: list[dict[str, Any]] | None
    training: dict[str, Any] | None
    models: dict[str, Any]
    gates: list[Gate]
    push_checks: dict[Target, PushChecks]
    pushed: dict[Target, Pushed]


def collect(
    executions: Sequence[Execution],
    run_folder: Path,
    running: bool,
    label_bounds: Mapping[str, Any],
) -> Findings:
    """Reads the reports of a run's executions.

    Args:
        executions: those of the run.
        run_folder: <root>/<name>; paths are given relative to it.
        running: whether nodes that are missing may still come.
        label_bounds: `labeling.gates`; a gate that stops the run hands no report on, so its rows
            are judged anew.
    """
    reports = {
        name: _read(find(executions, node, type_name), file)
        for name, (node, type_name, file) in _REPORTS.items()
    }
    if reports["labels"] and any(e.node == "LabelGate" and e.state == "FAILED" for e in executions):
        judged = label_gates.judge(reports["labels"], label_bounds)
        reports["gates.labels"] = [asdict(gate) for gate in judged]
    rows = [*(reports["gates.labels"] or [])]
    for target in TARGETS:
        rows += reports[f"gates.{target}"] or []
        rows += reports[f"push gates.{target}"] or []
    gates = [Gate(**row) for row in rows]
    checks = {target: reports[f"push checks.{target}"] for target in TARGETS}
    return Findings(
        reports["labels"],
        reports["features"],
        reports["tuner"],
        (reports["training"] or {}).get("start"),
        reports["models"] or {},
        gates,
        {target: PushChecks(**found) for target, found in checks.items() if found},
        {target: _pushed(executions, target, gates, run_folder, running) for target in TARGETS},
    )


def base_model(executions: Sequence[Execution]) -> str | None:
    """URI of the model that the teacher started from; None when it started cold."""
    node, type_name, file = _REPORTS["training"]
    report = _read(find(executions, node, type_name), file) or {}
    warm = report.get("start", {}).get("start") == "warm"
    return str(report["base_model"]) if warm else None


def _read(artifact: Artifact | None, file: str) -> Any:
    path = Path(artifact.uri) / file if artifact else None
    if path is None or not path.is_file():
        return None
    return finite(json.loads(path.read_text(encoding="utf-8")))


def finite(value: Any) -> Any:
    """The value with null in place of NaN and infinities, which JSON has no words for."""
    if isinstance(value, dict):
        return {key: finite(each) for key, each in value.items()}
    if isinstance(value, list):
        return [finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _pushed(
    executions: Sequence[Execution],
    target: Target,
    gates: Iterable[Gate],
    run_folder: Path,
    running: bool,
) -> Pushed:
    artifact = find(executions, f"Pusher.{target}", _PUSHED)
    if artifact is None:
        return Pushed(version=None, why=NOT_YET if running else STOPPED)
    if artifact.properties.get("pushed"):
        return _version(artifact, run_folder)
    failed = [_reason(gate) for gate in gates if gate.target == target and not gate.passed]
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


def _reason(gate: Gate) -> str:
    """`gap sex tpr 0.13 > 0.10`: the bound turned round, where the gate says no more."""
    if gate.why is not None:
        return gate.why
    sign, _, bound = gate.bound.partition(" ")
    place = "" if gate.slice == "overall" else f" on {gate.slice}"
    value = "not measurable" if gate.value is None else f"{gate.value:.4g}"
    turned = {">=": "<", "<=": ">"}.get(sign, "breaks")
    return f"{gate.metric}{place} {value} {turned} {bound}"
