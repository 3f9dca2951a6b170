"""What each of more than two classes was measured at, and what its rows are taken for."""

from collections.abc import Mapping, Sequence

from rich.console import Console

from models.metrics.gates import OVERALL
from pipeline.report.markup import escape, figure, table_of
from pipeline.report.summary import Summary

_KINDS = ("precision", "recall", "f1")
_MOST = 3  # classes that the rows of one are taken for by mistake


def print_classes(out: Console, summary: Summary) -> None:
    """A row for each class of each target's model; nothing with two classes."""
    for target, model in summary.deployed.items():
        seen = model.evidence.get(OVERALL)
        if seen is None or seen.by_class is None:
            continue
        table = table_of(f"{target}, class", "rows", *_KINDS, "wrongly taken for")
        for figures_of in table.columns[1:-1]:
            figures_of.justify = "right"
        for code, (called, rows) in enumerate(seen.by_class.items()):
            names = [f"{kind}[{called}]" for kind in _KINDS]
            figures = [figure(model.metrics.get(n), seen.intervals.get(n)) for n in names]
            taken = model.confusion[code] if model.confusion else []
            wrong = mistakes([*seen.by_class], taken, code)
            table.add_row(escape(called), str(rows), *figures, escape(wrong))
        out.print(table)


def mistakes(classes: Sequence[str], taken: Sequence[int], code: int) -> str:
    """`carry 12, other 3 and 2 more`: what the rows of a class are taken for, the most first.

    Args:
        classes: by their codes.
        taken: rows of the class by the class that they are taken for.
        code: of the class.
    """
    wrong = {classes[n]: count for n, count in enumerate(taken) if n != code and count}
    most = sorted(wrong, key=lambda called: -wrong[called])
    shown = ", ".join(f"{called} {wrong[called]}" for called in most[:_MOST])
    return f"{shown} and {len(most) - _MOST} more" if len(most) > _MOST else shown or "-"


def lowest_recall(row: Mapping[str, float | None]) -> str:
    """`0.412 ride`: the class of a slice that is found least; - where none has a row."""
    found = [
        (value, name.removeprefix("recall[").removesuffix("]"))
        for name, value in row.items()
        if name.startswith("recall[") and value is not None
    ]
    return "{:.3f} {}".format(*min(found)) if found else "-"
