"""Labels whose errors are alike in all groups: for each group a shift of their log-odds.

Functions say more of some groups than of others, so labels find more of the positives of one group
than of another, and the models learn that. Moving labels to each group's class balance does not
help: labels can be right on average and find few of a group's positives all the same. What has to
be alike is asked for instead: the true or false positive rate, or the share that is positive. Of
two classes only.

What unlabelled rows know are votes and sizes of groups; what only gold rows know is how many of a
group are positive. So a rate is estimated as if the labels' own probabilities were true (as CBPE
estimates a model's quality), once they have been moved to the group's class balance, which a few
gold rows pull away from what the labels say. That estimate is trusted as far as gold rows of the
group vouch for it: n of them move the labels by n / (n + TRUST_ROWS) of the way, so that a group
with three stays where all rows are.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.answers import THRESHOLD
from core.sections.fairness import GroupRate, Rate
from models.labels.additive.sample import Sample
from models.labels.findings import Finding
from models.labels.groups import name_of
from models.labels.label_model import Fitted
from models.labels.rows import CodedColumn
from models.labels.scores import most_likely
from models.labels.votes import ABSTAIN, POSITIVE, Counts, Floats, Gold, Votes

TRUST_ROWS = 75  # gold rows of a group that move its labels half of the way
STEPS = 60  # of a bisection; each halves the interval
WIDEST = 30.0  # log-odds that are looked for, either way


@dataclass(frozen=True)
class GroupRows:
    """The rows of a group on which functions vote.

    Attributes:
      probability: float64 [vectors], P(positive) of distinct vote vectors by the label model; where
        columns add to them, of the group's rows in the sample.
      counts: float64 or int64 [vectors], the group's rows behind each.
      gold_rows: Rows drawn at random whose true label is known.
      gold_positives: Those of them that are positive.
    """

    probability: Floats
    counts: Counts | Floats
    gold_rows: int
    gold_positives: int


@dataclass(frozen=True)
class GroupShift:
    """What is known of the labels of a group, and what was done to them.

    Attributes:
      rows: Rows on which functions vote.
      gold_rows: Rows of these drawn at random whose true label is known.
      gold_positives: Those of them that are positive.
      class_balance: Estimated share of positives: the labels', as far as gold rows leave it; None
        where no function votes.
      rate_before: Estimated rate of the labels before the shift; None where it has no meaning.
      rate_after: The same after it.
      full_shift: Log-odds by which labels would have to be moved for the rate to be as in all.
      shift: Log-odds by which they are moved: as much of it as gold rows vouch for.
    """

    rows: int
    gold_rows: int
    gold_positives: int
    class_balance: float | None
    rate_before: float | None
    rate_after: float | None
    full_shift: float
    shift: float


@dataclass(frozen=True)
class Correction:
    """What was done by group: the column and the rate that is to be alike, by name of group."""

    column: str
    rate: Rate
    groups: dict[str, GroupShift]

    def shifts(self, names: Sequence[str], votes: Votes | None = None) -> Floats:
        """Log-odds for rows of these groups, float64 [rows]; 0 for groups that are not known.

        Args:
          names: Group of each row.
          votes: int8 [rows, functions]; a row without a vote is not moved.
        """
        known = {name: group.shift for name, group in self.groups.items()}
        shifts = np.array([known.get(name, 0.0) for name in names], dtype=np.float64)
        return shifts if votes is None else shifts * (votes != ABSTAIN).any(axis=1)


def shifted(probability: Floats, shift: Floats | float) -> Floats:
    """Probabilities with `shift` added to their log-odds, of the same shape."""
    odds = np.exp(shift)
    moved: Floats = odds * probability / (odds * probability + 1 - probability)
    return moved


def counts_of_groups(
    groups: CodedColumn, vector_of_row: NDArray[np.integer[Any]], vectors: int
) -> dict[str, Counts]:
    """By group with a row, how many of its rows have each vote vector: int64 [vectors].

    Args:
      groups: Name of the group of each row.
      vector_of_row: Integers [rows].
      vectors: How many there are.
    """
    size = len(groups.values) * vectors
    together = np.bincount(groups.codes * vectors + vector_of_row, minlength=size)
    of_group = together.reshape(len(groups.values), vectors).astype(np.int64)
    return {str(name): of_group[n] for n, name in enumerate(groups.values) if of_group[n].any()}


def rows_of_groups(
    counts: Mapping[str, Counts],
    vectors: Votes,
    probability: Floats,
    gold: Gold,
    gold_groups: Sequence[str],
) -> dict[str, GroupRows]:
    """The rows of each group on which functions vote, the largest group first.

    Args:
      counts: By group, int64 [vectors], its rows behind each vector.
      vectors: int8 [vectors, functions], distinct vote vectors.
      probability: float64 [vectors], P(positive) by the label model.
      gold: Votes and labels of the gold rows.
      gold_groups: Group of each of them.
    """
    covered = (vectors != ABSTAIN).any(axis=1)
    usable = gold.at_random & (gold.votes != ABSTAIN).any(axis=1)
    of_gold = np.array(gold_groups, dtype=object)
    found = {}
    for name in sorted(counts, key=lambda name: (-int(counts[name].sum()), name)):
        mine = usable & (of_gold == name)
        seen = covered & (counts[name] > 0)
        found[name] = GroupRows(
            probability[seen],
            counts[name][seen],
            int(mine.sum()),
            int((gold.labels[mine] == POSITIVE).sum()),
        )
    return found


def find(column: str, rate: Rate, groups: Mapping[str, GroupRows]) -> Correction:
    """The shift of each group that brings its rate towards that of all rows.

    As many rows as before are labelled positive if all groups are moved the whole way. Where none
    is, as with a rare class, the cut that is made alike is not .5 but the one that finds as many
    rows as are expected to be positive.

    Args:
      column: Whose values are the groups.
      rate: tpr, fpr or selection_rate: the share that is labelled positive of the true positives,
        of the true negatives, or of all rows.
      groups: By name.
    """
    voted = {name: group for name, group in groups.items() if len(group.counts)}
    balances = {name: _balance(group) for name, group in voted.items()}
    expected = {n: _moved_to(group, balances[n]) for n, group in voted.items()}
    weights = {name: _weights(group, expected[name], rate) for name, group in voted.items()}
    cuts = {
        name: _Cuts.of(group.probability, group.counts, weights[name])
        for name, group in voted.items()
        if weights[name].sum() > 0
    }
    whole = _full_shifts(cuts, voted) if len(cuts) > 1 else {}
    found = {}
    for name, group in groups.items():
        full = whole.get(name, 0.0)
        shift = full * group.gold_rows / (group.gold_rows + TRUST_ROWS)
        found[name] = GroupShift(
            round(float(group.counts.sum())),
            group.gold_rows,
            group.gold_positives,
            balances.get(name),
            _rate(group.probability, weights[name]) if name in cuts else None,
            _rate(shifted(group.probability, shift), weights[name]) if name in cuts else None,
            full,
            shift,
        )
    return Correction(column, rate, found)


def correct(
    fitted: Fitted,
    alike: GroupRate,
    counts: Mapping[str, Counts],
    vectors: Votes,
    gold: Gold,
    gold_groups: Sequence[str],
    sample: Sample | None = None,
) -> tuple[Fitted, Correction]:
    """What is done to labels by group, and what the label model then says of gold rows.

    `probability` is left as it is: a vote vector has another label in another group. The shifts
    were found with the help of all gold rows.

    Args:
      fitted: The label model.
      alike: The column and the rate.
      counts: By group, int64 [vectors], its rows behind each vector.
      vectors: int8 [vectors, functions], distinct vote vectors.
      gold: Votes and labels of the gold rows.
      gold_groups: Group of each of them.
      sample: Rows of all groups, by which it is seen what columns add; None: they are left out.
    """
    rows = rows_of_groups(counts, vectors, fitted.probability, gold, gold_groups)
    if fitted.columns is not None and sample is not None:
        rows = {
            name: replace(group, **_as_sampled(fitted, vectors, sample, alike.column, name, group))
            for name, group in rows.items()
        }
    done = find(alike.column, alike.rate, rows)
    held_out = shifted(fitted.held_out, done.shifts(gold_groups, gold.votes))
    right = most_likely(held_out[gold.at_random]) == gold.drawn.labels
    return replace(fitted, held_out=held_out, accuracy_on_gold=float(right.mean())), done


def _as_sampled(
    fitted: Fitted, vectors: Votes, sample: Sample, column: str, name: str, group: GroupRows
) -> dict[str, Any]:
    """Probabilities and counts of a group by its rows in the sample; none where it has none."""
    groups = sample.groups[column]
    named = np.array([name_of(value) == name for value in groups.values])[groups.codes]
    seen = np.flatnonzero(named & (sample.votes != ABSTAIN).any(axis=1))
    if not len(seen):
        return {}
    number_of = {vector.tobytes(): n for n, vector in enumerate(vectors)}
    rows = sample.take(seen)
    at = np.array([number_of[votes.tobytes()] for votes in rows.votes])
    counts = np.full(len(seen), float(group.counts.sum()) / len(seen))
    return {"probability": fitted.answers(at, rows.columns), "counts": counts}


def findings(done: Correction) -> list[Finding]:
    """The groups of whose rate no gold row tells anything."""
    found = []
    for name, group in done.groups.items():
        positives, negatives = group.gold_positives, group.gold_rows - group.gold_positives
        of_rate = {
            "tpr": (positives, "no positive one"),
            "fpr": (negatives, "no negative one"),
            "selection_rate": (group.gold_rows, "none"),
        }
        count, lacking = of_rate[done.rate]
        if count == 0:
            message = (
                f"has {lacking} among its {group.gold_rows} gold rows: how the {done.rate} of its "
                "labels compares with that of other groups, its votes alone say; its log-odds are "
                f"moved by {group.shift:+.2f}"
            )
            action = "have rows of it labelled (to-label), or raise labeling.gold_rows"
            found.append(
                Finding("note", "group_without_gold", f"{done.column}={name}", message, action)
            )
    return found


def _balance(group: GroupRows) -> float:
    """Share of positives: what the labels say counts as TRUST_ROWS gold rows."""
    said = float(group.probability @ group.counts / group.counts.sum())
    return (TRUST_ROWS * said + group.gold_positives) / (TRUST_ROWS + group.gold_rows)


def _moved_to(group: GroupRows, balance: float) -> Floats:
    """The group's probabilities with log-odds moved so that their mean is `balance`."""
    share = group.counts / group.counts.sum()

    def excess(shift: float) -> float:
        return float(shifted(group.probability, shift) @ share) - balance

    return shifted(group.probability, _root(excess, -WIDEST, WIDEST))


def _weights(group: GroupRows, expected: Floats, rate: Rate) -> Floats:
    """Rows behind each vector that the rate is a share of, as expected: float64 [vectors]."""
    of_rate = {"tpr": expected, "fpr": 1 - expected, "selection_rate": np.ones_like(expected)}
    return of_rate[rate] * group.counts


def _rate(probability: Floats, weights: Floats) -> float:
    """Share of the weights that is labelled positive."""
    return float(weights[probability > THRESHOLD].sum() / weights.sum())


@dataclass(frozen=True)
class _Cuts:
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
    def of(cls, probability: Floats, counts: Counts | Floats, weights: Floats) -> "_Cuts":
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


def _full_shifts(cuts: Mapping[str, _Cuts], groups: Mapping[str, GroupRows]) -> dict[str, float]:
    """Shifts after which all groups have the same rate and as many rows as before are positive."""
    probability = np.concatenate([groups[name].probability for name in cuts])
    counts = np.concatenate([groups[name].counts for name in cuts])
    wanted = float(counts[probability > THRESHOLD].sum()) or float(probability @ counts)
    together = _Cuts.of(probability, counts, counts.astype(np.float64)).with_rows(wanted)

    def excess(rate: float) -> float:
        return sum(cut.at(rate)[1] for cut in cuts.values()) - wanted

    alike = _root(excess, 0.0, 1.0)
    return {name: together - cut.at(alike)[0] for name, cut in cuts.items()}


def _root(rising: Callable[[float], float], low: float, high: float) -> float:
    """Where a rising function is 0, by bisection; the nearer end if it is nowhere."""
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if rising(middle) > 0 else (middle, high)
    return (low + high) / 2
