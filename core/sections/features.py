"""Which columns the models see, and how."""

from typing import Annotated, Literal

from pydantic import Field

from core.sections.section import Count, Section, Share


class Selection(Section):
    """Which columns the models see.

    Attributes:
      select: Whether any is dropped.
      keep: How many columns, or those that hold a share of the importance, or all that are not
        noise where noise hurts; None: whatever their scores.
      min_presence: Share of rows that have a value.
      max_share: Of the rows with a value those with the most frequent one.
    """

    select: bool
    keep: Count | Annotated[float, Field(gt=0, lt=1)] | Literal["auto"] | None
    min_presence: Share
    max_share: Annotated[float, Field(gt=0, le=1)]


class FeaturesSection(Selection):
    """Which columns the models see, and how."""

    buckets: Annotated[int, Field(ge=2, le=1024)]
    vocabulary: Annotated[int, Field(ge=1, le=1_000_000)]
    hash_buckets: Annotated[int, Field(ge=1, le=65_536)]
    text_vocabulary: Annotated[int, Field(ge=1, le=1_000_000)]
    text_tokens: Annotated[int, Field(ge=1, le=4096)]
    text_ngrams: Annotated[int, Field(ge=1, le=5)]
