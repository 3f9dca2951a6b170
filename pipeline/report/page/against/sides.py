"""Two runs side by side: what all parts of such a page share."""

from collections.abc import Callable, Iterable, Sequence

from pipeline.report.page import html

FIRST, SECOND = "this run", "the other"
DIFFERENCE = "difference"
Figures = tuple[str, float | None, float | None]
"""What it is, and its values in both runs."""


def two_columns(
    caption: html.Text, what: str, rows: Iterable[Sequence[html.Text]], numeric: bool = False
) -> html.Text:
    """A table with a column for each run."""
    return html.table(caption, (what, FIRST, SECOND), rows, (FIRST, SECOND) if numeric else ())


def figures(
    caption: html.Text,
    what: str,
    rows: Iterable[Figures],
    shown: Callable[[float | None], str] = html.number,
) -> html.Text | None:
    """A table of numbers with their differences; None without rows."""
    cells = [
        [name, shown(one), shown(other), html.difference(one, other, shown)]
        for name, one, other in rows
    ]
    columns = (what, FIRST, SECOND, DIFFERENCE)
    return html.table(caption, columns, cells, columns[1:]) if cells else None
