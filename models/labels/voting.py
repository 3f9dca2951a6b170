"""Votes of labelling functions on columns of values, each distinct case looked at once.

A function depends on its row alone, so what it says of one row it says of every row with the same
values in the columns that it reads. A row here notes which columns are read; per batch a function
is called once for each combination of those columns' values that was not met before. Snorkel's
functions, preprocessors and resources are used as they are written.
"""

import contextlib
import operator
import pickle
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from snorkel.labeling import LabelingFunction
from snorkel.map import BaseMapper

from core.errors import InputError
from core.names import BOTH
from models.labels.rows import Columns, Row, Value, plain_row
from models.labels.votes import ABSTAIN

CACHED = 2**15  # cases remembered for each function and preprocessor; then it forgets them all
_RADIX = 2**62  # codes of combinations stay below it

Votes = NDArray[np.int8]


class _Memory:
    """Answers by the values of the columns that they depend on, for the cases met so far."""

    def __init__(self) -> None:
        self.names: tuple[str, ...] = ()
        self.answers: dict[tuple[Any, ...], Any] = {}

    def put(self, row: Row, key: tuple[Any, ...], answer: Any) -> bool:
        """Remembers the answer to a row; whether it depends on columns that those before did not.

        `key`: of the row.
        """
        grown = not row.read.issubset(self.names)
        if grown:
            self.names = tuple(sorted(row.read.union(self.names)))
            key = self.key(row)
        if grown or len(self.answers) >= CACHED:
            self.answers.clear()
        self.answers[key] = answer
        return grown

    def key(self, row: Row) -> tuple[Any, ...]:
        columns, number = row.columns, row.number
        return tuple([columns[name].at(number) for name in self.names])


@dataclass(frozen=True)
class _Cases:
    """Rows with the same values in some columns.

    Attributes:
      first: int64 [cases], the first row of each case.
      case_of_row: int64 [rows].
      keys: Values of the columns, by case.
    """

    first: NDArray[np.int64]
    case_of_row: NDArray[np.int64]
    keys: list[tuple[Value, ...]]


class Voter:
    """Applies labelling functions to batches of rows and remembers what they said of which case."""

    def __init__(
        self, functions: Sequence[LabelingFunction], classes: Sequence[str] = BOTH
    ) -> None:
        """Takes the functions, and the names of the classes by their codes."""
        self.functions = list(functions)
        self._classes = tuple(classes)
        self._votes = [_Memory() for _ in functions]
        self._mapped: dict[tuple[int, ...], _Memory] = {}

    def vote(self, columns: Columns, row_ids: Sequence[str]) -> Votes:
        """Votes of every function on every row: int8 [rows, functions].

        Args:
          columns: What functions may read.
          row_ids: Name of each row, for messages.

        Raises:
          InputError: A function raises, exits, or returns something else than the code or the
            name of a class, or -1.
        """
        votes = np.empty((len(row_ids), len(self.functions)), dtype=np.int8)
        found: dict[tuple[str, ...], _Cases] = {}
        for n, memory in enumerate(self._votes):
            answers = None
            while answers is None:  # once more for each column that turns out to be read
                names = memory.names
                if names not in found:
                    found[names] = _cases(columns, names, len(row_ids))
                answers = self._answers(n, columns, found[names], row_ids)
            votes[:, n] = answers[found[names].case_of_row]
        return votes

    def columns_read(self, row: Mapping[str, Any]) -> set[str]:
        """The columns that the functions look at to vote on a row."""
        watched = plain_row(dict(row))
        for function in self.functions:
            self._call(function, watched.copied(), "")
        return watched.read

    def _answers(
        self, n: int, columns: Columns, cases: _Cases, row_ids: Sequence[str]
    ) -> Votes | None:
        """Votes of function n on each case; None when it turns out to read more columns."""
        memory, answers = self._votes[n], np.empty(len(cases.first), dtype=np.int8)
        for case in np.argsort(cases.first).tolist():  # so that the first faulty row is named
            key = cases.keys[case]
            vote = memory.answers.get(key)
            if vote is None:
                number = int(cases.first[case])
                row = Row(columns, number, {}, set())
                vote = self._call(self.functions[n], row, row_ids[number])
                if memory.put(row, key, vote):
                    return None
            answers[case] = vote
        return answers

    def _call(self, function: LabelingFunction, row: Row, row_id: str) -> int:
        try:
            if type(function).__call__ is not LabelingFunction.__call__:
                vote = function(row)
            else:
                mapped = self._preprocessed(function._pre, row, ())
                vote = function._f(mapped, **function._resources)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # sys.exit() would end the process without a word
            raise InputError(
                f"labelling function {function.name}, row {row_id}: "
                f"{type(error).__name__}: {error} ({last_statement(error)}); "
                "missing values are None, and only feature columns can be read"
            ) from error
        return _checked(vote, self._classes, function.name, row_id)

    def _preprocessed(
        self, preprocessors: Sequence[BaseMapper], row: Any, chain: tuple[int, ...]
    ) -> Any:
        """A row after preprocessors; `chain` are the ids of those before."""
        for preprocessor in preprocessors:
            chain = (*chain, id(preprocessor))
            if preprocessor.memoize and isinstance(row, Row):
                row = self._remembered(preprocessor, row, chain)
            else:
                row = self._applied(preprocessor, row, chain)
            if row is None:
                raise ValueError(f"preprocessor {preprocessor.name} returned None")
        return row

    def _remembered(self, preprocessor: BaseMapper, row: Row, chain: tuple[int, ...]) -> Any:
        """As `_applied`; each case once for all functions (Snorkel's memory has no end)."""
        memory = self._mapped.setdefault(chain, _Memory())
        key = memory.key(row)
        if key in memory.answers:
            row.read.update(memory.names)
            mapped = memory.answers[key]
        else:
            mapped = self._applied(preprocessor, row, chain)
            mapped = mapped.added if isinstance(mapped, Row) else _Other(mapped)
            memory.put(row, key, mapped)
        if isinstance(mapped, _Other):
            return mapped.row
        return Row(row.columns, row.number, dict(mapped), row.read)

    def _applied(self, preprocessor: BaseMapper, row: Any, chain: tuple[int, ...]) -> Any:
        """What Snorkel's own call does, on a copy of the row that notes what is read."""
        copy = row.copied() if isinstance(row, Row) else pickle.loads(pickle.dumps(row))
        copy = self._preprocessed(preprocessor._pre, copy, chain)
        return preprocessor._generate_mapped_data_point(copy)


def _checked(vote: Any, classes: tuple[str, ...], function: str, row_id: str) -> int:
    """A vote as a code: a class by its name, an int, one of NumPy's integers, an IntEnum."""
    number = None
    if isinstance(vote, str) and vote in classes:
        return classes.index(vote)
    with contextlib.suppress(TypeError):
        number = None if isinstance(vote, bool | np.bool_) else operator.index(vote)
    if number is not None and ABSTAIN <= number < len(classes):
        return number
    why = ""
    if isinstance(vote, bool | np.bool_):
        why = "; False would be class 0 where ABSTAIN may be meant: return one of those"
    named = ", ".join(f"{code} '{name}'" for code, name in enumerate(classes))
    told = f"-1 (ABSTAIN) or a class by its code or name: {named}"
    if len(classes) == 2:
        told = f"one of the integers [-1, 0, 1] (ABSTAIN, NEGATIVE, POSITIVE) or a name: {named}"
    raise InputError(
        f"labelling function {function}, row {row_id}: returned {vote!r}; a vote is {told}{why}"
    )


@dataclass(frozen=True)
class _Other:
    """What a preprocessor made in place of the row that it was given."""

    row: Any


def _cases(columns: Columns, names: Sequence[str], rows: int) -> _Cases:
    """The distinct combinations of the values of some columns."""
    combined, size = np.zeros(rows, dtype=np.int64), 1
    for name in names:
        width = len(columns[name].values)
        if size * width > _RADIX:
            distinct, combined = np.unique(combined, return_inverse=True)
            size = len(distinct)
        combined = combined * width + columns[name].codes
        size *= width
    _, first, case_of_row = np.unique(combined, return_index=True, return_inverse=True)
    keys = [columns[name].at_all(first) for name in names]
    return _Cases(first, case_of_row, list(zip(*keys, strict=True)) if keys else [()] * len(first))


def last_statement(error: BaseException) -> str:
    """File, line and text of the last statement before an error, import machinery left out."""
    frames = traceback.extract_tb(error.__traceback__)
    frame = [frame for frame in frames if not frame.filename.startswith("<frozen")][-1]
    return f"{frame.filename}:{frame.lineno}: {frame.line}"
