"""Lineages as plain values, for --json, and as trees, for people."""

from typing import Any

from rich.tree import Tree

from pipeline.metadata.executions import RAW_FILE, Artifact, Execution
from pipeline.metadata.graph import REFERENCES, Graph
from pipeline.metadata.lineage import Descendants, Lineage, LineageModel, facts
from pipeline.report.markup import escape

SHORT = 12  # characters of a digest that people are shown


def lineage_values(graph: Graph, lineage: Lineage) -> dict[str, Any]:
    """A lineage with every digest in full."""
    model = lineage.model
    steps = lineage.steps
    artifacts = {a.id: a for step in steps for a in graph.inputs(step)}
    artifacts |= {a.id: a for step in steps for a in step.made}
    return {
        **_model_values(model),
        "run": graph.runs.get(model.run_id, {}),
        "raw_files": [_file_values(i) for i in artifacts.values() if i.type_name == RAW_FILE],
        "steps": [
            {
                "node": step.node,
                "execution_id": step.id,
                "run_id": step.run_id or None,
                "facts": facts(step),
                "inputs": _ids(step.inputs),
                "outputs": _ids(step.outputs),
            }
            for step in steps
        ],
        "artifacts": [
            {"id": i.id, "type": i.type_name, "uri": i.uri, "deleted": i.deleted}
            for i in artifacts.values()
        ],
    }


def _ids(by_key: dict[str, list[Artifact]]) -> dict[str, list[int]]:
    return {key: [artifact.id for artifact in artifacts] for key, artifacts in by_key.items()}


def descendant_values(found: Descendants) -> dict[str, Any]:
    """What was made from a span."""
    return {
        "span": found.span,
        "raw_files": [_file_values(item) for item in found.files],
        "runs": found.runs,
        "models": [_model_values(model) for model in found.models],
    }


def lineage_tree(graph: Graph, lineage: Lineage) -> Tree:
    """A lineage for people: each step once, later ones point to it."""
    model = lineage.model
    tree = Tree(f"[bold]{escape(title(model))}[/]")
    run = graph.runs.get(model.run_id, {})
    for key in ("config", "config_sha256", "code_sha256", "seed"):
        if key in run:
            tree.add(f"{key} {escape(_short(str(run[key])))}")
    shown: set[int] = set()
    if maker := graph.maker(model.pushed):
        _add_step(graph, tree, maker, shown, model.run_id)
    return tree


def _add_step(graph: Graph, above: Tree, step: Execution, shown: set[int], run_id: str) -> None:
    if step.id in shown:
        above.add(f"[dim]{escape(step.node)}, see above[/]")
        return
    shown.add(step.id)
    other = f" [dim]from run {step.run_id}[/]" if step.run_id not in ("", run_id) else ""
    told = ", ".join(f"{key} {_short(str(value))}" for key, value in facts(step).items())
    branch = above.add(f"[cyan]{escape(step.node)}[/]{other} {escape(told)}")
    for key, items in step.inputs.items():
        if key in REFERENCES:
            for reference in items:
                branch.add(f"[dim]{escape(_reference(graph, key, reference))}[/]")
    seen: set[int] = set()
    for item in graph.inputs(step):
        maker = graph.maker(item)
        if item.type_name == RAW_FILE:
            branch.add(escape(file_line(item)))
        elif maker is not None and maker.id not in seen:
            seen.add(maker.id)
            _add_step(graph, branch, maker, shown, run_id)


def _reference(graph: Graph, key: str, item: Artifact) -> str:
    maker = graph.maker(item)
    made = f"{maker.node} of run {maker.run_id}" if maker else item.uri
    return f"{key.replace('_', ' ')}: {made}"


def descendant_tree(found: Descendants) -> Tree:
    """What was made from a span, for people."""
    tree = Tree(f"[bold]span {found.span}[/]")
    for item in found.files:
        tree.add(escape(file_line(item)))
    runs = tree.add(f"read by {len(found.runs)} run(s)")
    for run in found.runs:
        runs.add(run)
    models = tree.add(f"in {len(found.models)} model(s)")
    for model in found.models:
        models.add(escape(title(model)))
    return tree


def title(model: LineageModel) -> str:
    """`server version 17, live, of run 20260102T030405Z: <path>`."""
    version = model.version
    if version is None:
        return f"{model.target} model of run {model.run_id}, not pushed"
    where = "" if version.status == "deleted" else f": {version.path}"
    return (
        f"{model.target} version {version.version}, {version.status}, of run {model.run_id}{where}"
    )


def file_line(item: Artifact) -> str:
    """`span-1 data.csv sha256 0123456789ab`."""
    name = item.uri.rpartition("/")[2]
    return f"{item.properties['part']} {name} sha256 {_short(str(item.properties['sha256']))}"


def _short(text: str) -> str:
    """Digests cut short, paths without what is in front of the run folder's own part."""
    if len(text) == 64 and "/" not in text:
        return text[:SHORT]
    folder, found, rest = text.rpartition("/staged/")
    return f"staged/{rest}" if found and folder else text


def _file_values(item: Artifact) -> dict[str, Any]:
    return {"part": item.properties["part"], "path": item.uri, "sha256": item.properties["sha256"]}


def _model_values(model: LineageModel) -> dict[str, Any]:
    version = model.version
    return {
        "target": model.target,
        "run_id": model.run_id,
        "version": version and version.version,
        "status": version.status if version else "not pushed",
        "path": str(version.path) if version else None,
    }
