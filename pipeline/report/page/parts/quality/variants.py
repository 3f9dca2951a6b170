"""All variants of the model: what pruning, distillation and quantization cost and save."""

from collections.abc import Iterator, Mapping
from typing import Any

from markupsafe import Markup

from models.metrics.comparison import Difference
from models.metrics.gates import OVERALL
from pipeline.report.page import html, specs
from pipeline.report.page.part import Part, RunRecord
from pipeline.report.summary import MeasuredModel, Summary

_METRICS = ("auc", "accuracy")
_TEACHER = "teacher"
_COSTS = {
    "bytes": ("size on disk", "bytes", "~s"),
    "latency": ("time for one row", "microseconds", "~s"),
}


def variants(record: RunRecord) -> Part | None:
    """The part; None where no variant was measured."""
    found: dict[str, MeasuredModel] = {
        str(name): model for name, model in record.summary.models.items()
    }
    if not found:
        return None
    used = _used(record.summary)
    charts: dict[str, specs.Spec] = {}
    made = []
    paired = any("auc" in _overall(model) for model in found.values())
    quality = "AUC minus the teacher's" if paired else "AUC"
    for cost, (title, unit, form) in _COSTS.items():
        drawn = list(_points(found, used, cost, paired))
        if drawn:
            name = f"variants-{cost}"
            charts[name] = _spec(drawn, (quality, title), unit, form)
            label = f"{quality} of each variant with its 95% interval against its {title}"
            made.append(html.chart(name, label, "", 285))
    said = (
        "Up is better, left is cheaper; lines are 95% intervals"
        f"{' of the difference on the same rows' if paired else ''}. Filled points are deployed."
    )
    pieces = [
        html.paragraph(_said(found, used), "lead"),
        specs.grid(made),
        html.paragraph(said, "hint"),
        _table(found, used),
        _against_teacher(found),
    ]
    return Part("variants", "Variants", html.join(pieces), charts)


def _used(summary: Summary) -> dict[str, str]:
    """The targets that push each variant, in a text."""
    used: dict[str, str] = {}
    for target, variant in summary.targets.items():
        used[variant] = f"{used[variant]}, {target}" if variant in used else target
    return used


def _said(found: Mapping[str, MeasuredModel], used: Mapping[str, str]) -> str:
    """How much smaller what is deployed is than the teacher."""
    teacher = found.get(_TEACHER)
    told = [f"{len(found)} variants were measured on the same rows."]
    for variant, targets in used.items():
        model = found.get(variant)
        if model is None or teacher is None or variant == _TEACHER or not model.gzip_bytes:
            continue
        times = teacher.gzip_bytes / model.gzip_bytes
        auc, before = model.metrics.get("auc"), teacher.metrics.get("auc")
        change = (
            "" if auc is None or before is None else f", AUC {html.number(auc - before, '+.4f')}"
        )
        size = f"{times:.1f} times smaller" if times >= 1 else f"{1 / times:.1f} times larger"
        told.append(f"{targets} ({variant}) is, compressed, {size} than the teacher{change}.")
    return " ".join(told)


def _points(
    found: Mapping[str, MeasuredModel], used: Mapping[str, str], cost: str, paired: bool
) -> Iterator[dict[str, Any]]:
    """A point for each variant that has a value: `paired` as a difference from the teacher."""
    for name, model in found.items():
        price = model.bytes if cost == "bytes" else model.latency_us.get("batch_1")
        told = _from_teacher(name, model) if paired else _auc(model)
        if told is not None and price and price > 0:
            value, (low, high) = told
            yield {
                "variant": name,
                "deployed": used.get(name, "no"),
                "cost": price,
                "quality": value,
                "low": low,
                "high": high,
            }


def _auc(model: MeasuredModel) -> tuple[float, tuple[float, float]] | None:
    value, seen = model.metrics.get("auc"), model.evidence.get(OVERALL)
    if value is None:
        return None
    return value, (seen.intervals.get("auc") if seen else None) or (value, value)


def _from_teacher(name: str, model: MeasuredModel) -> tuple[float, tuple[float, float]] | None:
    """The difference of the AUC on the same rows, whose interval is far narrower."""
    if name == _TEACHER:
        return 0.0, (0.0, 0.0)
    found = _overall(model).get("auc")
    return None if found is None else (found.value, (found.low, found.high))


def _overall(model: MeasuredModel) -> dict[str, Difference]:
    return {d.metric: d for d in model.against_teacher if d.slice == OVERALL}


def _spec(drawn: list[dict[str, Any]], titles: tuple[str, str], unit: str, form: str) -> specs.Spec:
    x = {
        "field": "cost",
        "type": "quantitative",
        "title": unit,
        "scale": {"type": "log", "nice": False, "padding": 30},
        "axis": {"format": form, "tickCount": 4, "labelOverlap": True, "grid": False},
    }
    y = specs.axis(titles[0], ".4~f")
    deployed = "datum.deployed != 'no'"
    color = {"condition": {"test": deployed, "value": "var(--c1)"}, "value": "var(--soft)"}
    fill = {"condition": {"test": deployed, "value": "var(--c1)"}, "value": "var(--paper)"}
    tooltip = {"variant": "", "deployed": "", "cost": ",.1f"}
    tooltip |= dict.fromkeys(("quality", "low", "high"), ".4f")
    return {
        "title": {"text": f"Against {titles[1]}", "anchor": "start", "frame": "bounds"},
        "width": "container",
        "height": 220,
        "data": {"values": drawn},
        "encoding": {"x": x, "stroke": color, "tooltip": specs.tooltip(tooltip)},
        "layer": [
            {
                "mark": {"type": "rule", "strokeWidth": 2, "opacity": 0.45},
                "encoding": {"y": {"field": "low", **y}, "y2": {"field": "high"}},
            },
            {
                "mark": {"type": "point", "size": 80, "strokeWidth": 2},
                "encoding": {"y": {"field": "quality", **y}, "fill": fill},
            },
            _names("deployed", deployed, "high", -9, y),
            _names("variant", f"!({deployed}) && datum.variant == '{_TEACHER}'", "low", 11, y),
        ],
    }


def _names(field: str, which: str, end: str, offset: int, y: specs.Spec) -> specs.Spec:
    """Texts above or below the intervals of some points."""
    return {
        "transform": [{"filter": which}],
        "mark": {"type": "text", "yOffset": offset, "fontSize": 11},
        "encoding": {
            "y": {"field": end, **y},
            "text": {"field": field},
            "stroke": {"value": None},
        },
    }


def _table(found: Mapping[str, MeasuredModel], used: Mapping[str, str]) -> Markup:
    rows = []
    for name, model in found.items():
        seen = model.evidence.get(OVERALL)
        cells: list[html.Text] = [
            Markup("{} {}").format(name, html.badge(used[name], "good")) if name in used else name,
            f"{model.bytes:,}",
            f"{model.gzip_bytes:,}",
            *(_latency(model, batch) for batch in ("batch_1", "batch_256")),
            html.percent(model.sparsity),
            html.number(model.distinct_weights, ","),
        ]
        for metric in _METRICS:
            ends = seen.intervals.get(metric) if seen else None
            cells.append(html.with_interval(model.metrics.get(metric), ends, ".4f"))
        rows.append(cells)
    columns = (
        "variant", "bytes", "compressed", "1 row, µs", "256 rows, µs", "zeros", "distinct",
        "AUC", "accuracy",
    )  # fmt: skip
    return html.table("Size, time, weights that are 0, and quality", columns, rows, columns[1:])


def _latency(model: MeasuredModel, batch: str) -> str:
    return html.number(model.latency_us.get(batch), ",.1f")


def _against_teacher(found: Mapping[str, MeasuredModel]) -> Markup | None:
    rows: list[list[html.Text]] = []
    for name, model in found.items():
        told = _overall(model)
        if not told:
            continue
        cells: list[html.Text] = [name]
        for metric in _METRICS:
            cells += _difference(told.get(metric))
        rows.append(cells)
    if not rows:
        return None
    columns = ["variant", *(n for m in ("AUC", "accuracy") for n in (m, f"{m}: beyond chance"))]
    caption = "Each variant minus the teacher, row by row, with 95% intervals"
    return html.table(caption, columns, rows, ("AUC", "accuracy"))


def _difference(found: Difference | None) -> list[html.Text]:
    if found is None:
        return [html.NONE, html.NONE]
    beyond = "worse" if found.high < 0 else "better" if found.low > 0 else "no"
    return [html.with_interval(found.value, (found.low, found.high), "+.4f"), beyond]
