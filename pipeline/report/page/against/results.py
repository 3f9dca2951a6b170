"""Two runs' results: what was pushed, models, gaps, gates."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from core.targets import TARGETS
from models.metrics.gates import OVERALL, Gate
from pipeline.report.page import html
from pipeline.report.page.against.sides import (
    DIFFERENCE,
    FIRST,
    SECOND,
    Figures,
    figures,
    two_columns,
)
from pipeline.report.page.head import started, state
from pipeline.report.page.part import Part, RunRecord
from pipeline.report.page.parts.gates import badge_of
from pipeline.report.page.parts.models import interval_spec, metrics_shown
from pipeline.report.summary import MeasuredModel, Pushed, Summary

_CHART = "models-"


def outcome(one: RunRecord, other: RunRecord) -> Part:
    """How both ended, and at what cost."""
    pair = (one.summary, other.summary)
    rows: list[list[html.Text]] = [
        ["run", *(summary.run_id for summary in pair)],
        ["started", *map(started, pair)],
        ["state", *map(state, pair)],
        ["failed at", *(_failed(summary) for summary in pair)],
    ]
    rows += [[target, *(_pushed(summary, target) for summary in pair)] for target in TARGETS]
    seconds = figures(
        "What they cost",
        "",
        [
            ("seconds", pair[0].seconds, pair[1].seconds),
            ("CPU seconds", pair[0].cpu_seconds, pair[1].cpu_seconds),
            ("memory at most, MB", pair[0].peak_rss_mb, pair[1].peak_rss_mb),
        ],
        lambda value: html.number(value, ",.1f"),
    )
    pieces = [two_columns("How they ended", "", rows), seconds]
    return Part("outcome", "What was pushed, and why", html.join(pieces))


def _failed(summary: Summary) -> str:
    if summary.failure is None:
        return ""
    return f"{summary.failure.node or 'the run'}: {summary.failure.cause}"


def _pushed(summary: Summary, target: str) -> html.Text:
    found = summary.pushed.get(target, Pushed(version=None))
    if found.version is None:
        return f"not pushed: {found.why}"
    return f"version {found.version}{', live already' if found.already_live else ''}"


def models(one: RunRecord, other: RunRecord) -> Part | None:
    """The deployed models of both, target by target."""
    pair = one.summary.deployed, other.summary.deployed
    pieces: list[html.Text | None] = []
    charts: dict[str, Any] = {}
    for target in TARGETS:
        mine, theirs = pair[0].get(target), pair[1].get(target)
        if mine is None and theirs is None:
            continue
        pieces.append(html.heading(target))
        points = [
            p for n, m in zip((FIRST, SECOND), (mine, theirs), strict=True) for p in _points(n, m)
        ]
        if points:
            element = f"{_CHART}{target}"
            charts[element] = interval_spec(points, "run")
            label = f"Metrics of {target} in both runs with their 95% intervals"
            pieces.append(html.chart(element, label, "Lines are 95% intervals.", 180))
        pieces.append(_metrics(target, mine, theirs))
        pieces.append(_sizes(target, mine, theirs))
        pieces.append(_slices(target, mine, theirs))
    if not pieces:
        return None
    said = (
        "Each model was measured on the test part of its own run. Where that is the same, a "
        "difference is surer than the two intervals tell."
    )
    return Part("models", "Models", html.join([html.paragraph(said, "hint"), *pieces]), charts)


def _points(run: str, model: MeasuredModel | None) -> Iterator[dict[str, Any]]:
    seen = model.evidence.get(OVERALL) if model else None
    for name, heading in metrics_shown(model).items() if model else ():
        value = model.metrics.get(name) if model else None
        if value is not None:
            low, high = (seen.intervals.get(name) if seen else None) or (value, value)
            yield {"run": run, "metric": heading, "value": value, "low": low, "high": high}


def _metrics(
    target: str, mine: MeasuredModel | None, theirs: MeasuredModel | None
) -> html.Text | None:
    headings = {
        **(metrics_shown(mine) if mine else {}),
        **(metrics_shown(theirs) if theirs else {}),
    }
    rows: list[list[html.Text]] = []
    for name, heading in headings.items():
        one = mine.metrics.get(name) if mine else None
        other = theirs.metrics.get(name) if theirs else None
        if one is None and other is None:
            continue
        cells = (
            html.with_interval(one, _ends(mine, name)),
            html.with_interval(other, _ends(theirs, name)),
        )
        rows.append([heading, *cells, html.difference(one, other)])
    columns = ("metric", FIRST, SECOND, DIFFERENCE)
    caption = f"{target}: metrics with 95% intervals"
    return html.table(caption, columns, rows, columns[1:]) if rows else None


def _ends(model: MeasuredModel | None, name: str) -> tuple[float, float] | None:
    seen = model.evidence.get(OVERALL) if model else None
    return seen.intervals.get(name) if seen else None


def _sizes(
    target: str, mine: MeasuredModel | None, theirs: MeasuredModel | None
) -> html.Text | None:
    def of(read: Callable[[MeasuredModel], float | None]) -> tuple[float | None, float | None]:
        return read(mine) if mine else None, read(theirs) if theirs else None

    rows: list[Figures] = [
        ("bytes", *of(lambda m: m.bytes)),
        ("bytes, compressed", *of(lambda m: m.gzip_bytes)),
        ("microseconds for one row", *of(lambda m: m.latency_us.get("batch_1"))),
    ]
    caption = f"{target}: size and time"
    return figures(caption, "", rows, lambda value: html.number(value, ",.0f"))


def _slices(
    target: str, mine: MeasuredModel | None, theirs: MeasuredModel | None
) -> html.Text | None:
    """Gaps, and folded the metrics of each slice."""
    gaps = [_flat(model.gaps) if model else {} for model in (mine, theirs)]
    gap_table = figures(f"{target}: gaps between groups", "gap", _pairs(*gaps))
    slices = [_flat(model.slices) if model else {} for model in (mine, theirs)]
    table = figures(f"{target}: slices", "slice and metric", _pairs(*slices))
    return html.join([gap_table, html.fold(f"{target}, slice by slice", table) if table else None])


def _flat(by_name: Mapping[str, Mapping[str, float | None]]) -> dict[str, float | None]:
    return {f"{n} {metric}": v for n, row in by_name.items() for metric, v in row.items()}


def _pairs(
    mine: Mapping[str, float | None], theirs: Mapping[str, float | None]
) -> Iterator[Figures]:
    for name in {**mine, **theirs}:
        one, other = mine.get(name), theirs.get(name)
        if one is not None or other is not None:
            yield name, one, other


def gates(one: RunRecord, other: RunRecord) -> Part | None:
    """The gates of both; those that came out another way first."""
    pair = [_by_name(record.summary.gates) for record in (one, other)]
    names = list({**pair[0], **pair[1]})
    if not names:
        return None
    both = [name for name in names if name in pair[0] and name in pair[1]]
    turned = [name for name in both if pair[0][name].verdict != pair[1][name].verdict]
    same = [name for name in both if name not in turned]
    pieces: list[html.Text] = [html.paragraph(_turned(len(turned), len(both)), "lead")]
    if turned:
        pieces.append(_gate_table("Gates that came out another way", turned, *pair))
    for what, found in (
        ("came out the same way", same),
        (f"{FIRST} alone has", [name for name in names if name not in pair[1]]),
        (f"{SECOND} alone has", [name for name in names if name not in pair[0]]),
    ):
        if found:
            table = _gate_table(f"Gates that {what}", found, *pair)
            pieces.append(html.fold(f"The {len(found)} gates that {what}", table))
    return Part("gates", "Gates", html.join(pieces))


def _by_name(gates: list[Gate]) -> dict[tuple[str, str, str], Gate]:
    return {(gate.target, gate.metric, gate.slice): gate for gate in gates}


def _turned(turned: int, both: int) -> str:
    if turned:
        return f"{turned} of the {both} gates of both runs came out another way."
    return f"All {both} gates of both runs came out the same way."


def _gate_table(
    caption: str,
    names: list[tuple[str, str, str]],
    mine: Mapping[tuple[str, str, str], Gate],
    theirs: Mapping[tuple[str, str, str], Gate],
) -> html.Text:
    rows = []
    for name in names:
        pair = mine.get(name), theirs.get(name)
        cells = [_gate_cell(gate) for gate in pair]
        one, other = (gate.value if gate else None for gate in pair)
        rows.append([*name, *cells, html.difference(one, other)])
    columns = ("target", "metric", "slice", FIRST, SECOND, DIFFERENCE)
    return html.table(caption, columns, rows, (DIFFERENCE,))


def _gate_cell(gate: Gate | None) -> html.Text:
    if gate is None:
        return ""
    return html.join([html.number(gate.value), f" ({gate.bound}) ", badge_of(gate)])
