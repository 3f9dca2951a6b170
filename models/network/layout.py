"""Which columns the models learn from, and where each stands in the model inputs."""

import dataclasses
import itertools
from collections.abc import Collection

from core.sections.section import Section
from models.columns.date_formats import PARTS, DateColumn


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


@dataclasses.dataclass(frozen=True)
class HashedLayout:
    """How categorical columns of many values become ids.

    Attributes:
      columns: Columns whose values the contract does not list.
      vocabulary: How many values, the most frequent of all columns together, have an id.
      buckets: Ids of each column for its other values, chosen by a hash.
    """

    columns: tuple[str, ...]
    vocabulary: int
    buckets: int


@dataclasses.dataclass(frozen=True)
class Offsets:
    """First ids in the joint id space.

    Attributes:
      numbers: Of each numeric column, then of the age of each date.
      listed: Of each categorical column whose values are listed.
      parts: Of each part of each date.
      hashed: Of each categorical column of many values.
      vocabulary: Of the values of all these columns; as many ids lie before it.
    """

    numbers: tuple[int, ...]
    listed: tuple[int, ...]
    parts: tuple[int, ...]
    hashed: tuple[int, ...]
    vocabulary: int


class Layout(Section):
    """Where each column stands in the model inputs.

    The joint id space holds, in this order: for each numeric column and for the age of each date
    `buckets` ids and one for missing; for each categorical column whose values are listed one id
    for unknown, one for each value, and one for missing; for each part of each date an id for each
    value and one for missing; for each categorical column of many values its hash buckets and one
    for missing; and the vocabulary of the latter, whose size only Transform knows.

    Attributes:
      numeric: Numeric columns, in the order of the `numeric` input, where the ages of dates follow.
      categorical: Categorical columns and their values, those of the contract's domains, in the
        order of the `categorical` input, where the parts of dates and the columns of `hashed`
        follow.
      buckets: Quantile buckets for each numeric column; the one after the last is for missing.
      text: The text columns, or None when there are none.
      dates: Columns of dates and times.
      hashed: Categorical columns of many values, or None when there are none.
    """

    numeric: tuple[str, ...]
    categorical: tuple[tuple[str, tuple[str, ...]], ...]
    buckets: int
    text: TextLayout | None
    dates: tuple[DateColumn, ...] = ()
    hashed: HashedLayout | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that the models learn from."""
        listed = (column for column, _ in self.categorical)
        dates = (date.column for date in self.dates)
        hashed = self.hashed.columns if self.hashed else ()
        text = self.text.columns if self.text else ()
        return (*self.numeric, *listed, *dates, *hashed, *text)

    @property
    def numbers(self) -> int:
        """Values of the `numeric` input: numeric columns and ages of dates."""
        return len(self.numeric) + len(self.dates)

    @property
    def categories(self) -> int:
        """Values of the `categorical` input."""
        offsets = self.offsets
        return sum(map(len, (offsets.numbers, offsets.listed, offsets.parts, offsets.hashed)))

    @property
    def offsets(self) -> Offsets:
        """First ids of the columns."""
        sizes = (
            [self.buckets + 1] * self.numbers,
            [2 + len(values) for _, values in self.categorical],
            [1 + PARTS[part] for date in self.dates for part in date.parts],
            [self.hashed.buckets + 1] * len(self.hashed.columns) if self.hashed else [],
        )
        ends = iter(itertools.accumulate(itertools.chain.from_iterable(sizes), initial=0))
        numbers, listed, parts, hashed = (tuple(itertools.islice(ends, len(s))) for s in sizes)
        return Offsets(numbers, listed, parts, hashed, vocabulary=next(ends))

    @property
    def ids(self) -> int:
        """Size of the joint id space without a fitted vocabulary, at least 1."""
        return max(1, self.offsets.vocabulary)


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

    text, hashed = preprocessing.text, preprocessing.hashed
    texts = tuple(c for c in text.columns if selected(c)) if text else ()
    many_valued = tuple(c for c in hashed.columns if selected(c)) if hashed else ()
    return Layout(
        numeric=tuple(c for c in preprocessing.numeric if selected(c)),
        categorical=tuple((c, values) for c, values in preprocessing.categorical if selected(c)),
        buckets=preprocessing.buckets,
        text=dataclasses.replace(text, columns=texts) if text and texts else None,
        dates=tuple(date for date in preprocessing.dates if selected(date.column)),
        hashed=dataclasses.replace(hashed, columns=many_valued) if hashed and many_valued else None,
    )
