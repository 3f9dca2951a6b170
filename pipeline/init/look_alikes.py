"""Texts that are one to the eye of their writer and several to a program."""

import unicodedata
from collections.abc import Iterable

from core.numbers import read_float

SHOWN = 4


def groups(values: Iterable[str]) -> list[list[str]]:
    """Those that differ in nothing but capitals, blanks, the composition of letters, or `1` and
    `1.0`; each group sorted.
    """
    alike: dict[str, list[str]] = {}
    for value in values:
        alike.setdefault(_core(value), []).append(value)
    return [sorted(same) for same in alike.values() if len(same) > 1]


def told(same: Iterable[str]) -> str:
    """`'Yes', 'yes'`; letters that are composed of several characters are written out."""
    words = [f"'{_spelt(value)}'" for value in same]
    more = [f"and {len(words) - SHOWN} more"] if len(words) > SHOWN else []
    return ", ".join([*words[:SHOWN], *more])


def _core(value: str) -> str:
    plain = read_float(value)
    if plain is not None:
        return plain
    # Composed again, as some capitals are decomposed when they become small.
    small = unicodedata.normalize("NFC", unicodedata.normalize("NFC", value).casefold())
    return " ".join(small.split())


def _spelt(value: str) -> str:
    if unicodedata.is_normalized("NFC", value):
        return value
    return "".join(
        c if not unicodedata.combining(c) else c.encode("unicode_escape").decode() for c in value
    )
