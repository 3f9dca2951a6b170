"""What the tuner tried, which trial was taken, and whether it is better than the default."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from core.names import SEARCH_REPORT, TUNER_REPORT
from pipeline.report.page import html
from pipeline.report.page.part import Part, RunRecord

_TRIALS = "trials-scores"
_STATES: dict[str, html.Kind] = {"completed": "plain", "failed": "bad", "out of time": "warn"}


def trials(record: RunRecord) -> Part | None:
    """The part; None of a run without the tuner."""
    found = record.report(SEARCH_REPORT) or record.summary.search or _of_before(record)
    if not found or not found["trials"]:
        return None
    pieces: list[html.Text | None] = [_lead(found)]
    points = _points(found)
    if points:
        label = "Evaluation loss of each trial in the order of the trials, and the lowest so far"
        pieces.append(html.chart(_TRIALS, label, "", 200))
    pieces += [_table(found), _compared(found.get("comparison"))]
    return Part("trials", "Trials of the tuner", html.join(filter(None, pieces)), _spec(points))


def _of_before(record: RunRecord) -> Mapping[str, Any] | None:
    """The same of a run that kept no more than the completed trials."""
    rows = record.report(TUNER_REPORT) or record.summary.tuner
    if not rows:
        return None
    made: list[dict[str, Any]] = [
        {
            "trial": str(row.get("trial_id")),
            "state": "completed",
            "loss": row.get("score"),
            "values": {n: v for n, v in row.items() if n not in ("trial_id", "score")},
        }
        for row in rows
    ]
    scored = [row for row in made if isinstance(row["loss"], float | int)]
    taken = min(scored, key=lambda row: row["loss"])["trial"] if scored else None
    return {"trials": sorted(made, key=lambda row: row["trial"]), "taken": taken}


def _lead(found: Mapping[str, Any]) -> Markup | None:
    if "reason" not in found:
        return None
    what = "the default values" if found["taken"] == found["default"] else "the best trial"
    text = f"Taken: {what} (trial {found['taken']}). The reason: {found['reason']}."
    budget = found["budget"]
    bound = f" of at most {budget['trials']}"
    if budget["seconds"] is not None:
        bound += f", and {html.duration(budget['seconds'])}"
    said = (
        f"Strategy {found['search']}: {len(found['trials'])} trials{bound}, in "
        f"{html.duration(found['seconds'])} with the comparison."
    )
    return html.join([html.paragraph(text, "lead"), html.paragraph(said, "hint")])


def _table(found: Mapping[str, Any]) -> Markup:
    rows: Sequence[Mapping[str, Any]] = found["trials"]
    names = list(rows[0]["values"])
    differ = [n for n in names if len({str(row["values"].get(n)) for row in rows}) > 1]
    order = sorted(rows, key=lambda row: (row["loss"] is None, row["loss"] or 0.0))
    cells = [
        [
            _trial(row, found),
            html.badge(row["state"], _STATES[row["state"]]),
            html.number(row["loss"], ".4f"),
            str(row.get("epochs", "")),
            html.duration(row["seconds"]) if "seconds" in row else "",
            *(_setting(row["values"].get(name)) for name in differ),
            row.get("why") or "",
        ]
        for row in order
    ]
    columns = ["trial", "state", "evaluation loss", "epochs", "time", *differ, "why"]
    table = html.table("Trials, the best first", columns, cells, columns[2:-1])
    same = [f"{n} {_setting(rows[0]['values'][n])}" for n in names if n not in differ]
    if not same:
        return table
    return html.join([table, html.paragraph(f"The same in all: {', '.join(same)}.", "hint")])


def _trial(row: Mapping[str, Any], found: Mapping[str, Any]) -> html.Text:
    words: dict[str, html.Kind] = {"taken": "good", "default": "plain"}
    badges = [
        html.badge(word, kind) for word, kind in words.items() if found.get(word) == row["trial"]
    ]
    return html.join([Markup("{}").format(row["trial"]), *badges], " ")


def _setting(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _compared(comparison: Mapping[str, Any] | None) -> Markup | None:
    """Best and default, training by training."""
    if comparison is None:
        return None
    rows = [
        [f"seed {each['seed']}", html.number(each["best"]), html.number(each["default"]),
         html.number(each["best"] - each["default"], "+.4f"), ""]
        for each in comparison["seeds"]
    ]  # fmt: skip
    mean = {"metric": "all seeds: loss", "value": comparison["difference"], **comparison}
    for each in (mean, *comparison["metrics"]):
        interval = f"{html.number(each['low'], '+.4f')} to {html.number(each['high'], '+.4f')}"
        name = each["metric"] if each is mean else f"all seeds: {each['metric']}"
        rows.append([name, "", "", html.number(each["value"], "+.4f"), interval])
    columns = ("training", "best trial", "default", "difference", "interval")
    caption = (
        f"Best trial and default on {comparison['rows']:,} evaluation rows; the interval of the "
        f"loss is wide enough for the best of {comparison['candidates']} trials"
    )
    return html.table(caption, columns, rows, columns[1:])


def _points(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    scored = [row for row in found["trials"] if isinstance(row["loss"], float | int)]
    lowest, points = float("inf"), []
    for row in scored:
        lowest = min(lowest, row["loss"])
        is_taken = row["trial"] == found["taken"]
        points.append(
            {
                "trial": row["trial"],
                "loss": row["loss"],
                "lowest": lowest,
                "best": "taken" if is_taken else "tried",
            }
        )
    return points


def _spec(points: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    if not points:
        return {}
    trial = {
        "field": "trial",
        "type": "ordinal",
        "title": "trial",
        "axis": {"labelAngle": 0, "labelOverlap": True},
    }
    loss = {"type": "quantitative", "scale": {"zero": False}, "title": "evaluation loss"}
    colour = {"field": "best", "type": "nominal", "scale": {"domain": ["tried", "taken"]}}
    spec = {
        "width": "container",
        "height": 160,
        "data": {"values": points},
        "encoding": {"x": trial},
        "layer": [
            {
                "mark": {"type": "line", "interpolate": "step-after", "strokeDash": [4, 3]},
                "encoding": {"y": {"field": "lowest", **loss}},
            },
            {
                "mark": {"type": "point", "size": 90},
                "encoding": {
                    "y": {"field": "loss", **loss},
                    "color": colour,
                    "tooltip": [{"field": "trial"}, {"field": "loss", "format": ".4f"}],
                },
            },
        ],
    }
    return {_TRIALS: spec}
