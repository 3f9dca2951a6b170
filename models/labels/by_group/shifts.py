"""For each group a shift of its log-odds that brings its rate towards that of all rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.answers import THRESHOLD
from core.sections.fairness import Rate
from models.labels.by_group.cuts import WIDEST, Cuts, full_shifts, root
from models.labels.by_group.rows import GroupRows
from models.labels.votes import ABSTAIN, Floats, Votes

TRUST_ROWS = 75  # gold rows of a group that move its labels half of the way


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
        name: Cuts.of(group.probability, group.counts, weights[name])
        for name, group in voted.items()
        if weights[name].sum() > 0
    }
    whole = full_shifts(cuts, voted) if len(cuts) > 1 else {}
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


def _balance(group: GroupRows) -> float:
    """Share of positives: what the labels say counts as TRUST_ROWS gold rows."""
    said = float(group.probability @ group.counts / group.counts.sum())
    return (TRUST_ROWS * said + group.gold_positives) / (TRUST_ROWS + group.gold_rows)


def _moved_to(group: GroupRows, balance: float) -> Floats:
    """The group's probabilities with log-odds moved so that their mean is `balance`."""
    share = group.counts / group.counts.sum()

    def excess(shift: float) -> float:
        return float(shifted(group.probability, shift) @ share) - balance

    return shifted(group.probability, root(excess, -WIDEST, WIDEST))


def _weights(group: GroupRows, expected: Floats, rate: Rate) -> Floats:
    """Rows behind each vector that the rate is a share of, as expected: float64 [vectors]."""
    of_rate = {"tpr": expected, "fpr": 1 - expected, "selection_rate": np.ones_like(expected)}
    return of_rate[rate] * group.counts


def _rate(probability: Floats, weights: Floats) -> float:
    """Share of the weights that is labelled positive."""
    return float(weights[probability > THRESHOLD].sum() / weights.sum())
