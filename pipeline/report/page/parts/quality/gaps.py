"""Gaps of rates between groups: a picture with intervals and bounds, and the same as a table."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup
from pydantic_core import to_jsonable_python

from models.metrics.evidence import extremes, groups_of
from models.metrics.gates import Gate
from models.metrics.registry import EXAMPLES
from pipeline.report.page import html, specs
from pipeline.report.page.groups import min_slice_rows, parse
from pipeline.report.page.part import RunRecord
from pipeline.report.summary import MeasuredModel

GAPS = "fairness-gaps"
_KINDS: dict[str, html.Kind] = {"passed": "good", "undecided": "warn"}
Models = Mapping[str, MeasuredModel]


@dataclass(frozen=True)
class ShownGap:
    """A gap of a target between the groups of a column or of several.

    growth: How much wider it is than the teacher's: value, low, high; None where that is not known.
    """

    target: str
    column: str
    rate: str
    value: float | None
    interval: tuple[float, float] | None
    highest: str
    lowest: str
    gate: Gate | None
    growth: Mapping[str, float] | None

    @property
    def kind(self) -> str:
        """The rate without its class."""
        return self.rate.partition("[")[0]


def gaps_of(found: Models, record: RunRecord) -> Iterator[ShownGap]:
    """The gaps of each target, with the gates that bound them."""
    gates = {(g.target, g.metric): g for g in record.summary.gates if ".max_gap." in g.key}
    for target, model in found.items():
        measured = to_jsonable_python(getattr(model, "gap_intervals", None) or {})
        grown = to_jsonable_python(getattr(model, "gap_growth", None) or {})
        for column in dict.fromkeys([*model.gaps, *measured]):
            rates = model.gaps.get(column, {})
            for rate in dict.fromkeys([*rates, *measured.get(column, {})]):
                gate = gates.get((target, f"gap {column} {rate}"))
                told: Mapping[str, Any] = measured.get(column, {}).get(rate) or {}
                if told:
                    ends: tuple[float, float] | None = (told["low"], told["high"])
                    pair = told["highest"], told["lowest"]
                else:
                    ends = gate.interval if gate else None
                    pair = _extremes(model, column, rate, min_slice_rows(record))
                value = told.get("value", rates.get(rate))
                highest, lowest = pair if value is not None else ("", "")
                growth = grown.get(column, {}).get(rate)
                yield ShownGap(target, column, rate, value, ends, highest, lowest, gate, growth)


def _extremes(model: MeasuredModel, column: str, rate: str, least: int | None) -> tuple[str, str]:
    """The groups of the highest and the lowest rate, where the report does not name them."""
    groups = {
        name: row
        for name, row in groups_of(model.slices, column).items()
        if (row.get(EXAMPLES) or 0) >= (least or 0)
    }
    return extremes(groups, rate) or ("", "")


def largest(gaps: Sequence[ShownGap]) -> list[ShownGap]:
    """Of each kind of rate the class with the widest gap; with two classes all."""
    widest: dict[tuple[str, str, str], ShownGap] = {}
    for gap in gaps:
        key = (gap.target, gap.column, gap.kind)
        if key not in widest or (gap.value or -1.0) > (widest[key].value or -1.0):
            widest[key] = gap
    return list(widest.values())


def picture(gaps: Sequence[ShownGap], found: Models, charts: dict[str, specs.Spec]) -> Markup:
    """The widest gap of each kind of rate, column by column; its specification goes to `charts`."""
    shown = [gap for gap in largest(gaps) if gap.value is not None]
    if not shown:
        return Markup("")
    drawn = [_gap_point(gap) for gap in shown]
    spec = specs.dots(drawn, [*found], "Gap between groups", None, {"zero": True, "nice": True},
                      "gap")  # fmt: skip
    bounds = [
        {"gap": point["gap"], "target": gap.target, "bound": gap.gate.limit}
        for gap, point in zip(shown, drawn, strict=True)
        if gap.gate is not None and gap.gate.limit is not None
    ]
    if bounds:
        spec["layer"].append(
            {
                "data": {"values": bounds},
                "mark": {"type": "tick", "color": "var(--bad)", "thickness": 3, "size": 13},
                "encoding": {
                    "y": {"field": "gap", "type": "nominal", "sort": None},
                    "yOffset": {"field": "target", "type": "nominal", "sort": [*found]},
                    "x": {"field": "bound", "type": "quantitative"},
                    "tooltip": specs.tooltip({"target": "", "gap": "", "bound": ".3f"}),
                },
            }
        )
    charts[GAPS] = spec
    label = "Gap of each rate between the groups of each column with 95% intervals and bounds"
    rows = len({point["gap"] for point in drawn})
    more = Markup('lines: 95% intervals; <i class="bound" aria-hidden="true">▎</i>bound')
    return specs.legend(found, more if bounds else "lines: 95% intervals") + html.chart(
        GAPS, label, "", specs.height(rows, len(found))
    )


def _gap_point(gap: ShownGap) -> dict[str, Any]:
    low, high = gap.interval or (gap.value, gap.value)
    name = f"{_between(gap.column)}: {gap.kind.replace('_', ' ')}"
    return {
        "gap": name,
        "target": gap.target,
        "value": gap.value,
        "low": low,
        "high": high,
        "few": False,
    }


def tables(gaps: Sequence[ShownGap]) -> Markup:
    """The gaps: those with a bound, in a fold all of them, and which could not be measured."""
    order = {key: n for n, key in enumerate(dict.fromkeys((g.column, g.rate) for g in gaps))}
    ordered = sorted(gaps, key=lambda gap: order[gap.column, gap.rate])
    bounded = [gap for gap in ordered if gap.gate is not None]
    known = [gap for gap in ordered if gap.value is not None]
    pieces = [_table(bounded, "Gaps with a bound")] if bounded else []
    if known:
        pieces.append(html.fold(f"All {len(known)} gaps as a table", _table(known, "All gaps")))
    unknown = {
        f"{_between(gap.column)}: {gap.rate}": None
        for gap in ordered
        if gap.value is None and gap.gate is None
    }
    if unknown:
        said = f"Not measured, for groups or their rows are too few: {', '.join(unknown)}."
        pieces.append(html.paragraph(said, "hint"))
    return html.join(pieces)


def _table(gaps: Sequence[ShownGap], caption: str) -> Markup:
    grown = any(gap.growth for gap in gaps)
    growth = ("wider than the teacher's by",) if grown else ()
    columns = ("between groups of", "rate", "target", "gap", *growth, "highest", "lowest", "bound",
               "verdict")  # fmt: skip
    said = f"{caption}: the highest group minus the lowest, with 95% intervals"
    rows = (_cells(gap, grown) for gap in gaps)
    return html.table(said, columns, rows, ("gap", *growth, "bound"))


def _cells(gap: ShownGap, grown: bool) -> list[html.Text]:
    gate, columns = gap.gate, [tuple(gap.column.split(","))]
    highest, lowest = (
        ", ".join(parse(name, columns)[1]) if name else "" for name in (gap.highest, gap.lowest)
    )
    return [
        _between(gap.column),
        gap.rate,
        gap.target,
        html.with_interval(gap.value, gap.interval),
        *([_growth(gap.growth)] if grown else []),
        highest,
        lowest,
        gate.bound if gate else "",
        html.badge(gate.verdict, _KINDS.get(gate.verdict, "bad")) if gate else "no bound",
    ]


def _growth(growth: Mapping[str, float] | None) -> html.Text:
    if growth is None:
        return ""
    return html.with_interval(growth["value"], (growth["low"], growth["high"]), "+.3f")


def _between(column: str) -> str:
    return column.replace(",", " and ")
