"""What is wrong with labelling functions, and what to do about it.

Judged by votes alone and by the gold rows: a function that never votes or always votes alike, votes
that go against the true labels or against the other functions, functions that say the same, and
classes that none votes for.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.intervals import wilson_interval
from core.names import BOTH
from models.labels.votes import ABSTAIN, Counts, Floats, Gold, Votes

ALWAYS = 0.99  # share of rows: a function that votes alike on as many tells no row from another
SAME = 0.95  # share of rows on which either of two functions votes, and both alike
ALL = "all functions"  # what a fault that is no single function's is found in

Severity = Literal["error", "warning", "note"]
Kind = Literal[
    "never_votes",
    "constant",
    "anti_correlated",
    "against_others",
    "identical",
    "unchecked",
    "class_without_votes",
    "group_without_gold",
]


@dataclass(frozen=True)
class Finding:
    """A fault of a labelling function, or of all together.

    Attributes:
      severity: `error` spoils the labels, `warning` may, `note` is for information.
      kind: Which fault.
      function: Name of the function; ALL for a class without votes; of a group column and value.
      message: What was seen, with the numbers.
      action: What to do.
    """

    severity: Severity
    kind: Kind
    function: str
    message: str
    action: str


@dataclass(frozen=True)
class _Seen:
    """Votes of all functions: distinct vectors with counts, the gold rows; names of the classes."""

    names: Sequence[str]
    classes: Sequence[str]
    vectors: Votes
    counts: Counts
    gold: Gold

    @property
    def rows(self) -> int:
        return int(self.counts.sum())


def find(
    names: Sequence[str],
    vectors: Votes,
    counts: Counts,
    gold: Gold,
    classes: Sequence[str] = BOTH,
) -> list[Finding]:
    """Faults of labelling functions, the gravest first, then in the order of the functions.

    Args:
      names: Names of the functions.
      vectors: int8 [vectors, functions], distinct vote vectors.
      counts: int64 [vectors], rows behind each vector.
      gold: Votes and labels of the gold rows.
      classes: What the classes are called, by code; two in capitals, as functions write them.
    """
    if len(classes) == 2:
        classes = [name.upper() for name in classes]
    seen = _Seen(names, classes, vectors, counts, gold)
    found = [
        finding for n in range(len(names)) for finding in (*_by_votes(seen, n), *_twins(seen, n))
    ]
    found += _unvoted(seen)
    order = {"error": 0, "warning": 1, "note": 2}
    return sorted(found, key=lambda finding: order[finding.severity])


def _by_votes(seen: _Seen, n: int) -> Iterator[Finding]:
    """Faults that a function's own votes, the true labels and the others' votes show."""
    name, cast = seen.names[n], _cast(seen.vectors[:, n], len(seen.classes), seen.counts)
    voted, vote = int(cast.sum()), int(cast.argmax())
    if voted == 0:
        yield Finding(
            "warning",
            "never_votes",
            name,
            f"votes on none of {seen.rows} rows",
            "look for a misspelt value or a bound out of reach in its condition; mend or drop it",
        )
    elif cast[vote] == voted and voted >= ALWAYS * seen.rows:
        yield Finding(
            "error",
            "constant",
            name,
            f"votes {seen.classes[vote]} on {voted} of {seen.rows} rows and never otherwise: "
            "it tells no row from another",
            "return ABSTAIN where its reason does not hold, or drop it",
        )
    else:
        yield from _by_gold(seen, n, voted)


def _by_gold(seen: _Seen, n: int, voted: int) -> Iterator[Finding]:
    """Whether votes are right more often than blind ones, which the class balance decides."""
    votes, labels = seen.gold.votes[:, n], seen.gold.labels
    total = int((votes != ABSTAIN).sum())
    right = int((votes == labels).sum())
    low, high = wilson_interval(right, total) or (0.0, 1.0)
    chance = _chance(_cast(votes, len(seen.classes)), _cast(labels, len(seen.classes)))
    if high < chance:
        swap = "look whether it names the class that it means"
        if len(seen.classes) == 2:
            swap = "swap POSITIVE and NEGATIVE if its condition is written the wrong way round"
        yield Finding(
            "error",
            "anti_correlated",
            seen.names[n],
            f"right on {right} of {total} gold rows (95% interval {low:.2f} to {high:.2f}); "
            f"the same votes cast blindly would be right on {chance:.0%}",
            f"{swap}; else narrow or drop it",
        )
        return
    if total == 0:
        yield Finding(
            "note",
            "unchecked",
            seen.names[n],
            f"votes on {voted} of {seen.rows} rows, none of them a gold row: "
            "its accuracy was not measured",
            "read some of its rows yourself, or raise labeling.gold_rows",
        )
    if low <= chance:  # the gold rows do not vouch for it
        yield from _by_others(seen, n)


def _by_others(seen: _Seen, n: int) -> Iterator[Finding]:
    """Whether a function votes against the majority of the others, more than blind votes would."""
    width, mine = len(seen.classes), seen.vectors[:, n]
    others = np.delete(seen.vectors, n, axis=1)
    cast = np.stack([(others == k).sum(axis=1) for k in range(width)], axis=1)
    second, first = np.partition(cast, width - 2, axis=1)[:, -2:].T
    decided, most = first > second, cast.argmax(axis=1).astype(np.int8)
    both = decided & (mine != ABSTAIN)
    rows = int(seen.counts[both].sum())
    if rows == 0:
        return
    agree = int(seen.counts[both & (mine == most)].sum())
    chance = _chance(
        _cast(mine[both], width, seen.counts[both]),
        _cast(most[decided], width, seen.counts[decided]),
    )
    interval = wilson_interval(agree, rows)
    if interval is not None and interval[1] < chance:
        yield Finding(
            "warning",
            "against_others",
            seen.names[n],
            f"agrees with the majority of the other functions on {agree} of the {rows} rows where "
            f"they have one ({agree / rows:.0%}); the same votes cast blindly would agree on "
            f"{chance:.0%}",
            "read rows where it disagrees: keep it if it is right there, else turn or drop it",
        )


def _twins(seen: _Seen, n: int) -> Iterator[Finding]:
    """The first of the functions before this one that votes as it does."""
    mine = seen.vectors[:, n]
    for other in range(n):
        theirs = seen.vectors[:, other]
        either = int(seen.counts[(mine != ABSTAIN) | (theirs != ABSTAIN)].sum())
        alike = int(seen.counts[(mine != ABSTAIN) & (mine == theirs)].sum())
        if either == 0 or alike < SAME * either:
            continue
        message = f"votes as {seen.names[other]} does on {alike} of the {either} rows of either"
        if alike == either:
            message = f"votes exactly as {seen.names[other]} does, on all {alike} rows of either"
        yield Finding(
            "warning",
            "identical",
            seen.names[n],
            f"{message}: one reason counts twice",
            "drop one of the two, or let them rest on different columns",
        )
        return


def _unvoted(seen: _Seen) -> Iterator[Finding]:
    """Classes that are voted for on no row."""
    cast = sum(_cast(votes, len(seen.classes), seen.counts) for votes in seen.vectors.T)
    for k in np.flatnonzero(np.asarray(cast) == 0):
        yield Finding(
            "warning",
            "class_without_votes",
            ALL,
            f"none votes {seen.classes[k]} on any of {seen.rows} rows: all that the labels know of "
            "the class are its gold rows",
            "write a function for it",
        )


def _cast(votes: NDArray[np.int8], classes: int, counts: Counts | None = None) -> Floats:
    """Rows, or rows behind vectors, by class that is voted for: float64 [classes]."""
    at = votes != ABSTAIN
    weights = None if counts is None else counts[at]
    return np.bincount(votes[at], weights, minlength=classes).astype(np.float64)


def _chance(votes: Floats, truth: Floats) -> float:
    """Share of votes that would be right if each were cast on a row drawn at random.

    Args:
      votes: float64 [classes], votes by class.
      truth: float64 [classes], rows by class.
    """
    return float(votes @ truth / (votes.sum() * truth.sum())) if votes.any() else 0.0
