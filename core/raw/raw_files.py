"""Raw files, CSV or Parquet by their ending, as batches of cells: one reader for all who read them.

A span's file is read in batches (`RawReader`); `init` and the loader that it writes read a file
whole (`read`). Either way a cell is a text, rows are counted from 1, and a header name that is
there twice is taken once, where both columns have the same cells in every row.

    with open(path, "rb") as file:
        reader = RawReader(file, path)
        reader.columns               # names, blanks around them taken off
        reader.types                 # of Parquet the type of each in the file, of CSV {}
        for first, columns in reader.batches(1000):
            ...                      # columns[n][0] is the cell of reader.columns[n] in row `first`

    table = read(content, "trips.parquet")      # .header, .cells, .types, .delimiter

Who keeps a copy of a file keeps its ending, for that is what tells the formats apart. A column of
texts stays one where `types` says `string`, whatever its cells look like: `pa.types.is_string`,
`is_integer`, `is_floating`, `is_boolean`, `is_date`, `is_timestamp` ask; a dictionary is told as
what it refers to.
"""

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

from core import csv_text
from core.errors import InputError
from core.raw import parquet_text

CHUNK_ROWS = 2**12  # read at a time where a file is read whole
ENDINGS = (".csv", parquet_text.ENDING)


@dataclass(frozen=True)
class RawTable:
    """A whole file.

    Attributes:
      header: Names of the columns, blanks around them taken off; those without one are "".
      cells: Cells of each column, equal ones as one object, "" where empty.
      types: Type of each column in a Parquet file; empty for CSV.
      delimiter: Between cells of CSV.
    """

    header: list[str]
    cells: list[list[str]]
    types: Mapping[str, pa.DataType]
    delimiter: str


def is_parquet(name: str) -> bool:
    """Whether a file is one of Parquet, by its ending."""
    return Path(name).suffix == parquet_text.ENDING


def read(content: bytes, name: str, delimiter: str | None = None) -> RawTable:
    """Reads a whole file.

    Args:
      content: Its bytes.
      name: Its path, whose ending tells the format; also for messages.
      delimiter: Between cells of CSV; None: the one that fits.

    Raises:
      InputError: As `RawReader` and its batches.
    """
    if delimiter is None and not is_parquet(name):
        beginning = content[: csv_text.SNIFFED_BYTES].decode("utf-8-sig", "replace")
        delimiter = csv_text.find_delimiter(beginning)
    reader = RawReader(io.BytesIO(content), name, delimiter or ",")
    columns: list[list[str]] = [[] for _ in reader.columns]
    known: list[dict[str, str]] = [{} for _ in reader.columns]
    for _, batch in reader.batches(CHUNK_ROWS):
        for cells, same, new in zip(columns, known, batch, strict=True):
            cells.extend(map(same.setdefault, new, new))
    return RawTable(reader.columns, columns, reader.types, delimiter or ",")


class RawReader:
    """Reads an open file once, some rows at a time.

    Attributes:
      columns: Names of the columns, each once but for "".
      header: Names as they are in the file, blanks around them taken off.
      types: Type of each column in a Parquet file; empty for CSV.
    """

    def __init__(self, file: BinaryIO, name: str, delimiter: str = ",") -> None:
        """Reads the header.

        Args:
          file: At its beginning; stays open.
          name: Its path, whose ending tells the format; also for messages.
          delimiter: Between cells of CSV.

        Raises:
          InputError: The file is empty, of another format, damaged, or has nested columns.
        """
        self._file, self._name = file, name
        self.types: dict[str, pa.DataType] = {}
        self._rows: Iterator[list[str]] = iter(())
        if is_parquet(name):
            header = self._parquet_header()
        else:
            self._rows = csv_rows(file, name, delimiter)
            header = next(self._rows)
        self._same = SameColumns(header, name)
        self.header, self.columns = self._same.header, self._same.names

    def batches(self, rows: int) -> Iterator[tuple[int, list[list[str]]]]:
        """Yields the number of a batch's first row, and the cells of each column.

        Args:
          rows: How many a batch has at most.

        Raises:
          InputError: Names the row at fault: ragged, not UTF-8, not CSV; a damaged file; two
            columns of one name with different cells; or there are no rows.
        """
        first = 1
        for columns in self._parquet(rows) if is_parquet(self._name) else self._csv(rows):
            yield first, self._same.once(columns, first)
            first += len(columns[0])
        if first == 1:
            raise csv_text.no_rows(self._name)

    def _csv(self, rows: int) -> Iterator[list[list[str]]]:
        width, first = self._same.width, 1
        while chunk := list(islice(self._rows, rows)):
            for number, row in enumerate(chunk, first):
                if len(row) != width:
                    csv_text.check_width(self._same.header, row, number, self._name)
            yield list(map(list, zip(*chunk, strict=True)))
            first += len(chunk)

    def _parquet_header(self) -> list[str]:
        with parquet_text.opened(self._file, self._name) as parquet:
            schema = parquet.schema_arrow
        if not schema.names:
            raise InputError(f"{self._name}: it has no columns; bring data or remove the file")
        parquet_text.check_types(list(schema), self._name)
        header = [name.strip() for name in schema.names]
        kinds = map(parquet_text.value_type, schema.types)
        self.types = dict(zip(reversed(header), reversed([*kinds]), strict=True))
        return header

    def _parquet(self, rows: int) -> Iterator[list[list[str]]]:
        first, header = 1, self._same.header
        with parquet_text.opened(self._file, self._name) as parquet:
            for batch in parquet.iter_batches(rows):
                if batch.num_rows:
                    yield [
                        parquet_text.cells(values, column, first, self._name)
                        for column, values in zip(header, batch.columns, strict=True)
                    ]
                first += batch.num_rows


class SameColumns:
    """Columns whose name an earlier one has, which are left out as long as their cells are equal.

    Attributes:
      header: All names.
      names: Each name once; "", which is none, as often as it is there.
    """

    def __init__(self, header: Sequence[str], name: str) -> None:
        """Takes the header; `name` is the file's, for messages."""
        self.header, self._file = list(header), name
        first_of: dict[str, int] = {}
        firsts = [first_of.setdefault(n, at) if n else at for at, n in enumerate(header)]
        self.places = [at for at, first in enumerate(firsts) if at == first]
        self._twins = [(first, at) for at, first in enumerate(firsts) if at != first]
        self.names = [header[at] for at in self.places]

    @property
    def width(self) -> int:
        """Number of columns in the file."""
        return len(self.header)

    def once(self, columns: list[Any], first: int) -> list[Any]:
        """The columns without the repeated ones.

        Args:
          columns: Cells of each column of the file, in some rows.
          first: Number of the first of the rows.

        Raises:
          InputError: Two columns of one name differ; names both, and the first row.
        """
        if not self._twins:
            return columns
        for one, other in self._twins:
            self._compare(one, other, columns, first)
        return [columns[at] for at in self.places]

    def _compare(self, one: int, other: int, columns: Sequence[Sequence[Any]], first: int) -> None:
        pairs = zip(columns[one], columns[other], strict=True)
        for number, (cell, again) in enumerate(pairs, first):
            if cell != again:
                called = self.header[one]
                raise InputError(
                    f"{self._file}: {self.header.count(called)} columns are called '{called}' and "
                    f"differ: row {number} has '{csv_text.shown(cell)}' in column {one + 1} and "
                    f"'{csv_text.shown(again)}' in column {other + 1}; rename all but one"
                )


def csv_rows(file: BinaryIO, name: str, delimiter: str = ",") -> Iterator[list[str]]:
    """Yields the header of a CSV file, then its rows, of whatever width.

    Args:
      file: At its beginning; stays open.
      name: Its path, for messages.
      delimiter: Between cells.

    Raises:
      InputError: It is empty, not UTF-8 or not valid CSV.
    """
    lines = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    try:
        yield from csv_text.read(_not_blank(lines, name), name, delimiter)
    except UnicodeDecodeError:
        file.seek(0)
        csv_text.decode(file.read(), name)  # names the row
        raise
    finally:
        if not file.closed:
            lines.detach()  # otherwise it would be closed with them


def _not_blank(lines: Iterable[str], name: str) -> Iterator[str]:
    """The lines from the first that is not blank.

    Raises:
      InputError: There is none.
    """
    blank = True
    for line in lines:
        blank = blank and not line.strip()
        if not blank:
            yield line
    if blank:
        csv_text.decode(b"", name)
