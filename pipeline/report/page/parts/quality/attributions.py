"""What the answers of both targets rest on, by column and group, and how columns move them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from core.names import EXPLANATION
from pipeline.report.page import html, specs
from pipeline.report.page.groups import FEW, parse
from pipeline.report.page.part import Part, RunRecord

_CHART = "attributions-columns"
_MOST = 20  # columns in a picture
_HEAT_COLUMNS, _HEAT_GROUPS = 8, 16
_MOST_CLASSES = 6  # curves of dependence in a picture
Targets = Mapping[str, Mapping[str, Any]]


def attributions(record: RunRecord) -> Part | None:
    """The part; None where nothing was explained."""
    report = record.report(EXPLANATION)
    found: Targets = (report or {}).get("targets") or {}
    if not any(target.get("mean_abs") for target in found.values()):
        return None
    charts: dict[str, specs.Spec] = {}
    pieces: list[html.Text | None] = [
        html.paragraph(_said(found), "lead"),
        _warnings(found),
        _of_columns(found, charts),
        _of_groups(found, charts),
        _dependence(found, charts, record.summary.data.rows.get("train")),
    ]
    return Part("attributions", "What answers rest on", html.join(pieces), charts)


def total(value: Any) -> float | None:
    """A number, or with more than two classes the sum over the classes; None of none."""
    if isinstance(value, Mapping):
        known = [each for each in value.values() if each is not None]
        return float(sum(known)) if known else None
    return None if value is None else float(value)


def _said(found: Targets) -> str:
    told = []
    for target, explained in found.items():
        strongest = _strongest(explained)[:3]
        rows, scale = explained.get("rows"), explained.get("scale") or "answer"
        told.append(
            f"{target}: mostly {', '.join(strongest)} (mean absolute attribution to the {scale} "
            f"over {rows} test rows)."
        )
    return " ".join(told)


def _warnings(found: Targets) -> Markup | None:
    told: dict[str, list[str]] = {}
    for target, explained in found.items():
        for warning in explained.get("warnings") or ():
            told.setdefault(warning, []).append(target)
    if not told:
        return None
    items = (
        Markup("{} {} ({})").format(html.badge("look at", "warn"), warning, ", ".join(targets))
        for warning, targets in told.items()
    )
    return html.listing(items)


def _strongest(explained: Mapping[str, Any]) -> list[str]:
    means = {name: total(value) or 0.0 for name, value in (explained["mean_abs"] or {}).items()}
    return sorted(means, key=lambda name: -means[name])


def _order(found: Targets) -> list[str]:
    """Columns by their attribution over all targets, the strongest first."""
    sums: dict[str, float] = {}
    for explained in found.values():
        for name, value in (explained.get("mean_abs") or {}).items():
            sums[name] = sums.get(name, 0.0) + (total(value) or 0.0)
    return sorted(sums, key=lambda name: -sums[name])


def _ends(explained: Mapping[str, Any], column: str) -> tuple[float, float] | None:
    ends = (explained.get("stability") or {}).get(column) or ()
    low, high = (total(end) for end in ends) if len(ends) == 2 else (None, None)
    return None if low is None or high is None else (low, high)


def _of_columns(found: Targets, charts: dict[str, specs.Spec]) -> Markup:
    order = _order(found)
    drawn = list(_points(found, order[:_MOST]))
    spec = specs.dots(drawn, [*found], "Mean absolute attribution", None, {"zero": True}, "column")
    charts[_CHART] = spec
    more = "lines: 95% intervals over other rows, backgrounds and seeds"
    label = "Mean absolute attribution of each column with its interval"
    many = any(isinstance(v, Mapping) for e in found.values() for v in e["mean_abs"].values())
    rows: list[list[html.Text]] = [
        [
            column,
            *(
                html.with_interval(total(e["mean_abs"].get(column)), _ends(e, column), ".4f")
                for e in found.values()
            ),
        ]
        for column in order
    ]
    caption = "Mean absolute attribution" + (", summed over the classes" if many else "")
    height = specs.height(len(order[:_MOST]), len(found))
    pieces = [
        specs.legend(found, more),
        html.chart(_CHART, label, "", height),
        html.fold("The same as a table", html.table(caption, ["column", *found], rows, [*found])),
    ]
    if many:
        pieces += [_by_class(target, e, order) for target, e in found.items()]
    return html.join(pieces)


def _points(found: Targets, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    for column in columns:
        for target, explained in found.items():
            if (value := total(explained["mean_abs"].get(column))) is not None:
                low, high = _ends(explained, column) or (value, value)
                yield {"column": column, "target": target, "value": value, "low": low,
                       "high": high, "few": False}  # fmt: skip


def _by_class(target: str, explained: Mapping[str, Any], order: Sequence[str]) -> Markup:
    values: Mapping[str, Any] = explained["mean_abs"]
    classes = list(dict.fromkeys(c for v in values.values() if isinstance(v, Mapping) for c in v))
    rows = [
        [column, *(html.number((values.get(column) or {}).get(name)) for name in classes)]
        for column in order
    ]
    table = html.table(f"Mean absolute attribution to each class, {target}", ["column", *classes],
                       rows, classes)  # fmt: skip
    return html.fold(f"Class by class, {target}", table)


def _of_groups(found: Targets, charts: dict[str, specs.Spec]) -> Markup | None:
    """How much the answers rest on each column in each group, as shares of the group's sum."""
    pieces = []
    for place, (target, explained) in enumerate(found.items()):
        by_group: Mapping[str, Mapping[str, Any]] = explained.get("by_group") or {}
        rows_of: Mapping[str, int] = explained.get("group_rows") or {}
        single = [name for name in by_group if len(parse(name)[0]) == 1]
        groups = sorted(single, key=lambda name: -rows_of.get(name, 0))[:_HEAT_GROUPS]
        if not groups:
            continue
        shares = {name: _shares(by_group[name]) for name in by_group}
        columns = _order({target: explained})[:_HEAT_COLUMNS]
        cells: list[dict[str, Any]] = [
            {"column": column, "group": name, "value": shares[name].get(column, 0.0)}
            for name in (n for n in by_group if n in groups)
            for column in columns
        ]
        name = f"attributions-groups-{place}"
        top = max((cell["value"] for cell in cells), default=1.0) or 1.0
        charts[name] = specs.heat_map(cells, target, "column", ".0%", (0, top))
        label = f"Share of the attribution that each column carries in each group, {target}"
        pieces.append(html.chart(name, label, "", 24 * len(groups) + 90))
        pieces.append(html.fold(f"The same as a table, {target}", _table(target, shares, rows_of)))
    if not pieces:
        return None
    said = "Share of the attribution of all columns, group by group."
    return html.join([html.heading("By group"), html.paragraph(said, "hint"), *pieces])


def _shares(values: Mapping[str, Any]) -> dict[str, float]:
    sums = {name: total(value) or 0.0 for name, value in values.items()}
    everything = sum(sums.values())
    return {name: value / everything if everything else 0.0 for name, value in sums.items()}


def _table(
    target: str, shares: Mapping[str, Mapping[str, float]], rows_of: Mapping[str, int]
) -> Markup:
    columns = list(dict.fromkeys(column for values in shares.values() for column in values))
    rows = [
        [name, html.count(rows_of.get(name)), *(html.percent(v.get(c)) for c in columns)]
        for name, v in shares.items()
    ]
    heads = ["group", "rows", *columns]
    return html.table(f"Share of the attribution, {target}", heads, rows, heads[1:])


def _dependence(found: Targets, charts: dict[str, specs.Spec], train: int | None) -> Markup | None:
    """How the mean answer moves when a column has one value in every row."""
    columns = [c for c in _order(found) if any(c in (e.get("dependence") or {})
                                               for e in found.values())]  # fmt: skip
    pictures, tables = [], []
    for place, column in enumerate(columns):
        drawn = [
            point
            for target, explained in found.items()
            for point in _of_value((explained.get("dependence") or {}).get(column), target, train)
        ]
        if not drawn:
            continue
        name = f"attributions-dependence-{place}"
        charts[name] = _dependence_spec(column, drawn)
        pictures.append(html.chart(name, f"Mean answer by value of {column}", "", 250))
        rows = [
            [_value(p["value"]), p["series"], html.number(p["answer"]), html.percent(p["share"])]
            for p in drawn
        ]
        heads = ("value", "model", "mean answer", "training rows near it")
        tables.append(html.table(column, heads, rows, heads[2:]))
    if not pictures:
        return None
    said = (
        "The mean answer when every row has this value, other columns as they are; points grow "
        "with the share of training rows near the value."
    )
    return html.join(
        [
            html.heading("When one column changes"),
            html.paragraph(said, "hint"),
            specs.grid(pictures),
            html.fold("The same as tables", html.join(tables)),
        ]
    )


def _of_value(
    told: Sequence[Mapping[str, Any]] | None, target: str, train: int | None
) -> Iterator[dict[str, Any]]:
    """A point for each value that enough training rows have, with more classes one for each."""
    for row in told or ():
        share = row.get("share")
        if train and share is not None and share * train < FEW:
            continue
        answer = row["answer"]
        by_series = {target: answer}
        if isinstance(answer, Mapping):
            by_series = {f"{name}, {target}": answer[name] for name in [*answer][:_MOST_CLASSES]}
        for series, value in by_series.items():
            if value is not None:
                yield {"series": series, "value": row["value"], "answer": value,
                       "share": share or 0.0}  # fmt: skip


def _value(value: Any) -> str:
    if value == "" or value is None:
        return "(missing)"
    return f"{value:g}" if isinstance(value, float | int) else str(value)


def _dependence_spec(column: str, drawn: list[dict[str, Any]]) -> specs.Spec:
    series = list(dict.fromkeys(point["series"] for point in drawn))
    numeric = all(isinstance(p["value"], float | int) for p in drawn if p["value"] != "")
    told = specs.series_encoding(series, "series")
    told["color"]["legend"] = told["shape"]["legend"] = {"columns": 2}
    size = {"field": "share", "type": "quantitative", "legend": None, "scale": {"range": [20, 160]}}
    answer = specs.axis("mean answer", ".2f")
    tooltip = specs.tooltip({"series": "", "value": "", "answer": ".4f", "share": ".1%"})
    title = {"text": column, "anchor": "start", "frame": "bounds"}
    if numeric:
        values = [point for point in drawn if point["value"] != ""]
        x = {**specs.axis(None, ",.4~r"), "field": "value"}
        return {
            "title": title, "width": "container", "height": 160, "data": {"values": values},
            "encoding": {"x": x, "y": {"field": "answer", **answer}, "tooltip": tooltip},
            "layer": [
                {"mark": {"type": "line"}, "encoding": {"color": told["color"]}},
                {"mark": {"type": "point"}, "encoding": {**told, "size": size}},
            ],
        }  # fmt: skip
    values = [{**point, "value": _value(point["value"])} for point in drawn]
    y = {"field": "value", "type": "nominal", "sort": None, "title": None,
         "axis": {"labelLimit": 150}}  # fmt: skip
    return {
        "title": title, "width": "container", "height": {"step": 18}, "data": {"values": values},
        "mark": {"type": "point"},
        "encoding": {"y": y, "x": {"field": "answer", **answer}, **told, "size": size,
                     "tooltip": tooltip},
    }  # fmt: skip
