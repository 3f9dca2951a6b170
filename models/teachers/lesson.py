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

FEW_ROWS = 20_000  # with so many real rows `auto` makes none of wide tables, nor for a search
_MANY_ROWS = 60_000  # nor of others
_VALUES = 1_200_000  # of the inputs of a network, in the rows that are enough of other tables
_SWAP = 0.25  # probability with which a column of a made row comes from another row


@dataclasses.dataclass(frozen=True)
class TeacherLesson:
    """How labels become what a network is fitted to.

    Attributes:
      opinion: Of simple models.
      columns: The places of each column, to make rows.
      share: Of the opinion in the labels of real rows; the rest is the label. Of made rows there is
        the opinion alone.
      made: How many rows are made of so many; `auto`: as many as are missing to `enough`.
      enough: Rows.
      seed: Of the made rows.
    """

    opinion: Opinion
    columns: Sequence[ColumnPlaces]
    share: float
    made: float | Literal["auto"]
    enough: int
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
        if len(self.columns) < 2:
            return 0  # of one column alone none can be made
        return max(0, self.enough - rows) if self.made == "auto" else round(self.made * rows)

    def _mixed(self, rows: Rows) -> np.ndarray:
        label = self.share * self.opinion.of(rows) + (1 - self.share) * rows.label
        return np.asarray(label, np.float32)


def enough_rows(inputs: ModelInputs) -> int:
    """With so many real rows `auto` makes none: fewer where each has many values."""
    values = inputs.numeric + inputs.categorical + inputs.text * inputs.tokens
    return int(np.clip(_VALUES // values, FEW_ROWS, _MANY_ROWS))


def teacher_lesson_of(
    rows: tuple[Rows, Rows],
    layout: Layout,
    inputs: ModelInputs,
    section: Teaching,
    seed: int,
    most: int | None = None,
) -> TeacherLesson | None:
    """What is made of labels and rows; None where they are learnt as they are.

    Args:
      rows: Of train and eval.
      layout: What they hold.
      inputs: Widths of the features.
      section: What to go by.
      seed: Of LightGBM and of the made rows.
      most: With so many real rows `auto` makes none, however narrow the table; None: as many as
        its width asks for.
    """
    if section.kind != "boosted_trees" or has_one_class(rows[0]):
        return None
    width = max(2, inputs.outputs)
    opinion = opinion_of(*rows, layout, width, section.trees, seed)
    return TeacherLesson(
        opinion,
        places_of(layout, inputs),
        section.opinion_share,
        section.augmentation,
        most or enough_rows(inputs),
        seed,
    )
