"""A CSV file as somebody hands it over, turned into the rows that the pipeline reads.

Columns are renamed and left out, numbers and missing values are written in one form, the label
becomes one of the classes, and the rows are split into a training and a test part by their content,
the class left out.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress, pairwise
from statistics import NormalDist

from core.errors import InputError
from core.intervals import newcombe_interval
from core.numbers import is_float

NUMBER, DECIMAL_COMMA, CATEGORY, TEXT = "number", "number with a decimal comma", "category", "text"
MANY_VALUED, DATE = "category of many values", "date"
NUMBERS, CATEGORIES = (NUMBER, DECIMAL_COMMA), (CATEGORY, MANY_VALUED)
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
      kind: One of NUMBER, DECIMAL_COMMA, CATEGORY, MANY_VALUED, DATE and TEXT.
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
      positive: Of two classes the value of the one to detect.
      negative: What the other one is called.
      one_against_rest: Whether every other value is of the other class, or only `negative`.
      classes: Of more than two classes all.
      left_out: Further values, whose rows are left out.
    """

    header: str
    name: str
    positive: str | None = None
    negative: str | None = None
    one_against_rest: bool = False
    classes: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The classes by their codes; of two the positive one has the code 1."""
        if self.negative is None or self.positive is None:
            return self.classes
        return self.negative, self.positive


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
      labelled_only: Whether rows without a label are left out.
    """

    file: str
    sha256: str
    delimiter: str
    missing: tuple[str, ...]
    columns: tuple[Column, ...]
    label: Label
    test_fraction: float
    seed: int
    labelled_only: bool = False


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
    """The class of each row, "" where it is unknown; values that are left out stay.

    Raises:
      InputError: A value is of no class.
    """
    known = present(cells, missing)
    if label.one_against_rest:
        other = label.negative or ""
        return [cell if cell in ("", label.positive) else other for cell in known]
    expected = {"", *label.names, *label.left_out}
    for row, cell in enumerate(known, 1):
        if cell not in expected:
            classes = ", ".join(f"'{each}'" for each in label.names)
            raise InputError(
                f"{name}: row {row}, column '{label.header}': '{cell}' is none of the classes "
                f"{classes}"
            )
    return known


def convert(source: Source, cells: Mapping[str, Sequence[str]], name: str) -> dict[str, list[str]]:
    """All columns of a table in the pipeline's form and under its names, the label last.

    Without the rows that are left out for their label, or for having none.

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
    classes = table[label.name] = labels(cells[label.header], label, source.missing, name)
    left_out = {*label.left_out, *([""] if source.labelled_only else [])}
    return rows_of(table, [each not in left_out for each in classes]) if left_out else table


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


def uneven(classes: Sequence[str], test: Sequence[bool], names: Sequence[str]) -> str | None:
    """What is to be said of a split whose parts differ in their classes by more than chance.

    Args:
      classes: Class of each row; those without one do not count.
      test: Whether each row is of the test part.
      names: The classes that are looked at: of two one is enough.

    Returns:
      None where the 95% interval of the difference holds 0, for all classes together.
    """
    rows = {side: Counter(compress(classes, map(side.__eq__, test))) for side in (True, False)}
    trials = {side: count.total() - count[""] for side, count in rows.items()}
    if not (trials[True] and trials[False]):
        return None
    z = NormalDist().inv_cdf(1 - 0.025 / len(names))
    for name in names:
        hits = {side: count[name] for side, count in rows.items()}
        one, other = ((hits[side], trials[side]) for side in (True, False))
        low, high = newcombe_interval(one, other, z=z)
        if not low <= 0.0 <= high:
            return (
                f"'{name}' is the class of {hits[True] / trials[True]:.1%} of the test part's "
                f"labelled rows and of {hits[False] / trials[False]:.1%} of the others: models are "
                "measured on rows of another kind than they are trained on"
            )
    return None


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
