"""CSV files as text: decoding, finding the delimiter, header and rows, checks of their widths."""

import csv
import io
from collections.abc import Sequence

from core.errors import InputError

DELIMITERS = (",", ";", "\t", "|")
_SNIFFED_BYTES = 2**18
_LONGEST_CELL = 2**31 - 1  # characters; the csv module alone stops at 131,072

Table = list[list[str]]


def decode(content: bytes, name: str) -> str:
    """The text of a file, without a byte order mark.

    Raises:
      InputError: It is not UTF-8, or empty.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start)
        where = f"row {row}" if row else "the header"
        raise InputError(
            f"{name}: {where} is not UTF-8 ({error.reason}); save it as UTF-8"
        ) from error
    if not text.strip():
        raise InputError(f"{name}: the file is empty; it needs a header and rows")
    return text


def parse(text: str, name: str, delimiter: str = ",") -> tuple[list[str], Table]:
    """Header and rows of CSV text; empty lines are left out.

    Raises:
      InputError: It is not valid CSV.
    """
    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: Table = []
    try:
        rows.extend(row for row in reader if row)
    except csv.Error as error:
        raise InputError(
            f"{name}: line {reader.line_num} is not valid CSV: {error}; check its quotes"
        ) from error
    return [column.strip() for column in rows[0]], rows[1:]


def check_widths(header: Sequence[str], rows: Table, name: str) -> None:
    """Checks that there are rows, each as wide as the header.

    Raises:
      InputError: There are none, or one is not.
    """
    if not rows:
        raise InputError(f"{name}: no rows below the header; bring data or remove the file")
    for number, row in enumerate(rows, 1):
        if len(row) != len(header):
            raise InputError(
                f"{name}: row {number} has {len(row)} cells, the header has {len(header)} columns: "
                "quote cells that contain commas, and give every row all its cells"
            )


def find_delimiter(text: str) -> str:
    """The delimiter that cuts the most rows at the beginning into as many cells as the header."""

    def fit(delimiter: str) -> tuple[float, int]:
        reader = csv.reader(io.StringIO(text[:_SNIFFED_BYTES], newline=""), delimiter=delimiter)
        try:
            widths = [len(row) for row, _ in zip(reader, range(100), strict=False) if row]
        except csv.Error:
            return 0.0, 0
        return (widths.count(widths[0]) / len(widths) if widths[0] > 1 else 0.0), widths[0]

    return max(DELIMITERS, key=fit)
