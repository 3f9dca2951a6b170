"""What is measured, on which slices, and bounded."""

from typing import Annotated, Literal

from pydantic import Field

from core.sections.section import Count, Limit, Section, Share, Text


class Bounds(Section):
    """What a target's model has to keep to before it is pushed.

    Metrics and rates by the names of `models/metrics/registry.py`; loading the configuration checks
    them.
    """

    min: dict[str, Limit]
    min_by_slice: dict[str, Limit]
    min_by_class: dict[str, Share]
    max_drop: dict[str, Limit]
    max_gap: dict[Text, dict[str, Share]]
    max_gap_growth: dict[Text, dict[str, Share]]
    max_drop_from_teacher: dict[str, Limit]
    min_over_reference: dict[str, Annotated[float, Field(ge=-1, le=1)]]
    better_than_chance: bool


class Judging(Section):
    """What is said of figures that rest on few rows."""

    min_slice_rows: Count
    few_rows: Count
    when_too_few: Literal["warn", "fail"]


class Slicing(Section):
    """On which slices is measured."""

    slices: tuple[Annotated[tuple[Text, ...], Field(min_length=1)], ...]
    min_slice_rows: Count


class EvaluationSection(Slicing, Judging):
    """What is measured, on which slices, and bounded."""

    server: Bounds
    edge: Bounds

    def bounds_of(self, target: str) -> Bounds:
        """The bounds of a target of core/targets.py."""
        bounds: Bounds = getattr(self, target)
        return bounds
