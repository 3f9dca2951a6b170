"""Labelling functions applied to rows, and the draw of the rows whose true label may be seen."""

import hashlib
import heapq
import importlib
import traceback
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from snorkel.labeling import LabelingFunction

from models.errors import InputError
from models.label_model import ABSTAIN, NEGATIVE, POSITIVE

Row = Mapping[str, Any]  # column name to number, text, or None where it is missing


def load(module_name: str) -> list[LabelingFunction]:
    """The labelling functions of the module with this dotted name.

    Raises:
      InputError: It cannot be imported, or `collect` finds fault with it.
    """
    try:
        module = importlib.import_module(module_name)
    except SyntaxError as error:
        where = f"{error.filename}:{error.lineno}: {(error.text or '').strip()}"
        raise InputError(f"{module_name}: not Python: {error.msg} ({where})") from error
    except Exception as error:
        raise InputError(
            f"{module_name}: cannot be imported: {type(error).__name__}: {error} ({_last(error)})"
        ) from error
    return collect(module)


def _last(error: Exception) -> str:
    """File, line and text of the last statement before an error, import machinery left out."""
    frames = traceback.extract_tb(error.__traceback__)
    frame = [frame for frame in frames if not frame.filename.startswith("<frozen")][-1]
    return f"{frame.filename}:{frame.lineno}: {frame.line}"


def collect(module: ModuleType) -> list[LabelingFunction]:
    """Every Snorkel labelling function of a module, in the order of definition.

    Raises:
      InputError: There is none, or two have the same name.
    """
    functions = list(
        {id(f): f for f in vars(module).values() if isinstance(f, LabelingFunction)}.values()
    )
    if not functions:
        raise InputError(
            f"{module.__name__}: no labelling function; decorate functions with "
            "@labeling_function() from snorkel.labeling"
        )
    names = [function.name for function in functions]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"{module.__name__}: two labelling functions are called '{name}'")
    return functions


def apply_functions(
    functions: Sequence[LabelingFunction], rows: Sequence[Row], row_ids: Sequence[str]
) -> NDArray[np.int8]:
    """Votes of every function on every row: int8 [rows, functions].

    Args:
      functions: What `collect` returns.
      rows: One mapping a row.
      row_ids: Name of each row, for messages.

    Raises:
      InputError: A function raises, or returns something else than 0, 1 or -1.
    """
    votes = np.empty((len(rows), len(functions)), dtype=np.int8)
    for n, function in enumerate(functions):
        column: list[int] = []
        try:
            for row in rows:
                column.append(function(row))
        except Exception as error:
            raise InputError(
                f"labelling function {function.name}, row {row_ids[len(column)]}: "
                f"{type(error).__name__}: {error} ({_last(error)}); "
                "missing values are None, and only feature columns can be read"
            ) from error
        votes[:, n] = _checked(function.name, column, row_ids)
    return votes


def _checked(name: str, column: list[int], row_ids: Sequence[str]) -> list[int]:
    allowed = {NEGATIVE, POSITIVE, ABSTAIN}
    if set(map(type, column)) <= {int} and set(column) <= allowed:
        return column
    at = next(n for n, vote in enumerate(column) if type(vote) is not int or vote not in allowed)
    raise InputError(
        f"labelling function {name}, row {row_ids[at]}: returned {column[at]!r}; "
        f"a vote is one of the integers {sorted(allowed)} (ABSTAIN, NEGATIVE, POSITIVE)"
    )


def draw_order(seed: int, row_id: str) -> int:
    """A row's place in the seeded draw of gold rows: the lowest are drawn.

    It depends on nothing but its arguments, neither on the order of rows nor on how they are split.
    """
    digest = hashlib.blake2b(f"{seed}:{row_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def draw(seed: int, row_ids: Sequence[str], count: int) -> list[tuple[int, int]]:
    """The `count` rows that are drawn first: place in the draw and index into `row_ids`."""
    return heapq.nsmallest(count, ((draw_order(seed, row_ids[n]), n) for n in range(len(row_ids))))


class _WatchedRow(dict[str, Any]):
    """A row that notes which of its columns are read."""

    def __init__(self, row: Row) -> None:
        super().__init__(row)
        self.read: set[str] = set()

    def __getitem__(self, column: str) -> Any:
        self.read.add(column)
        return super().__getitem__(column)

    def get(self, column: str, default: Any = None) -> Any:
        self.read.add(column)
        return super().get(column, default)


def columns_read(functions: Sequence[LabelingFunction], rows: Sequence[Row]) -> list[str]:
    """The columns that functions look at to vote on rows, in the order of the rows' columns.

    All of them if none is seen: a preprocessor may have handed on copies of the rows.
    """
    watched = [_WatchedRow(row) for row in rows]
    for row in watched:
        for function in functions:
            function(row)
    seen = set().union(*(row.read for row in watched))
    columns = list(rows[0]) if rows else []
    return [column for column in columns if column in seen] or columns
