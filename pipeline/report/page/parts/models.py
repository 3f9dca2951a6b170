"""The models that are deployed, side by side: metrics with intervals, and classes one by one."""

from collections.abc import Iterator, Mapping
from typing import Any

from markupsafe import Markup

from models.metrics.comparison import Difference
from models.metrics.gates import OVERALL
from models.metrics.registry import METRICS, RATES, measured_by, metric_of
from pipeline.report.class_table import mistakes
from pipeline.report.page import html
from pipeline.report.page.part import Part, RunRecord
from pipeline.report.summary import MeasuredModel, MeasuredReference

_CHART = "models-metrics"
_KINDS = ("precision", "recall", "f1")  # of one class of many


def models(record: RunRecord) -> Part | None:
    """The part; None where no model was measured."""
    found = record.summary.deployed
    if not found:
        return None
    points = list(_points(found))
    pieces: list[html.Text | None] = [_said(found), _metrics(found)]
    if points:
        label = "Metrics of the deployed models on the test part with their 95% intervals"
        pieces.append(html.chart(_CHART, label, "Lines are 95% intervals.", 60 + 44 * len(found)))
    pieces += [
        _against_teacher(found),
        _references(record.summary.references),
        _against_references(found),
        *_classes(found),
    ]
    charts = {_CHART: interval_spec(points, "target")} if points else {}
    return Part("models", "Models", html.join(pieces), charts)


def metrics_shown(model: MeasuredReference) -> dict[str, str]:
    """Headings of the metrics of all classes together, and of two classes of the rates, by name."""
    known = dict(measured_by(model.metrics))
    if known.keys() <= METRICS.keys():
        known |= RATES
    return {name: metric.heading for name, metric in known.items()}


def _said(found: Mapping[str, MeasuredModel]) -> Markup | None:
    seen = next((m.evidence[OVERALL] for m in found.values() if OVERALL in m.evidence), None)
    return html.paragraph(f"Measured on the test part: {seen.in_words}.") if seen else None


def _metrics(found: Mapping[str, MeasuredModel]) -> Markup:
    rows = _quality(found)
    rows.append(["size", *(_bytes(model.bytes) for model in found.values())])
    rows.append(["size, compressed", *(_bytes(model.gzip_bytes) for model in found.values())])
    rows.append(["time for one row", *(_latency(model) for model in found.values())])
    rows.append(["weights that are 0", *(html.percent(m.sparsity) for m in found.values())])
    return html.table("Metrics with 95% intervals", ["", *found], rows, [*found])


def _quality(found: Mapping[str, MeasuredReference]) -> list[list[html.Text]]:
    """A row for each metric that any of the models has."""
    names: dict[str, str] = {}
    for model in found.values():
        names |= {n: h for n, h in metrics_shown(model).items() if model.metrics.get(n) is not None}
    return [
        [heading, *(_cell(model, name) for model in found.values())]
        for name, heading in names.items()
    ]


def _cell(model: MeasuredReference, name: str) -> html.Text:
    seen = model.evidence.get(OVERALL)
    ends = seen.intervals.get(name) if seen else None
    return html.with_interval(model.metrics.get(name), ends, ".4f")


def _bytes(size: int) -> str:
    return f"{size:,} B" if size < 10_000 else f"{size / 1000:,.1f} kB"


def _latency(model: MeasuredModel) -> str:
    value = model.latency_us.get("batch_1")
    return html.NONE if value is None else f"{value:,.1f} µs"


def _points(found: Mapping[str, MeasuredModel]) -> Iterator[dict[str, Any]]:
    for target, model in found.items():
        seen = model.evidence.get(OVERALL)
        for name, heading in metrics_shown(model).items():
            ends = seen.intervals.get(name) if seen else None
            if (value := model.metrics.get(name)) is not None:
                low, high = ends or (value, value)
                yield {
                    "target": target,
                    "metric": heading,
                    "value": value,
                    "low": low,
                    "high": high,
                }


def interval_spec(points: list[dict[str, Any]], series: str) -> dict[str, Any]:
    """Values with their intervals, a line for each metric and each of `series`."""
    x = {"type": "quantitative", "scale": {"zero": False}, "title": None}
    row = {"field": "metric", "type": "nominal", "sort": None, "title": None}
    shared = {"y": row, "yOffset": {"field": series, "sort": None}}
    color = {"field": series, "type": "nominal", "sort": None}
    tooltip = [
        {"field": series},
        {"field": "metric"},
        *({"field": name, "format": ".4f"} for name in ("value", "low", "high")),
    ]
    return {
        "width": "container",
        "height": {"step": 15},
        "data": {"values": points},
        "encoding": {**shared, "color": color, "tooltip": tooltip},
        "layer": [
            {
                "mark": {"type": "rule", "strokeWidth": 3, "opacity": 0.5},
                "encoding": {"x": {"field": "low", **x}, "x2": {"field": "high"}},
            },
            {"mark": {"type": "point"}, "encoding": {"x": {"field": "value", **x}}},
        ],
    }


def _against_teacher(found: Mapping[str, MeasuredModel]) -> Markup | None:
    """How far each deployed model is from the teacher that it was made from, on the same rows."""
    rows = [
        _difference(target, difference)
        for target, model in found.items()
        for difference in model.against_teacher
        if difference.slice == OVERALL and "[" not in difference.metric
    ]
    return _differences("The deployed model minus the teacher, on the same rows", (), rows)


def _references(found: Mapping[str, MeasuredReference]) -> Markup | None:
    """The simplest models that could do the job, on the same labels."""
    if not found:
        return None
    named = {name.replace("_", " "): model for name, model in found.items()}
    said = "For comparison, on the same labels, never deployed: metrics with 95% intervals"
    return html.table(said, ["", *named], _quality(named), [*named])


def _against_references(found: Mapping[str, MeasuredModel]) -> Markup | None:
    rows = [
        [name.replace("_", " "), *_difference(target, difference)]
        for target, model in found.items()
        for name, differences in model.against_reference.items()
        for difference in differences
        if difference.slice == OVERALL and "[" not in difference.metric
    ]
    said = "The deployed model minus the models for comparison, on the same rows"
    table = _differences(said, ("compared with",), rows)
    return table and html.fold(said, table)


def _differences(
    caption: str, first: tuple[str, ...], rows: list[list[html.Text]]
) -> Markup | None:
    if not rows:
        return None
    columns = (*first, "target", "metric", "difference", "95% interval", "rows")
    return html.table(caption, columns, rows, ("difference", "rows"))


def _difference(target: str, found: Difference) -> list[html.Text]:
    value = html.number(found.value, "+.4f")
    ends = html.interval((found.low, found.high), "+.4f")
    return [target, metric_of(found.metric).heading, value, ends, html.count(found.rows)]


def _classes(found: Mapping[str, MeasuredModel]) -> Iterator[Markup]:
    """A table for each target, a row for each class, where there are more than two."""
    for target, model in found.items():
        seen = model.evidence.get(OVERALL)
        if seen is None or seen.by_class is None:
            continue
        rows: list[list[html.Text]] = []
        for place, (called, count) in enumerate(seen.by_class.items()):
            names = [f"{kind}[{called}]" for kind in _KINDS]
            taken = model.confusion[place] if model.confusion else []
            rows.append(
                [
                    called,
                    html.count(count),
                    *(
                        html.with_interval(model.metrics.get(n), seen.intervals.get(n))
                        for n in names
                    ),
                    mistakes([*seen.by_class], taken, place),
                ]
            )
        columns = ("class", "rows", *_KINDS, "wrongly taken for")
        yield html.table(f"{target}, class by class", columns, rows, ("rows", *_KINDS))
        if model.confusion:
            yield html.fold(
                f"{target}, confusion matrix", _confusion([*seen.by_class], model.confusion)
            )


def _confusion(classes: list[str], confusion: list[list[int]]) -> Markup:
    rows = [[name, *map(html.count, row)] for name, row in zip(classes, confusion, strict=True)]
    return html.table(
        "Rows by true class (down) and by the class that is decided for (across)",
        ["true class", *classes],
        rows,
        classes,
    )
