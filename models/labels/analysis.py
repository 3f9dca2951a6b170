"""What those who write labelling functions look at: disagreements, rows without votes, changes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.labels.votes import ABSTAIN, Gold, Votes

INTERVALS = 5  # equally large parts that the values of a number column are cut into
MIN_LIFT = 1.2  # how much more frequent a value must be to be named
MIN_SHARE = 0.02  # of the rows looked at, for a value to be named
MISSING = "missing"  # name of the values that are None
COMPARED = ("coverage", "overlap", "conflict", "accuracy_on_gold")

Value = float | str | None


@dataclass(frozen=True)
class Disagreement:
    """Two functions that vote for different classes.

    Attributes:
      first: Index of a function.
      second: Index of the other, greater than `first`.
      rows: Rows on which they vote for different classes.
      both: Rows on which both vote.
      gold_rows: Gold rows among `rows`.
      first_right: Gold rows among `rows` whose true label is the vote of `first`.
      second_right: Gold rows among `rows` whose true label is the vote of `second`.
    """

    first: int
    second: int
    rows: int
    both: int
    gold_rows: int
    first_right: int
    second_right: int


@dataclass(frozen=True)
class Common:
    """A value that is more frequent in some rows than in all.

    Attributes:
      column: Its column.
      value: The text, the number, or the least and the greatest number of an interval.
      share: Share of it in the rows looked at.
      share_of_all: Share of it in all rows.
    """

    column: str
    value: str
    share: float
    share_of_all: float


def disagreements(votes: Votes, gold: Gold, most: int) -> list[Disagreement]:
    """The pairs of functions that disagree on most rows, at most `most`.

    Args:
      votes: int8 [rows, functions].
      gold: Votes and labels of the gold rows.
      most: How many pairs.
    """
    voted = (votes != ABSTAIN).astype(np.float64)
    both = voted.T @ voted
    for_class = ((votes == k).astype(np.float64) for k in range(int(votes.max(initial=0)) + 1))
    opposed = both - sum(cast.T @ cast for cast in for_class)
    firsts, seconds = np.triu_indices(votes.shape[1], k=1)
    order = np.argsort(-opposed[firsts, seconds], kind="stable")[:most]
    found = []
    for i, j in zip(firsts[order].tolist(), seconds[order].tolist(), strict=True):
        if rows := int(opposed[i, j]):
            at = rows_of_disagreement(gold.votes, i, j)
            right = [int((gold.votes[at, n] == gold.labels[at]).sum()) for n in (i, j)]
            found.append(Disagreement(i, j, rows, int(both[i, j]), len(at), *right))
    return found


def rows_of_disagreement(votes: Votes, first: int, second: int) -> NDArray[np.int64]:
    """Indices of the rows on which two functions vote for different classes."""
    mine, theirs = votes[:, first], votes[:, second]
    return np.flatnonzero((mine != ABSTAIN) & (theirs != ABSTAIN) & (mine != theirs))


def in_common(
    columns: Mapping[str, Sequence[Value]], chosen: NDArray[np.bool_], most: int
) -> list[Common]:
    """The value of each column that sets the chosen rows most apart from all, the clearest first.

    Ranked by share * log(share / share of all): the value's part of the divergence of the two
    distributions (Kullback and Leibler, 1951). Number columns are cut into intervals.

    Args:
      columns: Values by column, one a row; None where missing.
      chosen: bool [rows].
      most: How many columns at most.
    """
    found: list[tuple[float, Common]] = []
    if not chosen.any():
        return []
    for column, values in columns.items():
        codes, names = _grouped(values)
        of_all = np.bincount(codes, minlength=len(names)) / len(codes)
        share = np.bincount(codes[chosen], minlength=len(names)) / chosen.sum()
        telling = (share >= MIN_SHARE) & (share >= MIN_LIFT * of_all)
        with np.errstate(divide="ignore", invalid="ignore"):
            score = np.where(telling, share * np.log(share / of_all), -np.inf)
        best = int(score.argmax())
        if telling[best]:
            common = Common(column, names[best], float(share[best]), float(of_all[best]))
            found.append((float(score[best]), common))
    ranked = sorted(found, key=lambda pair: -pair[0])
    return [common for _, common in ranked[:most]]


def _grouped(values: Sequence[Value]) -> tuple[NDArray[np.int64], list[str]]:
    """A column as codes and the name of each code: its distinct texts, or intervals of numbers."""
    if any(isinstance(value, str) for value in values):
        code_of: dict[str, int] = {}
        texts = (MISSING if value is None else str(value) for value in values)
        codes = np.array([code_of.setdefault(text, len(code_of)) for text in texts])
        return codes, list(code_of)
    numbers = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    known = numbers[~np.isnan(numbers)]
    if not known.size:
        return np.zeros(len(values), dtype=np.int64), [MISSING]
    distinct = np.unique(known)
    if len(distinct) > INTERVALS:
        distinct = np.unique(np.quantile(known, np.arange(1, INTERVALS + 1) / INTERVALS))
    codes = np.where(np.isnan(numbers), len(distinct), np.searchsorted(distinct, numbers))
    return codes.astype(np.int64), [*_interval_names(known, distinct), MISSING]


def _interval_names(known: NDArray[np.float64], uppers: NDArray[np.float64]) -> Iterator[str]:
    """Least and greatest number up to each bound and above the one before."""
    codes = np.searchsorted(uppers, known)
    for code in range(len(uppers)):
        inside = known[codes == code]
        low, high = inside.min(initial=np.inf), inside.max(initial=-np.inf)
        yield f"{low:g}" if low == high else f"{low:g} to {high:g}"


def compare(
    before: Mapping[str, Any], after: Mapping[str, Any], changed_votes: Mapping[str, int]
) -> dict[str, Any]:
    """What changed between two label reports.

    Args:
      before: The earlier report's `functions`.
      after: The later report's `functions`.
      changed_votes: Rows on which a function's vote differs, of the functions in both; empty where
        the rows are not the same.

    Returns:
      `new` and `removed`: names of functions. `functions`: what changed in each function of both
      reports whose votes or figures did, as differences, later minus earlier.
    """
    rows = {
        name: {
            "changed_votes": changed_votes.get(name),
            **differences(before[name], after[name]),
            "weight": _difference(before[name]["weight"], after[name]["weight"]),
        }
        for name in after
        if name in before
    }
    return {
        "new": [name for name in after if name not in before],
        "removed": [name for name in before if name not in after],
        "functions": {name: row for name, row in rows.items() if any(row.values())},
    }


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, float | None]:
    """Later minus earlier of the shares that a function and a label report have in common."""
    return {key: _difference(before[key], after[key]) for key in COMPARED}


def _difference(before: float | None, after: float | None) -> float | None:
    """Rounded, so that noise in the last digits is no change; None where one is not known."""
    if before is None or after is None:
        return None
    return round(after - before, 4)
