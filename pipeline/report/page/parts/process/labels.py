"""Where the labels come from: functions, their coverage and accuracy, the method and why."""

from collections.abc import Iterator, Mapping
from typing import Any

from markupsafe import Markup

from core.names import LABEL_REPORT
from pipeline.report.page import html
from pipeline.report.page.part import Part, RunRecord

_CHART = "labels-functions"
_MOST_CLASSES = 4  # that the votes of a function name
_SEVERITIES: dict[str, html.Kind] = {"error": "bad", "warning": "warn", "note": "plain"}


def labels(record: RunRecord) -> Part | None:
    """The part; None of a run that came to no labels."""
    found = record.report(LABEL_REPORT)
    if found is None and record.summary.labels:
        found = record.summary.labels.model_dump(mode="json")
    if not found:
        return None
    pieces: list[html.Text | None] = [html.paragraph(_said(found), "lead"), _facts(found)]
    functions: Mapping[str, Any] = found.get("functions") or {}
    points = sorted(_points(functions), key=lambda point: -point["accuracy"])
    if points:
        label = "Accuracy of each labelling function on gold rows with its 95% interval"
        said = "Accuracy on gold rows; lines are 95% intervals, points grow with coverage."
        pieces.append(html.chart(_CHART, label, said, 20 * len(points) + 50))
    pieces += [
        _functions(functions, bool(points)),
        _findings(found),
        _method(found),
        _groups(found),
    ]
    charts = {_CHART: _spec(points)} if points else {}
    return Part("labels", "Labels", html.join(pieces), charts)


def _said(found: Mapping[str, Any]) -> str:
    gold = f"{found.get('gold_rows', 0):,} gold rows"
    if found.get("mode") == "gold":
        return f"True labels were read, no function was applied; {gold}."
    accuracy, ends = found.get("accuracy_on_gold"), found.get("accuracy_interval")
    told = f"{len(found.get('functions') or {})} labelling functions and {gold}"
    if accuracy is None:
        return f"{told}."
    within = f" (95% interval {ends[0]:.1%} to {ends[1]:.1%})" if ends else ""
    return f"{told}: the labels are right on {accuracy:.1%} of the gold rows{within}."


def _facts(found: Mapping[str, Any]) -> Markup:
    balance = found.get("class_balance")
    shares = {"positive": balance} if isinstance(balance, float) else balance or {}
    told = ", ".join(f"{name} {html.percent(share)}" for name, share in shares.items())
    answered = found.get("gold_rows_answered")
    return html.facts(
        [
            ("Rows", html.count(found["rows"]) if found.get("rows") is not None else None),
            ("Answers of people", html.count(answered) if answered else None),
            *(
                (name, html.percent(found[key]) if found.get(key) is not None else None)
                for name, key in (
                    ("Covered by a vote", "coverage"),
                    ("By several", "overlap"),
                    ("In conflict", "conflict"),
                )
            ),
            ("Classes of the gold rows", told or None),
        ]
    )


def _points(functions: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for name, row in functions.items():
        ends = row.get("accuracy_interval")
        if row.get("accuracy_on_gold") is not None and ends:
            yield {
                "function": name,
                "accuracy": row["accuracy_on_gold"],
                "low": ends[0],
                "high": ends[1],
                "coverage": row.get("coverage"),
                "gold": row.get("gold_votes"),
            }


def _spec(points: list[dict[str, Any]]) -> dict[str, Any]:
    x = {"type": "quantitative", "scale": {"domain": [0, 1]}, "axis": {"format": ".0%"}}
    percent = [
        {"field": field, "title": title, "format": ".1%"}
        for field, title in (
            ("accuracy", "accuracy"),
            ("low", "from"),
            ("high", "to"),
            ("coverage", "coverage"),
        )
    ]
    size = {
        "field": "coverage",
        "type": "quantitative",
        "legend": None,
        "scale": {"range": [30, 220], "zero": True},
    }
    return {
        "width": "container",
        "height": {"step": 20},
        "data": {"values": points},
        "encoding": {
            "y": {"field": "function", "type": "nominal", "sort": None, "title": None},
            "tooltip": [{"field": "function"}, *percent, {"field": "gold", "title": "gold votes"}],
        },
        "layer": [
            {
                "mark": {"type": "rule", "strokeWidth": 2},
                "encoding": {"x": {"field": "low", **x, "title": None}, "x2": {"field": "high"}},
            },
            {
                "mark": {"type": "point"},
                "encoding": {"x": {"field": "accuracy", **x, "title": None}, "size": size},
            },
        ],
    }


def _functions(functions: Mapping[str, Any], drawn: bool) -> Markup | None:
    if not functions:
        return None
    columns = (
        "function",
        "votes",
        "coverage",
        "overlap",
        "conflict",
        "gold votes",
        "accuracy",
        "weight",
    )
    rows = (
        [
            name,
            _votes(row.get("polarity") or []),
            html.share_bar(row.get("coverage")),
            html.percent(row.get("overlap")),
            html.percent(row.get("conflict")),
            html.count(row.get("gold_votes")),
            html.with_interval(row.get("accuracy_on_gold"), row.get("accuracy_interval")),
            _weight(row.get("weight")),
        ]
        for name, row in functions.items()
    )
    table = html.table("Labelling functions", columns, rows, columns[3:])
    return html.fold(f"The {len(functions)} functions as a table", table) if drawn else table


def _weight(weight: object) -> str:
    return html.number(weight, ".2f") if isinstance(weight, float | int) else html.NONE


def _votes(polarity: list[str]) -> str:
    more = len(polarity) - _MOST_CLASSES
    shown = ", ".join(polarity[:_MOST_CLASSES])
    return f"{shown} and {more} more" if more > 0 else shown


def _findings(found: Mapping[str, Any]) -> Markup | None:
    rows = [
        [
            each["function"],
            html.badge(each["severity"], _SEVERITIES.get(each["severity"], "plain")),
            each["message"],
            each["action"],
        ]
        for each in found.get("findings") or ()
    ]
    columns = ("function", "severity", "what", "to do")
    return html.table("Faults of functions", columns, rows) if rows else None


def _method(found: Mapping[str, Any]) -> Markup | None:
    methods: Mapping[str, Any] = found.get("methods") or {}
    if not methods:
        return None
    taken = found.get("method")
    columns = ("method", "log loss", "accuracy", "auc", "f1")
    rows = (
        [
            Markup("{} {}").format(name, html.badge("taken", "good")) if name == taken else name,
            *(
                html.with_interval(score.get(key), score.get(f"{key}_interval"))
                for key in ("log_loss", "accuracy", "auc")
            ),
            html.number(score.get("f1"), ".3f"),
        ]
        for name, score in methods.items()
    )
    said = f"{taken} was taken: {found.get('method_reason')}."
    table = html.table("Ways from votes to labels, on gold rows", columns, rows, columns[1:])
    return html.join([html.heading("From votes to labels"), html.paragraph(said), table])


def _groups(found: Mapping[str, Any]) -> Markup | None:
    groups: Mapping[str, Any] = found.get("groups") or {}
    rows = [
        [
            f"{column}={group}",
            html.count(row.get("rows")),
            html.share_bar(row.get("coverage")),
            html.count(row.get("gold_rows")),
            html.percent(row.get("error")),
        ]
        for column, by_group in groups.items()
        for group, row in by_group.items()
    ]
    columns = ("group", "rows", "coverage", "gold rows", "labels that are wrong")
    if not rows:
        return None
    return html.fold(
        "Labels by group",
        html.table("Coverage and error by group", columns, rows, ("rows", *columns[3:])),
    )
