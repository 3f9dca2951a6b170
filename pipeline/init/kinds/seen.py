"""A column as it was found, and the words in which it is told."""

import shlex
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from core.numbers import is_too_large

LEFT_OUT, LABEL = "left out", "label"
ROWS_A_VALUE = 5  # at least, on average, of a category of many values
MEND = "mend the cells, or name what means unknown with --missing TEXT"

Counts = Counter[str]  # the different cells that are there, and how often


@dataclass(frozen=True)
class Seen:
    """A column as it was found.

    Attributes:
      header: Its name in the file.
      kind: A kind of core/raw_table.py, LABEL or LEFT_OUT.
      why: What in the values says so.
      advice: What to do if something else is wanted; "" where nothing is to be said.
      values: Distinct values of a category that the contract lists, sorted.
      format: Of dates, how they are written.
      learned: Whether models learn from it, or results are only sliced by it.
    """

    header: str
    kind: str
    why: str
    advice: str = ""
    values: tuple[str, ...] = ()
    format: str = ""
    learned: bool = True


def short(cell: str) -> str:
    """A cell as it is told: on one line, its beginning."""
    flat = " ".join(cell.split())
    return flat if len(flat) <= 30 else f"{flat[:29]}\u2026"


def stray(counts: Counts, known: Mapping[str, object]) -> str:
    """How many cells are not of those that are known, and one of them."""
    others = [cell for cell in counts if cell not in known]
    rows = sum(counts[cell] for cell in others)
    large = all(is_too_large(cell, whole=False) for cell in others)
    are = "too large for 32-bit floats, as models see numbers" if large else "none"
    return f"{rows} cells are {are}, e.g. '{short(others[0])}' ({len(others)} different)"


def otherwise(header: str, kind: str) -> str:
    """The flag that makes another kind of a column."""
    return f"--kind {shlex.quote(f'{header}={kind}')}"
