"""How values are shown in a card."""

import math
import unicodedata
from collections.abc import Mapping
from typing import Any

NOT_THERE = "not measurable"
_SMALL = 1e-3
_TURNING = {*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C}
_STEERING = ("Cc", "Cs", "Zl", "Zp")  # control characters, lone surrogates, ends of lines


def plain(value: Any) -> str:
    """A number to four decimals, a whole one in full, an interval in brackets, a text as it is."""
    if value is None:
        return NOT_THERE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, list):
        return f"[{', '.join(map(plain, value))}]"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {plain(each)}" for key, each in value.items())
    return str(value)


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "not a number"
    return f"{value:.2e}" if 0 < abs(value) < _SMALL else f"{value:.4f}"


def interval(value: Any) -> str:
    """A 95% interval in brackets."""
    return "no interval" if value is None else plain(value)


def microseconds(value: Any) -> str:
    """To a tenth."""
    return f"{value:,.1f}" if isinstance(value, int | float) else NOT_THERE


def count(value: Any) -> str:
    """How many entries a list or an object has."""
    return f"{len(value):,}" if value is not None else NOT_THERE


def shown(text: str) -> str:
    """A text on one line: what would steer a terminal, a page or its direction is written out."""
    return "".join(map(_visible, text))


def _visible(character: str) -> str:
    if unicodedata.category(character) in _STEERING or ord(character) in _TURNING:
        return character.encode("unicode_escape", "surrogatepass").decode("ascii")
    return character
