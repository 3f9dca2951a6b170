"""Reads CSV files as text and checks them against the columns that are expected.

Every problem is an InputError that names file, row (the first row after the header is 1) and
column, and says what to do.
"""

import difflib
import math
import re
from collections.abc import Collection
from dataclasses import dataclass

import pandas as pd

from core import csv_text
from core.errors import InputError

_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_INT64 = range(-(2**63), 2**63)


@dataclass(frozen=True)
class ColumnKinds:
    """The columns of a raw file, in order, with the type that the schema gives each.

    kinds: INT, FLOAT or BYTES by column name.
    optional: columns that a file may do without; they are added, empty.
    """

    kinds: dict[str, str]
    optional: Collection[str]


def read_table(content: bytes, name: str, columns: ColumnKinds) -> pd.DataFrame:
    """Parses and checks a CSV file.

    Args:
        content: the file's bytes; UTF-8, with or without a byte order mark.
        name: what to call the file in errors.
        columns: what the file has to hold.

    Returns:
        One row for each data row, every cell a str, "" where empty. Numbers are written in the one
        form for each type: `3` for INT, `3.0` for FLOAT.

    Raises:
        InputError: not UTF-8, no rows, ragged rows, wrong columns, text in a number column.
    """
    header, rows = csv_text.parse(csv_text.decode(content, name), name)
    _check_header(header, name, columns)
    csv_text.check_widths(header, rows, name)
    cells = dict(zip(header, zip(*rows, strict=True), strict=True))
    table = {}
    for column, kind in columns.kinds.items():
        table[column] = list(cells.get(column, [""] * len(rows)))
        if kind != "BYTES":
            table[column] = _convert(table[column], name, column, kind)
    return pd.DataFrame(table, dtype=object)


def _check_header(header: list[str], name: str, columns: ColumnKinds) -> None:
    problems = []
    for column in dict.fromkeys(c for c in header if header.count(c) > 1):
        problems.append(f"column '{column}' is there {header.count(column)} times; keep one")
    missing = [c for c in columns.kinds if c not in header and c not in columns.optional]
    absent = [c for c in columns.kinds if c not in header]
    for column in header:
        if column not in columns.kinds:
            close = difflib.get_close_matches(column, absent, 1, 0.5)
            if close:
                missing = [c for c in missing if c != close[0]]
                problems.append(f"column '{column}' is not expected; rename it to '{close[0]}'")
            else:
                problems.append(
                    f"column '{column}' is not expected; remove it, or add it to the schema"
                )
    problems += [f"column '{column}' is missing; add it" for column in missing]
    if problems:
        raise InputError("\n".join(f"{name}: {problem}" for problem in problems))


def _convert(cells: list[str], name: str, column: str, kind: str) -> list[str]:
    """Rewrites the numbers of a column; each different cell is looked at once."""
    to_number = _to_integer if kind == "INT" else _to_float
    rewritten: dict[str, str] = {}
    for cell in dict.fromkeys(cells):
        number = to_number(cell.strip())
        if number is None:
            wanted = "a whole number" if kind == "INT" else "a number"
            raise InputError(
                f"{name}: row {cells.index(cell) + 1}, column '{column}': '{cell}' is not {wanted} "
                f"(the schema says {kind}); mend the cell, or leave it empty when the value is "
                "unknown"
            )
        rewritten[cell] = number
    return [rewritten[cell] for cell in cells]


def _to_integer(cell: str) -> str | None:
    """`3` for 3, +3 and 3.0; "" for an empty cell; None when it is no int64."""
    if not cell:
        return ""
    if _INTEGER.fullmatch(cell):
        return str(int(cell)) if int(cell) in _INT64 else None
    number = _to_float(cell)
    if number is None or not float(number).is_integer() or abs(float(number)) > 2**53:
        return None
    return str(int(float(number)))


def _to_float(cell: str) -> str | None:
    """`3.0` for 3; "" for an empty cell; None when it is no finite number."""
    if not cell:
        return ""
    if not _NUMBER.fullmatch(cell) or not math.isfinite(float(cell)):
        return None
    return repr(float(cell))
