"""Gaps of a rate between groups, and how far a gap grew from one model to another.

The gap of a rate is its difference between the group in which it is highest and the one in which it
is lowest. Its 95% interval is that of a bootstrap of the rows (Efron and Tibshirani, An
Introduction to the Bootstrap, 1993): the rows are drawn anew with replacement, and what counts is
the difference between the two groups that are furthest apart on the rows as they are. To look for
them anew among the drawn rows would never find two groups alike. The growth is that of the widest
gap among the drawn rows, for either model: what is hard for both, and what the search for the
widest adds, cancels out of the difference, also where the two gaps are between other groups.

Rates only need the counts of rows by group, true class and decisions. These are drawn, multinomial,
which is the same as drawing rows and costs next to nothing. In a group that is all hits or all
misses drawn rows are all alike; so a gap's interval is at least Newcombe's (core/intervals.py),
which holds for few rows, and that of a growth at least what 3 rows of a group are.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from core.answers import decided
from core.intervals import newcombe_interval
from models.metrics.registry import Metrics

DRAWS = 2000
"""Times that the rows are drawn anew."""

SEED = 20260102
"""Of these draws: the same rows have the same interval."""

Shares = tuple[np.ndarray, np.ndarray]
"""Hits and trials of each group, [draws, groups] each."""

Groups = Mapping[str, np.ndarray]
"""Groups of a column, or of several: bool [rows] by name; a row is in one of them at most."""


@dataclass(frozen=True)
class RateGap:
    """A gap, its 95% interval, and the groups between which it is."""

    value: float
    low: float
    high: float
    highest: str
    lowest: str


@dataclass(frozen=True)
class GapGrowth:
    """How much wider a gap is than the teacher's, with its 95% interval; below 0 where narrower.

    Attributes:
      before: The teacher's gap.
      rows: Rows of the groups that are compared.
    """

    value: float
    low: float
    high: float
    before: float
    rows: int

    def is_wider(self, tolerance: float) -> bool:
        """Whether it is wider by more than `tolerance`, and by more than chance explains."""
        return self.value > tolerance and self.low > 0.0


Gaps = dict[str, RateGap | None]
Growths = dict[str, GapGrowth | None]


def gaps_between(
    labels: np.ndarray,
    answers: np.ndarray,
    groups: Groups,
    measured: Metrics,
    min_rows: int,
    teacher: np.ndarray | None = None,
) -> tuple[Gaps, Growths]:
    """The gap of each rate, and its growth from the teacher's; None where there is none.

    There is none between fewer than two groups, nor where one of them has no row that the rate
    would be a share of.

    Args:
      labels: [rows], codes of classes.
      answers: [rows] or [rows, K].
      groups: The groups.
      measured: The metrics that there are for the classes.
      min_rows: Groups with fewer rows are left out.
      teacher: As `answers`; without it nothing grows.
    """
    names = [name for name, rows in groups.items() if rows.sum() >= min_rows]
    if len(names) < 2:
        nothing = dict.fromkeys(measured.rates)
        return {**nothing}, {} if teacher is None else {**nothing}
    group = np.full(len(labels), len(names))
    for number, name in enumerate(names):
        group[groups[name]] = number
    mine = decided(answers)
    theirs = mine if teacher is None else decided(teacher)
    gaps: Gaps = {}
    growths: Growths = {}
    for code, rates in _by_class(measured):
        sides = [(side == code).astype(int) for side in (labels.astype(int), mine, theirs)]
        cells = group * 8 + sides[0] * 4 + sides[1] * 2 + sides[2]
        counts = np.bincount(cells, minlength=(len(names) + 1) * 8)
        of_rows, of_draws = (
            [_by_decision(each, side) for side in (0, 1)] for each in (counts[None], _drawn(counts))
        )
        for name, kind in rates.items():
            pairs = [_hits(of_side, kind) for of_side in of_rows]
            again = [_hits(of_side, kind) for of_side in of_draws]
            ends = _extremes(*pairs[0])
            gaps[name] = ends and _gap(names, ends, pairs[0], again[0])
            if teacher is not None:
                growths[name] = ends and _growth(pairs, again, int(counts[:-8].sum()))
    order = [*measured.rates]
    return {n: gaps[n] for n in order}, {n: growths[n] for n in order if n in growths}


def _by_class(measured: Metrics) -> Iterator[tuple[int, dict[str, str]]]:
    """Codes of the classes that there are rates of, with the kind of each rate by its name."""
    by_code: dict[int, dict[str, str]] = {}
    for name in measured.rates:
        code = measured.code_of(name)
        by_code.setdefault(1 if code is None else code, {})[name] = name.partition("[")[0]
    yield from by_code.items()


def _drawn(counts: np.ndarray) -> np.ndarray:
    """Counts of rows drawn anew, [DRAWS, cells]."""
    there = np.flatnonzero(counts)
    rows = int(counts.sum())
    drawn = np.zeros((DRAWS, len(counts)), np.int64)
    random = np.random.default_rng(SEED)
    drawn[:, there] = random.multinomial(rows, counts[there] / rows, DRAWS)
    return drawn


def _by_decision(cells: np.ndarray, side: int) -> np.ndarray:
    """Rows by truth and decision, [draws, groups, truth, decision].

    Args:
      cells: [draws, (groups + 1) * 8]; the last group is what is left out.
      side: 0 of the model, 1 of the teacher.
    """
    by_truth = cells.reshape(len(cells), -1, 2, 2, 2)[:, :-1]
    negative, positive = np.moveaxis(by_truth, 4 - side, 0)  # decisions of the other side
    found: np.ndarray = negative + positive
    return found


def _hits(by_decision: np.ndarray, kind: str) -> Shares:
    """Hits and trials of a kind of rate, [draws, groups] each."""
    if kind in ("tpr", "recall"):
        of = by_decision[:, :, 1]
    elif kind == "fpr":
        of = by_decision[:, :, 0]
    else:
        of = by_decision.sum(axis=2)
    return of[:, :, 1], of.sum(axis=2)


def _extremes(hits: np.ndarray, trials: np.ndarray) -> tuple[int, int] | None:
    """The groups of the highest and the lowest share; None where one has no trials."""
    if not trials.all():
        return None
    shares = (hits / trials)[0]
    return int(shares.argmax()), int(shares.argmin())


def _difference(ends: tuple[int, int], of: Shares) -> np.ndarray:
    """The share of one group minus that of the other, [draws]; NaN where one has no trials."""
    hits, trials = of
    with np.errstate(invalid="ignore"):
        first, second = (hits[:, end] / trials[:, end] for end in ends)
    found: np.ndarray = first - second
    return found


def _interval(drawn: np.ndarray) -> tuple[float, float]:
    """The middle 95% of what can be measured on drawn rows; -1 to 1 where nothing can."""
    there = drawn[np.isfinite(drawn)]
    if not there.size:
        return -1.0, 1.0
    low, high = np.quantile(there, [0.025, 0.975])
    return float(low), float(high)


def _gap(
    names: list[str],
    ends: tuple[int, int],
    measured: Shares,
    again: Shares,
) -> RateGap:
    low, high = _interval(_difference(ends, again))
    first, second = ((int(measured[0][0, end]), int(measured[1][0, end])) for end in ends)
    below, above = newcombe_interval(first, second)
    value = float(_difference(ends, measured)[0])
    return RateGap(
        value, max(0.0, min(low, below)), max(high, above), names[ends[0]], names[ends[1]]
    )


def _growth(measured: list[Shares], again: list[Shares], rows: int) -> GapGrowth:
    """The growth of a gap.

    Args:
      measured: Hits and trials of the model and of the teacher, [1, groups].
      again: The same of the drawn rows, [draws, groups].
      rows: Rows of the groups.
    """
    now, before = (float(_widest(*each)[0]) for each in measured)
    low, high = _interval(_widest(*again[0]) - _widest(*again[1]))
    # Rows that all agree show no spread: 3 in as many may still differ.
    least = 3.0 / float(measured[0][1].min())
    value = now - before
    ends = max(-1.0, min(low, value - least)), min(1.0, max(high, value + least))
    return GapGrowth(value, *ends, before, rows)


def _widest(hits: np.ndarray, trials: np.ndarray) -> np.ndarray:
    """The highest share minus the lowest, [draws], of the groups that have trials in a draw."""
    with np.errstate(invalid="ignore"):
        shares = hits / trials
    none = trials == 0
    high = np.where(none, -np.inf, shares).max(axis=1)
    found: np.ndarray = high - np.where(none, np.inf, shares).min(axis=1)
    return found
