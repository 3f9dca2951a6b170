"""Which raw data a run takes, what stops it, and options of the data work."""

from typing import Annotated, Literal

from pydantic import Field

from core.sections.section import Count, Section, Share, Text

FileName = Annotated[str, Field(pattern=r"^[^/]+$")]
SpanNumber = Annotated[int, Field(ge=0)]


class DataSection(Section):
    """Which raw data a run takes."""

    loader: Text | None
    source: Text | None
    folder: Text | None
    answers: Text | None
    window: Count | None
    completion_marker: FileName | None
    checksum_file: FileName
    accept_spans: tuple[SpanNumber, ...]
    hold_back_spans: tuple[SpanNumber, ...]
    max_repeated: Share | None
    max_unreadable_dates: Share | None
    rows: Annotated[int, Field(ge=100)] | None
    eval_fraction: Annotated[float, Field(ge=0.01, le=0.9)]


class AnomaliesSection(Section):
    """What stops a run before it trains."""

    severity: Literal["WARNING", "ERROR"]
    accept: tuple[Text, ...]


class BeamSection(Section):
    """Options of the data work."""

    args: tuple[Annotated[str, Field(pattern="^--")], ...]
