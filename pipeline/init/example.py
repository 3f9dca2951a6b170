"""The labelling function that `init` writes: the one condition that gold rows speak for most.

Only gold rows, which a run may see, have a say: the conditions are judged by their true labels, and
how many other rows a condition holds for is counted without a label.
"""

import operator
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.intervals import wilson_interval
from models.labels.votes import NEGATIVE, POSITIVE

LEAST_COVERAGE, MOST_COVERAGE = 0.05, 0.6
RARE_COVERAGE = 0.02  # taken where nothing else is to be had
LEAST_VOTES = 3  # on gold rows
LETTERS_OF_A_WORD = 3  # at least
SAMPLE = 5000  # rows, about, that coverage is measured on
MOST_WORDS = 300  # of a column of text, the most frequent in the gold rows
HAS_WORD = "has word"
_QUANTILES = (0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9)

Value = float | str


@dataclass(frozen=True)
class Example:
    """A condition on one column, and what the gold rows say of it.

    Attributes:
        column: the column.
        operator: `==`, `>=`, `<=` or HAS_WORD.
        value: what the column is compared with.
        vote: POSITIVE or NEGATIVE.
        right: gold rows with this class among `gold`.
        gold: gold rows for which it holds.
        chance: share of gold rows with this class.
        coverage: share of all rows for which it holds.
        above_chance: whether the 95% interval of right / gold lies above `chance`.
    """

    column: str
    operator: str
    value: Value
    vote: int
    right: int
    gold: int
    chance: float
    coverage: float
    above_chance: bool


def find(
    columns: Mapping[str, Sequence[Value | None]],
    gold: Mapping[int, int],
    text: Collection[str] = (),
) -> Example | None:
    """The best condition; None where none holds for enough rows.

    Args:
        columns: values by column, one a row; None where missing.
        gold: row number and class of the gold rows.
        text: the columns of free text.
    """
    labels = np.array(list(gold.values()))
    found: list[tuple[bool, float, Example]] = []
    for column, values in columns.items():
        of_gold = [values[n] for n in gold]
        looked_at = values[:: max(1, len(values) // SAMPLE)]
        for name, value in _conditions(of_gold, column in text):
            holds = _HOLDS[name]
            at = np.array([known is not None and holds(known, value) for known in of_gold])
            if at.sum() < LEAST_VOTES:
                continue
            coverage = sum(v is not None and holds(v, value) for v in looked_at) / len(looked_at)
            if not RARE_COVERAGE <= coverage <= MOST_COVERAGE:
                continue
            for vote in (POSITIVE, NEGATIVE):
                right, votes = int((labels[at] == vote).sum()), int(at.sum())
                chance = float((labels == vote).mean())
                low, _ = wilson_interval(right, votes) or (0.0, 1.0)
                example = Example(
                    column, name, value, vote, right, votes, chance, coverage, low > chance
                )
                found.append((coverage >= LEAST_COVERAGE, low - chance, example))
    return max(found, key=lambda each: each[:2])[2] if found else None


def _conditions(values: Sequence[Value | None], text: bool) -> Iterator[tuple[str, Value]]:
    """Operators and what to compare with: of free text the words, else texts and bounds."""
    if text:
        counts = Counter(word for value in values for word in sorted(_words_of(value)))
        words = [w for w, _ in counts.most_common() if w.isalpha() and len(w) >= LETTERS_OF_A_WORD]
        yield from ((HAS_WORD, word) for word in words[:MOST_WORDS])
        return
    yield from (("==", known) for known in sorted({v for v in values if isinstance(v, str)}))
    numbers = np.array([v for v in values if isinstance(v, int | float)], dtype=np.float64)
    if numbers.size:
        for bound in np.unique(np.quantile(numbers, _QUANTILES, method="nearest")).tolist():
            yield from ((">=", bound), ("<=", bound))


def _words_of(value: Value | None) -> set[str]:
    return set(str(value or "").lower().split())


_HOLDS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    ">=": operator.ge,
    "<=": operator.le,
    HAS_WORD: lambda value, word: word in _words_of(value),
}
