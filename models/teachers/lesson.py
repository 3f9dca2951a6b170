"""The rows that a teacher learns from: real ones, and made ones where those are few.

Source: Fakoor, Mueller, Erickson, Chaudhari and Smola, "Fast, Accurate, and Simple Models for
Tabular Data via Augmented Distillation" (2020), arXiv:2006.14284.
"""

import dataclasses
from collections.abc import Sequence
from typing import Literal

import numpy as np

from core.sections.training import Teaching
from models.distillation.augmentation import swapped
from models.distillation.columns import ColumnPlaces, places_of
from models.network.layout import Layout
from models.network.preprocessing import ModelInputs
from models.network.rows import Rows
from models.teachers.opinion import Opinion, has_one_class, opinion_of

_ENOUGH_ROWS = 20_000  # with so many real rows `auto` makes none
_SWAP = 0.25  # probability with which a column of a made row comes from another row


@dataclasses.dataclass(frozen=True)
class TeacherLesson:
    """How labels become what a network is fitted to.

    Attributes:
      opinion: Of simple models.
      columns: The places of each column, to make rows.
      share: Of the opinion in the labels of real rows; the rest is the label. Of made rows there is
        the opinion alone.
      made: How many rows are made of so many; `auto`: as many as are missing to 20,000.
      seed: Of the made rows.
    """

    opinion: Opinion
    columns: Sequence[ColumnPlaces]
    share: float
    made: float | Literal["auto"]
    seed: int

    def of(self, rows: Rows) -> Rows:
        """Rows with the opinion in their labels, then made ones.

        Rows of weight 0 are left out. A made row weighs as much as a real one does on average. The
        label stays float32 [rows, outputs].
        """
        real = rows.weighted()
        real = dataclasses.replace(real, label=self._mixed(real))
        if not (count := self.count(real.count)):
            return real
        made = swapped(real, self.columns, count, _SWAP, self.seed)
        label, weight = self.opinion.of(made), np.ones_like(made.weight)
        return real.followed_by(dataclasses.replace(made, label=label, weight=weight))

    def again(self, rows: Rows) -> "TeacherLesson":
        """The same lesson, with an opinion that was fitted to other rows."""
        fitted = self.opinion.again
        return dataclasses.replace(self, opinion=fitted(rows)) if fitted else self

    def count(self, rows: int) -> int:
        """How many rows are made of so many."""
        return rows_to_make(self.made, rows, len(self.columns))

    def _mixed(self, rows: Rows) -> np.ndarray:
        label = self.share * self.opinion.of(rows) + (1 - self.share) * rows.label
        return np.asarray(label, np.float32)


def rows_to_make(made: float | Literal["auto"], rows: int, columns: int) -> int:
    """How many rows are made.

    Args:
      made: For each real row; `auto`: as many as are missing to 20,000 rows.
      rows: Real ones that weigh anything.
      columns: Raw columns; of one alone no other row can be made.
    """
    if columns < 2:
        return 0
    return max(0, _ENOUGH_ROWS - rows) if made == "auto" else round(made * rows)


def teacher_lesson_of(
    rows: tuple[Rows, Rows],
    layout: Layout,
    inputs: ModelInputs,
    section: Teaching,
    seed: int,
) -> TeacherLesson | None:
    """What is made of labels and rows; None where they are learnt as they are.

    Args:
      rows: Of train and eval.
      layout: What they hold.
      inputs: Widths of the features.
      section: What to go by.
      seed: Of LightGBM and of the made rows.
    """
    if section.kind != "boosted_trees" or has_one_class(rows[0]):
        return None
    width = max(2, inputs.outputs)
    opinion = opinion_of(*rows, layout, width, section.trees, seed)
    columns = places_of(layout, inputs)
    return TeacherLesson(opinion, columns, section.opinion_share, section.augmentation, seed)
