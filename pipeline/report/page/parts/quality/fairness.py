"""Groups side by side: gaps with bounds, the worst group, each metric with its interval."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup
from pydantic_core import to_jsonable_python

from models.metrics.registry import measured_by
from pipeline.report.page import html, specs
from pipeline.report.page.groups import groups_of_run, min_slice_rows
from pipeline.report.page.part import Part, RunRecord
from pipeline.report.page.parts.quality import gaps as between
from pipeline.report.page.parts.quality.by_group import by_columns
from pipeline.report.page.parts.quality.gaps import ShownGap
from pipeline.report.summary import MeasuredModel

Models = Mapping[str, MeasuredModel]


def fairness(record: RunRecord) -> Part | None:
    """The part; None where no model was measured."""
    found = record.summary.deployed
    if not found:
        return None
    title = "Groups"
    if not any(model.slices for model in found.values()):
        said = Markup("Groups were not compared: {} names no column.").format(
            html.code("evaluation.slices")
        )
        return Part("fairness", title, html.paragraph(said))
    charts: dict[str, specs.Spec] = {}
    gaps = list(between.gaps_of(found, record))
    pieces: list[html.Text | None] = [
        html.paragraph(_said(gaps, record), "lead"),
        between.picture(gaps, found, charts),
        between.tables(gaps),
    ]
    pieces += [_worst(found), html.heading("Group by group"), _hint(found, record)]
    for place, groups in enumerate(groups_of_run(found.values(), record)):
        pieces.append(by_columns(found, groups, f"fairness-{place}", charts, is_open=place == 0))
    return Part("fairness", title, html.join(pieces), charts)


def _said(gaps: Sequence[ShownGap], record: RunRecord) -> str:
    bounded = [gap for gap in gaps if gap.gate is not None]
    broken = [gap for gap in bounded if gap.gate and not gap.gate.passed]
    known = [(gap.value, n) for n, gap in enumerate(gaps) if gap.value is not None]
    least = min_slice_rows(record)
    told = []
    if known:
        _, place = max(known)
        widest = gaps[place]
        told.append(
            f"The widest gap is {widest.value:.3f}: {widest.rate} of {widest.target} between groups"
            f" of {widest.column.replace(',', ' and ')}."
        )
    else:
        told.append("No gap could be measured.")
    if bounded:
        have = "1 gap has" if len(bounded) == 1 else f"{len(bounded)} gaps have"
        told.append(f"{have} a bound; {len(broken) or 'none'} of them beyond it.")
    else:
        told.append("No gap has a bound.")
    if least is not None:
        told.append(f"Gaps are between groups of at least {least:,} test rows.")
    return " ".join(told)


def _hint(found: Models, record: RunRecord) -> Markup:
    least = min_slice_rows(record)
    more = "lines: 95% intervals; dashed: all rows"
    more += f"; paler: fewer than {least:,} rows, not gated" if least else ""
    return specs.legend(found, more)


def _worst(found: Models) -> Markup | None:
    """For each metric the group in which it is worst, where the report says it."""
    rows: list[list[html.Text]] = []
    for target, model in found.items():
        known = measured_by(model.metrics)
        told: Mapping[str, Mapping[str, Any]] = to_jsonable_python(model.worst)
        for metric, worst in told.items():
            ends = (worst["low"], worst["high"]) if worst.get("low") is not None else None
            heading = known[metric].heading if metric in known else metric
            overall = model.metrics.get(metric)
            rows.append(
                [
                    heading, target, worst["slice"], html.number(worst["value"]),
                    html.interval(ends), html.number(overall), html.count(worst["rows"]),
                ]
            )  # fmt: skip
    if not rows:
        return None
    columns = ("metric", "target", "worst group", "value", "95% interval", "all rows", "rows")
    table = html.table(
        "The group in which each metric is worst", columns, rows, ("value", "all rows", "rows")
    )
    return html.fold("The worst group by each metric", table)
