"""What the command line prints: nodes while they run, then verdicts, models, pushed versions."""

import sys
from collections.abc import Iterable, Mapping, Set
from typing import Any, Self

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from core.targets import TARGETS
from models.labels.findings import Finding
from models.metrics.gates import PushChecks
from models.metrics.registry import EXAMPLES, METRICS, RATES, measured_by
from pipeline.ingestion.spans import SpanFinding
from pipeline.report.class_table import lowest_recall, print_classes
from pipeline.report.gap_table import bounded_columns, print_gaps
from pipeline.report.gate_table import print_gates
from pipeline.report.group_table import print_rates, print_worst
from pipeline.report.markup import escape, table_of
from pipeline.report.summary import (
    MeasuredModel,
    MeasuredReference,
    Summary,
    TrainingStart,
)
from pipeline.run.events import DamageFound, Event, NodeStarted
from pipeline.run.failures import Failure

_PLAIN_WIDTH = 140  # columns, where the output is not a terminal
_GAPS = ("tpr", "recall")  # rates whose largest gap the models table shows: of two classes, of more
_SEVERITIES = {"error": "bold red", "warning": "yellow", "note": "cyan"}
_STYLES = {"RAN": "green", "CACHED": "cyan", "SKIPPED": "yellow", "FAILED": "bold red"}


def make_console() -> Console:
    """Standard output; wide enough for the tables when it is a file or a pipe."""
    return Console(width=None if sys.stdout.isatty() else _PLAIN_WIDTH, highlight=False)


class RunDisplay:
    """One line for each node when it ends; on a terminal, the running one with its seconds too."""

    def __init__(self, out: Console) -> None:
        self._out = out
        self._live = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=out,
            transient=True,
            disable=not out.is_terminal,
        )
        self._task = self._live.add_task("starting", total=None)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._live.stop()

    def tell(self, text: str) -> None:
        """Says what goes on besides nodes."""
        self._live.reset(self._task, description=escape(text))
        if not self._out.is_terminal:
            self._out.print(escape(text))

    def on_event(self, event: Event) -> None:
        """Shows a node that starts; prints one that has ended."""
        if isinstance(event, NodeStarted):
            text = f"{event.number}/{event.total} {event.node}"
            self._live.reset(self._task, description=escape(text))
        elif isinstance(event, DamageFound):
            print_warnings(self._out, [event.text])
        else:
            print_node(self._out, event.node, event.state, event.seconds)


def print_node(out: Console, node: str, state: str, seconds: float) -> None:
    """One line: id, state, seconds."""
    took = f"{seconds:8.1f} s" if state != "SKIPPED" else ""
    out.print(f"{escape(node):<20} [{_STYLES[state]}]{state:<8}[/]{took}")


def print_results(
    out: Console, summary: Summary, every_gate: bool = False, slices: bool = False
) -> None:
    """Faults of labelling functions, tables of gates, models and slices, notes, versions, cost."""
    print_span_findings(out, summary.data.held_back, summary.data.reported)
    if summary.labels:
        print_label_findings(out, summary.labels.findings)
    print_gates(out, summary.gates, every_gate)
    if summary.models:
        out.print(_modeltable_of(summary))
    if slices:
        print_classes(out, summary)
        print_slices(out, summary)
        print_gaps(out, summary)
        print_worst(out, summary)
    if slices and every_gate:
        print_rates(out, summary)
    for note in summary.notes:
        out.print(f"[cyan]note[/]: {escape(note)}", soft_wrap=True)
    if summary.features:
        print_features(out, summary.features)
    if summary.training:
        print_training(out, summary.training)
    for target, checks in summary.push_checks.items():
        print_push_checks(out, target, checks)
    for target in TARGETS:
        pushed = summary.pushed[target]
        if pushed.version is not None and pushed.already_live:
            where = f"already live as version {pushed.version} in {escape(pushed.path or '')}"
            out.print(f"{target}: {where}", soft_wrap=True)
        elif pushed.version is not None:
            out.print(
                f"{target}: version {pushed.version} pushed to {escape(pushed.path or '')}",
                soft_wrap=True,
            )
        else:
            out.print(
                f"{target}: [yellow]not pushed[/]: {escape(pushed.why or '')}", soft_wrap=True
            )
    out.print(
        f"run {summary.run_id} {summary.state}: {summary.seconds:.0f} s, "
        f"{summary.cpu_seconds:.0f} CPU s, peak {summary.peak_rss_mb:.0f} MB"
    )


def print_span_findings(
    out: Console, held_back: Iterable[SpanFinding], reported: Iterable[SpanFinding]
) -> None:
    """Spans that a run does not take, and what else is to be said of spans."""
    for finding in held_back:
        what = f"span {finding.span}: [yellow]held back[/] ({finding.kind}): "
        out.print(what + escape(finding.message), soft_wrap=True)
    for finding in reported:
        what = f"span {finding.span}: {finding.kind}: {finding.message}"
        out.print(escape(what), soft_wrap=True)


def print_label_findings(out: Console, findings: Iterable[Finding]) -> None:
    """Each fault of a labelling function, and what to do about it."""
    for finding in findings:
        what = f"[{_SEVERITIES[finding.severity]}]{finding.severity}[/]: {escape(finding.function)}"
        out.print(f"{what} {escape(finding.message)}", soft_wrap=True)
        out.print(f"  to do: {escape(finding.action)}", soft_wrap=True)


def print_features(out: Console, features: Mapping[str, Any]) -> None:
    """How many columns the models read, where the scores of columns dropped some."""
    dropped = {drop["column"] for drop in features["dropped"]}
    by_score = sum(row["column"] in dropped for row in features.get("scores", ()))
    if by_score:
        read = len(features["kept"])
        said = f"features: columns read: {read}, dropped by their scores: {by_score}"
        out.print(f"{said}; {escape(features['note'])}", soft_wrap=True)


def print_training(out: Console, training: TrainingStart) -> None:
    """Where the teacher's training started."""
    if training.start == "warm":
        rows = f"{training.new_rows or 0:.1%} of the embedding rows are new"
        out.print(f"training: warm, from run {training.from_run or '-'}; {rows}", soft_wrap=True)
    else:
        out.print(f"training: cold, {escape(training.reason or '')}", soft_wrap=True)


def print_push_checks(out: Console, target: str, checks: PushChecks) -> None:
    """What a model was compared with before it was pushed, and on which rows."""
    if checks.live_version is None:
        text = "no version of another model is live to be compared with"
    elif checks.problem:
        text = f"version {checks.live_version} is live, but: {checks.problem}"
    else:
        text = f"compared with live version {checks.live_version} on {checks.compared_on}"
    out.print(f"{target}: {escape(text)}", soft_wrap=True)


def print_failure(out: Console, failure: Failure) -> None:
    """What failed, why, where, and how to go on."""
    what = f"[bold red]{escape(failure.node or 'the run')} failed[/]: {escape(failure.cause)}"
    out.print(what, soft_wrap=True)
    if failure.code:
        out.print(f"  at {escape(failure.code)}", soft_wrap=True)
    out.print(f"  to go on: {escape(failure.resume)}", soft_wrap=True)


def print_warnings(out: Console, warnings: Iterable[str]) -> None:
    """What went wrong without changing how the run ended."""
    for warning in warnings:
        out.print(f"[yellow]warning[/]: {escape(warning)}", soft_wrap=True)


def _modeltable_of(summary: Summary) -> Table:
    known = measured_by(next(iter(summary.models.values())).metrics)
    columns = (
        *(m.heading for m in known.values()),
        f"{_GAPS[known is not METRICS]} gap",
        "bytes",
        "gzip",
        "us/row",
        "target",
    )
    table = table_of("model", *columns)
    for column in table.columns[1:-1]:
        column.justify = "right"
    targets = {variant: target for target, variant in summary.targets.items()}
    for name, model in summary.models.items():
        cells = _model_cells(model, bounded_columns(summary.gates))
        table.add_row(name, *cells, targets.get(name, ""))
    for called, reference in summary.references.items():
        table.add_row(called, *_quality_cells(reference, bounded_columns(summary.gates)))
    return table


def _model_cells(model: MeasuredModel, bounded: Set[str]) -> list[str]:
    latency = _number(model.latency_us.get("batch_1"), ".0f")
    quality = _quality_cells(model, bounded)
    return [*quality, f"{model.bytes:,}", f"{model.gzip_bytes:,}", latency]


def _quality_cells(model: MeasuredReference, bounded: Set[str]) -> list[str]:
    """Metrics, and the largest gap: of those that are bounded, if any are."""
    metrics = [_number(model.metrics.get(name)) for name in measured_by(model.metrics)]
    gaps = [
        (value, column)
        for column, by_metric in model.gaps.items()
        for rate, value in by_metric.items()
        if rate.partition("[")[0] in _GAPS and value is not None
        if column in bounded or not bounded
    ]
    return [*metrics, "{:.3f} {}".format(*max(gaps)) if gaps else "-"]


def print_slices(out: Console, summary: Summary) -> None:
    """What each target's model was measured at on each slice of the test part."""
    for target, model in summary.deployed.items():
        if not model.slices:
            continue
        two = (known := measured_by(model.metrics)) is METRICS
        measured = {**known, **RATES} if two else {**known}
        heads = [metric.heading for metric in measured.values()]
        heads = ["positive", *heads] if two else ["fewest", *heads, "lowest recall"]
        table = table_of(f"{target}, slice", "rows", *heads)
        for column in table.columns[1:]:
            column.justify = "right"
        for name, row in model.slices.items():
            seen = model.evidence.get(name)
            fewest = "-"
            if seen:
                fewest = str(seen.fewest if seen.positives is None else seen.positives)
            counts = [_number(row.get(EXAMPLES), ".0f"), fewest]
            values = [_number(row.get(metric), ".3f") for metric in measured]
            values += [] if two else [escape(lowest_recall(row))]
            table.add_row(escape(name), *counts, *values)
        out.print(table)


def _number(value: float | None, form: str = ".4f") -> str:
    return "-" if value is None else format(value, form)
