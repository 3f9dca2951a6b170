"""Which columns models read, why not the others, and what each tells of the label."""

from collections.abc import Iterable, Mapping
from typing import Any

from markupsafe import Markup

from core.names import FEATURE_REPORT
from pipeline.report.page import html
from pipeline.report.page.part import Part, RunRecord

_SHOWN = 100  # columns of which scores are shown
_MUCH = 0.5  # of what a column holds, from which on the column that holds it too is named
_NATS = {
    "importance": "importance",
    "mutual_information": "mutual information",
    "linear": "linear model",
    "trees": "trees",
}
_HINT = (
    "In nats a row: the mutual information of column and label, and by how much the loss of an L1 "
    "logistic regression and of boosted trees rises on rows that they were not fitted on when the "
    "column is shuffled; importance is the mean of the three. Gain: share of the trees' gain. "
    "Stability: share of draws of the rows in which the rule keeps the column."
)


def features(record: RunRecord) -> Part | None:
    """The columns that models read, and those that they do not, with reasons and scores."""
    found = record.report(FEATURE_REPORT) or record.summary.features
    if not found:
        return None
    kept = html.join((html.code(name) for name in found["kept"]), " ")
    pieces: list[html.Text] = [
        html.paragraph(f"{len(found['kept'])} columns are kept:"),
        html.paragraph(kept),
    ]
    if found.get("note"):
        pieces.append(html.paragraph(f"{found['note']}."))
    if found["dropped"]:
        rows = [[row["column"], row["reason"]] for row in found["dropped"]]
        table = html.table("Columns that are dropped", ("column", "why"), rows)
        few = len(rows) <= _SHOWN
        pieces.append(table if few else html.fold(f"The {len(rows)} that are dropped", table))
    if found.get("scores"):
        pieces.append(html.fold("What each column tells of the label", _scores(found)))
    return Part("features", "Features", html.join(pieces))


def _scores(found: Mapping[str, Any]) -> Markup:
    columns = ("column", "read", *_NATS.values(), "gain", "stability", "most of it also in")
    rows = _rows(found["scores"][:_SHOWN], {*found["kept"]})
    caption = "Scores of columns, the most important first"
    if len(found["scores"]) > _SHOWN:
        caption += f"; {_SHOWN} of {len(found['scores'])}"
    table = html.table(caption, columns, rows, columns[2:-1])
    return html.join([table, html.paragraph(_HINT, "hint")])


def _rows(scores: Iterable[Mapping[str, Any]], kept: set[str]) -> Iterable[list[html.Text]]:
    for row in scores:
        share = row["like_share"] or 0.0
        yield [
            row["column"],
            "yes" if row["column"] in kept else "no",
            *(html.number(row[name], ".5f") for name in _NATS),
            html.percent(row["gain"]),
            html.percent(row["stability"], 0),
            f"{row['like']} ({share:.0%})" if share >= _MUCH else "",
        ]
