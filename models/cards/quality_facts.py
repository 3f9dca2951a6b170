"""How good a model is: metrics with intervals, overall, by class and by group, and gaps."""

from collections.abc import Mapping, Sequence

from models.cards.document import Block, Called, Grid, Line, Listing
from models.cards.facts import with_interval
from models.cards.sources import Sources
from models.cards.told import CardSettings
from models.metrics.metric import EXAMPLES

_OVERALL = "overall"


def quality_grid(sources: Sources, variant: str) -> Grid:
    """Metrics of all classes together."""
    rows: list[Sequence[Line]] = []
    for metric in _together(sources.keys("variants", variant, "metrics")):
        value = with_interval(
            sources, "variants", (variant, "metrics", metric), _ends(variant, _OVERALL, metric)
        )
        rows.append(((Called(metric),), value))
    measured = sources.get("variants", variant, "metrics", EXAMPLES)
    if measured is not None:
        claim = sources.claim("variants", variant, "metrics", EXAMPLES)
        rows.append((("rows",), (claim,)))
    return Grid("", [("metric",), ("value and its 95% interval",)], rows)


def class_grid(sources: Sources, told: CardSettings) -> Grid | None:
    """Metrics of each class, of more than two; None of two."""
    if told.columns.is_binary:
        return None
    named = [n for n in sources.keys("variants", sources.variant, "metrics") if "[" in n]
    kinds = list(dict.fromkeys(name.partition("[")[0] for name in named))
    rows: list[Sequence[Line]] = []
    for name in told.columns.names:
        cells: list[Line] = [(Called(name),)]
        for kind in kinds:
            metric = f"{kind}[{name}]"
            path = (sources.variant, "metrics", metric)
            known = sources.get("variants", *path) is not None
            ends = _ends(sources.variant, _OVERALL, metric)
            cells.append(with_interval(sources, "variants", path, ends) if known else ("",))
        rows.append(cells)
    head: list[Line] = [("class",), *((Called(kind),) for kind in kinds)]
    return Grid("By class", head, rows)


def reference_blocks(sources: Sources, variant: str) -> list[Block]:
    """What the simplest models reach on the same labels, and this model minus each; may be none."""
    names = sources.keys("references")
    if not names:
        return []
    metrics = _together(sources.keys("references", names[0], "metrics"))
    rows: list[Sequence[Line]] = []
    against: list[Sequence[Line]] = []
    for name in names:
        cells: list[Line] = [(Called(name),)]
        for metric in metrics:
            ends = _ends(name, _OVERALL, metric)
            cells.append(with_interval(sources, "references", (name, "metrics", metric), ends))
        rows.append(cells)
        for place in sources.places("variants", variant, "against_reference", name):
            at = (variant, "against_reference", name, place)
            if sources.get("variants", *at, "slice") == _OVERALL:
                metric_said = (sources.claim("variants", *at, "metric"),)
                against.append(((Called(name),), metric_said, _between(sources, at)))
    head: list[Line] = [("reference",), *((Called(metric),) for metric in metrics)]
    blocks: list[Block] = [Grid("The simplest models, on the same labels and rows", head, rows)]
    if against:
        heads: list[Line] = [("reference",), ("metric",), ("difference",)]
        blocks.append(Grid("This model minus each of them, on the same rows", heads, against))
    return blocks


def slice_blocks(sources: Sources, told: CardSettings) -> list[Block]:
    """A table for each list of slice columns."""
    left = sources.keys("variants", sources.variant, "slices")
    found: list[Block] = []
    for columns in told.evaluation.slices:
        names = [name for name in left if _columns(name) == list(columns)]
        left = [name for name in left if name not in names]
        if names:
            found.append(_slice_grid(sources, sources.variant, names))
        else:
            found.append(Listing([("Nothing was measured by ", Called(", ".join(columns)), ".")]))
    if left:  # values that hold commas and equals signs
        found.append(_slice_grid(sources, sources.variant, left))
    return found or [Listing([("No slices are configured.",)])]


def _slice_grid(sources: Sources, variant: str, names: Sequence[str]) -> Grid:
    metrics = _together(sources.keys("variants", variant, "slices", names[0]))
    head: list[Line] = [("group",), ("rows",), *((Called(m),) for m in metrics)]
    return Grid("", head, [_slice_row(sources, variant, name, metrics) for name in sorted(names)])


def _slice_row(sources: Sources, variant: str, name: str, metrics: Sequence[str]) -> Sequence[Line]:
    at = (variant, "slices", name)
    cells: list[Line] = [(Called(name),), (sources.claim("variants", *at, EXAMPLES),)]
    for metric in metrics:
        ends = _ends(variant, name, metric)
        cells.append(with_interval(sources, "variants", (*at, metric), ends))
    return cells


def gap_blocks(sources: Sources, told: CardSettings) -> list[Block]:
    """Largest differences of rates between groups, and the worst group of each metric."""
    variant, say = sources.variant, sources.claim
    rows: list[Sequence[Line]] = []
    for column in sources.keys("variants", variant, "gap_intervals"):
        for rate in sources.keys("variants", variant, "gap_intervals", column):
            at = (variant, "gap_intervals", column, rate)
            rows.append(((Called(column),), (Called(rate),), *_gap_cells(sources, at)))
    known = {*sources.keys("variants", variant, "gap_intervals")}
    for column in sources.keys("variants", variant, "gaps"):
        for rate in (
            sources.keys("variants", variant, "gaps", column) if column not in known else ()
        ):
            value = say("variants", variant, "gaps", column, rate)
            rows.append(((Called(column),), (Called(rate),), (value,), ("",)))
    head: list[Line] = [("column",), ("rate",), ("largest difference",), ("between",)]
    blocks: list[Block] = [Grid("", head, rows)] if rows else []
    worst: list[Sequence[Line]] = []
    for metric in sources.keys("variants", variant, "worst"):
        found = (variant, "worst", metric)
        if not isinstance(sources.get("variants", *found), Mapping):
            continue
        group, measured = say("variants", *found, "slice"), say("variants", *found, "rows")
        worst.append(((Called(metric),), (group,), _between(sources, found), (measured,)))
    if worst:
        heads: list[Line] = [("metric",), ("worst group",), ("value",), ("rows",)]
        blocks.append(Grid("Worst group of each metric, of those with enough rows", heads, worst))
    return blocks or [Listing([("No gaps were measured: no column is sliced by alone.",)])]


def _gap_cells(sources: Sources, at: tuple[str, ...]) -> tuple[Line, Line]:
    say = sources.claim
    if not isinstance(sources.get("variants", *at), Mapping):
        return (say("variants", *at),), ("",)
    if sources.get("variants", *at, "highest") is None:
        return _between(sources, at), ("",)
    highest, lowest = say("variants", *at, "highest"), say("variants", *at, "lowest")
    return _between(sources, at), (highest, " and ", lowest)


def _between(sources: Sources, at: tuple[str | int, ...]) -> Line:
    """A value and the ends of its interval, where it has one."""
    say = sources.claim
    value = say("variants", *at, "value")
    if sources.get("variants", *at, "low") is None:
        return (value,)
    low, high = say("variants", *at, "low"), say("variants", *at, "high")
    return (value, " (", low, " to ", high, ")")


def _together(metrics: Sequence[str]) -> list[str]:
    """Metrics that are not about one class of many."""
    return [name for name in metrics if "[" not in name and name != EXAMPLES]


def _ends(variant: str, group: str, metric: str) -> tuple[str, ...]:
    return (variant, "evidence", group, "intervals", metric)


def _columns(name: str) -> list[str]:
    """The columns of `sex=Female,race=White`; values may hold commas, but no `=` before them."""
    return [part.partition("=")[0] for part in name.split(",") if "=" in part]
