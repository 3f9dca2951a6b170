"""What is wrong with labelling functions, and what to do about it.

Judged by votes alone and by the gold rows: a function that never votes or always votes alike, votes
that go against the true labels or against the other functions, and functions that say the same.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.intervals import wilson_interval
from models.labels.votes import ABSTAIN, NEGATIVE, POSITIVE, Counts, Gold, Votes

ALWAYS = 0.99  # share of rows: a function that votes alike on as many tells no row from another
SAME = 0.95  # share of rows on which either of two functions votes, and both alike
CLASSES = {NEGATIVE: "NEGATIVE", POSITIVE: "POSITIVE"}

Severity = Literal["error", "warning", "note"]
Kind = Literal[
    "never_votes", "constant", "anti_correlated", "against_others", "identical", "unchecked"
]


@dataclass(frozen=True)
class Finding:
    """A fault of a labelling function.

    Attributes:
      severity: `error` spoils the labels, `warning` may, `note` is for information.
      kind: Which fault.
      function: Name of the function.
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
    """Votes of all functions: distinct vectors with counts, the gold rows, their class balance."""

    names: Sequence[str]
    vectors: Votes
    counts: Counts
    gold: Gold

    @property
    def rows(self) -> int:
        return int(self.counts.sum())


def find(names: Sequence[str], vectors: Votes, counts: Counts, gold: Gold) -> list[Finding]:
    """Faults of labelling functions, the gravest first, then in the order of the functions.

    Args:
      names: Names of the functions.
      vectors: int8 [vectors, functions], distinct vote vectors.
      counts: int64 [vectors], rows behind each vector.
      gold: Votes and labels of the gold rows.
    """
    seen = _Seen(names, vectors, counts, gold)
    found = [
        finding for n in range(len(names)) for finding in (*_by_votes(seen, n), *_twins(seen, n))
    ]
    order = {"error": 0, "warning": 1, "note": 2}
    return sorted(found, key=lambda finding: order[finding.severity])


def _by_votes(seen: _Seen, n: int) -> Iterator[Finding]:
    """Faults that a function's own votes, the true labels and the others' votes show."""
    name = seen.names[n]
    cast = {vote: int(seen.counts[seen.vectors[:, n] == vote].sum()) for vote in CLASSES}
    voted, vote = sum(cast.values()), max(cast, key=lambda vote: cast[vote])
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
            f"votes {CLASSES[vote]} on {voted} of {seen.rows} rows and never otherwise: "
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
    chance = _chance(votes[votes != ABSTAIN], float((labels == POSITIVE).mean())) if total else 0.5
    if high < chance:
        yield Finding(
            "error",
            "anti_correlated",
            seen.names[n],
            f"right on {right} of {total} gold rows (95% interval {low:.2f} to {high:.2f}); "
            f"the same votes cast blindly would be right on {chance:.0%}",
            "swap POSITIVE and NEGATIVE if its condition is written the wrong way round; "
            "else narrow or drop it",
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
    others = np.delete(seen.vectors, n, axis=1)
    lead = (others == POSITIVE).sum(axis=1) - (others == NEGATIVE).sum(axis=1)
    mine = seen.vectors[:, n]
    decided, both = lead != 0, (lead != 0) & (mine != ABSTAIN)
    rows = int(seen.counts[both].sum())
    if rows == 0:
        return
    agree = int(seen.counts[both & ((lead > 0) == (mine == POSITIVE))].sum())
    balance = float(seen.counts[lead > 0].sum() / seen.counts[decided].sum())
    chance = _chance(mine[both], balance, seen.counts[both])
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


def _chance(votes: NDArray[np.int8], balance: float, counts: Counts | None = None) -> float:
    """Share of votes that would be right if each were cast on a row drawn at random."""
    positive = float(np.average(votes == POSITIVE, weights=counts))
    return positive * balance + (1 - positive) * (1 - balance)
