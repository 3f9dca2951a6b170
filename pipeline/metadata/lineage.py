"""From a model to the raw files it was made of, and from a span of data to what was made of it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError
from pipeline.metadata.data_record import RAW_FILE
from pipeline.metadata.graph import Graph, Item, Step
from pipeline.versions.served import FOLDERS, Version, versions

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
class Model:
    """A model of a run: the push of a target, and the version that it became, if it did."""

    target: str
    run_id: str
    pushed: Item
    version: Version | None


@dataclass(frozen=True)
class Lineage:
    """A model and the steps behind it, each after those that it takes from."""

    model: Model
    steps: list[Step]


@dataclass(frozen=True)
class Descendants:
    """What was made from a span.

    files: its raw files, as they were read.
    runs: ids of the runs that read them, the oldest first.
    models: what those runs made.
    """

    span: int
    files: list[Item]
    runs: list[str]
    models: list[Model]


def models_of(graph: Graph, folder: Path) -> list[Model]:
    """Every model that came to a Pusher, the oldest first; one that was taken from the cache once.

    Args:
        graph: of the pipeline.
        folder: <root>/<name>.
    """
    known = {
        (target, version.version): version
        for target in FOLDERS
        for version in versions(folder, folder.name, target)
    }
    found = []
    for step in graph.steps.values():
        if step.node.startswith(PUSHER) and step.state == "COMPLETE":
            target = step.node.removeprefix(PUSHER)
            for item in (graph.items[i] for held in step.outputs.values() for i in held):
                number = item.properties.get("pushed_version") or None
                version = known.get((target, int(number))) if number is not None else None
                found.append(Model(target, step.run_id, item, version))
    return found


def of_version(graph: Graph, folder: Path, target: str, number: int | None) -> Lineage:
    """The lineage of a served version, of the live one when no number is given.

    Raises:
        InputError: there is no such target or version, or ML Metadata does not know it.
    """
    if target not in FOLDERS:
        raise InputError(
            f"'{target}' is neither a target ({', '.join(FOLDERS)}) nor the id of a run; "
            "`models` and `runs` list them"
        )
    here = versions(folder, folder.name, target)
    wanted = [v for v in here if v.status == "live" if number in (None, v.version)] or [
        v for v in here if v.version == number
    ]
    if not wanted:
        numbers = [version.version for version in here]
        what = "live version" if number is None else f"version {number}"
        raise InputError(f"{target} has no {what} under {folder}; there are: {numbers}")
    models = [
        model
        for model in models_of(graph, folder)
        if model.target == target and model.version and model.version.version == wanted[0].version
    ]
    if not models:
        raise InputError(f"ML Metadata of {folder} does not know {target} {wanted[0].version}")
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
    made = {i for s in graph.of_run(run_id) for held in s.outputs.values() for i in held}
    return [of_model(graph, m) for m in models_of(graph, folder) if m.pushed.id in made]


def of_span(graph: Graph, folder: Path, span: int) -> Descendants:
    """What was made from a span.

    Raises:
        InputError: no run has read it.
    """
    part = f"span-{span}"
    files = [i for i in raw_files(graph) if i.properties["part"] == part]
    if not files:
        parts = sorted({str(i.properties["part"]) for i in raw_files(graph)})
        raise InputError(f"no run under {folder} has read {part}; there are: {parts}")
    ids = {file.id for file in files}
    touched = {
        step.id: bool(ids & {i for held in step.inputs.values() for i in held})
        for step in graph.steps.values()
    }
    staged = {
        graph.items[i].uri
        for step in graph.steps.values()
        if touched[step.id]
        for held in step.outputs.values()
        for i in held
    }
    runs = [run for run, known in graph.runs.items() if known.get("staged_data") in staged]
    models = [m for m in models_of(graph, folder) if ids & _sources(graph, m)]
    return Descendants(span, files, runs, models)


def raw_files(graph: Graph) -> Iterator[Item]:
    """Raw files that were read."""
    return (item for item in graph.items.values() if item.type_name == RAW_FILE)


def facts(step: Step) -> dict[str, str | int | float]:
    """What a node was told that matters for its result; its code by SHA-256."""
    found = {
        key: step.properties[key] for key in FACTS if step.properties.get(key) not in ("", None)
    }
    if code := _code(step):
        found["code_sha256"] = code
    return found


def _code(step: Step) -> str | None:
    if "code_sha256" in step.properties:
        return str(step.properties["code_sha256"])
    found = _CODE.search(str(step.properties.get("custom_config", "")))
    return found[1] if found else None


def of_model(graph: Graph, model: Model) -> Lineage:
    """The lineage of a model."""
    return Lineage(model, graph.upstream([model.pushed.id]))


def _sources(graph: Graph, model: Model) -> set[int]:
    steps = graph.upstream([model.pushed.id])
    return {item.id for step in steps for _, item in graph.inputs(step)}
