"""What is explained of the models' answers, and what cards say that no node can know."""

from typing import Annotated

from pydantic import Field

from core.sections.section import Section, Text


class KeptRows(Section):
    """Which training rows are kept beside a pushed version."""

    background: Annotated[int, Field(ge=2, le=10_000)]
    keep_rows: bool


class Explaining(Section):
    """How many rows are explained, and how many stand for what is unknown."""

    rows: Annotated[int, Field(ge=10, le=100_000)]
    background: Annotated[int, Field(ge=2, le=10_000)]


class ExplainSection(Explaining, KeptRows):
    """What is explained of the models' answers."""

    enabled: bool
    actionable: tuple[Text, ...]


class CardsSection(Section):
    """What cards say that no node can know."""

    intended_use: Text
    source: Text | None
    licence: Text | None
    sensitive: tuple[Text, ...]
