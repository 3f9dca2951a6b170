"""The slice in which each metric is worst, and the rates of every slice at several thresholds."""

from rich.console import Console

from models.metrics.group_rates import WorstGroup, rates_at
from models.metrics.registry import RATES, metric_of
from pipeline.report.markup import escape, figure, table_of
from pipeline.report.summary import Summary

THRESHOLDS = (0.3, 0.5, 0.7)


def print_worst(out: Console, summary: Summary) -> None:
    """For each target and metric the slice in which it is worst; of classes the worst one."""
    for target, model in summary.deployed.items():
        if not model.worst:
            continue
        table = table_of(f"{target}, metric", "worst slice", "value [95% interval]", "rows")
        for metric, found in _folded(model.worst).items():
            ends = None if found.low is None or found.high is None else (found.low, found.high)
            cells = (metric, found.slice, figure(found.value, ends), str(found.rows))
            table.add_row(*map(escape, cells))
        out.print(table)


def _folded(worst: dict[str, WorstGroup]) -> dict[str, WorstGroup]:
    """Each metric; of those of each class, recall[ride] ..., the class that it is worst of."""
    found: dict[str, tuple[str, WorstGroup]] = {}
    for name, group in worst.items():
        kind = name.partition("[")[0] if name.endswith("]") else f"{name}, of all"
        if kind in found:
            sign = 1 if metric_of(name).greater_is_better else -1
            if sign * group.value >= sign * found[kind][1].value:
                continue
        found[kind] = name, group
    return dict(found.values())


def print_rates(out: Console, summary: Summary) -> None:
    """With two classes the rates of each slice above thresholds, a table for each target."""
    for target, model in summary.deployed.items():
        if model.scores is None:
            continue
        table = table_of(f"{target}, slice")
        for threshold in THRESHOLDS:
            for number, rate in enumerate(RATES):
                short = rate.removesuffix("_rate")
                at = f"{short} at {threshold}" if number == 0 else short
                table.add_column(at, overflow="fold", justify="right")
        for name, counts in model.scores["groups"].items():
            found = [rates_at(counts, t)[rate] for t in THRESHOLDS for rate in RATES]
            table.add_row(escape(name), *map(figure, found))
        out.print(table)
