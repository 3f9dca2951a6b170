"""Cells of files as requests have them."""

from core import csv_text, numbers
from pipeline.serving.contract import ServedColumn
from pipeline.serving.errors import CellError


def cell_of(row: int, column: ServedColumn, cell: str) -> float | str:
    """A cell of a text file as a request has it; an empty one is missing.

    Args:
      row: Its row, from 0.
      column: As the contract has it.
      cell: The text.

    Raises:
      CellError: It is no number, and the column holds numbers.
    """
    if column.kind == "BYTES":
        return cell
    bare = cell.strip()
    if not bare:
        return float("nan")
    read = numbers.read_integer if column.kind == "INT" else numbers.read_float
    number = read(bare)
    if number is None:
        wanted = "a whole number" if column.kind == "INT" else "a number"
        raise CellError(row, column.name, f"'{csv_text.shown(cell)}' is not {wanted}")
    return int(number) if column.kind == "INT" else float(number)
