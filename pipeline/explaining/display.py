"""Explanations of rows as tables with bars."""

from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from models.explain.overview import ADDITIVE
from pipeline.explaining.explain import ExplainedRow, RowExplanations
from pipeline.report.markup import escape

_WIDTH = 20  # characters of the longest bar
_FULL, _HALF = "█", "▌"
_LONGEST = 40  # characters of a value


def print_explanations(explained: RowExplanations, out: Console, classes: tuple[str, ...]) -> None:
    """Prints each row: its answer, what each column adds to it, and what would change it.

    Args:
      explained: The rows.
      out: Where to.
      classes: By their codes; of two negative, positive.
    """
    for row in explained.rows:
        told = row.told
        of_class = classes[1] if len(classes) == 2 else str(told["class"])
        answer, base = _of(told["answer"], of_class), _of(told["base_value"], of_class)
        out.print(
            f"{escape(row.name)}, {explained.target} version {explained.version}: "
            f"[bold]{escape(str(told['class']))}[/], probability of {escape(of_class)} "
            f"{answer:.4f}",
            soft_wrap=True,
        )
        out.print(_table(row, of_class))
        total = base + sum(_of(value, of_class) for value in told["attributions"].values())
        holds = "holds" if abs(total - answer) <= ADDITIVE else "[red]does not hold[/]"
        out.print(
            f"  base value {base:.4f} (mean answer to training rows) + columns "
            f"{total - base:+.4f} = {round(total, 4) + 0.0:.4f}, answer {answer:.4f}: {holds}",
            soft_wrap=True,
        )
        if row.counterfactuals is not None:
            _print_counterfactuals(row.counterfactuals, of_class, out)


def _of(value: Any, name: str) -> float:
    """A number, or that of one of the classes."""
    return float(value[name] if isinstance(value, dict) else value)


def _table(row: ExplainedRow, of_class: str) -> Table:
    table = Table(box=SIMPLE_HEAD)
    for heading in ("column", "value"):
        table.add_column(heading, overflow="fold")
    table.add_column("adds", justify="right")
    table.add_column("", no_wrap=True)
    values = {name: _of(value, of_class) for name, value in row.told["attributions"].items()}
    largest = max(map(abs, values.values()), default=0.0)
    for name in sorted(values, key=lambda name: -abs(values[name])):
        value, share = values[name], abs(values[name]) / largest if largest else 0.0
        halves = round(share * _WIDTH * 2)
        bar = _FULL * (halves // 2) + _HALF * (halves % 2)
        colour = "green" if value > 0 else "red"
        cells = (escape(name), escape(_shown(row.cells[name])))
        table.add_row(*cells, f"{value:+.4f}", f"[{colour}]{'+' if value > 0 else '-'}{bar}[/]")
    return table


def _shown(value: Any) -> str:
    """A cell in a table; a missing one is said to be."""
    text = "(missing)" if value is None else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _print_counterfactuals(found: list[dict[str, Any]], of_class: str, out: Console) -> None:
    if not found:
        out.print("  no change of the columns in explain.actionable changes the decision")
    for number, one in enumerate(found, 1):
        changes = ", ".join(
            f"{name} {_shown(change['from'])} -> {_shown(change['to'])}"
            for name, change in one["changes"].items()
        )
        answer = _of(one["answer"], of_class)
        line = f"  {number}. {one['class']} ({answer:.4f}) with {changes}"
        out.print(escape(line), soft_wrap=True)
