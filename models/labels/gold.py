"""What the gold rows tell of classes: whether there are rows of each, and how common each is."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from models.labels.votes import Floats, Gold


def check_gold(rows: int) -> None:
    """Checks that there are gold rows at all.

    Raises:
      InputError: There are none.
    """
    if rows == 0:
        raise InputError(
            "no gold rows: labeling.gold_rows is 0 and nobody has answered yet; have rows "
            "labelled: python -m pipeline to-label"
        )


def class_balance(rows: Sequence[int], classes: Sequence[str]) -> Floats:
    """Share of each class among gold rows, float64 [classes].

    Args:
      rows: How many there are of each.
      classes: Their names.

    Raises:
      InputError: There are none of a class.
    """
    if lacking := [f"'{name}'" for name, count in zip(classes, rows, strict=True) if count == 0]:
        raise InputError(
            f"none of {sum(rows)} gold rows has the class {', '.join(lacking)}; some of each class "
            "are needed: raise labeling.gold_rows or labeling.gold_of_class, label rows of it, or "
            "correct columns.classes"
        )
    return np.array(rows, dtype=np.float64) / sum(rows)


def rows_of_classes(labels: NDArray[np.int8], classes: int) -> list[int]:
    """How many rows there are of each class."""
    return [int(count) for count in np.bincount(labels, minlength=classes)]


def measurable(
    gold: Gold, labeled: Sequence[int], classes: Sequence[str]
) -> tuple[Gold, Floats | None]:
    """Gold rows on which methods can be judged, and the class balance where they do not tell it.

    Where a class is so rare that the rows drawn at random have none of it, all of them have to
    measure, and how common the class is, the count of all labels says.

    Args:
      gold: The gold rows.
      labeled: Rows with a true label, by class.
      classes: Their names.
    """
    every, drawn = (len(set(rows.labels.tolist())) for rows in (gold, gold.drawn))
    if every < len(classes) or drawn == every or not all(labeled):
        return gold, None
    return Gold(gold.votes, gold.labels), class_balance(labeled, classes)
