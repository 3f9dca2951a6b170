"""Where labels of a group can be cut in two, and the cuts that give all groups the same rate."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from core.answers import THRESHOLD
from models.labels.by_group.rows import GroupRows
from models.labels.votes import Counts, Floats

WIDEST = 30.0  # log-odds that are looked for, either way
_STEPS = 60  # of a bisection; each halves the interval


@dataclass(frozen=True)
class Cuts:
    """Between which labels a group can be cut, from none that is positive to all.

    Attributes:
      log_odds: float64 [cuts], descending, halfway between two labels.
      rows: float64 [cuts], above the cut.
      rate: float64 [cuts], share of the weights above the cut.
    """

    log_odds: Floats
    rows: Floats
    rate: Floats

    @classmethod
    def of(cls, probability: Floats, counts: Counts | Floats, weights: Floats) -> "Cuts":
        """Those of a group.

        Args:
          probability: float64 [vectors], P(positive) of its vote vectors.
          counts: [vectors], its rows behind each.
          weights: float64 [vectors], of them those that the rate is a share of.
        """
        values, place = np.unique(-probability, return_inverse=True)
        with np.errstate(divide="ignore"):
            odds = np.clip(np.log(-values) - np.log1p(values), -WIDEST, WIDEST)
        rows, weight = (np.bincount(place.reshape(-1), each) for each in (counts, weights))
        return cls(
            np.concatenate([odds[:1], (odds[1:] + odds[:-1]) / 2, odds[-1:]]),
            np.insert(np.cumsum(rows), 0, 0.0),
            np.insert(np.cumsum(weight) / weight.sum(), 0, 0.0),
        )

    def at(self, rate: float) -> tuple[float, float]:
        """Log-odds of the cut with a rate, and how many rows are above it."""
        place = np.interp(rate, self.rate, np.arange(len(self.rate)))
        both = (np.interp(place, np.arange(len(of)), of) for of in (self.log_odds, self.rows))
        log_odds, rows = (float(value) for value in both)
        return log_odds, rows

    def with_rows(self, rows: float) -> float:
        """Log-odds of the cut with so many rows above it."""
        place = np.interp(rows, self.rows, np.arange(len(self.rows)))
        return float(np.interp(place, np.arange(len(self.log_odds)), self.log_odds))


def full_shifts(cuts: Mapping[str, Cuts], groups: Mapping[str, GroupRows]) -> dict[str, float]:
    """Shifts after which all groups have the same rate and as many rows as before are positive."""
    probability = np.concatenate([groups[name].probability for name in cuts])
    counts = np.concatenate([groups[name].counts for name in cuts])
    wanted = float(counts[probability > THRESHOLD].sum()) or float(probability @ counts)
    together = Cuts.of(probability, counts, counts.astype(np.float64)).with_rows(wanted)

    def excess(rate: float) -> float:
        return sum(cut.at(rate)[1] for cut in cuts.values()) - wanted

    alike = root(excess, 0.0, 1.0)
    return {name: together - cut.at(alike)[0] for name, cut in cuts.items()}


def root(rising: Callable[[float], float], low: float, high: float) -> float:
    """Where a rising function is 0, by bisection; the nearer end if it is nowhere."""
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if rising(middle) > 0 else (middle, high)
    return (low + high) / 2
