"""How two runs came to their results: data, labels, features, training, nodes, configuration."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from core.names import DISTILLATION_REPORT, FEATURE_REPORT, LABEL_REPORT, TRAINING_REPORT
from pipeline.report.page import html
from pipeline.report.page.against.sides import FIRST, SECOND, Figures, figures, two_columns
from pipeline.report.page.part import Part, RunRecord
from pipeline.report.page.parts.origin.configuration import (
    differences,
    differences_table,
    flat,
)
from pipeline.report.page.parts.process.data import (
    columns_table,
    contract_of,
    distances_of,
    statistics_of,
)
from pipeline.report.page.parts.process.learning import curve_points, curve_spec
from pipeline.report.page.parts.process.nodes import state_badge
from pipeline.report.page.records import same_data

_CURVE = "training-"


def data(one: RunRecord, other: RunRecord) -> Part:
    """Rows, spans, and how far the columns are apart."""
    pair = one.summary.data, other.summary.data
    parts = list({**pair[0].rows, **pair[1].rows})
    rows: list[Figures] = [(part, pair[0].rows.get(part), pair[1].rows.get(part)) for part in parts]
    spans = [[", ".join(map(str, found.spans)) or html.NONE for found in pair]]
    now, then = statistics_of(one.executions), statistics_of(other.executions)
    same = same_data(one.summary, other.summary)
    said = "Both runs read the same data." if same else "The runs read different data."
    distances = distances_of(now, then, contract_of(one.executions))
    pieces = [
        html.paragraph(said, "lead"),
        figures("Rows by part", "part", rows, html.count),
        two_columns("Spans", "", [["spans", *spans[0]]]),
        None if same else columns_table(now, then, distances, "the other run"),
    ]
    return Part("data", "Data", html.join(pieces))


def labels(one: RunRecord, other: RunRecord) -> Part | None:
    """What the labels rest on, and the functions."""
    pair = [_labels(record) for record in (one, other)]
    if not any(pair):
        return None
    rows: list[Figures] = [
        (name, _number(pair[0].get(key)), _number(pair[1].get(key)))
        for name, key in (
            ("rows covered by a vote", "coverage"),
            ("rows in conflict", "conflict"),
            ("gold rows whose label is right", "accuracy_on_gold"),
        )
    ]
    words = [
        [name, *(str(found.get(key) or html.NONE) for found in pair)]
        for name, key in (
            ("mode", "mode"),
            ("gold rows", "gold_rows"),
            ("method", "method"),
            ("why", "method_reason"),
        )
    ]
    functions: list[Mapping[str, Any]] = [found.get("functions") or {} for found in pair]
    tables = [
        figures(f"Functions: {key.replace('_', ' ')}", "function", _by_function(functions, key))
        for key in ("coverage", "accuracy_on_gold", "weight")
    ]
    pieces: list[html.Text | None] = [
        two_columns("Where the labels come from", "", words),
        figures("Shares", "", rows, html.percent),
        html.fold("Function by function", html.join(tables)) if any(functions) else None,
    ]
    return Part("labels", "Labels", html.join(pieces))


def _by_function(functions: Sequence[Mapping[str, Any]], key: str) -> Iterator[Figures]:
    for name in {**functions[0], **functions[1]}:
        one, other = (_number(found.get(name, {}).get(key)) for found in functions)
        yield name, one, other


def _labels(record: RunRecord) -> Mapping[str, Any]:
    found = record.report(LABEL_REPORT)
    if found is None and record.summary.labels:
        found = record.summary.labels.model_dump(mode="json")
    return found or {}


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def features(one: RunRecord, other: RunRecord) -> Part | None:
    """The columns that only one of them kept."""
    pair = [record.report(FEATURE_REPORT) or record.summary.features for record in (one, other)]
    if not all(pair):
        return None
    kept = [set(found["kept"]) for found in pair if found]
    alone = [", ".join(sorted(kept[n] - kept[1 - n])) for n in (0, 1)]
    if not any(alone):
        said = html.paragraph(f"Both keep the same {len(kept[0])} columns.")
        return Part("features", "Features", html.join([said]))
    rows = [["columns", *alone]]
    return Part("features", "Features", html.join([two_columns("Kept by one alone", "", rows)]))


def training(one: RunRecord, other: RunRecord) -> Part | None:
    """The curves on evaluation rows over each other."""
    pieces: list[html.Text] = []
    charts: dict[str, Any] = {}
    for network, report in (("teacher", TRAINING_REPORT), ("student", DISTILLATION_REPORT)):
        points = []
        for name, record in zip((FIRST, SECOND), (one, other), strict=True):
            found = curve_points(network, record.report(report) or {})
            points += [{**p, "run": name} for p in found if p["rows"] == "evaluation rows"]
        if points:
            element = f"{_CURVE}{network}"
            charts[element] = curve_spec(network, points, "run")
            label = f"Evaluation loss of the {network} by epoch in both runs"
            pieces.append(html.chart(element, label, "", 240))
            pieces.append(_least(network, points))
    return Part("training", "Training", html.join(pieces), charts) if pieces else None


def _least(network: str, points: list[dict[str, Any]]) -> html.Text:
    """The curves in words."""
    losses = [[p["loss"] for p in points if p["run"] == name] for name in (FIRST, SECOND)]
    least = [min(found, default=None) for found in losses]
    shown_least = [html.number(value) for value in least]
    return two_columns(
        f"{network}: least evaluation loss", "", [["loss", *shown_least]], numeric=True
    )


def nodes(one: RunRecord, other: RunRecord) -> Part | None:
    """States and times of both."""
    pair = one.summary.nodes, other.summary.nodes
    rows = []
    for name in {**pair[0], **pair[1]}:
        found = [nodes.get(name) for nodes in pair]
        cells = [
            html.join([state_badge(node), f" {node.seconds:.1f} s"]) if node else html.NONE
            for node in found
        ]
        rows.append([name, *cells])
    return Part("nodes", "Nodes", html.join([two_columns("Nodes", "node", rows)])) if rows else None


def configuration(one: RunRecord, other: RunRecord) -> Part:
    """The values that differ, and the digests of what else a run is made of."""
    pair = one.summary, other.summary
    rows = [
        [what, *(html.digest(sha) if sha else "" for sha in digests)]
        for what, digests in (
            ("configuration", [summary.config_sha256 for summary in pair]),
            ("code", [summary.code_sha256 for summary in pair]),
            ("contract", [summary.data.contract_sha256 for summary in pair]),
        )
        if digests[0] != digests[1]
    ]
    pieces: list[html.Text] = []
    if rows:
        pieces.append(two_columns("Digests that differ", "", rows))
    if one.settings is None or other.settings is None:
        pieces.append(html.paragraph("One of them left no config.yaml to compare."))
    elif found := differences(flat(one.settings), flat(other.settings)):
        caption = f"{len(found)} value{'s' * (len(found) > 1)} that differ"
        pieces.append(differences_table(found, caption, FIRST, SECOND))
    else:
        pieces.append(html.paragraph("Every value of the configuration is the same."))
    return Part("configuration", "Configuration", html.join(pieces))
