"""The live version beside a canary: each answered requests of its own; how they differ.

Which requests a canary answers is told by a hash, so the two are as those of a randomised trial:
differences are of independent rows, with intervals.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.answers import decided
from core.intervals import Quantity, Z, newcombe_interval
from pipeline.monitoring.records import CanaryReport
from pipeline.monitoring.requests import answers_of
from pipeline.monitoring.side_by_side import judge

Lines = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class CanaryBounds:
    """From when something is said, and what a canary may come to.

    Attributes:
      min_rows: Fewer labelled rows of either are not judged.
      max_fall: Largest fall of the accuracy with which it goes on.
      max_latency_ms: Largest median latency.
    """

    min_rows: int
    max_fall: float
    max_latency_ms: float


def compare(
    live: Lines,
    canary: Lines,
    labels_of: Callable[[Lines], np.ndarray],
    classes: Sequence[str],
    bounds: CanaryBounds,
    most: int,
) -> CanaryReport | None:
    """Compares the requests of the newest canary with those that it left; None without one.

    Args:
      live: Lines of the live version, the oldest first.
      canary: Lines that canaries answered, the oldest first.
      labels_of: Codes of the classes of lines, -1 where no label came, int8 [lines].
      classes: Their names by code.
      bounds: What is said.
      most: Lines that are read of either; of one that is full the older ones are missing.
    """
    of_live = [line for line in live if isinstance(line.get("canary"), dict)]
    newest = max([*of_live[-1:], *canary[-1:]], key=lambda line: str(line["time"]), default=None)
    if newest is None:
        return None
    version = newest["canary"].get("version")
    of_live, answered = (
        [line for line in lines if line["canary"].get("version") == version]
        for lines in (of_live, canary)
    )
    full = [lines[0]["time"] for lines, all_of in ((of_live, live), (answered, canary))
            if lines and len(all_of) >= most]  # fmt: skip
    since = max(full, default="")
    of_live, answered = (
        [line for line in lines if line["time"] >= since] for lines in (of_live, answered)
    )
    failed = [line for line in of_live if line["canary"].get("chosen")]
    left = [line for line in of_live if not line["canary"].get("chosen")]
    gain, right = _accuracies(left, answered, labels_of, len(classes))
    latency = _latencies(left, answered)
    error = str(failed[-1]["canary"].get("error")) if failed else None
    enough = min(trials for _, trials in right) >= bounds.min_rows
    labelled = min(trials for _, trials in right)
    verdict, why = judge(gain if enough else None, labelled, bounds.min_rows, bounds.max_fall)
    slower = latency.get("difference")
    if failed:
        verdict, why = "go back", f"{len(failed)} rows were not answered by it: {error}"
    elif slower is not None and slower.low > 0 and latency["canary"].low > bounds.max_latency_ms:
        told = latency["canary"]
        verdict = "go back"
        why = (
            f"median latency {told.value:.1f} ms ({told.low:.1f} to {told.high:.1f}) > "
            f"pusher.max_latency_ms={bounds.max_latency_ms:g}"
        )
    return CanaryReport.model_validate(
        {
            "version": version,
            "rows": len(answered),
            "live_rows": len(left),
            "requests": _requests(answered),
            "live_requests": _requests(left),
            "failed": len(failed),
            "error": error,
            "decisions": _decisions(left, answered, classes),
            "latency_ms": latency,
            "labelled": right[1][1],
            "live_labelled": right[0][1],
            "accuracy_gain": gain,
            "verdict": verdict,
            "why": why,
        }
    )


def _requests(lines: Lines) -> int:
    return len({line["request"] for line in lines})


def _codes(lines: Lines, classes: int) -> np.ndarray:
    return decided(answers_of(lines, 1 if classes == 2 else classes))


def _decisions(live: Lines, canary: Lines, classes: Sequence[str]) -> dict[str, Quantity]:
    """By how much more often the canary decides for a class; of two for the positive one."""
    if not live or not canary:
        return {}
    before, now = (_codes(lines, len(classes)) for lines in (live, canary))
    return {
        name: _difference(now == code, before == code)
        for code, name in enumerate(classes)
        if len(classes) > 2 or code == 1
    }


def _accuracies(
    live: Lines, canary: Lines, labels_of: Callable[[Lines], np.ndarray], classes: int
) -> tuple[Quantity | None, list[tuple[int, int]]]:
    """Accuracy of the canary minus that of the live version; rows right and labelled of each."""
    found = []
    for lines in (live, canary):
        labels = labels_of(lines)
        found.append((_codes(lines, classes) == labels)[labels >= 0])
    right = [(int(rows.sum()), len(rows)) for rows in found]
    return (_difference(found[1], found[0]) if len(found[0]) and len(found[1]) else None), right


def _difference(one: np.ndarray, other: np.ndarray) -> Quantity:
    first, second = ((int(rows.sum()), len(rows)) for rows in (one, other))
    return Quantity(float(one.mean() - other.mean()), *newcombe_interval(first, second))


def _latencies(live: Lines, canary: Lines) -> dict[str, Quantity]:
    """Median latency of the requests of each in ms, and the difference."""
    found = {}
    for name, lines in (("live", live), ("canary", canary)):
        of_requests = {line["request"]: line.get("latency_ms") for line in lines}
        values = np.sort([v for v in of_requests.values() if isinstance(v, int | float)])
        if len(values):
            found[name] = _median(values)
    if len(found) == 2:
        before, now = found["live"], found["canary"]
        value = now.value - before.value
        below = float(np.hypot(now.value - now.low, before.high - before.value))
        above = float(np.hypot(now.high - now.value, before.value - before.low))
        found["difference"] = Quantity(value, value - below, value + above)
    return found


def _median(values: np.ndarray) -> Quantity:
    """The median of sorted values, between the values whose ranks a binomial allows."""
    count = len(values)
    half = Z * np.sqrt(count) / 2
    low, high = int(np.floor(count / 2 - half)), int(np.ceil(count / 2 + half))
    ends = values[max(0, low)], values[min(count - 1, high)]
    return Quantity(float(np.median(values)), float(ends[0]), float(ends[1]))
