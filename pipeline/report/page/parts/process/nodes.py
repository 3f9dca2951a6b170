"""The DAG, drawn: states, times, and links to what each node did; and as a table."""

from collections.abc import Iterable, Iterator, Mapping

import networkx as nx
from markupsafe import Markup

from pipeline.metadata.executions import Execution
from pipeline.report.layers import Sizes, layout
from pipeline.report.page import html
from pipeline.report.page.part import Part, RunRecord
from pipeline.report.summary import Node, Summary

_SIZES = Sizes(column=150, row=68, lane=18, height=42)
_WIDTH, _MARGIN = 138, 8  # pixels of a box, and around everything
_WAITING = "WAITING"
_STATES: dict[str, tuple[str, html.Kind]] = {
    "RAN": ("ran", "good"),
    "CACHED": ("from the cache", "plain"),
    "SKIPPED": ("not run", "warn"),
    "FAILED": ("failed", "bad"),
    _WAITING: ("not yet", "plain"),
}
# The part of the page that says what a node did, by the beginning of its id.
_PARTS = {
    "AnswerImporter": "labels",
    "CsvExampleGen": "data",
    "StatisticsGen": "data",
    "SchemaGen": "data",
    "ImportSchemaGen": "data",
    "ExampleValidator": "data",
    "AnomalyGate": "anomalies",
    "SnorkelLabeler": "labels",
    "LabelGate": "gates",
    "FeatureSelector": "features",
    "Reference": "models",
    "Tuner": "trials",
    "Trainer": "training",
    "Distiller": "training",
    "Quantizer": "variants",
    "Selector.": "choices",
    "VariantEvaluator": "variants",
    "Explainer": "attributions",
    "ModelCard": "cards",
    "Evaluator.": "models",
    "FairnessGate.": "gates",
    "PushGate.": "gates",
    "Pusher.": "outcome",
}


def nodes(record: RunRecord) -> Part | None:
    """The part; None of a run that came to no node and whose DAG is not known."""
    summary = record.summary
    dag = wiring(summary, record.executions)
    if not dag.nodes:
        return None
    pieces = [
        html.paragraph(_said(summary, dag), "lead"),
        _legend(),
        _picture(dag, summary.nodes),
        html.fold("The nodes as a table", _table(dag, summary.nodes)),
    ]
    return Part("nodes", "Nodes", html.join(pieces))


def wiring(summary: Summary, executions: Iterable[Execution]) -> nx.DiGraph:
    """The nodes and which waits for which: as wired, or else as far as what was made tells."""
    dag = nx.DiGraph()
    dag.add_nodes_from([*summary.upstream, *summary.nodes])
    dag.add_edges_from((above, node) for node, found in summary.upstream.items() for above in found)
    if not summary.upstream:
        makers: dict[int, str] = {}
        for execution in executions:
            dag.add_node(execution.node)
            above = {makers[item.id] for item in execution.read if item.id in makers}
            dag.add_edges_from((maker, execution.node) for maker in above - {execution.node})
            makers |= {item.id: execution.node for item in execution.made}
    return nx.transitive_reduction(dag) if nx.is_directed_acyclic_graph(dag) else nx.DiGraph()


def _said(summary: Summary, dag: nx.DiGraph) -> str:
    counts: dict[str, int] = {}
    for name in dag.nodes:
        word = _STATES[_state(summary.nodes.get(name))][0]
        counts[word] = counts.get(word, 0) + 1
    told = ", ".join(f"{count} {word}" for word, count in counts.items())
    slowest = sorted(summary.nodes.items(), key=lambda found: -found[1].seconds)[:3]
    most = ", ".join(f"{name} ({html.duration(node.seconds)})" for name, node in slowest)
    return f"{len(dag.nodes)} nodes: {told}. Most time went to {most}." if most else f"{told}."


def _state(node: Node | None) -> str:
    return node.state if node else _WAITING


def _legend() -> Markup:
    text = (
        "Green: ran; blue and dashed: taken from the cache; red: failed; dotted: not run. A box "
        "leads to what its node did."
    )
    return html.paragraph(text, "hint")


def _picture(dag: nx.DiGraph, found: Mapping[str, Node]) -> Markup:
    placed = layout(dag, _SIZES)
    width, height = placed.width + 2 * _MARGIN, placed.height
    arrows = html.join(
        Markup('<path d="{}"{}/>').format(path, Markup(' marker-end="url(#dag-head)"' * ends))
        for path, ends in placed.arrows
    )
    boxes = html.join(_box(name, found.get(name), *placed.at[name]) for name in dag.nodes)
    return Markup(
        '<div class="picture" tabindex="0" role="group" aria-label="The DAG">'
        '<svg class="dag" width="{w:.0f}" height="{h:.0f}" viewBox="{left} 0 {w:.0f} {h:.0f}" '
        'role="group" aria-label="Nodes of the DAG from top to bottom">'
        '<defs><marker id="dag-head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path class="head" d="M0,0L8,4L0,8z"/></marker></defs>'
        "{arrows}{boxes}</svg></div>"
    ).format(w=width, h=height, left=-_MARGIN, arrows=arrows, boxes=boxes)


def _box(name: str, node: Node | None, x: float, y: float) -> Markup:
    state = _state(node)
    word = _STATES[state][0]
    took = html.duration(node.seconds) if node and state in ("RAN", "FAILED") else word
    shape = Markup(
        '<rect class="box {state}" x="{left:g}" y="{top:g}" width="{width}" height="{height}" '
        'rx="6"/><text x="{x:g}" y="{above:g}" text-anchor="middle">{name}</text>'
        '<text class="time" x="{x:g}" y="{below:g}" text-anchor="middle">{took}</text>'
    ).format(
        state=state, left=x - _WIDTH / 2, top=y - _SIZES.height / 2, width=_WIDTH,
        height=_SIZES.height, x=x, above=y - 3, below=y + 13, name=name, took=took,
    )  # fmt: skip
    label = f"{name}: {word}" + (f", {took}" if took != word else "")
    part = part_of(name)
    if part is None:
        return Markup('<g role="img" aria-label="{}">{}</g>').format(label, shape)
    return Markup('<a href="#{}" aria-label="{}">{}</a>').format(part, label, shape)


def part_of(node: str) -> str | None:
    """Id of the part that says what a node did; None where there is none."""
    return next((part for name, part in _PARTS.items() if _is(node, name)), None)


def _is(node: str, name: str) -> bool:
    return node.startswith(name) if name.endswith(".") else node == name


def _table(dag: nx.DiGraph, found: Mapping[str, Node]) -> Markup:
    columns = ("node", "state", "seconds", "CPU seconds", "waits for", "execution")
    order = [*found, *(name for name in dag.nodes if name not in found)]
    rows = (list(_cells(name, found.get(name), dag)) for name in order)
    numeric = ("seconds", "CPU seconds", "execution")
    return html.table("Nodes in the order in which they ran", columns, rows, numeric)


def state_badge(node: Node | None) -> Markup:
    """How a node ended."""
    return html.badge(*_STATES[_state(node)])


def _cells(name: str, node: Node | None, dag: nx.DiGraph) -> Iterator[html.Text]:
    part = part_of(name)
    yield Markup('<a href="#{}">{}</a>').format(part, name) if part else name
    yield state_badge(node)
    yield html.number(node.seconds, ".1f") if node else ""
    yield html.number(node.cpu_seconds, ".1f") if node else ""
    yield ", ".join(sorted(dag.predecessors(name)))
    yield str(node.execution_id) if node and node.execution_id is not None else ""
