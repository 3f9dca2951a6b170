"""What `monitor` says of quality: by slice and by class, and gaps between groups."""

from collections.abc import Iterator, Mapping
from typing import Any

from markupsafe import Markup

from core.intervals import Quantity
from pipeline.monitoring.records import (
    ALL_ROWS,
    BoundCheck,
    GapReport,
    MonitorReport,
    SliceReport,
)
from pipeline.report.page import html, specs
from pipeline.report.page.groups import FEW, MOST

_HOW = ("test rows", "estimated", "measured")
_SHOWN = ("accuracy", "tpr")


def quality(
    slices: Mapping[str, SliceReport], element: str, charts: dict[str, specs.Spec]
) -> Markup:
    """Quality of each slice: on the test rows, estimated, and measured where labels came later."""
    shown = {n: part for n, part in slices.items() if part.rows >= FEW}
    largest = sorted(shown, key=lambda n: -shown[n].rows)[:MOST]
    pictures = []
    series = _HOW if any(part.measured for part in shown.values()) else _HOW[:2]
    for metric in _SHOWN:
        drawn = [p for n in shown if n in largest for p in _points(n, shown[n], metric)]
        if not drawn:
            continue
        name = f"{element}-{metric}"
        charts[name] = specs.dots(drawn, series, metric)
        rows = len({point["group"] for point in drawn})
        label = f"{metric} of each slice: on the test rows, estimated and measured"
        pictures.append(html.chart(name, label, "", specs.height(rows, len(series))))
    more = "lines: 95% intervals. Estimated from calibrated probabilities, without labels."
    return html.join(
        [
            specs.legend(series, more) if pictures else None,
            specs.grid(pictures) if pictures else None,
            html.fold("Slices as a table", _slices(shown)),
            _classes(slices[ALL_ROWS]) if ALL_ROWS in slices else None,
        ]
    )


def _points(name: str, part: SliceReport, metric: str) -> Iterator[dict[str, Any]]:
    found = {"estimated": part.estimated.get(metric), "measured": part.measured.get(metric)}
    if metric in part.test:
        found = {"test rows": Quantity(*[part.test[metric]] * 3), **found}
    for how, quantity in found.items():
        if quantity is not None:
            yield {
                "group": f"{_called(name)} ({part.rows:,})", "target": how,
                "value": quantity.value, "low": quantity.low, "high": quantity.high, "few": False,
            }  # fmt: skip


def _called(name: str) -> str:
    return "all rows" if name == ALL_ROWS else name


def _slices(slices: Mapping[str, SliceReport]) -> Markup:
    metrics = [m for m in _SHOWN if any(m in p.test or m in p.estimated for p in slices.values())]
    columns = ["slice", "rows", "share", "share, test rows", "positive", "positive, test rows"]
    columns += [f"{metric}, {how}" for metric in metrics for how in _HOW]
    rows = []
    for name, part in slices.items():
        cells: list[html.Text] = [
            _called(name), html.count(part.rows), html.percent(part.share),
            html.percent(part.test_share),
            html.percent(part.positive.value if part.positive else None),
            html.percent(part.test_positive),
        ]  # fmt: skip
        for metric in metrics:
            cells += [html.number(part.test.get(metric), ".3f")]
            cells += [_quantity(part.estimated.get(metric)), _quantity(part.measured.get(metric))]
        rows.append(cells)
    return html.table("Requests and quality by slice", columns, rows, columns[1:])


def _quantity(quantity: Quantity | None) -> html.Text:
    if quantity is None:
        return ""
    return html.with_interval(quantity.value, (quantity.low, quantity.high), ".3f")


def _classes(everything: SliceReport) -> Markup | None:
    """Of more than two classes the share of each that is answered, and its recall."""
    if not everything.classes:
        return None
    rows = [
        [
            name, html.percent(share.value), html.percent(everything.test_classes.get(name)),
            html.number(everything.test.get(f"recall[{name}]"), ".3f"),
            _quantity(everything.estimated.get(f"recall[{name}]")),
            _quantity(everything.measured.get(f"recall[{name}]")),
        ]
        for name, share in everything.classes.items()
    ]  # fmt: skip
    columns = ["class", "share", "share, test rows", *(f"recall, {how}" for how in _HOW)]
    return html.table("Answers class by class", columns, rows, columns[1:])


def gaps(report: MonitorReport, element: str, charts: dict[str, specs.Spec]) -> Markup | None:
    """Gaps between groups, estimated and measured."""
    if not report.gaps:
        return None
    bounds = {check.of: check for check in report.checks if check.kind in ("estimated gap", "gap")}
    drawn = [
        {"gap": f"{gap.column}: {gap.rate}", "target": gap.how, "value": gap.gap.value,
         "low": gap.gap.low, "high": gap.gap.high, "few": False}
        for gap in report.gaps
    ]  # fmt: skip
    name = f"{element}-gaps"
    series = [how for how in _HOW[1:] if any(gap.how == how for gap in report.gaps)]
    charts[name] = specs.dots(
        drawn, series, "Gap between groups", None, {"zero": True, "nice": True}, "gap"
    )
    rows = [_gap(gap, bounds.get(f"{gap.column} {gap.rate}")) for gap in report.gaps]
    columns = ("between groups of", "rate", "how", "gap", "highest", "lowest", "bound")
    label = "Gap of each rate between groups, estimated and measured, with 95% intervals"
    height = specs.height(len({point["gap"] for point in drawn}), len(series))
    return html.join(
        [
            specs.legend(series, "lines: 95% intervals"),
            html.chart(name, label, "", height),
            html.fold("Gaps as a table", html.table("Gaps", columns, rows, ("gap", "bound"))),
        ]
    )


def _gap(gap: GapReport, check: BoundCheck | None) -> list[html.Text]:
    bound = f"{check.bound:g}" if check else ""
    return [gap.column, gap.rate, gap.how, _quantity(gap.gap), gap.higher, gap.lower, bound]
