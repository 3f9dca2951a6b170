"""Rows that are made of real ones: what a teacher has to say is not used up by the real rows.

Source: Fakoor, Mueller, Erickson, Chaudhari and Smola, "Fast, Accurate, and Simple Models for
Tabular Data via Augmented Distillation" (2020), arXiv:2006.14284; columns are swapped between rows
as in its baseline of that kind, whose cost is next to nothing.
"""

import dataclasses
from collections.abc import Sequence
from typing import Literal

import numpy as np

from models.distillation.columns import ColumnPlaces
from models.network.rows import Rows

_ENOUGH_ROWS = 10_000  # with so many real rows `auto` makes none: in trials they no longer helped
_MOST_TIMES = 10  # rows that `auto` makes of each


def rows_to_make(augmentation: float | Literal["auto"], rows: int, columns: int) -> int:
    """How many rows to make.

    Args:
      augmentation: Multiple of the real rows; `auto`: as many as there are too few, at most ten of
        each.
      rows: How many real ones there are.
      columns: Of one column alone no new rows can be made.
    """
    if columns < 2:
        return 0
    if augmentation == "auto":
        return int(np.clip(_ENOUGH_ROWS - rows, 0, _MOST_TIMES * rows))
    return round(augmentation * rows)


def swapped(
    rows: Rows, columns: Sequence[ColumnPlaces], count: int, swap: float, seed: int
) -> Rows:
    """Makes rows in which some columns have the value of another row.

    Every row is made of another real one, as long as there are more of these.

    Args:
      rows: Real rows.
      columns: The places of each column; all of them move together.
      count: How many to make.
      swap: Probability with which a column takes the value of a row drawn at random.
      seed: Of the draws.

    Returns:
      Rows of weight 0, with the label of the row that they are made of, which need not be theirs;
      they count for no group.
    """
    draw = np.random.default_rng(seed)
    base = np.concatenate(
        [draw.permutation(rows.count) for _ in range(-(-count // rows.count))] or [np.zeros(0, int)]
    )[:count]
    made = rows.take(base)
    for places in columns:
        moved = np.flatnonzero(draw.random(count) < swap)
        donor = draw.integers(rows.count, size=len(moved))
        for values, found, where in (
            (made.numeric, rows.numeric, places.numeric),
            (made.categorical, rows.categorical, places.categorical),
            (made.tokens, rows.tokens, places.tokens),
        ):
            if where and values is not None and found is not None:
                at = np.array(where)
                values[np.ix_(moved, at)] = found[np.ix_(donor, at)]
    counted = None if made.counted is None else np.zeros_like(made.counted)
    return dataclasses.replace(made, weight=np.zeros_like(made.weight), counted=counted)
