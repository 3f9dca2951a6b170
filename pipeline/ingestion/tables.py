"""Reads raw files, CSV or Parquet, as text and checks them against the columns that are expected.

Every problem is an InputError that names file, row (the first row after the header is 1) and
column, and says what to do.
"""

import difflib
import hashlib
import io
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

import pandas as pd

from core import csv_text, numbers
from core.errors import InputError
from core.raw.raw_files import RawReader
from pipeline.ingestion.spans import SourceFile

CHUNK_ROWS = 2**14  # read at a time

Table = Mapping[str, list[str]]
"""Cells by column, of some rows of a file."""


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
        One row for each data row, as `read_file`.

    Raises:
        InputError: not UTF-8, no rows, ragged rows, wrong columns, text in a number column.
    """
    return whole(_tables(io.BytesIO(content), name, columns), columns)


def read_file(file: SourceFile, columns: ColumnKinds) -> Iterator[tuple[int, Table]]:
    """Yields the rows of a raw file, CHUNK_ROWS at a time, behind the number of their first.

    Args:
        file: as it was when the window was chosen; CSV or Parquet.
        columns: what it has to hold.

    Returns:
        Every cell a str, "" where empty. Numbers are written in the one form for each type: `3` for
        INT, `3.0` for FLOAT.

    Raises:
        InputError: as `read_table`, or the file is another one by now.
    """
    with open(file.path, "rb") as content:
        yield from _tables(content, file.path, columns)
    check_unchanged(file)


def whole(parts: Iterable[tuple[int, Table]], columns: ColumnKinds) -> pd.DataFrame:
    """The rows of `read_file` as one table."""
    tables = [table for _, table in parts]
    cells = {column: [c for part in tables for c in part[column]] for column in columns.kinds}
    return pd.DataFrame(cells, dtype=object)


def check_unchanged(file: SourceFile) -> None:
    """Checks that a file is as it was when the window was chosen.

    Raises:
        InputError: it is not.
    """
    with open(file.path, "rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    if found != file.sha256:
        raise InputError(
            f"{file.path}: changed while it was read; run again when it is whole, and name a file "
            "that says so in data.completion_marker"
        )


def _tables(file: BinaryIO, name: str, columns: ColumnKinds) -> Iterator[tuple[int, Table]]:
    reader = RawReader(file, name)
    _check_header(reader.header, name, columns)
    for first, batch in reader.batches(CHUNK_ROWS):
        cells = dict(zip(reader.columns, batch, strict=True))
        empty = [""] * len(batch[0])
        table = {}
        for column, kind in columns.kinds.items():
            table[column] = cells.get(column, empty)
            if kind != "BYTES":
                table[column] = _convert(table[column], name, column, kind, first)
        yield first, table


def _check_header(header: list[str], name: str, columns: ColumnKinds) -> None:
    problems = []
    missing = [c for c in columns.kinds if c not in header and c not in columns.optional]
    absent = [c for c in columns.kinds if c not in header]
    for column in dict.fromkeys(header):
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
    if problems:  # one of two of a name may be the one that is missing
        doubled = (column for column in dict.fromkeys(header) if header.count(column) > 1)
        problems += [f"column '{c}' is there {header.count(c)} times" for c in doubled]
    if problems:
        raise InputError("\n".join(f"{name}: {problem}" for problem in problems))


def _convert(cells: list[str], name: str, column: str, kind: str, first: int) -> list[str]:
    """Rewrites the numbers of a column; each different cell is looked at once."""
    read = numbers.read_integer if kind == "INT" else numbers.read_float
    rewritten: dict[str, str] = {}
    for cell in dict.fromkeys(cells):
        bare = cell.strip()
        number = read(bare) if bare else ""
        if number is None:
            wanted = "a whole number" if kind == "INT" else "a number"
            limits = "64 bits" if kind == "INT" else "32-bit floats, at most 3.4e38"
            beyond = f" of {limits}" if numbers.is_too_large(bare, whole=kind == "INT") else ""
            raise InputError(
                f"{name}: row {first + cells.index(cell)}, column '{column}': "
                f"'{csv_text.shown(cell)}' is not {wanted}{beyond} (the schema says {kind}); mend "
                "the cell, or leave it empty when the value is unknown"
            )
        rewritten[cell] = number
    return [rewritten[cell] for cell in cells]
