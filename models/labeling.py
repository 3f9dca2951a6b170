"""Labelling functions applied to rows, and the draw of the rows whose true label may be seen."""

import hashlib
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
            frame = traceback.extract_tb(error.__traceback__)[-1]
            raise InputError(
                f"labelling function {function.name}, row {row_ids[len(column)]}: "
                f"{type(error).__name__}: {error} ({frame.filename}:{frame.lineno}: {frame.line}); "
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
