"""From a model to the raw files it was made of, and from a span of data to what was made of it."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import InputError
from core.targets import TARGETS
from pipeline.metadata.executions import RAW_FILE, Artifact, Execution, Properties
from pipeline.metadata.graph import Graph
from pipeline.versions.served import Version, versions

PUSHER = "Pusher."
_CODE = re.compile(r'code_sha256\\*"[^0-9a-f]*([0-9a-f]{64})')  # in JSON, or in JSON in JSON
# Parameters of a node that say what it did, in the order in which they are shown.
FACTS = (
    "mode",
    "functions",
    "gold_rows",
    "target",
    "contract",
    "input_base",
    "schema_file",
    "path",
)


@dataclass(frozen=True)
class LineageModel:
    """A model of a run: the push of a target, and the version that it became, if it did."""

    target: str
    run_id: str
    pushed: Artifact
    version: Version | None


@dataclass(frozen=True)
class Lineage:
    """A model and the steps behind it, each after those that it takes from."""

    model: LineageModel
    steps: list[Execution]


@dataclass(frozen=True)
class Descendants:
    """What was made from a span.

    files: its raw files, as they were read.
    runs: ids of the runs that read them, the oldest first.
    models: what those runs made.
    """

    span: int
    files: list[Artifact]
    runs: list[str]
    models: list[LineageModel]


def models_of(graph: Graph, folder: Path) -> list[LineageModel]:
    """Every model that came to a Pusher, the oldest first; one that was taken from the cache once.

    Args:
        graph: of the pipeline.
        folder: <root>/<name>.
    """
    known = {
        (target, version.version): version
        for target in TARGETS
        for version in versions(folder, folder.name, target)
    }
    return [
        LineageModel(target, step.run_id, artifact, known.get((target, number)))
        for step in graph.executions
        if step.node.startswith(PUSHER) and step.state == "COMPLETE"
        for target in [step.node.removeprefix(PUSHER)]
        for artifact in step.made
        for number in [int(artifact.properties.get("pushed_version") or 0)]
    ]


def of_version(graph: Graph, folder: Path, target: str, number: int | None) -> Lineage:
    """The lineage of a served version, of the live one when no number is given.

    Raises:
        InputError: there is no such target or version, or ML Metadata does not know it.
    """
    if target not in TARGETS:
        raise InputError(
            f"'{target}' is neither a target ({', '.join(TARGETS)}) nor the id of a run; "
            "`models` and `runs` list them"
        )
    here = versions(folder, folder.name, target)
    wanted = [
        v.version for v in here if number == v.version or (number is None and v.status == "live")
    ]
    if not wanted:
        numbers = [version.version for version in here]
        what = "live version" if number is None else f"version {number}"
        raise InputError(f"{target} has no {what} under {folder}; there are: {numbers}")
    models = [
        model
        for model in models_of(graph, folder)
        if model.target == target and model.version and model.version.version == wanted[0]
    ]
    if not models:
        raise InputError(f"ML Metadata of {folder} does not know {target} {wanted[0]}")
    pushed = [model for model in models if not model.pushed.properties.get("already_live")]
    return of_model(graph, (pushed or models)[0])


def of_run(graph: Graph, folder: Path, run_id: str) -> list[Lineage]:
    """The lineages of a run's models, pushed or not; empty when it came to none.

    Raises:
        InputError: there is no such run.
    """
    if run_id not in graph.runs:
        last = list(graph.runs)[-5:]
        raise InputError(f"there is no run {run_id} under {folder}; the last ones: {last}")
    made = {artifact.id for step in graph.of_run(run_id) for artifact in step.made}
    return [of_model(graph, m) for m in models_of(graph, folder) if m.pushed.id in made]


def of_span(graph: Graph, folder: Path, span: int) -> Descendants:
    """What was made from a span.

    Raises:
        InputError: no run has read it.
    """
    part = f"span-{span}"
    known = [artifact for artifact in graph.artifacts if artifact.type_name == RAW_FILE]
    files = [file for file in known if file.properties["part"] == part]
    if not files:
        parts = sorted({str(file.properties["part"]) for file in known})
        raise InputError(f"no run under {folder} has read {part}; there are: {parts}")
    ids = {file.id for file in files}

    def reads_them(step: Execution) -> bool:
        return not ids.isdisjoint(artifact.id for artifact in step.read)

    staged = {made.uri for step in graph.executions if reads_them(step) for made in step.made}
    runs = [run for run, told in graph.runs.items() if told.get("staged_data") in staged]
    models = [
        model
        for model in models_of(graph, folder)
        if any(reads_them(step) for step in of_model(graph, model).steps)
    ]
    return Descendants(span, files, runs, models)


def facts(step: Execution) -> Properties:
    """What a node was told that matters for its result; its code by SHA-256."""
    told = {**_leaves(json.loads(str(step.properties.get("settings") or "{}"))), **step.properties}
    found = {key: told[key] for key in FACTS if told.get(key) not in ("", None)}
    if "code_sha256" in told:
        found["code_sha256"] = told["code_sha256"]
    elif code := _CODE.search(str(told.get("custom_config", ""))):
        found["code_sha256"] = code[1]
    return found


def _leaves(settings: dict[str, Any]) -> Properties:
    """Keys of sections with their values, whatever the section."""
    found: Properties = {}
    for key, value in settings.items():
        if isinstance(value, dict):
            found |= _leaves(value)
        elif isinstance(value, str | int | float):
            found[key] = value
    return found


def of_model(graph: Graph, model: LineageModel) -> Lineage:
    """The lineage of a model."""
    return Lineage(model, graph.upstream([model.pushed]))
