"""A gate in words: how far from its bound, whether that is chance, and what would change it."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.intervals import wilson_interval
from models.labels.gates import ADVICE, TARGET
from models.metrics.gates import OVERALL, Gate
from pipeline.report.summary import LabelSummary

_BEYOND_CHANCE = "beyond chance"
_FALLS = "pusher.max_regression"  # bounds on falls, which gates write as differences below 0
_MOST_ROWS = 10_000_000  # more are not asked for in words
MITIGATE = "train models whose groups are more alike: fairness.mitigation (docs/fairness.md)"
_WHEN_TOO_FEW = {"evaluation": "warn", "pusher": "push"}
"""Values of `when_too_few` with which what is undecided passes."""


@dataclass(frozen=True)
class BoundChange:
    """What lets gates pass that did not.

    Attributes:
      key: Of the configuration; None where no value helps.
      value: To set it to.
      words: What to do, where that is not all.
    """

    key: str | None
    value: str | None
    words: str | None = None

    @property
    def flag(self) -> str | None:
        """`key=value` for --set."""
        return None if self.key is None or self.value is None else f"{self.key}={self.value}"


def in_words(gate: Gate, count: int = 1) -> str:
    """What was measured, how far it is from the bound, and whether that is chance.

    Args:
      gate: The gate.
      count: How many gates it stands for, it being the one nearest to its bound.
    """
    place = "" if gate.slice == OVERALL else f" on {gate.slice}"
    alike = f" (the nearest of {count})" if count > 1 else ""
    if gate.value is None or gate.limit is None or gate.margin is None:
        return f"{gate.metric}{place}{alike}: {gate.reason}"
    asked = f"at {'least' if gate.sign == '>=' else 'most'} {number(gate.limit)}"
    side = "inside" if gate.margin > 0 else "beyond"
    away = f"{number(abs(gate.margin))} {side} the bound" if gate.margin else "just the bound"
    said = f"{gate.metric}{place}{alike} is {number(gate.value)}, {away} ({asked})"
    said += _by_chance(gate)
    return f"{said}; {gate.why}" if gate.why and not gate.undecided else said


def within_chance(gate: Gate) -> bool | None:
    """Whether other rows might as well be on the other side; None without an interval."""
    if gate.interval is None or gate.limit is None:
        return None
    low, high = gate.interval
    return low <= _reference(gate) <= high


def _reference(gate: Gate) -> float:
    """What the value is held against: the bound, or 0 where a difference has to be real."""
    asks_for_real = gate.bound.endswith(_BEYOND_CHANCE) and not gate.bound.startswith("> ")
    if asks_for_real and gate.margin is not None and gate.margin < 0:
        return 0.0
    return gate.limit or 0.0


def _by_chance(gate: Gate) -> str:
    """In words what the interval says; empty without one."""
    within = within_chance(gate)
    if within is None or gate.interval is None:
        return ""
    ends = " to ".join(map(number, gate.interval))
    rows = "" if gate.rows is None else f" of {gate.rows} rows"
    if not within:
        return f", beyond chance: its 95% interval{rows} is {ends}"
    what = "the bound" if _reference(gate) == gate.limit else number(_reference(gate))
    return f", which may be chance: its 95% interval{rows}, {ends}, holds {what}"


def changes(gates: Iterable[Gate], labels: LabelSummary | None) -> list[BoundChange]:
    """What would have to change for gates that failed, once for each key.

    Args:
      gates: Those that failed.
      labels: What is known of the labels.
    """
    by_key: dict[str, list[Gate]] = {}
    for gate in gates:
        by_key.setdefault(gate.key, []).append(gate)
    return [_change(key, of_key, labels) for key, of_key in by_key.items()]


def _change(key: str, gates: Sequence[Gate], labels: LabelSummary | None) -> BoundChange:
    if key.startswith("rollback "):
        return BoundChange(None, None, f"to make it live after all: python -m pipeline {key}")
    words = rows_needed(gates, labels)
    section = key.partition(".")[0]
    if all(gate.undecided for gate in gates) and section in _WHEN_TOO_FEW:
        return BoundChange(f"{section}.when_too_few", _WHEN_TOO_FEW[section], words)
    if gates[0].target == TARGET:
        words = "; ".join(filter(None, [ADVICE[key.rpartition(".")[2]], words]))
    if key.endswith(".better_than_chance"):
        return BoundChange(key, "false", words)
    values = [(gate, gate.value) for gate in gates if gate.value is not None]
    if len(values) < len(gates):
        if gates[0].target == TARGET:
            return BoundChange(key, "null", words)
        what = f"nothing to set: mend what is wrong, or drop {key}"
        return BoundChange(None, None, "; ".join(filter(None, [what, words])))
    if ".max_gap." in key:
        words = "; or ".join(filter(None, [words, MITIGATE]))
    return BoundChange(key, _kept_by_all(gates), words)


def _kept_by_all(gates: Sequence[Gate]) -> str:
    """The bound that all values of gates with one key keep to, rounded to their side."""
    values = [gate.value for gate in gates if gate.value is not None]
    if gates[0].sign == ">=" and gates[0].key.startswith(_FALLS):
        return _rounded(max(-value for value in values), up=True)
    if gates[0].sign == ">=":
        return _rounded(min(values), up=False)
    return _rounded(max(values), up=True)


def _rounded(value: float, up: bool) -> str:
    """To three digits behind the point, or as many as tell it from 0."""
    digits = 3 if value == 0 else max(3, 1 - math.floor(math.log10(abs(value))))
    scaled = value * 10**digits
    whole = math.ceil(scaled) if up else math.floor(scaled)
    if (whole / 10**digits < value) if up else (whole / 10**digits > value):
        whole += 1 if up else -1  # the product was rounded
    return f"{whole / 10**digits:.{digits}f}".rstrip("0").rstrip(".")


def rows_needed(gates: Sequence[Gate], labels: LabelSummary | None = None) -> str | None:
    """How many rows would tell, where too few are the reason; None where they are not."""
    needed = [found for gate in gates if (found := _needed(gate, labels)) is not None]
    if not needed:
        return None
    rows, more = max(needed)
    if rows > _MOST_ROWS:
        return "no number of rows would tell so small a difference"
    kind = "gold rows" if gates[0].target == TARGET else "test rows"
    return f"about {more:,} more {kind} of this kind would tell, {rows:,} in all"


def _needed(gate: Gate, labels: LabelSummary | None) -> tuple[int, int] | None:
    """Rows with which the interval would no longer hold the bound, and how many are missing."""
    if gate.target == TARGET:
        return _gold_rows(gate, labels) if gate.key.endswith("min_accuracy") else None
    if gate.rows is None or gate.value is None or gate.rows == 0:
        return None
    if gate.interval is not None and within_chance(gate):
        half = (gate.interval[1] - gate.interval[0]) / 2
        away = abs(gate.value - _reference(gate))
        ratio = half / away if away else math.inf
    elif gate.key == "pusher.max_uncertainty" and gate.limit:
        ratio = gate.value / gate.limit
    else:
        return None
    rows = math.ceil(min(gate.rows * ratio**2, 10.0 * _MOST_ROWS))
    return (rows, rows - gate.rows) if rows > gate.rows else None


def _gold_rows(gate: Gate, labels: LabelSummary | None) -> tuple[int, int] | None:
    """Gold rows of which the lower end of the interval would keep to the bound."""
    accuracy = labels.accuracy_on_gold if labels else None
    if labels is None or accuracy is None or gate.limit is None or accuracy <= gate.limit:
        return None
    now = int(getattr(labels, "gold_rows_random", 0) or labels.gold_rows)
    rows = max(now, 1)
    while rows < _MOST_ROWS:
        low, _ = wilson_interval(accuracy * rows, rows) or (0.0, 1.0)
        if low >= gate.limit:
            break
        rows += max(1, rows // 50)
    return (rows, rows - now) if rows > now else None


def number(value: float) -> str:
    """Four digits that count, without an exponent where that can be read."""
    return f"{value:.4g}"
