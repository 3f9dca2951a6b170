"""Which columns the models learn from, and where each stands in the model inputs."""

import dataclasses
from collections.abc import Collection

import numpy as np

from core.sections import Section


@dataclasses.dataclass(frozen=True)
class TextLayout:
    """How text columns become the `tokens` input: `width` ids for each column, in this order.

    Attributes:
      columns: Text columns.
      vocabulary: How many n-grams, the most frequent of all columns together, have an id.
      width: Ids of a column; n-grams after these are cut off, the rest is filled with padding.
      ngrams: Longest n-gram, in words.
    """

    columns: tuple[str, ...]
    vocabulary: int
    width: int
    ngrams: int


class Layout(Section):
    """Where each column stands in the model inputs.

    The joint id space holds, in this order, `buckets` ids for each numeric column, then for each
    categorical column one id for missing or unknown and one for each value.

    Attributes:
      numeric: Numeric columns, in the order of the `numeric` input.
      categorical: Categorical columns and their values, those of the contract's domains, in the
        order of the `categorical` input.
      buckets: Quantile buckets for each numeric column; the one after the last is for missing.
      text: The text columns, or None when there are none.
    """

    numeric: tuple[str, ...]
    categorical: tuple[tuple[str, tuple[str, ...]], ...]
    buckets: int
    text: TextLayout | None

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that the models learn from."""
        categorical = (column for column, _ in self.categorical)
        return (*self.numeric, *categorical, *(self.text.columns if self.text else ()))

    @property
    def offsets(self) -> tuple[int, ...]:
        """First id of each column: the numeric columns, then the categorical ones."""
        sizes = [self.buckets + 1] * len(self.numeric)
        sizes += [1 + len(values) for _, values in self.categorical]
        return tuple(int(total) for total in np.cumsum([0, *sizes])[:-1])

    @property
    def ids(self) -> int:
        """Size of the joint id space, at least 1."""
        categories = sum(1 + len(values) for _, values in self.categorical)
        return max(1, (self.buckets + 1) * len(self.numeric) + categories)


class Preprocessing(Layout):
    """What preprocessing goes by: all columns, before feature selection.

    Attributes:
      classes: The classes by their codes.
      passed_through: Columns kept as they are, for slicing.
    """

    passed_through: tuple[str, ...]
    classes: tuple[str, ...]

    @property
    def outputs(self) -> int:
        """Numbers that a label and an answer are: 1 for two classes, else one for each."""
        return 1 if len(self.classes) == 2 else len(self.classes)


def not_a_feature(column: str) -> str:
    """Column, always empty, whose place in the selected schema keeps `column` from the models.

    A column that is sliced on stays in the schema after feature selection dropped it, and the names
    of the schema's columns are all that `preprocessing_fn` is shown of it.
    """
    return f"not_a_feature/{column}"  # no column that a configuration names has a slash


def layout_of(columns: Collection[str], preprocessing: Preprocessing) -> Layout:
    """The layout for the columns that are left after feature selection.

    Args:
      columns: Columns of the selected schema.
      preprocessing: What Transform goes by.
    """

    def selected(column: str) -> bool:
        return column in columns and not_a_feature(column) not in columns

    text = preprocessing.text
    texts = tuple(c for c in text.columns if selected(c)) if text else ()
    return Layout(
        numeric=tuple(c for c in preprocessing.numeric if selected(c)),
        categorical=tuple((c, values) for c, values in preprocessing.categorical if selected(c)),
        buckets=preprocessing.buckets,
        text=dataclasses.replace(text, columns=texts) if text and texts else None,
    )
