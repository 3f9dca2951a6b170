"""The table of gates: what failed in full, what passed folded to the worst slice of each metric."""

from collections.abc import Iterable, Sequence
from itertools import zip_longest

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from models.metrics.gates import Gate
from pipeline.report.markup import escape

Line = tuple[Gate, int]
"""A gate, and how many of its target and metric passed that it stands for."""

_TO_CHANGE = "to change: --set KEY=VALUE"


def print_gates(out: Console, gates: Sequence[Gate], every: bool = False) -> None:
    """Gates with value, bound, verdict and the key of the bound.

    Where the keys do not fit beside the rest, those of failed gates (of all with `every`) follow.

    Args:
        out: where to.
        gates: the rows.
        every: whether to print each row that passed, too.
    """
    if not gates:
        return
    lines = [(gate, 1) for gate in gates] if every else fold(gates)
    head = ["target", "metric", "slice" if every else "worst slice", "value", "bound", "verdict"]
    rows = [_cells(gate, count) for gate, count in lines]
    with_keys = [[*row, gate.key] for row, (gate, _) in zip(rows, lines, strict=True)]
    if widths := _widths([[*head, _TO_CHANGE], *with_keys], out.width):
        out.print(_table([*head, _TO_CHANGE], with_keys, widths))
        return
    out.print(_table(head, rows, _widths([head, *rows], out.width)))
    shown = [gate for gate in gates if every or not gate.passed]
    if shown:
        out.print(_TO_CHANGE)
    for target, metric, key in dict.fromkeys((g.target, g.metric, g.key) for g in shown):
        out.print(escape(f"  {target}, {metric}: {key}"), soft_wrap=True)


def fold(gates: Iterable[Gate]) -> list[Line]:
    """What failed, and for each target and metric the gate that passed by the smallest margin.

    A gate without numbers to compare stands for itself.
    """
    alike: dict[tuple[str, str], list[Gate]] = {}
    for gate in gates:
        alike.setdefault((gate.target, gate.metric), []).append(gate)
    lines: list[Line] = []
    for group in alike.values():
        by_margin = [(g.margin, n, g) for n, g in enumerate(group) if g.passed]
        measured = [(margin, n, g) for margin, n, g in by_margin if margin is not None]
        lines += [(g, 1) for g in group if not g.passed or g.margin is None]
        if measured:
            lines.append((min(measured)[2], len(measured)))
    return lines


def _cells(gate: Gate, count: int) -> list[str]:
    value = "-" if gate.value is None else f"{gate.value:.4f}"
    verdict = "passed" if gate.passed else "failed"
    several = f"{count} " if count > 1 else ""
    return [gate.target, gate.metric, gate.slice, value, gate.bound, several + verdict]


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
        style = "green" if row[5].endswith("passed") else "bold red"
        cells = [escape(cell) for cell in row]
        cells[5] = f"[{style}]{cells[5]}[/]"
        table.add_row(*cells)
    return table
