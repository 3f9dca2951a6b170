"""The rows of each group on which functions vote."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.labels.rows import CodedColumn
from models.labels.votes import ABSTAIN, POSITIVE, Counts, Floats, Gold, Votes


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
