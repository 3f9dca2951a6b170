"""A CSV file as somebody hands it over, turned into the rows that the pipeline reads.

Columns are renamed and left out, numbers and missing values are written in one form, the label
becomes one of two classes, and the rows are split into a training and a test part by their content.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.csv_text import Table
from core.errors import InputError
from core.numbers import read_float

NUMBER, DECIMAL_COMMA, CATEGORY, TEXT = "number", "number with a decimal comma", "category", "text"
NUMBERS = (NUMBER, DECIMAL_COMMA)

# Nobody sets off thousands behind a leading zero: 0,500 is a half.
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?", re.ASCII)
_COMMA = re.compile(r"[+-]?([1-9]\d{0,2}([.' ]\d{3})+|\d+)(,\d+)?", re.ASCII)
_UNIT = re.compile(r"^([+-]?)\s*[$€£]\s*|\s*[%€$£]$")


@dataclass(frozen=True)
class Column:
    """A column that is taken over.

    Attributes:
      header: Its name in the file.
      name: Its name in the pipeline.
      kind: One of NUMBER, DECIMAL_COMMA, CATEGORY and TEXT.
    """

    header: str
    name: str
    kind: str


@dataclass(frozen=True)
class Label:
    """The column with the true label.

    Attributes:
      header: Its name in the file.
      name: Its name in the pipeline.
      positive: Value of the class to detect.
      negative: What the other class is called.
      one_against_rest: Whether every other value is of the other class, or only `negative`.
    """

    header: str
    name: str
    positive: str
    negative: str
    one_against_rest: bool


@dataclass(frozen=True)
class Source:
    """How a file becomes a data set.

    Attributes:
      file: The file, relative to the module that describes it.
      sha256: Of its bytes, in hexadecimal.
      delimiter: Between cells.
      missing: Texts that stand for an unknown value, besides the empty cell.
      columns: What is taken over, in this order; the label stands after them.
      label: The label.
      test_fraction: Share of the labelled rows that goes into the test part.
      seed: Of the split.
    """

    file: str
    sha256: str
    delimiter: str
    missing: tuple[str, ...]
    columns: tuple[Column, ...]
    label: Label
    test_fraction: float
    seed: int


def number(cell: str, kind: str) -> str | None:
    """A number as `-1234.5`; None where the cell is none.

    Currency and percent signs are taken off, and so are the signs that set off thousands.

    Args:
      cell: Not empty, without blanks around it.
      kind: NUMBER or DECIMAL_COMMA.
    """
    bare = _UNIT.sub(r"\1", cell)
    if kind == DECIMAL_COMMA and _COMMA.fullmatch(bare):
        bare = re.sub("[.' ]", "", bare).replace(",", ".")
    elif kind == NUMBER and _GROUPED.fullmatch(bare):
        bare = bare.replace(",", "")
    return bare if bare and read_float(bare) is not None else None


def present(cells: Sequence[str], missing: Sequence[str]) -> list[str]:
    """Cells without blanks around them and with plain line ends, "" where the value is unknown."""
    bare = {cell: cell.strip().replace("\r\n", "\n").replace("\r", "\n") for cell in set(cells)}
    return ["" if bare[cell] in missing else bare[cell] for cell in cells]


def converted(cells: Sequence[str], column: Column, missing: Sequence[str], name: str) -> list[str]:
    """The cells of a column in the pipeline's form.

    Raises:
      InputError: A cell of a column of numbers is none.
    """
    known = present(cells, missing)
    if column.kind not in NUMBERS:
        return known
    form: dict[str, str] = {"": ""}
    for row, cell in enumerate(known, 1):
        if cell not in form:
            plain = number(cell, column.kind)
            if plain is None:
                raise InputError(
                    f"{name}: row {row}, column '{column.header}': '{cell}' is not a number"
                )
            form[cell] = plain
    return [form[cell] for cell in known]


def labels(cells: Sequence[str], label: Label, missing: Sequence[str], name: str) -> list[str]:
    """The class of each row, "" where it is unknown.

    Raises:
      InputError: A value is of neither class.
    """
    known = present(cells, missing)
    if label.one_against_rest:
        return [cell if cell in ("", label.positive) else label.negative for cell in known]
    for row, cell in enumerate(known, 1):
        if cell not in (label.positive, label.negative, ""):
            raise InputError(
                f"{name}: row {row}, column '{label.header}': '{cell}' is neither "
                f"'{label.positive}' nor '{label.negative}'"
            )
    return known


def convert(source: Source, header: Sequence[str], rows: Table, name: str) -> dict[str, list[str]]:
    """All columns of a table in the pipeline's form and under its names, the label last.

    Raises:
      InputError: A column is missing, or a cell is at fault.
    """
    cells = dict(zip(header, zip(*rows, strict=True), strict=True))
    for wanted in (*(column.header for column in source.columns), source.label.header):
        if wanted not in cells:
            raise InputError(f"{name}: column '{wanted}' is missing")
    table = {
        column.name: converted(cells[column.header], column, source.missing, name)
        for column in source.columns
    }
    label = source.label
    table[label.name] = labels(cells[label.header], label, source.missing, name)
    return table


def in_test(rows: Table, classes: Sequence[str], fraction: float, seed: int) -> list[bool]:
    """Whether each row is of the test part: by its content alone, so that equal rows stay together.

    Args:
      rows: As they are in the file.
      classes: Class of each row; rows without one are for training.
      fraction: Share of the test part among the labelled rows.
      seed: Another seed draws other rows.
    """
    return [
        bool(label) and _place(row, seed) < fraction
        for row, label in zip(rows, classes, strict=True)
    ]


def _place(row: Sequence[str], seed: int) -> float:
    content = f"{seed}\x1e" + "\x1f".join(row)
    digest = hashlib.blake2b(content.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2.0**64


def parts(
    source: Source, header: Sequence[str], rows: Table, name: str
) -> Iterator[tuple[str, dict[str, list[str]]]]:
    """The part `span-1` and the part `test` of a table, each as cells by column.

    Raises:
      InputError: As `convert`.
    """
    table = convert(source, header, rows, name)
    test = in_test(rows, table[source.label.name], source.test_fraction, source.seed)
    for part, wanted in (("span-1", False), ("test", True)):
        at = [n for n, tested in enumerate(test) if tested == wanted]
        yield part, {column: [cells[n] for n in at] for column, cells in table.items()}
