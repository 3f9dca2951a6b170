"""The columns of a file of `to-label`, and what a spreadsheet does to their cells.

It reads `1.0`, `007` and `2024-05-01` as numbers and dates and writes them in its own way: `1`,
`7`, `01.05.2024`. Such a cell is the same; one of another row is not.
"""

import re
import unicodedata
from collections.abc import Sequence

from core.names import ROW_ID
from core.numbers import read_float
from pipeline.report.markup import spreadsheet_cell

ADDED = (
    "probability",
    "votes",
    "answer",
    "allowed_answers",
    "annotator",
    "selection",
    "inclusion_probability",
    "row_sha256",
)
# Relative: a spreadsheet writes what it shows, and keeps 15 digits of a whole number.
_SCIENTIFIC, _FRACTION, _WHOLE = 1e-5, 1e-8, 1e-14
_DATE = re.compile(
    r"(\d{1,4})[-/. ](\d{1,2})[-/. ](\d{1,4})(?:[ t](\d{1,2}(?::\d{2}){1,2}))?", re.ASCII
)


def shown_names(columns: Sequence[str]) -> list[str]:
    """Names in the file of the columns of the data: those that `to-label` adds are taken."""
    return [f"{c} (data)" if c in (ROW_ID, *ADDED) else c for c in columns]


def is_same(cell: str, written: str) -> bool:
    """Whether a cell is what was written, whatever a spreadsheet made of its form."""
    if cell == spreadsheet_cell(written):
        return True
    one, other = _plain(cell), _plain(written)
    return one == other or _is_same_number(one, other) or _is_same_date(one, other)


def _plain(cell: str) -> str:
    """Without blanks at its ends or apostrophe in front, with single blanks, in small letters."""
    text = " ".join(unicodedata.normalize("NFC", cell).split())
    return text.removeprefix("'").strip().casefold()


def _is_same_number(one: str, other: str) -> bool:
    first, second = _number(one), _number(other)
    if first is None or second is None:
        return False
    whole = first.is_integer() and second.is_integer()
    precision = _SCIENTIFIC if "e" in one else _WHOLE if whole else _FRACTION
    return abs(first - second) <= precision * max(abs(first), abs(second))


def _number(text: str) -> float | None:
    plain = read_float(text.replace(",", ".")) if text else None
    return None if plain is None else float(plain)


def _is_same_date(one: str, other: str) -> bool:
    """Of whatever order and with years of two digits, too."""
    first, second = _DATE.fullmatch(one), _DATE.fullmatch(other)
    if first is None or second is None:
        return False
    days = [sorted(int(number) % 100 for number in found.groups()[:3]) for found in (first, second)]
    times = {re.sub("(:00)+$", "", found[4] or "0").lstrip("0") for found in (first, second)}
    return days[0] == days[1] and len(times) == 1
