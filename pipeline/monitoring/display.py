"""The report of `monitor` as text."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from core.intervals import Quantity
from pipeline.monitoring.records import MonitorReport, SideBySide, say
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
        out.print(_slices(report))
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


def _slices(report: MonitorReport) -> Table:
    """Shares, and metrics on the test rows, estimated, and measured where labels came later."""
    table = Table(box=SIMPLE_HEAD, padding=0)
    measured = any(part.measured for part in report.slices.values())
    table.add_column("slice", overflow="fold")
    columns = ["rows", "share", "test", "positive", "test"]
    for metric in _SHOWN:
        columns += [f"{metric} test", "estimated", *(["measured"] if measured else [])]
    for column in columns:
        table.add_column(column, justify="right")
    for name, part in report.slices.items():
        cells = [
            f"{part.rows:,}",
            _share(part.share),
            _share(part.test_share),
            _share(part.positive.value if part.positive else None),
            _share(part.test_positive),
        ]
        for metric in _SHOWN:
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
