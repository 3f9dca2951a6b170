"""The report of `monitor` as text."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from core.intervals import Quantity
from models.metrics.unlabelled_classes import RECALL, of_class
from pipeline.monitoring.records import (
    ALL_ROWS,
    CanaryReport,
    MonitorReport,
    SideBySide,
    SliceReport,
    say,
)
from pipeline.report.markup import escape

_SHOWN = ("accuracy", "tpr")


def print_report(report: MonitorReport, out: Console) -> None:
    """The window, what is beyond bounds, slices, gaps, errors of the estimate, what is unknown."""
    window = report.window
    out.print(
        escape(
            f"{report.target} version {report.version}: {window.rows} rows of {window.requests} "
            f"requests"
            + (f", {window.first} to {window.last}" if window.first else "")
            + (f"; {window.others} rows of other versions left out" if window.others else "")
            + (f"; {window.unreadable} lines are no requests" if window.unreadable else "")
        ),
        soft_wrap=True,
    )
    within = [check for check in report.checks if not check.exceeded]
    for check in report.exceeded:
        out.print(f"[red]beyond[/]  {escape(say(check))}  ({escape(check.key)})", soft_wrap=True)
    if within:
        kinds = {check.kind: 0 for check in within}
        for check in within:
            kinds[check.kind] += 1
        told = ", ".join(f"{count} of {kind}" for kind, count in kinds.items())
        out.print(f"[green]within[/]  {escape(told)}", soft_wrap=True)
    if report.slices:
        many = bool(report.slices[ALL_ROWS].classes)
        out.print(_slices(report, ("accuracy",) if many else _SHOWN))
        if many:
            out.print(_classes(report.slices[ALL_ROWS]))
    for gap in report.gaps:
        out.print(
            escape(
                f"gap {gap.column} {gap.rate}, {gap.how}: {_interval(gap.gap)}, "
                f"{gap.higher} over {gap.lower}"
            ),
            soft_wrap=True,
        )
    for error in report.errors:
        before = "unknown" if error.unchanged is None else f"{error.unchanged:.3f}"
        out.print(
            escape(
                f"estimate of {error.metric} on {error.rows} labelled rows: {error.estimated:.3f}, "
                f"measured {error.measured:.3f}: wrong by {error.error:.3f}; by {before} had "
                "nothing been taken to have changed"
            ),
            soft_wrap=True,
        )
    if report.shadow is not None:
        _print_shadow(report.shadow, out)
    if report.canary is not None:
        _print_canary(report.canary, out)
    for unknown in report.unknown:
        out.print(f"[yellow]unknown[/] {escape(f'{unknown.what}: {unknown.why}')}", soft_wrap=True)


def _print_shadow(shadow: SideBySide, out: Console) -> None:
    told = f"shadow {shadow.target} version {shadow.version}: {shadow.rows} rows"
    if shadow.other_decisions is not None:
        told += (
            f", answers {shadow.difference:.4f} apart on the mean, {shadow.largest:.4f} at most; "
            f"decides {_interval(shadow.other_decisions)} of them otherwise"
        )
    if shadow.failed:
        told += f"; {shadow.failed} rows not answered: {shadow.error}"
    out.print(escape(f"{told}; {shadow.verdict}: {shadow.why}"), soft_wrap=True)


def _print_canary(canary: CanaryReport, out: Console) -> None:
    told = (
        f"canary version {canary.version}: {canary.rows} rows of {canary.requests} requests beside "
        f"{canary.live_rows} of {canary.live_requests}"
    )
    for name, more in canary.decisions.items():
        told += f"; answers {name} {_signed(more)} more often"
    if "difference" in canary.latency_ms:
        latency = canary.latency_ms
        told += (
            f"; median latency {latency['canary'].value:.2f} ms, "
            f"{_signed(latency['difference'])} ms from {latency['live'].value:.2f}"
        )
    if canary.failed:
        told += f"; {canary.failed} rows not answered: {canary.error}"
    out.print(escape(f"{told}; {canary.verdict}: {canary.why}"), soft_wrap=True)


def _signed(quantity: Quantity) -> str:
    return f"{quantity.value:+.3f} ({quantity.low:+.3f} to {quantity.high:+.3f})"


def _classes(everything: SliceReport) -> Table:
    """Shares and recall by class, of all rows."""
    table = Table(box=SIMPLE_HEAD, padding=0)
    table.add_column("class", overflow="fold")
    measured = bool(everything.measured)
    columns = ["share", "test", "recall test", "estimated", *(["measured"] if measured else [])]
    for column in columns:
        table.add_column(column, justify="right")
    for name, share in everything.classes.items():
        recall = of_class(RECALL, name)
        cells = [
            _share(share.value),
            _share(everything.test_classes.get(name)),
            _number(everything.test.get(recall)),
            _interval(everything.estimated.get(recall)),
        ]
        cells += [_interval(everything.measured.get(recall))] if measured else []
        table.add_row(escape(name), *cells)
    return table


def _slices(report: MonitorReport, metrics: tuple[str, ...]) -> Table:
    """Shares, and metrics on the test rows, estimated, and measured where labels came later."""
    table = Table(box=SIMPLE_HEAD, padding=0)
    measured = any(part.measured for part in report.slices.values())
    table.add_column("slice", overflow="fold")
    columns = ["rows", "share", "test"]
    two = not report.slices[ALL_ROWS].classes
    columns += ["positive", "test"] if two else []
    for metric in metrics:
        columns += [f"{metric} test", "estimated", *(["measured"] if measured else [])]
    for column in columns:
        table.add_column(column, justify="right")
    for name, part in report.slices.items():
        cells = [
            f"{part.rows:,}",
            _share(part.share),
            _share(part.test_share),
        ]
        if two:
            cells += [_share(part.positive.value if part.positive else None)]
            cells += [_share(part.test_positive)]
        for metric in metrics:
            cells += [_number(part.test.get(metric)), _interval(part.estimated.get(metric))]
            cells += [_interval(part.measured.get(metric))] if measured else []
        table.add_row(escape(name), *cells)
    return table


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _interval(quantity: Quantity | None) -> str:
    return (
        "" if quantity is None else f"{quantity.value:.3f} ({quantity.low:.3f}-{quantity.high:.3f})"
    )
