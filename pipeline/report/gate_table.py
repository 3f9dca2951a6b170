"""The table of gates: what failed in full, what passed folded to the worst slice of each metric."""

import re
from collections.abc import Iterable, Sequence
from itertools import zip_longest

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from models.metrics.gates import Gate
from models.metrics.many_classes import QUALITY_BY_CLASS, RATES_BY_CLASS
from pipeline.report.markup import escape, short

Line = tuple[Gate, int]
"""A gate, and how many of its target and metric passed that it stands for."""

_OF_A_CLASS = re.compile(rf"\b({'|'.join({*QUALITY_BY_CLASS, *RATES_BY_CLASS})})\[.*\]")
_VERDICT = 5  # its column
_VALUE = "value [95% interval] rows"
_TO_CHANGE = "to change: --set KEY=VALUE"


def print_gates(out: Console, gates: Sequence[Gate], every: bool = False) -> None:
    """Gates with value, bound, verdict and the key of the bound.

    Where the keys do not fit beside the rest, those of failed and undecided gates (of all with
    `every`) follow.

    Args:
        out: where to.
        gates: the rows.
        every: whether to print each row that passed, too.
    """
    if not gates:
        return
    lines = [(gate, 1) for gate in gates] if every else fold(gates)
    place = "slice" if every else "worst slice"
    head = ["target", "metric", place, _VALUE, "bound", "verdict"]
    rows = [_cells(gate, count) for gate, count in lines]
    with_keys = [[*row, gate.key] for row, (gate, _) in zip(rows, lines, strict=True)]
    if widths := _widths([[*head, _TO_CHANGE], *with_keys], out.width):
        out.print(_table([*head, _TO_CHANGE], with_keys, widths))
        return
    out.print(_table(head, rows, _widths([head, *rows], out.width)))
    shown = [gate for gate in gates if every or gate.undecided or not gate.passed]
    if shown:
        out.print(_TO_CHANGE)
    for target, metric, key in dict.fromkeys((g.target, g.metric, g.key) for g in shown):
        out.print(escape(f"  {target}, {metric}: {key}"), soft_wrap=True)


def fold(gates: Iterable[Gate]) -> list[Line]:
    """What failed or is undecided, and of each target and metric what passed by the least margin.

    The recall of one class and that of another are one metric here.

    A gate without numbers to compare stands for itself.
    """
    alike: dict[tuple[str, str], list[Gate]] = {}
    for gate in gates:
        alike.setdefault((gate.target, _OF_A_CLASS.sub(r"\1", gate.metric)), []).append(gate)
    lines: list[Line] = []
    for group in alike.values():
        told = [gate for gate in group if gate.verdict == "passed"]
        by_margin = [(gate.margin, n, gate) for n, gate in enumerate(told)]
        measured = [(margin, n, g) for margin, n, g in by_margin if margin is not None]
        lines += [(g, 1) for g in group if g.verdict != "passed" or g.margin is None]
        if measured:
            lines.append((min(measured)[2], len(measured)))
    return lines


def _cells(gate: Gate, count: int) -> list[str]:
    value = "-" if gate.value is None else f"{gate.value:.4f}"
    if gate.interval is not None:
        value += " [{}, {}]".format(*(short(end) for end in gate.interval))
    if gate.rows is not None:
        value += f" {gate.rows}"
    verdict = f"{count} {gate.verdict}" if count > 1 else gate.verdict
    return [gate.target, gate.metric, gate.slice, value, gate.bound, verdict]


def _widths(rows: Sequence[Sequence[str]], room: int) -> list[int] | None:
    """Widths of the columns that break no word; None where there is too little room.

    Own, because rich takes from the widest column first, whether it has several words or one.
    """
    columns = list(zip(*rows, strict=True))
    least = [max(len(word) for cell in column for word in cell.split()) for column in columns]
    spare = room - sum(least) - 2 * len(columns) - 1  # a space and a divider each, and the edge
    if spare < 0:
        return None
    widths = least.copy()
    for n in reversed(range(len(columns))):  # verdict and bound read worst in two lines
        more = min(spare, max(map(len, columns[n])) - least[n])
        widths[n] += more
        spare -= more
    return widths


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], widths: list[int] | None) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column, width in zip_longest(head, widths or ()):
        table.add_column(column, overflow="fold", width=width)
    for row in rows:
        verdict = row[_VERDICT].split()[-1]
        style = {"passed": "green", "undecided": "yellow"}.get(verdict, "bold red")
        cells = [escape(cell) for cell in row]
        cells[_VERDICT] = f"[{style}]{cells[_VERDICT]}[/]"
        table.add_row(*cells)
    return table
