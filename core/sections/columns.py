"""The columns by kind, and the label."""

from typing import Annotated

from pydantic import Field

from core.names import BOTH
from core.sections.section import Section, Text


class Group(Section):
    """A column derived from a numeric one: which of the intervals between `bounds` it is in."""

    column: Text
    bounds: Annotated[tuple[float, ...], Field(min_length=1)]


class DateFormat(Section):
    """How the texts of a column of dates or times are written."""

    format: Text
    timezone: Text = "UTC"


class TrueLabel(Section):
    """The column with the true label, and its classes.

    Attributes:
      label: The column.
      classes: Its values, in the order of the models' outputs.
      positive: Of two classes the one that is detected; None where there are more.
    """

    label: Text
    classes: Annotated[tuple[Text, ...], Field(min_length=2)]
    positive: Text | None

    @property
    def is_binary(self) -> bool:
        """Whether one class is told from one other."""
        return len(self.classes) == 2

    @property
    def names(self) -> tuple[str, ...]:
        """The classes by their codes 0, 1, ...; of two the positive one has the code 1."""
        if not self.is_binary or self.positive != self.classes[0]:
            return self.classes
        return self.classes[::-1]

    @property
    def called(self) -> tuple[str, ...]:
        """What reports call the classes, by their codes."""
        return BOTH if self.is_binary else self.classes

    @property
    def both(self) -> tuple[str, str]:
        """Of two classes the negative and the positive one."""
        negative, positive = self.names
        return negative, positive

    @property
    def width(self) -> int:
        """Numbers that a label is: the probability of the positive class, or a share of each."""
        return 1 if self.is_binary else len(self.classes)


class ColumnsSection(TrueLabel):
    """The columns by kind, and the label."""

    numeric: tuple[Text, ...]
    categorical: tuple[Text, ...]
    text: tuple[Text, ...]
    dates: dict[Text, DateFormat]
    groups: dict[Text, Group]

    @property
    def features(self) -> tuple[str, ...]:
        """All columns that the models may learn from."""
        return (*self.numeric, *self.categorical, *self.text, *self.dates)
