"""What ships: the variant that each Selector chose, why, and what else there was."""

from collections.abc import Iterator
from typing import Any

from markupsafe import Markup

from models.frontier.record import AUTO, JudgedVariant, MeasuredVariant, VariantSelection
from pipeline.report.page import html, specs
from pipeline.report.page.part import Part, RunRecord

_SHIPPED, _FRONTIER = "ships", "on the frontier"
_SHIPS = {"bytes": "the smallest", "latency": "the fastest", "quality": "the best"}
_COSTS = {
    "bytes": ("bytes", "max_bytes", "~s"),
    "latency": ("microseconds for one row", "max_latency_us", "~g"),
}


def choices(record: RunRecord) -> Part | None:
    """The part; None where no Selector has chosen."""
    if not record.summary.choices:
        return None
    charts: dict[str, specs.Spec] = {}
    pieces: list[html.Text | None] = []
    for target, choice in record.summary.choices.items():
        pieces += [
            html.heading(target),
            html.paragraph(
                Markup("{} ships: {}.").format(html.code(choice.variant), choice.reason), "lead"
            ),
        ]
        made = []
        for cost, (unit, limit, form) in _COSTS.items():
            drawn = [*_points(choice, limit)]
            if drawn:
                name = f"choices-{target}-{cost}"
                charts[name] = _spec(drawn, choice, limit, (unit, form))
                label = f"{target}: AUC of each variant minus the teacher's against {unit}"
                made.append(html.chart(name, label, "", 265))
        pieces += [specs.grid(made), _table(choice)]
    rows = max(choice.rows for choice in record.summary.choices.values())
    pieces.append(
        html.paragraph(
            f"Measured on {rows:,} eval rows, by the labels that training goes by; the test rows "
            "have no part in it. Up is better, left is cheaper. Rings do not ship: they break a "
            "limit, or are dominated: another variant is in none of the four costs dearer and in "
            "one cheaper. The others are the frontier. Dashed: limits.",
            "hint",
        )
    )
    return Part("choices", "What ships", html.join(pieces), charts)


def _points(choice: VariantSelection, limit: str) -> Iterator[dict[str, Any]]:
    for each in choice.variants:
        told = each.measured
        price = told.costs[limit]
        if price and told.auc_loss is not None:
            low, high = told.loss_interval or (told.auc_loss, told.auc_loss)
            yield {
                "variant": told.name,
                "standing": _standing(choice, each),
                "cost": price,
                "quality": 0.0 - told.auc_loss,
                "low": -high,
                "high": -low,
            }


def _standing(choice: VariantSelection, each: JudgedVariant) -> str:
    if each.measured.name == choice.variant:
        return _SHIPPED
    if each.broken:
        return "breaks a limit"
    return _FRONTIER if each.dominated_by is None else f"dominated by {each.dominated_by}"


def _spec(
    drawn: list[dict[str, Any]], choice: VariantSelection, limit: str, form: tuple[str, str]
) -> specs.Spec:
    x = {
        "field": "cost",
        "type": "quantitative",
        "title": form[0],
        "scale": {"type": "log", "nice": False, "padding": 30},
        "axis": {"format": form[1], "tickCount": 4, "labelOverlap": True, "grid": False},
    }
    y = specs.axis("AUC minus the teacher's", "+.4~f", zero=True)
    ships = f"datum.standing == '{_SHIPPED}'"
    color = {"condition": {"test": ships, "value": "var(--c1)"}, "value": "var(--soft)"}
    paper = {"test": f"datum.standing != '{_FRONTIER}'", "value": "var(--paper)"}
    fill = {
        "condition": [{"test": ships, "value": "var(--c1)"}, paper],
        "value": "var(--soft)",
    }
    tooltip = {"variant": "", "standing": "", "cost": ",.1f"}
    tooltip |= dict.fromkeys(("quality", "low", "high"), "+.4f")
    shared = {"x": x, "stroke": color, "tooltip": specs.tooltip(tooltip)}
    layers: list[specs.Spec] = [
        {
            "mark": {"type": "rule", "strokeWidth": 2, "opacity": 0.45},
            "encoding": {**shared, "y": {"field": "low", **y}, "y2": {"field": "high"}},
        },
        {
            "mark": {"type": "point", "size": 80, "strokeWidth": 2},
            "encoding": {**shared, "y": {"field": "quality", **y}, "fill": fill},
        },
        {
            "transform": [{"filter": ships}],
            "mark": {"type": "text", "yOffset": -9, "fontSize": 11},
            "encoding": {"x": x, "y": {"field": "high", **y}, "text": {"field": "variant"}},
        },
    ]
    dashed = {"type": "rule", "strokeDash": [5, 3], "stroke": "var(--bad)"}
    if (loss := choice.limits.get("max_auc_loss")) is not None:
        bound = {"data": {"values": [{"limit": -loss}]}, "mark": dashed}
        layers.append({**bound, "encoding": {"y": {"field": "limit", **y}}})
    if (most := choice.limits.get(limit)) is not None:
        bound = {"data": {"values": [{"limit": most}]}, "mark": dashed}
        layers.append({**bound, "encoding": {"x": {**x, "field": "limit"}}})
    return {
        "width": "container",
        "height": 215,
        "data": {"values": drawn},
        "layer": layers,
    }


def _table(choice: VariantSelection) -> Markup:
    rows: list[list[html.Text]] = []
    for each in choice.variants:
        told = each.measured
        ships = told.name == choice.variant
        rows.append(
            [
                Markup("{} {}").format(told.name, html.badge("ships", "good"))
                if ships
                else told.name,
                html.number(told.auc, ".4f"),
                _loss(told),
                _growth(told),
                html.count(told.bytes),
                html.count(told.gzip_bytes),
                html.number(told.row_us, ",.1f"),
                _standing(choice, each),
                ", ".join(each.broken) or "keeps all",
            ]
        )
    columns = (
        "variant", "AUC", "AUC lost", "gap grown", "bytes", "compressed", "1 row, µs", "standing",
        "limits",
    )  # fmt: skip
    limits = ", ".join(f"{name} {bound:,g}" for name, bound in choice.limits.items()) or "none"
    way = "the variant is named by the configuration"
    if choice.asked == AUTO:
        way = f"of those that keep them {_SHIPS[choice.prefer]} ships"
    caption = f"Variants for the {choice.target}; limits: {limits}; {way}"
    return html.table(caption, columns, rows, columns[1:7])


def _loss(told: MeasuredVariant) -> html.Text:
    return html.with_interval(told.auc_loss, told.loss_interval, "+.4f")


def _growth(told: MeasuredVariant) -> html.Text:
    if told.gap_growth is None:
        return html.NONE
    grown = html.with_interval(told.gap_growth, told.growth_interval, "+.3f")
    return Markup("{} {}").format(told.gap, grown)
