"""How labels treat groups of people: coverage of all rows, error on gold rows, by group."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.intervals import wilson_interval
from models.labels.rows import Columns, Value, coded

MISSING = "missing"  # the group of rows without a value

Counts = dict[str, dict[str, tuple[int, int]]]
"""By column and group: all rows, and those on which a function votes."""


def name_of(value: Value) -> str:
    """What the group of rows with this value is called."""
    return MISSING if value is None else str(value)


def count(columns: Columns, covered: NDArray[np.bool_]) -> Counts:
    """Rows and covered rows of each group.

    Args:
      columns: Columns of groups; None where a row's group is not known.
      covered: bool [rows], whether a function votes.
    """
    counts: Counts = {}
    for name, column in columns.items():
        rows = np.bincount(column.codes, minlength=len(column.values))
        voted = np.bincount(column.codes[covered], minlength=len(column.values))
        counts[name] = {
            name_of(value): (int(rows[code]), int(voted[code]))
            for code, value in enumerate(column.values)
            if rows[code]
        }
    return counts


def merge(parts: Iterable[Counts]) -> Counts:
    """The counts of several parts of the rows, together."""
    merged: Counts = {}
    for part in parts:
        for column, groups in part.items():
            total = merged.setdefault(column, {})
            for name, (rows, covered) in groups.items():
                before = total.get(name, (0, 0))
                total[name] = (before[0] + rows, before[1] + covered)
    return merged


def report(
    counts: Counts, gold: Mapping[str, Sequence[Value]], wrong: NDArray[np.bool_]
) -> dict[str, dict[str, dict[str, Any]]]:
    """Figures of each group, by column and group, the largest group first.

    `rows`; `coverage`, the share of them with a vote; `gold_rows`; `error`, the share of these that
    the labels get wrong, and `error_interval`, its 95% Wilson interval; null without gold rows.

    Args:
      counts: What `count` found on all rows.
      gold: Group of each gold row, by column.
      wrong: bool [gold rows], whether a label model that did not see the row mislabels it.
    """
    of_gold = count({column: coded(values) for column, values in gold.items()}, wrong)
    return {
        column: {
            name: {
                "rows": rows,
                "coverage": covered / rows,
                **_error(*of_gold.get(column, {}).get(name, (0, 0))),
            }
            for name, (rows, covered) in sorted(groups.items(), key=lambda g: (-g[1][0], g[0]))
        }
        for column, groups in counts.items()
    }


def _error(gold_rows: int, wrong: int) -> dict[str, Any]:
    return {
        "gold_rows": gold_rows,
        "error": wrong / gold_rows if gold_rows else None,
        "error_interval": wilson_interval(wrong, gold_rows),
    }
