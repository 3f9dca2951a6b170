"""Says what is wrong with what a configuration has cards say."""

import difflib
from collections.abc import Iterator
from pathlib import Path

from core.config import Config
from core.contract import read_contract
from pipeline.config.overlay import KeyPath

LONGEST = 16_000
"""Characters of what people write of use and limits: ML Metadata keeps it with each card, and MySQL
65,535 bytes of a text.
"""


def check_cards(config: Config, repository: Path) -> Iterator[tuple[KeyPath, str]]:
    """What is wrong with `cards`."""
    path, key = repository / config.cards.intended_use, ("cards", "intended_use")
    try:
        written = len(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        what = "is not UTF-8" if isinstance(error, UnicodeDecodeError) else error.strerror
        yield key, f"{path}: {what}; give a Markdown file that says what the models are for"
    else:
        if written > LONGEST:
            yield key, f"{path}: has {written} characters; at most {LONGEST} go into a card"
    yield from _check_sensitive(config, repository)


def _check_sensitive(config: Config, repository: Path) -> Iterator[tuple[KeyPath, str]]:
    contract = repository / config.contract
    declared = read_contract(contract) if contract.is_file() else {}
    known = [*config.columns.features, *config.columns.groups, *declared]
    for name in config.cards.sensitive:
        if name not in known:
            close = difflib.get_close_matches(name, known, 1, 0)
            hint = f"; the nearest is '{close[0]}'" if close else ""
            yield ("cards", "sensitive"), f"'{name}' is neither a column nor a group{hint}"
