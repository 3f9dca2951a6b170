"""Bounds that labels must keep to before anything is trained on them."""

from collections.abc import Iterator, Mapping
from itertools import permutations
from typing import Any

from core.intervals import newcombe_interval
from core.sections.labeling import LabelGates
from models.metrics.gates import OVERALL, Gate, at_least, at_most

TARGET = "labels"
KEY = "labeling.gates."
ADVICE = {
    "min_coverage": "write functions for rows without a vote (`lf` shows what they have in common)",
    "min_accuracy": "mend the functions that `lf` finds fault with, or label more gold rows: the "
    "interval narrows",
    "max_conflict": "look at the functions that disagree most (`lf` lists them)",
    "max_coverage_gap": "write functions that vote in the group of lower coverage",
    "max_error_gap": "mend functions that are wrong in the first group, or label more of its rows",
}

Groups = Mapping[str, Mapping[str, Any]]


def judge(report: Mapping[str, Any], bounds: LabelGates) -> list[Gate]:
    """A gate for each bound that is set; none where labels are all true (mode gold).

    The burden of proof lies with the labels for accuracy, and with the gate for gaps: accuracy is
    judged by the lower end of its 95% interval, so few gold rows vouch for little; a difference
    between groups counts as far as the lower end of its 95% interval shows it, because the largest
    of several differences between a few gold rows is large by chance alone.

    Args:
      report: The label report.
      bounds: Of the configuration; None where there is no bound.
    """
    if report["mode"] == "gold":
        return []
    interval = report["accuracy_interval"]
    overall = {
        "min_coverage": ("coverage", report["coverage"], at_least),
        "min_accuracy": ("accuracy on gold, 95% low", interval and interval[0], at_least),
        "max_conflict": ("conflict", report["conflict"], at_most),
    }
    gates = [
        judged(TARGET, metric, OVERALL, value, bound, KEY + key)
        for key, (metric, value, judged) in overall.items()
        if (bound := getattr(bounds, key)) is not None
    ]
    for column, groups in report["groups"].items():
        gates += _gaps(column, groups, bounds)
    return gates


def _gaps(column: str, groups: Groups, bounds: LabelGates) -> Iterator[Gate]:
    """Largest gaps between the groups of a column that are large enough; none between fewer."""
    large = {n: g["coverage"] for n, g in groups.items() if g["rows"] >= bounds.min_group_rows}
    if bounds.max_coverage_gap is not None and len(large) > 1:
        high, low = max(large, key=lambda n: large[n]), min(large, key=lambda n: large[n])
        yield at_most(
            TARGET,
            f"gap {column} coverage",
            f"{column}={high} against {low}",
            large[high] - large[low],
            bounds.max_coverage_gap,
            KEY + "max_coverage_gap",
        )
    judged = {
        name: (round(group["error"] * group["gold_rows"]), group["gold_rows"])
        for name, group in groups.items()
        if group["gold_rows"] >= bounds.min_group_gold_rows
    }
    if bounds.max_error_gap is not None and len(judged) > 1:
        shown = {
            pair: newcombe_interval(judged[pair[0]], judged[pair[1]])[0]
            for pair in permutations(judged, 2)
        }
        worst = max(shown, key=lambda pair: shown[pair])
        yield at_most(
            TARGET,
            f"gap {column} error, 95% low",
            f"{column}={worst[0]} against {worst[1]}",
            max(0.0, shown[worst]),
            bounds.max_error_gap,
            KEY + "max_error_gap",
        )


def describe_missed(gates: list[Gate]) -> list[str]:
    """Two lines for each bound that was missed: what was measured, and what to do."""
    lines = []
    for gate in gates:
        if not gate.passed:
            value = "not measurable" if gate.value is None else f"{gate.value:.4f}"
            lines += [
                f"  {gate.metric}, {gate.slice}: {value}, bound {gate.bound}",
                f"    to mend: {ADVICE[gate.key.rpartition('.')[2]]}; to change the bound: "
                f"--set {gate.key}=VALUE (null: no bound)",
            ]
    return lines
