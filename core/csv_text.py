"""CSV files as text: decoding, finding the delimiter, reading rows and writing them."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from core.errors import InputError

DELIMITERS = (",", ";", "\t", "|")
SNIFFED_BYTES = 2**18
_LONGEST_CELL = 2**31 - 1  # characters; the csv module alone stops at 131,072
_SHOWN = 60  # characters of a cell in a message
_FAULTS = 20  # of a file, listed
_OTHER_FORMATS = {
    b"\x1f\x8b": "compressed (gzip)",
    b"BZh": "compressed (bzip2)",
    b"\xfd7zXZ": "compressed (xz)",
    b"\x28\xb5\x2f\xfd": "compressed (zstd)",
    b"PK\x03\x04": "a spreadsheet or an archive",
    b"\xd0\xcf\x11\xe0": "a spreadsheet",
    b"PAR1": "Parquet",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}

Table = list[list[str]]


def decode(content: bytes, name: str) -> str:
    """The text of a file, without a byte order mark.

    Raises:
      InputError: It is not UTF-8, or empty.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise not_utf8(error, name) from error
    if not text.strip():
        raise InputError(f"{name}: the file is empty; it needs a header and rows")
    return text


def not_utf8(error: UnicodeDecodeError, name: str) -> InputError:
    """What to say of a file that is not UTF-8: the row at fault, or which other format it has.

    Args:
      error: Of decoding the whole content.
      name: Of the file.
    """
    for start, what in _OTHER_FORMATS.items():
        if error.object.startswith(start):
            how = "unpack it first" if what.startswith("compressed") else "save it as CSV in UTF-8"
            how = "give it the ending .parquet" if what == "Parquet" else how
            return InputError(f"{name}: it is {what}, not text in UTF-8; {how}")
    # With a character in place of the faulty bytes the text ends within the row at fault.
    before = error.object[: error.start].decode("utf-8-sig", "replace") + "?"
    reader = _reader(_lines(before), find_delimiter(before))
    row = sum(1 for cells in reader if cells) - 1
    where = f"row {row}" if row > 0 else "the header"
    return InputError(f"{name}: {where} is not UTF-8 ({error.reason}); save it as UTF-8")


def parse(text: str, name: str, delimiter: str = ",") -> tuple[list[str], Table]:
    """Header and rows of CSV text; empty lines are left out.

    Raises:
      InputError: It is not valid CSV.
    """
    header, *rows = read(_lines(text), name, delimiter)
    return header, rows


def read(lines: Iterable[str], name: str, delimiter: str = ",") -> Iterator[list[str]]:
    """Yields the header, blanks around its cells taken off, then the rows.

    Lines that are empty or, below a header of several columns, blank are left out.

    Args:
      lines: With their line ends as they are (`newline=""`), some of them not blank.
      name: Of the file, for messages.
      delimiter: Between cells.

    Raises:
      InputError: It is not valid CSV.
    """
    reader = _reader(lines, delimiter, strict=True)
    try:
        header = next(row for row in reader if len(row) > 1 or (row and row[0].strip()))
        yield [column.strip() for column in header]
        if len(header) == 1:
            yield from filter(None, reader)
        for row in reader:
            if len(row) > 1 or (row and row[0].strip()):
                yield row
    except csv.Error as error:
        raise InputError(
            f"{name}: line {reader.line_num} is not valid CSV: {error}; check its quotes"
        ) from error


def filled_in(
    content: bytes, name: str, needed: Sequence[str], known: Sequence[str], why: str
) -> list[dict[str, str]]:
    """The rows of a file that people filled in, whatever their spreadsheet puts between cells.

    Args:
      content: Of the file.
      name: Of the file, for messages.
      needed: Columns that it has.
      known: Further columns that it may have.
      why: What to say where a needed one is missing.

    Raises:
      InputError: It is not such a file, or a column is missing or there twice.
    """
    text = decode(content, name)
    header, rows = parse(text, name, find_delimiter(text))
    for column in (*needed, *known):
        count = header.count(column)
        if column in needed and not count:
            raise InputError(f"{name}: column '{column}' is missing; {why}")
        if count > 1:
            raise InputError(f"{name}: {count} columns are called '{column}'; keep one")
    check_widths(header, rows, name)
    return [dict(zip(header, row, strict=True)) for row in rows]


def refused(name: str, faults: Sequence[str]) -> InputError:
    """What to say of a file of which nothing is taken: its first faults."""
    more = [f"... and {len(faults) - _FAULTS} more"] if len(faults) > _FAULTS else []
    lines = [*(f"{name}: {fault}" for fault in faults[:_FAULTS]), *more, "nothing was imported"]
    return InputError("\n".join(lines))


def _lines(text: str) -> io.StringIO:
    return io.StringIO(text, newline="")


def _reader(lines: Iterable[str], delimiter: str, strict: bool = False) -> Any:
    csv.field_size_limit(_LONGEST_CELL)
    return csv.reader(lines, delimiter=delimiter, strict=strict)


def check_widths(header: Sequence[str], rows: Table, name: str) -> None:
    """Checks that there are rows, each as wide as the header.

    Raises:
      InputError: There are none, or one is not.
    """
    if not rows:
        raise no_rows(name)
    for number, row in enumerate(rows, 1):
        check_width(header, row, number, name)


def check_width(header: Sequence[str], row: Sequence[str], number: int, name: str) -> None:
    """Checks that row `number` is as wide as the header.

    Raises:
      InputError: It is not.
    """
    if len(row) != len(header):
        raise InputError(
            f"{name}: row {number} has {len(row)} cells, the header has {len(header)} columns: "
            "quote cells that contain commas or line ends, and give every row all its cells"
        )


def no_rows(name: str) -> InputError:
    """What to say of a file that ends below its header."""
    return InputError(f"{name}: no rows below the header; bring data or remove the file")


def find_delimiter(text: str) -> str:
    """The delimiter that cuts the most rows at the beginning into as many cells as the header."""

    def fit(delimiter: str) -> tuple[float, int]:
        reader = _reader(_lines(text[:SNIFFED_BYTES]), delimiter)
        try:
            widths = [len(row) for row, _ in zip(reader, range(100), strict=False) if row]
        except csv.Error:
            return 0.0, 0
        if not widths or widths[0] < 2:
            return 0.0, 0
        return widths.count(widths[0]) / len(widths), widths[0]

    return max(DELIMITERS, key=fit)


def to_lines(rows: Iterable[Sequence[str]]) -> list[str]:
    """Each row as CSV text, ended by a line feed.

    A carriage return is quoted, too: Python before 3.11.9 does so only where lines end with one.
    """
    lines: list[str] = []
    csv.writer(_Appender(lines), lineterminator="\r\n").writerows(rows)
    return [f"{line[:-2]}\n" for line in lines]


class _Appender:
    """A file as the csv module needs it, which takes one row at a time."""

    def __init__(self, lines: list[str]) -> None:
        self.write = lines.append


def shown(cell: str) -> str:
    """A cell in a message: cut where it is long, its control characters escaped."""
    short = cell if len(cell) <= _SHOWN else f"{cell[:_SHOWN]}…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in short)
