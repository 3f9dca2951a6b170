"""What `monitor` found last of the live versions: inputs, answers, quality, versions beside."""

from collections.abc import Iterable, Iterator, Sequence

from markupsafe import Markup

from core.errors import InputError
from pipeline.monitoring.records import BoundCheck, MonitorReport, newest
from pipeline.report.page import html, specs
from pipeline.report.page.part import Part, RunRecord
from pipeline.report.page.parts.served.beside import sides
from pipeline.report.page.parts.served.monitored_quality import gaps, quality

_CHECKS = 24  # in a picture


def monitoring(record: RunRecord) -> Part | None:
    """The part; None where nobody has looked at requests yet."""
    title = "Monitoring"
    try:
        reports = newest(record.folder)
    except InputError as error:
        return Part("monitoring", title, html.paragraph(f"The records cannot be read: {error}"))
    if not reports:
        return None
    charts: dict[str, specs.Spec] = {}
    pieces: list[html.Text | None] = []
    for place, (target, report) in enumerate(sorted(reports.items())):
        pieces.append(html.heading(f"{target}: version {report.version}"))
        pieces.append(_whose(record, report))
        pieces += _of_target(report, f"monitoring-{place}", charts)
    return Part("monitoring", title, html.join(pieces), charts)


def _whose(record: RunRecord, report: MonitorReport) -> Markup:
    """Whether this is about what the run pushed."""
    summary = record.summary
    pushed = summary.pushed.get(report.target)
    at = f"Looked at on {report.at}."
    if report.run_id == summary.run_id:
        return html.paragraph(f"{at} The version is of this run.")
    told = f"{at} The version is of run {report.run_id or 'unknown'}, not of this one"
    if pushed is not None and pushed.version is not None and pushed.version != report.version:
        told += f", whose version {pushed.version} nobody has looked at yet"
    return html.paragraph(f"{told}.")


def _of_target(
    report: MonitorReport, element: str, charts: dict[str, specs.Spec]
) -> Iterator[html.Text | None]:
    yield _window(report)
    yield sides(report)
    yield _checks(report.checks, element, charts)
    if report.slices:
        yield quality(report.slices, element, charts)
    yield gaps(report, element, charts)
    yield _answers(report, element, charts)
    yield _errors(report)
    if report.unknown:
        rows = [[each.what, each.why] for each in report.unknown]
        yield html.table("What is not known", ("what", "why"), rows)


def _window(report: MonitorReport) -> Markup:
    window = report.window
    return html.facts(
        [
            ("Rows", html.count(window.rows)),
            ("Requests", html.count(window.requests)),
            ("First", window.first),
            ("Last", window.last),
            ("Beyond bounds", f"{len(report.exceeded)} of {len(report.checks)}"),
            ("Rows of other versions", html.count(window.others) if window.others else None),
            ("Lines unreadable", html.count(window.unreadable) if window.unreadable else None),
        ]
    )


def _checks(
    checks: Sequence[BoundCheck], element: str, charts: dict[str, specs.Spec]
) -> Markup | None:
    """Values beside their bounds, those beyond first."""
    if not checks:
        return None
    ordered = sorted(checks, key=lambda c: (not c.exceeded, -(c.value / c.bound if c.bound else 0)))
    bounded = [check for check in ordered if check.bound > 0][:_CHECKS]
    pieces: list[Markup] = []
    if bounded:
        name = f"{element}-checks"
        charts[name] = _checks_spec(bounded)
        label = "Each value that has a bound, as a multiple of the bound"
        said = "1 is the bound; what has an interval is beyond it when all of the interval is."
        pieces.append(html.chart(name, label, said, 18 * len(bounded) + 70))
    columns = ("check", "of", "value", "bound", "verdict", "key")
    rows: list[list[html.Text]] = [
        [
            check.kind,
            check.of,
            html.with_interval(check.value, _ends(check)),
            f"{check.bound:g}",
            html.badge("beyond", "bad") if check.exceeded else html.badge("within", "good"),
            html.code(check.key),
        ]
        for check in ordered
    ]
    beyond = [row for row, check in zip(rows, ordered, strict=True) if check.exceeded]
    if beyond:
        caption = "Beyond their bounds"
        pieces.append(html.table(caption, columns, beyond, ("value", "bound")))
    everything = html.table("All that has a bound", columns, rows, ("value", "bound"))
    pieces.append(html.fold(f"All {len(checks)} values with a bound", everything))
    return html.join(pieces)


def _ends(check: BoundCheck) -> tuple[float, float] | None:
    return None if check.low is None or check.high is None else (check.low, check.high)


def _checks_spec(checks: Iterable[BoundCheck]) -> specs.Spec:
    drawn = [
        {
            "check": f"{check.kind}: {check.of}",
            "times": check.value / check.bound,
            "value": check.value,
            "bound": check.bound,
            "verdict": "beyond" if check.exceeded else "within",
        }
        for check in checks
    ]
    x = {**specs.axis("times its bound", "~g"), "scale": {"zero": True, "nice": True}}
    scale = {"domain": ["within", "beyond"], "range": ["var(--c1)", "var(--bad)"]}
    return {
        "width": "container",
        "height": {"step": 18},
        "data": {"values": drawn},
        "layer": [
            {
                "mark": {"type": "bar", "height": 9},
                "encoding": {
                    "x": {"field": "times", **x},
                    "y": {"field": "check", "type": "nominal", "sort": None, "title": None},
                    "fill": {"field": "verdict", "type": "nominal", "scale": scale,
                             "legend": {"symbolType": "square"}},
                    "tooltip": specs.tooltip(
                        {"check": "", "verdict": "", "value": ".4f", "bound": ".4f"}
                    ),
                },
            },
            {
                "data": {"values": [{"bound": 1}]},
                "mark": {"type": "rule", "strokeDash": [5, 3], "strokeWidth": 1.5},
                "encoding": {"x": {"field": "bound", "type": "quantitative"}},
            },
        ],
    }  # fmt: skip


def _answers(report: MonitorReport, element: str, charts: dict[str, specs.Spec]) -> Markup | None:
    """The shares of the answers, of the requests and of the test rows."""
    found = report.answers
    if found is None:
        return None
    steps = len(found.requests)
    names = found.classes or [f"{n / steps:.1f} to {(n + 1) / steps:.1f}" for n in range(steps)]
    drawn = [
        {"answer": name, "rows": rows, "share": share}
        for name, both in zip(names, zip(found.requests, found.test, strict=True), strict=True)
        for rows, share in zip(("requests", "test rows"), both, strict=True)
    ]
    name = f"{element}-answers"
    charts[name] = {
        "width": "container",
        "height": 170,
        "data": {"values": drawn},
        "mark": {"type": "bar"},
        "encoding": {
            "x": {"field": "answer", "type": "nominal", "sort": None, "title": "answer",
                  "axis": {"labelAngle": -35, "labelLimit": 110}},
            "xOffset": {"field": "rows", "sort": None},
            "y": {"field": "share", "type": "quantitative", "axis": {"format": ".0%"},
                  "title": "share of rows"},
            "fill": {"field": "rows", "type": "nominal", "sort": None,
                     "scale": {"range": ["var(--c1)", "var(--c2)"]},
                     "legend": {"symbolType": "square"}},
            "tooltip": specs.tooltip({"answer": "", "rows": "", "share": ".1%"}),
        },
    }  # fmt: skip
    rows = [
        [answer, html.percent(one), html.percent(other)]
        for answer, one, other in zip(names, found.requests, found.test, strict=True)
    ]
    columns = ("answer", "requests", "test rows")
    table = html.table("Share of the answers", columns, rows, columns[1:])
    label = "Share of the rows by answer, of the requests and of the test rows"
    return html.join(
        [
            html.chart(name, label, "How the answers are spread.", 250),
            html.fold("The answers as a table", table),
        ]
    )


def _errors(report: MonitorReport) -> Markup | None:
    """By how much the estimate was wrong where labels came later."""
    if not report.errors:
        return None
    rows = [
        [
            error.metric, html.count(error.rows), html.number(error.measured, ".3f"),
            html.number(error.estimated, ".3f"), html.number(error.error, ".3f"),
            html.number(error.unchanged, ".3f"),
        ]
        for error in report.errors
    ]  # fmt: skip
    columns = ("metric", "rows", "measured", "estimated", "wrong by", "had nothing changed, by")
    return html.table("The estimate on rows whose label came later", columns, rows, columns[1:])
