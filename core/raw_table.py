"""A CSV file as somebody hands it over, turned into the rows that the pipeline reads.

Columns are renamed and left out, numbers and missing values are written in one form, the label
becomes one of two classes, and the rows are split into a training and a test part by their content,
the class left out.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress, pairwise

from core.errors import InputError
from core.intervals import newcombe_interval
from core.numbers import is_float

NUMBER, DECIMAL_COMMA, CATEGORY, TEXT = "number", "number with a decimal comma", "category", "text"
NUMBERS = (NUMBER, DECIMAL_COMMA)
FEW_LOTS, FEW_ROWS_A_LOT = 100, 5  # fewer lots of more rows are not drawn as a whole

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
    if kind == NUMBER and is_float(cell):
        return cell
    bare = _UNIT.sub(r"\1", cell)
    if kind == DECIMAL_COMMA and _COMMA.fullmatch(bare):
        bare = re.sub("[.' ]", "", bare).replace(",", ".")
    elif kind == NUMBER and _GROUPED.fullmatch(bare):
        bare = bare.replace(",", "")
    return bare if is_float(bare) else None


def present(cells: Sequence[str], missing: Sequence[str]) -> list[str]:
    """Cells without blanks around them and with plain line ends, "" where the value is unknown."""
    known = {cell: cell.strip().replace("\r\n", "\n").replace("\r", "\n") for cell in set(cells)}
    known |= {cell: "" for cell, bare in known.items() if bare in missing}
    return list(map(known.__getitem__, cells))


def converted(cells: Sequence[str], column: Column, missing: Sequence[str], name: str) -> list[str]:
    """The cells of a column in the pipeline's form.

    Raises:
      InputError: A cell of a column of numbers is none.
    """
    known = present(cells, missing)
    if column.kind not in NUMBERS:
        return known
    form: dict[str, str] = {"": ""}
    for cell in dict.fromkeys(filter(None, known)):
        plain = number(cell, column.kind)
        if plain is None:
            row = 1 + known.index(cell)
            raise InputError(
                f"{name}: row {row}, column '{column.header}': '{cell}' is not a number"
            )
        form[cell] = plain
    return list(map(form.__getitem__, known))


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


def convert(source: Source, cells: Mapping[str, Sequence[str]], name: str) -> dict[str, list[str]]:
    """All columns of a table in the pipeline's form and under its names, the label last.

    Args:
      source: What is taken over.
      cells: Cells by header, as they are in the file.
      name: Of the file, for messages.

    Raises:
      InputError: A column is missing, or a cell is at fault.
    """
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


def contents_of(table: Mapping[str, Sequence[str]], label: Label) -> Iterator[tuple[str, ...]]:
    """The cells of each row of a converted table, its class left out."""
    columns = [cells for name, cells in table.items() if name != label.name]
    return zip(*columns, strict=True)


def in_test(
    contents: Iterable[Sequence[str]], classes: Sequence[str], fraction: float, seed: int
) -> list[bool]:
    """Whether each row is of the test part.

    Rows of equal content stay together, whatever their class says, and a content keeps its part
    when others come. Where nearly all rows share a few contents, that would put all of what is
    known of some of them into one part: there each row is drawn by itself, in equal shares of each
    class and, as far as they divide, of each content.

    Args:
      contents: The cells of each row, its class left out.
      classes: Class of each row; rows without one are for training.
      fraction: Share of the test part among the labelled rows.
      seed: Another seed draws other rows.
    """
    keys = ["\x1f".join(cells) for cells in contents]
    labelled = [n for n, name in enumerate(classes) if name]
    if not _are_few(Counter(keys[n] for n in labelled)):
        return [
            bool(name) and _place(key, seed) < fraction
            for key, name in zip(keys, classes, strict=True)
        ]
    # Systematic sampling: every so many-th of the rows in the order of class and content.
    ordered = sorted(
        labelled, key=lambda n: (classes[n], keys[n], _place(f"{keys[n]}\x1e{n}", seed))
    )
    start = _place("", seed)
    counted = [int(start + fraction * taken) for taken in range(len(ordered) + 1)]
    test = [False] * len(keys)
    for n, (before, after) in zip(ordered, pairwise(counted), strict=True):
        test[n] = after > before
    return test


def _are_few(rows_by_content: Counter[str]) -> bool:
    """Whether a draw by content would be one of a few large lots.

    Lots of different sizes count as so many of one size (the inverse of Simpson's index).
    """
    rows = rows_by_content.total()
    lots = rows**2 / max(1, sum(count**2 for count in rows_by_content.values()))
    return lots < min(FEW_LOTS, rows / FEW_ROWS_A_LOT)


def uneven(classes: Sequence[str], test: Sequence[bool], positive: str) -> str | None:
    """What is to be said of a split whose parts differ in their classes by more than chance.

    Args:
      classes: Class of each row; those without one do not count.
      test: Whether each row is of the test part.
      positive: Name of the class to detect.

    Returns:
      None where the 95% interval of the difference holds 0.
    """
    trials, hits = Counter[bool](), Counter[bool]()
    for name, side in zip(classes, test, strict=True):
        trials[side] += bool(name)
        hits[side] += name == positive
    if not (trials[True] and trials[False]):
        return None
    low, high = newcombe_interval((hits[True], trials[True]), (hits[False], trials[False]))
    if low <= 0.0 <= high:
        return None
    return (
        f"'{positive}' is the class of {hits[True] / trials[True]:.1%} of the test part's labelled "
        f"rows and of {hits[False] / trials[False]:.1%} of the others: models are measured on rows "
        "of another kind than they are trained on"
    )


def _place(content: str, seed: int) -> float:
    text = f"{seed}\x1e{content}"
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2.0**64


def parts(
    source: Source, cells: Mapping[str, Sequence[str]], name: str
) -> Iterator[tuple[str, dict[str, list[str]]]]:
    """The part `span-1` and the part `test` of a table, each as cells by column.

    Raises:
      InputError: As `convert`.
    """
    table = convert(source, cells, name)
    classes = table[source.label.name]
    test = in_test(contents_of(table, source.label), classes, source.test_fraction, source.seed)
    for part, wanted in (("span-1", False), ("test", True)):
        yield part, rows_of(table, [side == wanted for side in test])


def rows_of(table: Mapping[str, Sequence[str]], wanted: Sequence[bool]) -> dict[str, list[str]]:
    """The rows that are wanted, as cells by column."""
    return {column: list(compress(cells, wanted)) for column, cells in table.items()}
