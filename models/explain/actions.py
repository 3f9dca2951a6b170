"""What counterfactuals may change, and how far a change goes.

A number is as far from another as the share of the training rows between them; a category from any
other a whole share, a little less from a common one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.explain.coding import Coding
from models.explain.training_rows import TrainingRows

_COMMON = 0.1  # of the distance between categories; the more common one is nearer
_LEAST = 1e-6  # numbers that stand at the same place are not the same

Choices = Sequence[tuple[tuple[str, ...], list[tuple[object, ...]]]]
"""Columns that are changed together, and the values that they may have together."""


@dataclass(frozen=True)
class Allowed:
    """What a column may be changed to.

    Attributes:
      low, high: Smallest and largest number.
      values: What a text may be; None: what training rows have.
    """

    low: float = -np.inf
    high: float = np.inf
    values: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Action:
    """Columns that are changed together, because they say the same, or a single one.

    Attributes:
      columns: Their places among the columns of the model.
      choices: Codes of what they may be, float64 [choices, columns].
      far: How far each choice is from a row without a value, and, of categories, from any other.
      number: Place of the column of numbers that says how far choices are apart; None: of none.
      ranks: Of its values by their codes, from 0 to 1; NaN where missing.
    """

    columns: tuple[int, ...]
    choices: np.ndarray
    far: np.ndarray
    number: int | None
    ranks: np.ndarray

    def distances(self, row: np.ndarray) -> np.ndarray:
        """How far each choice is from a row of codes, float64 [choices]: 0 for what it has."""
        is_now = (self.choices == row[list(self.columns)]).all(axis=1)
        far = self.far
        if self.number is not None and not np.isnan(here := self.ranks[int(row[self.number])]):
            chosen = self.choices[:, self.columns.index(self.number)].astype(np.int64)
            far = np.maximum(np.abs(self.ranks[chosen] - here), _LEAST)
        return np.where(is_now, 0.0, far)


def choices_of(
    actionable: Sequence[str],
    allowed: Mapping[str, Allowed],
    training: TrainingRows,
) -> Choices:
    """Columns that are changed together, and the values that they may have together.

    Args:
      actionable: Columns that may be changed; all others stay.
      allowed: The contract's ranges and domains.
      training: What the training rows have.
    """
    found: list[tuple[tuple[str, ...], list[tuple[object, ...]]]] = []
    left = [*actionable]
    while left:
        column = left.pop(0)
        group = next((g for g in training.linked if column in g.columns), None)
        together = [c for c in group.columns if c in actionable] if group else [column]
        left = [name for name in left if name not in together]
        if group and len(together) > 1:
            places = [group.columns.index(name) for name in together]
            rows: list[tuple[object, ...]] = [tuple(row[p] for p in places) for row in group.values]
        else:
            rows = [(value,) for value in _values_of(column, allowed, training)]
        rows = [
            row
            for row in rows
            if all(_is_allowed(v, allowed.get(n)) for n, v in zip(together, row, strict=True))
        ]
        if rows:
            found.append((tuple(together), rows))
    return found


def _values_of(
    column: str, allowed: Mapping[str, Allowed], training: TrainingRows
) -> Iterator[object]:
    if column in training.quantiles:
        yield from dict.fromkeys(training.quantiles[column])
    else:
        domain = allowed[column].values if column in allowed else None
        shares = training.shares.get(column, {})
        yield from (value for value in shares if domain is None or value in domain)


def _is_allowed(value: object, allowed: Allowed | None) -> bool:
    if value is None:
        return False
    if allowed is None:
        return True
    if isinstance(value, str):
        return allowed.values is None or value in allowed.values
    return allowed.low <= float(value) <= allowed.high  # type: ignore[arg-type]


def actions_of(
    choices: Choices,
    coding: Coding,
    training: TrainingRows,
) -> list[Action]:
    """The same in codes; of columns that are changed together a number says how far."""
    found = []
    for columns, rows in choices:
        places = tuple(coding.names.index(name) for name in columns)
        codes = [coding.code(place, [row[n] for row in rows]) for n, place in enumerate(places)]
        far, number, ranks = np.ones(len(rows)), None, np.zeros(0)
        for n, (name, place) in enumerate(zip(columns, places, strict=True)):
            if name in training.quantiles:
                number, ranks = place, training.rank(name, coding.values[place])
            else:
                known = training.shares.get(name, {})
                far -= _COMMON * np.array([known.get(str(row[n]), 0.0) for row in rows])
        found.append(Action(places, np.stack(codes, axis=1), far, number, ranks))
    return found
