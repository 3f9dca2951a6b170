"""The gaps between the groups of each column that is sliced by, bounded or not."""

from collections.abc import Iterable, Iterator, Mapping

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from models.metrics.gates import Gate
from pipeline.report.markup import escape
from pipeline.report.summary import Summary


def print_gaps(out: Console, summary: Summary) -> None:
    """A row for each column, a table for each target; nothing where no column is sliced by."""
    for target, variant in summary.targets.items():
        model = summary.models.get(variant)
        if model is None or not model.gaps:
            continue
        kinds = list(dict.fromkeys(_kind(rate) for rates in model.gaps.values() for rate in rates))
        table = Table(box=SIMPLE_HEAD)
        table.add_column(f"{target}, gap between groups of", overflow="fold")
        for kind in kinds:
            table.add_column(kind, overflow="fold", justify="right")
        for column, rates in model.gaps.items():
            table.add_row(escape(column), *(escape(largest(rates, kind)) for kind in kinds))
        out.print(table)


def largest(rates: Mapping[str, float | None], kind: str) -> str:
    """`0.159`, or `0.159 ride` of several classes: the largest gap of a kind of rate; - of none."""
    found = [
        (value, rate.partition("[")[2].removesuffix("]"))
        for rate, value in _of_kind(rates, kind)
        if value is not None
    ]
    return "{:.3f} {}".format(*max(found)).strip() if found else "-"


def bounded_columns(gates: Iterable[Gate]) -> set[str]:
    """The columns between whose groups a gate bounds a gap."""
    keys = (gate.key.partition(".max_gap.")[2] for gate in gates)
    return {key.rpartition(".")[0] for key in keys if key}


def _of_kind(rates: Mapping[str, float | None], kind: str) -> Iterator[tuple[str, float | None]]:
    return ((rate, value) for rate, value in rates.items() if _kind(rate) == kind)


def _kind(rate: str) -> str:
    return rate.partition("[")[0]
