"""The gaps between the groups of each list of columns that is sliced by, bounded or not."""

from collections.abc import Iterable, Iterator, Mapping

from rich.console import Console

from models.metrics.gates import Gate
from pipeline.report.markup import escape, figure, table_of
from pipeline.report.summary import MeasuredModel, Summary

_BOUNDS = (".max_gap.", ".max_gap_growth.")
_HEADS = ("rate", "gap [95% interval]", "highest", "lowest", "growth from teacher")


def print_gaps(out: Console, summary: Summary) -> None:
    """A row for each gap, a table for each target; nothing where no column is sliced by."""
    for target, model in summary.deployed.items():
        if not model.gaps:
            continue
        table = table_of(f"{target}, groups of", *_HEADS)
        for row in _rows(model):
            table.add_row(*map(escape, row))
        out.print(table)


def _rows(model: MeasuredModel) -> Iterator[list[str]]:
    """The cells of each gap; a summary of before has values alone."""
    for column in model.gap_intervals or model.gaps:
        intervals = model.gap_intervals.get(column, {})
        growths = model.gap_growth.get(column, {})
        values = {rate: gap.value if gap else None for rate, gap in intervals.items()}
        values = values or model.gaps[column]
        for rate in largest(values):
            gap, growth = intervals.get(rate), growths.get(rate)
            if gap is None:
                yield [column, rate, figure(values[rate]), "-", "-", "-"]
                continue
            high, low = (name.removeprefix(f"{column}=") for name in (gap.highest, gap.lowest))
            grown = figure(growth.value, (growth.low, growth.high)) if growth else "-"
            yield [column, rate, figure(gap.value, (gap.low, gap.high)), high, low, grown]


def largest(rates: Mapping[str, float | None]) -> list[str]:
    """The rates; of those of each class, recall[ride] ..., the one with the largest gap."""
    found: dict[str, str] = {}
    for rate, value in rates.items():
        kind = rate.partition("[")[0]
        before = rates.get(found.get(kind, ""))
        if kind not in found or (value is not None and (before is None or value > before)):
            found[kind] = rate
    return list(found.values())


def bounded_columns(gates: Iterable[Gate]) -> set[str]:
    """The columns between whose groups a gate bounds a gap or its growth."""
    keys = (gate.key.partition(bound)[2] for gate in gates for bound in _BOUNDS)
    return {key.rpartition(".")[0] for key in keys if key}
