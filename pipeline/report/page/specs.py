"""Vega-Lite specifications that several parts draw by."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from pipeline.report.page import html

Spec = dict[str, Any]
SHAPES = ("circle", "diamond", "square", "triangle-up", "cross", "triangle-down")
"""Of series, in the order of the colours."""


def series_encoding(names: Sequence[str], field: str = "target") -> Spec:
    """Colour and shape of series by their place; the legend stands in the text (`legend`)."""
    scale = {"domain": list(names)}
    shared = {"field": field, "type": "nominal", "legend": None}
    return {
        "color": {**shared, "scale": scale},
        "shape": {**shared, "scale": {**scale, "range": list(SHAPES[: len(names)])}},
    }


def legend(names: Iterable[str], more: html.Text = "") -> Markup:
    """What the colours and shapes of series stand for, once for several pictures."""
    signs = ("●", "◆", "■", "▲", "✚", "▼")
    keys = html.join(
        Markup('<span class="key"><i class="c{}" aria-hidden="true">{}</i> {}</span>').format(
            place % len(signs) + 1, signs[place % len(signs)], name
        )
        for place, name in enumerate(names)
    )
    more = Markup("<span>{}</span>").format(more) if more else ""
    return Markup('<p class="legend">{} {}</p>').format(keys, more)


def grid(charts: Iterable[Markup], kind: str = "") -> Markup:
    """Charts beside each other where there is room; `kind`: "small" for three in a row."""
    return Markup('<div class="charts {}">{}</div>').format(kind, html.join(charts))


def axis(title: str | None, form: str = ".2f", **scale: Any) -> Spec:
    """A quantitative axis of few ticks, for narrow pictures."""
    return {
        "type": "quantitative",
        "title": title,
        "scale": scale or {"zero": False, "nice": True},
        "axis": {
            "format": form,
            "tickCount": 2 if "domain" in scale else 5,
            "labelOverlap": True,
            "labelSeparation": 8,
        },
    }


def tooltip(fields: Mapping[str, str]) -> list[Spec]:
    """What is shown beside the pointer: formats by field, "" of texts."""
    return [{"field": name, **({"format": form} if form else {})} for name, form in fields.items()]


def dots(
    points: Sequence[Mapping[str, Any]],
    series: Sequence[str],
    title: str,
    overall: Sequence[Mapping[str, Any]] | None = None,
    scale: Mapping[str, Any] | None = None,
    row: str = "group",
    labels: int = 190,
) -> Spec:
    """A dot and its interval for each row and target.

    Args:
      points: `row`, target, value, low, high, few.
      series: The targets.
      title: Of the picture: what is measured.
      overall: target, value: drawn as a line from top to bottom; None: no such line.
      scale: Of the values.
      row: Field of the rows' names.
      labels: Pixels that these may take.
    """
    told = series_encoding(series)
    x = axis(None, **(scale or {}))
    place = {
        "y": {"field": row, "type": "nominal", "sort": None, "title": None,
              "axis": {"labelLimit": labels, "labelPadding": 7}},
        "yOffset": {"field": "target", "type": "nominal", "sort": list(series)},
        "opacity": {"condition": {"test": "datum.few", "value": 0.45}, "value": 1},
        "tooltip": tooltip({row: "", "target": "", "value": ".4f", "low": ".4f", "high": ".4f"}),
    }  # fmt: skip
    layers: list[Spec] = []
    if overall is not None:
        layers.append(
            {
                "data": {"name": "overall", "values": list(overall)},
                "mark": {"type": "rule", "strokeDash": [5, 3], "strokeWidth": 1.5},
                "encoding": {
                    "x": {"field": "value", **x},
                    "color": told["color"],
                    "tooltip": tooltip({"target": "", "value": ".4f"}),
                },
            }
        )
    layers += [
        {
            "mark": {"type": "rule", "strokeWidth": 2.5},
            "encoding": {
                **place,
                "x": {"field": "low", **x},
                "x2": {"field": "high"},
                "color": told["color"],
            },
        },
        {
            "mark": {"type": "point", "size": 55},
            "encoding": {**place, **told, "x": {"field": "value", **x}},
        },
    ]
    return {
        "title": {"text": title, "anchor": "start", "frame": "bounds"},
        "width": "container",
        "height": {"step": 11 if len(series) > 1 else 18},
        "data": {"name": "points", "values": list(points)},
        "layer": layers,
    }


def height(rows: int, series: int) -> int:
    """Pixels that a picture of dots takes, about."""
    return rows * (11 * series + 5 if series > 1 else 18) + 52


def heat_map(
    cells: Sequence[Mapping[str, Any]],
    title: str,
    across: str,
    form: str = ".2f",
    domain: Sequence[float] = (0, 1),
) -> Spec:
    """Cells shaded by `value`, which stands in them, too; a row for each `group`."""
    place = {
        "x": {"field": across, "type": "nominal", "sort": None, "title": None,
              "axis": {"labelAngle": -35, "labelLimit": 110, "domain": False, "ticks": False}},
        "y": {"field": "group", "type": "nominal", "sort": None, "title": None,
              "axis": {"labelLimit": 170}},
        "tooltip": tooltip({"group": "", across: "", "value": ".4f"}),
    }  # fmt: skip
    shade = {
        "field": "value", "type": "quantitative", "legend": None,
        "scale": {"domain": list(domain), "range": [0.04, 0.55], "clamp": True},
    }  # fmt: skip
    return {
        "title": {"text": title, "anchor": "start", "frame": "bounds"},
        "width": "container",
        "height": {"step": 24},
        "data": {"values": list(cells)},
        "encoding": place,
        "layer": [
            {"mark": {"type": "rect", "color": "var(--c1)"}, "encoding": {"opacity": shade}},
            {
                "mark": {"type": "text", "fontSize": 11, "color": "var(--ink)"},
                "encoding": {"text": {"field": "value", "format": form}},
            },
        ],
    }
