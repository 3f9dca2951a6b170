"""The labelling functions that `init` writes: the conditions that gold rows speak for most.

Only gold rows, which a run may see, have a say: the conditions are judged by their true labels, and
how many other rows a condition holds for is counted without a label.
"""

import operator
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from core.intervals import wilson_interval

LEAST_COVERAGE, MOST_COVERAGE = 0.05, 0.6
RARE_COVERAGE = 0.02  # taken where nothing else is to be had
LEAST_VOTES = 3  # on gold rows
LETTERS_OF_A_WORD = 3  # at least
SAMPLE = 5000  # rows, about, that coverage is measured on
MOST_WORDS = 300  # of a column of text, the most frequent in the gold rows
LUCK = 0.05  # probability that a condition no better than chance is called better
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
        vote: code of the class.
        right: gold rows with this class among `gold`.
        gold: gold rows for which it holds.
        chance: share of gold rows with this class.
        coverage: share of all rows for which it holds.
        interval: 95% interval of right / gold.
        above_chance: whether right / gold is above `chance` by more than luck, as many as the
            conditions are that were looked at.
    """

    column: str
    operator: str
    value: Value
    vote: int
    right: int
    gold: int
    chance: float
    coverage: float
    interval: tuple[float, float]
    above_chance: bool


def find(
    columns: Mapping[str, Sequence[Value | None]],
    gold: Mapping[int, int],
    text: Collection[str] = (),
    rows: Sequence[int] | None = None,
) -> list[Example]:
    """The best condition; of more classes than two that of each class for which one is better than
    chance and right more often than wrong. Empty where none holds for enough rows.

    Args:
        columns: values by column, one a row; None where missing.
        gold: row number and class of the gold rows.
        text: the columns of free text.
        rows: numbers of the rows that coverage is measured on; None: of SAMPLE rows or so.
    """
    labels = np.array(list(gold.values()))
    chance_of = {vote: float((labels == vote).mean()) for vote in np.unique(labels).tolist()}
    found: list[tuple[bool, float, float, Example]] = []
    tried = 0
    for column, values in columns.items():
        looked_at = range(0, len(values), max(1, len(values) // SAMPLE)) if rows is None else rows
        of_gold, of_all = [values[n] for n in gold], [values[n] for n in looked_at]
        holds = _told(of_gold, column in text), _told(of_all, column in text)
        for name, value in _conditions(of_gold, column in text):
            at = holds[0](name, value)
            tried += len(chance_of)
            if at.sum() < LEAST_VOTES:
                continue
            coverage = float(holds[1](name, value).mean())
            if not RARE_COVERAGE <= coverage <= MOST_COVERAGE:
                continue
            for vote, chance in chance_of.items():
                right, votes = int((labels[at] == vote).sum()), int(at.sum())
                interval = wilson_interval(right, votes) or (0.0, 1.0)
                example = Example(
                    column, name, value, vote, right, votes, chance, coverage, interval, False
                )
                by_luck = float(binom.sf(right - 1, votes, chance))
                found.append((coverage >= LEAST_COVERAGE, interval[0] - chance, by_luck, example))
    # The best of many conditions is good by luck more easily than one would be.
    beyond = [each for each in found if each[2] < LUCK / tried]
    sound = [each for each in beyond if 2 * each[3].right > each[3].gold]
    if len(chance_of) > 2 and sound:
        of_class = ([each for each in sound if each[3].vote == vote] for vote in chance_of)
        best = [max(each, key=lambda each: each[:2]) for each in of_class if each]
    else:
        best = [max(beyond or found, key=lambda each: each[:2])] if found else []
    return [replace(each[3], above_chance=bool(beyond)) for each in best]


def _told(values: Sequence[Value | None], text: bool) -> Callable[[str, Value], NDArray[np.bool_]]:
    """For which of the values a condition holds: bool [values]."""
    if text:
        words = [_words_of(value) for value in values]
        return lambda _, word: np.array([word in known for known in words], dtype=np.bool_)
    if any(isinstance(value, str) for value in values):
        texts = np.array(values, dtype=object)
        return lambda _, value: np.asarray(texts == value, dtype=np.bool_)
    numbers = np.array([np.nan if v is None else v for v in values], dtype=np.float64)
    return lambda name, bound: np.asarray(_COMPARED[name](numbers, bound), dtype=np.bool_)


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


_COMPARED: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    ">=": operator.ge,
    "<=": operator.le,
}
