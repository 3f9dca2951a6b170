"""Whether the best trial is better than the default, or was lucky.

Of many trials the best is partly the one that the evaluation rows and its first weights happened to
suit. So both are trained anew as the Trainer will train, with other seeds, and compared row by row:
what makes a row hard for both cancels out. The interval is widened for as many trials as there were
to choose from (Bonferroni). Only evaluation rows are looked at.
"""

import dataclasses
from collections.abc import Sequence
from statistics import NormalDist
from typing import Any

import numpy as np

from models.metrics.comparison import Difference, compare
from models.metrics.registry import unnamed
from models.search.trials import TrialAnswers

_CONFIDENCE = 0.95
_METRICS = ("auc", "accuracy")


@dataclasses.dataclass(frozen=True)
class Pair:
    """The best trial's values and the default ones, trained with one seed."""

    seed: int
    best: TrialAnswers
    default: TrialAnswers


@dataclasses.dataclass(frozen=True)
class BestAgainstDefault:
    """Best minus default on the evaluation rows.

    Attributes:
      rows: How many.
      candidates: Trials that there were to choose from.
      seeds: By training: `seed`, and the evaluation loss of `best` and `default`.
      difference: Of the mean losses over all trainings; below 0 the best is better.
      low: Lower end of its interval.
      high: Upper end of its interval.
      metrics: Differences of metrics, mean over the trainings: `metric`, `value`, `low`, `high`,
        each a 95% interval of its own; above 0 the best is better.
    """

    rows: int
    candidates: int
    seeds: list[dict[str, float]]
    difference: float
    low: float
    high: float
    metrics: list[dict[str, Any]]

    @property
    def in_every_seed(self) -> bool:
        """Whether the best had the lower loss in each training."""
        return all(each["best"] < each["default"] for each in self.seeds)

    @property
    def is_better(self) -> bool:
        """Whether it is better in each training, and beyond chance in their mean."""
        return self.in_every_seed and self.high < 0.0

    @property
    def figures(self) -> str:
        """The difference in words."""
        count = len(self.seeds)
        return (
            f"evaluation loss {self.difference:+.4f} ({self.low:+.4f} to {self.high:+.4f}) on "
            f"{self.rows:,} rows, {count} training{'s' if count > 1 else ''} each"
        )


def compared(
    pairs: Sequence[Pair], weight: np.ndarray, codes: np.ndarray, candidates: int
) -> BestAgainstDefault:
    """Compares best and default.

    Args:
      pairs: By seed, at least one.
      weight: float [rows], of the evaluation rows that have one.
      codes: int [rows], the class that each label makes most likely.
      candidates: Trials that the best was chosen from, the default left out; at least 1.
    """
    shares = weight.astype(np.float64) / weight.mean()
    terms = np.mean([shares * (pair.best.losses - pair.default.losses) for pair in pairs], axis=0)
    width = NormalDist().inv_cdf(1 - (1 - _CONFIDENCE) / 2 / candidates)
    difference = float(terms.mean())
    error = float(terms.std(ddof=1) / len(terms) ** 0.5) if len(terms) > 1 else float("inf")
    seeds = [
        {
            "seed": pair.seed,
            "best": float((shares * pair.best.losses).mean()),
            "default": float((shares * pair.default.losses).mean()),
        }
        for pair in pairs
    ]
    return BestAgainstDefault(
        len(codes),
        candidates,
        seeds,
        difference,
        difference - width * error,
        difference + width * error,
        _metrics(pairs, codes),
    )


def _metrics(pairs: Sequence[Pair], codes: np.ndarray) -> list[dict[str, Any]]:
    """Mean differences by metric, those that can be measured."""
    known = unnamed(pairs[0].best.probabilities).compared
    names = [name for name in _METRICS if name in known]
    found: dict[str, list[Difference]] = {}
    for pair in pairs:
        answers = pair.best.probabilities, pair.default.probabilities
        for each in compare(codes, *answers, {}, names):
            found.setdefault(each.metric, []).append(each)
    width = NormalDist().inv_cdf((1 + _CONFIDENCE) / 2)
    rows = []
    for metric, of_seeds in found.items():
        value = float(np.mean([each.value for each in of_seeds]))
        half = width * float(np.mean([each.error for each in of_seeds]))
        rows.append({"metric": metric, "value": value, "low": value - half, "high": value + half})
    return rows
