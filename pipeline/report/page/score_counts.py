"""What follows from counts of rows by true class and bin of the probability, of two classes."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic_core import to_jsonable_python

from core.intervals import wilson_interval
from pipeline.report.summary import MeasuredModel

QUALITY = ("accuracy", "precision", "recall", "f1")
RATES = ("tpr", "fpr", "selection_rate")


@dataclass(frozen=True)
class Counts:
    """Rows of a group by bin of the probability, int64 [bins].

    A row is above the threshold k / bins when it is in bin k or a later one.
    """

    negative: np.ndarray
    positive: np.ndarray

    @property
    def rows(self) -> int:
        """Of both classes."""
        return int(self.negative.sum() + self.positive.sum())

    @property
    def middles(self) -> np.ndarray:
        """The probability in the middle of each bin, [bins]."""
        bins = len(self.negative)
        return (np.arange(bins) + 0.5) / bins

    def at(self, bin_: int) -> dict[str, float | None]:
        """Quality and rates when the rows of a bin and all later ones are decided positive.

        None where there is no row that a value would be a share of.
        """
        trials = self._trials(bin_)
        return {name: hits / of if of else None for name, (hits, of) in trials.items()}

    def interval(self, metric: str, bin_: int) -> tuple[float, float] | None:
        """The 95% interval of a value of `at` that is a share of rows, so not of F1."""
        return wilson_interval(*self._trials(bin_)[metric])

    def _trials(self, bin_: int) -> dict[str, tuple[int, int]]:
        """Of each value what it is a share of, and how many of that."""
        positives, negatives = int(self.positive.sum()), int(self.negative.sum())
        hits, alarms = int(self.positive[bin_:].sum()), int(self.negative[bin_:].sum())
        everything = positives + negatives
        return {
            "accuracy": (hits + negatives - alarms, everything),
            "precision": (hits, hits + alarms),
            "recall": (hits, positives),
            "f1": (2 * hits, hits + alarms + positives if positives else 0),
            "tpr": (hits, positives),
            "fpr": (alarms, negatives),
            "selection_rate": (hits + alarms, everything),
        }


def counts_of(model: MeasuredModel) -> dict[str, Counts]:
    """The counts of a model by group, "overall" among them; none where they were not taken."""
    scores: Mapping[str, Any] = to_jsonable_python(model.scores) or {}
    return {
        name: Counts(*(np.array(group[kind], np.int64) for kind in ("negative", "positive")))
        for name, group in (scores.get("groups") or {}).items()
    }


@dataclass(frozen=True)
class Reliability:
    """Rows whose probability is between two values.

    Attributes:
      low, high: The two values.
      rows: How many rows.
      mean: Their probability on average.
      share: Of them that are positive.
      interval: 95% interval of that share.
    """

    low: float
    high: float
    rows: int
    mean: float
    share: float
    interval: tuple[float, float]


def reliability(counts: Counts, steps: int = 10) -> Iterator[Reliability]:
    """The rows of each of some equal steps of the probability, those without rows left out.

    A row counts with the probability in the middle of its bin.
    """
    step = np.arange(len(counts.negative)) * steps // len(counts.negative)
    both = counts.negative + counts.positive
    rows = np.bincount(step, both, steps)
    hits = np.bincount(step, counts.positive, steps)
    sums = np.bincount(step, both * counts.middles, steps)
    for n in np.flatnonzero(rows):
        ends = wilson_interval(float(hits[n]), int(rows[n])) or (0.0, 1.0)
        yield Reliability(
            n / steps, (n + 1) / steps, int(rows[n]), sums[n] / rows[n], hits[n] / rows[n], ends
        )


@dataclass(frozen=True)
class CalibrationError:
    """How far probabilities are from the shares that turn out positive.

    Attributes:
      expected: The expected calibration error: the mean distance over the rows.
      by_chance: What it would be on the mean with as many rows and right probabilities.
      bias: The mean probability minus the share of positive rows; above 0 where they are too high.
    """

    expected: float
    by_chance: float
    bias: float


def calibration_error(counts: Counts) -> CalibrationError | None:
    """The error over ten steps (Naeini et al., AAAI 2015); None without rows."""
    if not counts.rows:
        return None
    found = list(reliability(counts))
    expected = sum(r.rows * abs(r.mean - r.share) for r in found) / counts.rows
    # The mean absolute deviation of a binomial share, by the normal one with its variance.
    noise = sum(r.rows * math.sqrt(r.mean * (1 - r.mean) / r.rows) for r in found)
    bias = sum(r.rows * (r.mean - r.share) for r in found) / counts.rows
    return CalibrationError(expected, math.sqrt(2 / math.pi) * noise / counts.rows, bias)
