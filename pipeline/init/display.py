"""What `init` prints: a row for each column, what was decided, what comes next."""

from rich.console import Console
from rich.table import Table

from pipeline.init.columns import LABEL, LEFT_OUT
from pipeline.init.describe import Described
from pipeline.init.files import function_name
from pipeline.report.markup import escape

_STYLES = {LEFT_OUT: "yellow", LABEL: "bold"}


def print_described(out: Console, described: Described) -> None:
    """Prints the columns, the files and the next commands."""
    proposed = described.proposal
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("column", "kind", "why", "what to do"):
        table.add_column(heading, overflow="fold")
    for seen in proposed.seen:
        name = proposed.names.get(seen.header, seen.header)
        renamed = f"called {name}; " if name != seen.header else ""
        table.add_row(
            escape(seen.header or "(no name)"),
            seen.kind,
            escape(renamed + seen.why),
            escape(seen.advice),
            style=_STYLES.get(seen.kind),
        )
    out.print(table)
    rows = proposed.rows
    out.print(
        f"\n{rows['span-1']} rows for training, of which {proposed.gold_rows} are the gold budget, "
        f"and {rows['test']} in the test part"
    )
    chosen = described.example
    out.print(
        f"labelling function {escape(function_name(chosen))}: right on {chosen.right} of "
        f"{chosen.gold} gold rows, votes on {chosen.coverage:.0%} of all rows",
        soft_wrap=True,
    )
    for note in proposed.notes:
        out.print(f"[yellow]note[/]: {escape(note)}", soft_wrap=True)
    name = proposed.request.name
    out.print("written:")
    for path in described.written:
        out.print(f"  {escape(path)}", soft_wrap=True)
    out.print(
        f"next: make smoke CONFIG={name}; then docs/your-data.md, 'After init'", soft_wrap=True
    )
