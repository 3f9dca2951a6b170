"""Whether probabilities are what they say, in all and by group."""

from collections.abc import Iterator, Mapping
from typing import Any

from markupsafe import Markup

from models.metrics.gates import OVERALL
from pipeline.report.page import html, specs
from pipeline.report.page.groups import SliceGroups, groups_of_run, labels_of
from pipeline.report.page.part import Part, RunRecord
from pipeline.report.page.score_counts import Counts, calibration_error, counts_of, reliability
from pipeline.report.summary import MeasuredModel

_MOST_CURVES = 6  # that a picture holds, those of the largest groups
_CHART = "calibration-all"
Counted = Mapping[str, Mapping[str, Counts]]


def calibration(record: RunRecord) -> Part | None:
    """The part; None where no scores were counted."""
    models = record.summary.deployed
    title = "Calibration"
    if any("macro_f1" in model.metrics for model in models.values()):
        said = "Calibration is measured with two classes only."
        return Part("calibration", title, html.paragraph(said))
    found = {target: counts for target, m in models.items() if OVERALL in (counts := counts_of(m))}
    if not found:
        return None
    charts: dict[str, specs.Spec] = {}
    pieces: list[html.Text | None] = [
        html.paragraph(_said(found), "lead"),
        _overall(found, charts),
        html.heading("Group by group"),
    ]
    measured: list[MeasuredModel] = [models[target] for target in found]
    for place, groups in enumerate(groups_of_run(measured, record)):
        pieces.append(_of_columns(found, groups, f"calibration-{place}", charts, place == 0))
    if len(pieces) == 3:
        pieces.pop()
    return Part("calibration", title, html.join(pieces), charts)


def _said(found: Counted) -> str:
    told = []
    for target, counts in found.items():
        if (error := calibration_error(counts[OVERALL])) is not None:
            told.append(
                f"{target}: probabilities are {error.expected:.3f} away from the shares that turn "
                f"out positive on the mean, {error.by_chance:.3f} of it by chance alone."
            )
    return " ".join(told)


def _overall(found: Counted, charts: dict[str, specs.Spec]) -> Markup:
    drawn = [point for t, counts in found.items() for point in _points(counts[OVERALL], t)]
    charts[_CHART] = _spec(drawn, [*found], "")
    label = "Share of positive rows by probability, with 95% intervals, beside what it should be"
    said = "A model whose probabilities are right follows the grey line; lines are 95% intervals."
    return html.join(
        [
            specs.legend(found),
            html.chart(_CHART, label, said, 300),
            html.fold("The same as a table", _steps(found, {"all rows": OVERALL})),
        ]
    )


def _points(counts: Counts, series: str) -> Iterator[dict[str, Any]]:
    for step in reliability(counts):
        yield {
            "series": series,
            "probability": step.mean,
            "share": step.share,
            "low": step.interval[0],
            "high": step.interval[1],
            "rows": step.rows,
        }


def _spec(drawn: list[dict[str, Any]], series: list[str], title: str) -> specs.Spec:
    told = specs.series_encoding(series, "series")
    x, y = (_unit(title) for title in ("probability", "share positive"))
    tooltip = specs.tooltip(
        {"series": "", "probability": ".3f", "share": ".3f", "low": ".3f", "high": ".3f",
         "rows": ",d"}
    )  # fmt: skip
    spec: specs.Spec = {
        "width": "container",
        "height": 220,
        "data": {"values": drawn},
        "layer": [
            {
                "data": {"values": [{"at": 0}, {"at": 1}]},
                "mark": {
                    "type": "line",
                    "stroke": "var(--soft)",
                    "strokeDash": [4, 4],
                    "aria": False,
                },
                "encoding": {"x": {"field": "at", **x}, "y": {"field": "at", **y}},
            },
            {
                "mark": {"type": "rule", "opacity": 0.55, "strokeWidth": 2},
                "encoding": {
                    "x": {"field": "probability", **x},
                    "y": {"field": "low", **y},
                    "y2": {"field": "high"},
                    "color": told["color"],
                },
            },
            {
                "mark": {"type": "line", "strokeWidth": 1.5},
                "encoding": {
                    "x": {"field": "probability", **x},
                    "y": {"field": "share", **y},
                    "color": told["color"],
                },
            },
            {
                "mark": {"type": "point", "size": 45},
                "encoding": {
                    "x": {"field": "probability", **x},
                    "y": {"field": "share", **y},
                    **told,
                    "tooltip": tooltip,
                },
            },
        ],
    }
    return (
        {**spec, "title": {"text": title, "anchor": "start", "frame": "bounds"}} if title else spec
    )


def _unit(title: str) -> specs.Spec:
    return {
        "type": "quantitative",
        "title": title,
        "scale": {"domain": [0, 1]},
        "axis": {"format": ".1f", "tickCount": 5},
    }


def _of_columns(
    found: Counted, groups: SliceGroups, element: str, charts: dict[str, specs.Spec], is_open: bool
) -> Markup:
    """The groups of a column, or of several together."""
    known = [g for g in groups.shown if all(g.name in counts for counts in found.values())]
    if not known:
        return Markup("")
    drawn_groups = sorted(known, key=lambda group: -group.rows)[:_MOST_CURVES]
    called = labels_of(known)
    labels = [called[group.name] for group in known if group in drawn_groups]
    pictures = []
    for place, (target, counts) in enumerate(found.items()):
        name = f"{element}-{place}"
        drawn = [
            p for g in known if g in drawn_groups for p in _points(counts[g.name], called[g.name])
        ]
        charts[name] = _spec(drawn, labels, target)
        label = f"Share of positive rows by probability for groups of {groups.title}, {target}"
        pictures.append(html.chart(name, label, "", 275))
    more = f"the {_MOST_CURVES} largest groups" if len(known) > _MOST_CURVES else ""
    names = {text: name for name, text in called.items()}
    pieces = [
        specs.legend(labels, more),
        specs.grid(pictures),
        _errors(found, groups),
        html.fold("The curves as a table", _steps(found, names)),
    ]
    return html.fold(f"By {groups.title}", html.join(pieces), is_open)


def _errors(found: Counted, groups: SliceGroups) -> Markup:
    columns = ("group", "rows", "target", "error", "by chance alone", "too high by")
    rows = [
        [
            group.label,
            html.count(group.rows),
            target,
            html.number(error.expected, ".3f"),
            html.number(error.by_chance, ".3f"),
            html.number(error.bias, "+.3f"),
        ]
        for group in groups.shown
        for target, counts in found.items()
        if group.name in counts and (error := calibration_error(counts[group.name])) is not None
    ]
    caption = f"Expected calibration error by {groups.title}, ten steps"
    numeric = ("rows", "error", "by chance alone", "too high by")
    return html.table(caption, columns, rows, numeric)


def _steps(found: Counted, names: Mapping[str, str]) -> Markup:
    columns = ("group", "target", "probability", "rows", "mean", "share positive", "95% interval")
    rows = [
        [
            label, target, f"{step.low:.1f} to {step.high:.1f}", html.count(step.rows),
            html.number(step.mean, ".3f"), html.number(step.share, ".3f"),
            html.interval(step.interval),
        ]
        for label, name in names.items()
        for target, counts in found.items()
        for step in reliability(counts[name])
    ]  # fmt: skip
    return html.table(
        "Probability and share of positive rows", columns, rows, ("rows", "mean", "share positive")
    )
