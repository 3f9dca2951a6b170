"""The files of the cards, and the history in them, which changes after a push."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from core.files import write_atomically
from core.names import CARD_FILES
from core.version_record import VersionRecord, read_record
from models.cards import html, markdown
from models.cards.data_card import data_card
from models.cards.document import HISTORY_BEGIN, HISTORY_END, Card, Written, as_text
from models.cards.history import history_of
from models.cards.model_card import model_card
from models.cards.sources import Sources
from models.cards.told import CardSettings

_WRITERS = {".md": markdown.to_markdown, ".html": html.to_html}
_HISTORIES = {".md": markdown.history_lines, ".html": html.history_lines}


def card_lines(
    file: str,
    sources: Sources,
    told: CardSettings,
    words: str,
    record: tuple[int, VersionRecord] | None = None,
) -> list[Written]:
    """The lines of one file; arguments as for `model_card`.

    Args:
      file: One of CARD_FILES.
    """
    kind = Path(file)
    card: Card
    if kind.stem == "model_card":
        card = model_card(sources, told, words, record)
    else:
        card = data_card(sources, told)
    return _WRITERS[kind.suffix](card)


def card_files(
    sources: Sources,
    told: CardSettings,
    words: str,
    record: tuple[int, VersionRecord] | None = None,
) -> Mapping[str, str]:
    """The content of all files by name; arguments as for `model_card`."""
    return {n: as_text(card_lines(n, sources, told, words, record)) for n in CARD_FILES}


def with_history(file: str, text: str, record: tuple[int, VersionRecord] | None) -> str:
    """A card's text with another history; as it is where it has none.

    Args:
      file: Its name, by whose ending it is Markdown or HTML.
    """
    before, begin, rest = text.partition(f"{HISTORY_BEGIN}\n")
    _, end, after = rest.partition(f"{HISTORY_END}\n")
    if not begin or not end:
        return text
    history = as_text(_HISTORIES[Path(file).suffix](history_of(record)))
    return f"{before}{begin}{history}{end}{after}"


def put_cards(cards: Path, version: Path, number: int) -> None:
    """Copies cards beside a version's record, with what the record says as their history.

    Args:
      cards: Folder of the files; those that are not there are left out.
      version: Folder of the version, its record in it.
      number: That the version will have.
    """
    record = read_record(version)
    for name in CARD_FILES:
        if (cards / name).is_file() and record is not None:
            text = (cards / name).read_text(encoding="utf-8")
            write_atomically(version / name, with_history(name, text, (number, record)))


def rewrite_history(version: Path) -> None:
    """Brings the history in a version's cards up to its record; without cards nothing is done.

    What is done to a version does not fail for a card that cannot be read or written.
    """
    with suppress(OSError, ValueError):
        put_cards(version, version, int(version.name))
