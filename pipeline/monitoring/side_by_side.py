"""The live version beside a shadow: how they differ, and whether to go on with the shadow."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from core.answers import decided
from core.intervals import Quantity, Z, wilson_interval
from pipeline.monitoring.records import SideBySide
from pipeline.monitoring.requests import answers_of, is_answer


def compare(
    lines: Sequence[Mapping[str, Any]],
    labels: np.ndarray,
    min_rows: int,
    max_fall: float,
    width: int = 1,
) -> SideBySide | None:
    """Compares the rows that a shadow was asked, the newest shadow alone; None where none was.

    Args:
      lines: Of the log, the oldest first.
      labels: Codes of the classes, or -1 where no label came, int8 [lines].
      min_rows: Fewer labelled rows are not judged.
      max_fall: Largest fall of the accuracy with which it goes on.
      width: Numbers that an answer is.
    """
    asked = [at for at, line in enumerate(lines) if isinstance(line.get("shadow"), dict)]
    if not asked:
        return None
    who = _who(lines[asked[-1]]["shadow"])
    asked = [at for at in asked if _who(lines[at]["shadow"]) == who]
    there = [at for at in asked if is_answer(lines[at]["shadow"].get("answer"), width)]
    failed = [lines[at]["shadow"].get("error") for at in asked if at not in set(there)]
    live = answers_of([lines[at] for at in there], width)
    other = answers_of([lines[at]["shadow"] for at in there], width)
    apart = np.abs(live - other).reshape(len(there), width).max(axis=1)
    differ = decided(live) != decided(other)
    interval = wilson_interval(int(differ.sum()), len(there))
    known = labels[there] >= 0
    gain = _gain(live[known], other[known], labels[there][known])
    verdict, why = judge(
        gain if known.sum() >= min_rows else None, int(known.sum()), min_rows, max_fall
    )
    return SideBySide.model_validate(
        {
            "target": who[0],
            "version": who[1],
            "rows": len(there),
            "failed": len(failed),
            "error": str(failed[-1]) if failed else None,
            "difference": float(apart.mean()) if there else 0.0,
            "largest": float(apart.max()) if there else 0.0,
            "other_decisions": Quantity(float(differ.mean()), *interval) if interval else None,
            "labelled": int(known.sum()),
            "accuracy_gain": gain,
            "verdict": verdict,
            "why": why,
        }
    )


def _who(shadow: Mapping[str, Any]) -> tuple[str, int | None]:
    return str(shadow.get("target")), shadow.get("version")


def _gain(live: np.ndarray, other: np.ndarray, labels: np.ndarray) -> Quantity | None:
    """Of the same rows, so only those on which one alone is right say anything."""
    if not len(labels):
        return None
    right = (decided(other) == labels).astype(float) - (decided(live) == labels)
    # one row more on either side: two versions that never differ are not certain to be equal
    half = Z * float(np.sqrt((right.var() * len(right) + 2) / (len(right) + 2) ** 2))
    value = float(right.mean())
    return Quantity(value, value - half, value + half)


def judge(gain: Quantity | None, labelled: int, min_rows: int, max_fall: float) -> tuple[str, str]:
    """The verdict on a gain of the accuracy, and why; None where too few rows have a label."""
    if gain is None:
        why = f"{labelled} rows with a label, monitor.min_slice_rows={min_rows} are needed"
        return "unknown", why
    told = f"accuracy {gain.value:+.3f} ({gain.low:+.3f} to {gain.high:+.3f}) on {labelled} rows"
    bound = f"monitor.max_drop.accuracy={max_fall:g}"
    if gain.high < -max_fall or gain.high < 0:
        return "go back", f"{told}: worse"
    if gain.low >= -max_fall:
        return "go on", f"{told}: no fall beyond {bound}"
    return "unknown", f"{told}: more labels are needed to tell, {bound}"
