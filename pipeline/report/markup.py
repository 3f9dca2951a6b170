"""Text of people and of data as text: it steers neither a terminal nor a spreadsheet. Figures.

Tables of a terminal.
"""

import unicodedata

from rich import markup
from rich.box import SIMPLE_HEAD
from rich.table import Table

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_KEPT = ("\n", "\t")
_STEERING = ("Cc", "Cs")  # control characters (escape sequences begin with one), lone surrogates
_TURNING = {*range(0x202A, 0x202F), *range(0x2066, 0x206A)}  # writing direction


def escape(text: str) -> str:
    """For rich: brackets are brackets, and control characters are written out."""
    return markup.escape("".join(map(_visible, text)))


def _visible(character: str) -> str:
    steers = unicodedata.category(character) in _STEERING or ord(character) in _TURNING
    if steers and character not in _KEPT:
        return character.encode("unicode_escape", "surrogatepass").decode("ascii")
    return character


def spreadsheet_cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula: with an apostrophe, if it is no number."""
    if not text.startswith(_FORMULA):
        return text
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return text


def figure(value: float | None, interval: tuple[float, float] | None = None) -> str:
    """`0.159 [.120, .198]`: a value to three digits with its interval; - where there is none."""
    if value is None:
        return "-"
    text = f"{value:.3f}"
    return f"{text} [{', '.join(map(short, interval))}]" if interval else text


def short(value: float) -> str:
    """.833 for 0.833."""
    return f"{value:.3f}".replace("0.", ".", 1) if abs(value) < 1 else f"{value:.3f}"


def table_of(*heads: str) -> Table:
    """A table without rows, whose cells are folded where a terminal is narrow."""
    table = Table(box=SIMPLE_HEAD)
    for head in heads:
        table.add_column(head, overflow="fold")
    return table
