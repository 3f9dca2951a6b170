"""Raw rows as float64 codes, which explainers can mix, and a model that is asked with them.

Explainers replace a cell by that of another row. Texts fail in their arithmetic, and NaN equals
nothing; so each cell is the number of its value among those of its column, and is turned back into
the value just before the model is asked.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.export.served import ServedModel

_MOST_KEYS = 2.0**62
_BATCH = 8192


@dataclass(frozen=True)
class Cells:
    """Raw rows as `ServedModel` takes them.

    Attributes:
      number_names, text_names: Columns.
      numbers: float64 [rows, number columns]; NaN where the value is missing.
      texts: object [rows, text columns] of str; "" where the value is missing.
    """

    number_names: tuple[str, ...]
    text_names: tuple[str, ...]
    numbers: np.ndarray
    texts: np.ndarray

    @property
    def names(self) -> tuple[str, ...]:
        """All columns, numbers first."""
        return (*self.number_names, *self.text_names)

    @property
    def count(self) -> int:
        """Number of rows."""
        return len(self.numbers)

    def column(self, at: int) -> np.ndarray:
        """The values of a column by its place in `names`: [rows], float64 or object."""
        width = len(self.number_names)
        values: np.ndarray = self.numbers[:, at] if at < width else self.texts[:, at - width]
        return values

    def take(self, index: np.ndarray) -> "Cells":
        """The rows that an array of row numbers or a mask selects."""
        return Cells(self.number_names, self.text_names, self.numbers[index], self.texts[index])


def cells_of(
    number_names: Sequence[str], text_names: Sequence[str], columns: Mapping[str, Sequence[object]]
) -> Cells:
    """Rows from whole columns, each [rows]; None is missing, too.

    Raises:
      KeyError: A column is not there.
    """
    count = len(columns[[*number_names, *text_names][0]])
    numbers = np.empty((count, len(number_names)), np.float64)
    texts = np.empty((count, len(text_names)), object)
    for at, name in enumerate(number_names):
        numbers[:, at] = [math.nan if v is None else v for v in columns[name]]
    for at, name in enumerate(text_names):
        texts[:, at] = ["" if v is None else v for v in columns[name]]
    return Cells(tuple(number_names), tuple(text_names), numbers, texts)


class Coding:
    """The distinct values of each column, in ascending order; a missing number is the last.

    Attributes:
      names: Columns, numbers first.
      values: Of each column, float64 or object.
    """

    def __init__(self, tables: Sequence[Cells], more: Mapping[str, Sequence[object]] | None = None):
        """Takes the values of tables of the same columns, and of columns by name what else counts.

        Args:
          tables: At least one.
          more: Further values.
        """
        first = tables[0]
        self.names = first.names
        self._width = len(first.number_names)
        self._like = first
        self.values: list[np.ndarray] = []
        for at, name in enumerate(self.names):
            kind = np.float64 if at < self._width else object
            parts = [table.column(at) for table in tables]
            parts.append(np.array(list((more or {}).get(name, ())), kind))
            self.values.append(np.unique(np.concatenate(parts)))
        self._codes = [
            {} if at < self._width else {value: code for code, value in enumerate(values)}
            for at, values in enumerate(self.values)
        ]

    def code(self, at: int, values: Sequence[object] | np.ndarray) -> np.ndarray:
        """Codes of values of a column by its place, float64 [values]; all of them are known."""
        if at < self._width:
            found: np.ndarray = np.searchsorted(self.values[at], np.asarray(values, np.float64))
            return found.astype(np.float64)
        return np.array([self._codes[at][value] for value in values], np.float64)

    def encode(self, cells: Cells) -> np.ndarray:
        """Rows whose values are all known: float64 [rows, columns]."""
        columns = [self.code(at, cells.column(at)) for at in range(len(self.names))]
        return np.stack(columns, axis=1)

    def decode(self, codes: np.ndarray) -> Cells:
        """The rows of codes [rows, columns]."""
        whole = codes.astype(np.int64)
        like, rows = self._like, len(whole)
        numbers = np.empty((rows, self._width), np.float64)
        texts = np.empty((rows, len(self.names) - self._width), object)
        for at, values in enumerate(self.values):
            into, place = (numbers, at) if at < self._width else (texts, at - self._width)
            into[:, place] = values[whole[:, at]]
        return Cells(like.number_names, like.text_names, numbers, texts)


class CodedModel:
    """A model that is asked with codes. Rows that are alike are asked once."""

    def __init__(self, model: ServedModel, coding: Coding) -> None:
        self._model, self._coding = model, coding
        self._sizes = [len(values) for values in coding.values]
        self._has_keys = math.prod(map(float, self._sizes)) < _MOST_KEYS

    def __call__(self, codes: np.ndarray) -> np.ndarray:
        """Answers, float64 [rows, outputs]: one output of two classes, K of more.

        Args:
          codes: float64 [rows, columns].

        Raises:
          ValueError: An answer is not a number.
        """
        whole = codes.astype(np.int64)
        if self._has_keys:
            keys = np.ravel_multi_index(tuple(whole.T), self._sizes)
            _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
        else:
            _, first, inverse = np.unique(whole, axis=0, return_index=True, return_inverse=True)
        asked = whole[first]
        starts = range(0, len(asked), _BATCH)
        parts = [self._ask(asked[start : start + _BATCH]) for start in starts]
        answers = np.concatenate(parts)
        if not np.isfinite(answers).all():
            wrong = int((~np.isfinite(answers)).any(axis=1).sum())
            raise ValueError(f"{wrong} of {len(answers)} answers are not numbers")
        found: np.ndarray = answers[inverse.reshape(-1)]
        return found

    def _ask(self, codes: np.ndarray) -> np.ndarray:
        cells = self._coding.decode(codes)
        answers = self._model.answer(cells.numbers, cells.texts).astype(np.float64)
        return answers.reshape(len(codes), -1)


def missing_is_none(value: object) -> object:
    """A cell for JSON: a missing number or text is None, a whole number has no fraction."""
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return int(value) if value.is_integer() and abs(value) < 2**53 else float(value)
    return value or None


def chunks(count: int, size: int) -> list[range]:
    """Places 0 to `count` in parts of at most `size`."""
    starts = itertools.count(0, max(1, size))
    first = itertools.takewhile(lambda start: start < count, starts)
    return [range(start, min(start + max(1, size), count)) for start in first]
