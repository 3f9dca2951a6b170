"""A card as values: sections of lines and tables, whose numbers say what they rest on."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Pointer:
    """Where a value stands.

    Attributes:
      label: Of the source.
      file: In it.
      path: Keys and places in its JSON values.
    """

    label: str
    file: str
    path: tuple[str | int, ...]

    @property
    def text(self) -> str:
        """A JSON pointer (RFC 6901)."""
        return "".join(f"/{_escaped(str(step))}" for step in self.path)


def _escaped(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")


@dataclass(frozen=True)
class Claim:
    """A value as it is shown, and what it rests on; `raw` is the value as JSON."""

    text: str
    pointer: Pointer
    raw: str


@dataclass(frozen=True)
class Called:
    """A text of data, of people or of a configuration: shown as text, whatever it holds."""

    text: str


Part = str | Claim | Called
"""A `str` is prose of the card itself."""
Line = tuple[Part, ...]


@dataclass(frozen=True)
class Listing:
    """Lines, one below the other."""

    lines: Sequence[Line]


@dataclass(frozen=True)
class Grid:
    """A table; the first cell of a row names it."""

    caption: str
    head: Sequence[Line]
    rows: Sequence[Sequence[Line]]


@dataclass(frozen=True)
class PeoplesWords:
    """What people wrote, in Markdown: none of it is checked against anything."""

    text: str


@dataclass(frozen=True)
class History:
    """What happened to a pushed version: it changes when the version is rolled back."""

    block: Listing | Grid
    before: Listing


Block = Listing | Grid | PeoplesWords | History


@dataclass(frozen=True)
class CardSection:
    """A part of a card; `id` is that of its element in HTML."""

    id: str
    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class SourceRow:
    """A line of the table of sources.

    Attributes:
      label: What a card calls it: `m29` is of the artifact with the id 29.
      artifact_id: In ML Metadata; None for what the node was told, and for `version.json`.
      type_name: Of the artifact.
      node: That made it.
      file: Path in the artifact, or `property NAME`.
      sha256: Of the file's bytes or the property's text; empty where it may change.
    """

    label: str
    artifact_id: int | None
    type_name: str
    node: str
    file: str
    sha256: str


@dataclass(frozen=True)
class Card:
    """A whole card.

    Attributes:
      kind: `model_card` or `data_card`.
      node: Node that made it, execution its id, pipeline the pipeline's name: by them whoever
        verifies it finds its sources.
      title: Its heading.
      sections: Its parts.
      sources: What the claims rest on.
    """

    kind: str
    node: str
    execution: str
    pipeline: str
    title: Line
    sections: Sequence[CardSection]
    sources: Sequence[SourceRow]


@dataclass(frozen=True)
class Written:
    """A line of a file.

    Attributes:
      text: Without its end.
      claims: Where in it which claim stands: start, end.
      region: "words" inside what people wrote, "history" inside what may change, else empty.
    """

    text: str
    claims: tuple[tuple[int, int, Claim], ...] = ()
    region: str = ""


WORDS_BEGIN, WORDS_END = "<!-- words of people -->", "<!-- end of the words of people -->"
HISTORY_BEGIN, HISTORY_END = "<!-- history -->", "<!-- end of the history -->"


def mark_of(card: Card) -> str:
    """The line by which a file is known for a card."""
    return f"<!-- {card.kind}: {card.node} execution {card.execution} pipeline {card.pipeline} -->"


def as_text(lines: Sequence[Written]) -> str:
    """The content of a file."""
    return "".join(f"{line.text}\n" for line in lines)
