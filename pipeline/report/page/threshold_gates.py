"""Which gates of a run hang on the decision threshold, and from what they are decided anew."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.metrics.gates import OVERALL, Gate
from pipeline.report.page.groups import SliceGroups, same

_QUALITY = ("accuracy", "f1")
_PAIRED = ("accuracy", "f1", "tpr", "fpr", "selection_rate")


@dataclass(frozen=True)
class ThresholdGates:
    """The gates of a target.

    Attributes:
      moving: Rows of bounds that are decided anew at each threshold, for the page's script: kind
        (metric, drop, gap, chance), metric, groups by their places, sign, limit, key, verdict; a
        bound of many slices is one row.
      fixed: Gates that are of no threshold.
      unclear: Gates that a threshold would move, but which compare row by row, so that counts
        cannot decide them.
    """

    moving: list[dict[str, Any]]
    fixed: list[Gate]
    unclear: list[Gate]


def threshold_gates(
    gates: Iterable[Gate], places: Mapping[str, int], columns: Sequence[SliceGroups]
) -> ThresholdGates:
    """Sorts the gates of a target.

    Args:
      gates: Those of the target.
      places: Places of the groups whose counts are known, by name; "overall" among them.
      columns: Groups by the columns that are sliced by.
    """
    found = ThresholdGates([], [], [])
    known = {same(name): place for name, place in places.items()}
    by_bound: dict[tuple[str, str], dict[str, Any]] = {}
    for gate in gates:
        row = _row(gate, known, columns)
        if row is None:
            name = gate.metric.split()
            moves = any(metric in name for metric in _PAIRED)
            (found.unclear if moves else found.fixed).append(gate)
        elif (earlier := by_bound.get((gate.key, gate.metric))) is not None:
            earlier["groups"] += row["groups"]
            earlier["verdicts"].append(gate.verdict)
        else:
            by_bound[gate.key, gate.metric] = row
    found.moving.extend(by_bound.values())
    return found


def _row(
    gate: Gate, known: Mapping[tuple[str, ...], int], columns: Sequence[SliceGroups]
) -> dict[str, Any] | None:
    """A gate as the script decides it; None where it cannot."""
    _, _, bound = gate.key.partition(f".{gate.target}.")
    kind, _, name = bound.partition(".")
    row = {
        "metric": name,
        "called": gate.metric,
        "groups": [known[same(gate.slice)]] if same(gate.slice) in known else [],
        "sign": gate.sign,
        "limit": gate.limit,
        "bound": gate.bound,
        "key": gate.key,
        "value": gate.value,
        "verdicts": [gate.verdict],
    }
    numbers = gate.limit is not None and gate.sign is not None
    if kind in ("min", "min_by_slice") and name in _QUALITY and row["groups"] and numbers:
        return {**row, "kind": "metric"}
    if kind == "max_drop" and name in _QUALITY and gate.value is not None and numbers:
        return {**row, "kind": "drop"}
    if kind == "max_gap" and numbers:
        column, _, rate = name.rpartition(".")
        of = next((groups for groups in columns if groups.key == column), None)
        members = of.shown if of and of.complete else ()
        if not members or any(same(group.name) not in known for group in members):
            return None
        gated = [known[same(group.name)] for group in members if group.gated]
        return {**row, "kind": "gap", "metric": rate, "groups": gated}
    if kind == "better_than_chance" and gate.slice == OVERALL:
        return {**row, "kind": "chance", "metric": "selection_rate"}
    return None
