"""Rows as labelling functions see them: views of columns that note what is read."""

from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Value = float | str | None


@dataclass(frozen=True)
class CodedColumn:
    """A column as codes: row n has the value `values[codes[n]]`.

    Attributes:
      codes: int64 [rows].
      values: Distinct values; None stands for a missing one.
    """

    codes: NDArray[np.int64]
    values: Sequence[Value]

    def at(self, row: int) -> Value:
        """The value of a row."""
        return self.values[self.codes[row]]

    def at_all(self, rows: NDArray[np.int64]) -> list[Value]:
        """The values of some rows."""
        return [self.values[code] for code in self.codes[rows].tolist()]


Columns = Mapping[str, CodedColumn]


def coded(values: Sequence[Value]) -> CodedColumn:
    """A column from one value a row."""
    code_of: dict[Value, int] = {}
    codes = [code_of.setdefault(value, len(code_of)) for value in values]
    return CodedColumn(np.array(codes, dtype=np.int64), list(code_of))


class Row(MutableMapping[str, Any]):
    """A row as functions see it, `row["age"]` or `row.age`; it notes the columns that are read.

    What a preprocessor assigns is kept apart from the columns, in `added`.
    """

    __slots__ = ("added", "columns", "number", "read")

    def __init__(
        self, columns: Columns, number: int, added: dict[str, Any], read: set[str]
    ) -> None:
        put = object.__setattr__
        put(self, "added", added)
        put(self, "columns", columns)
        put(self, "number", number)
        put(self, "read", read)

    def __getitem__(self, name: str) -> Any:
        if name in self.added:
            return self.added[name]
        value = self.columns[name].at(self.number)
        self.read.add(name)
        return value

    def __setitem__(self, name: str, value: Any) -> None:
        self.added[name] = value

    def __delitem__(self, name: str) -> None:
        del self.added[name]

    def __iter__(self) -> Iterator[str]:
        return iter({**self.columns, **self.added})

    def __len__(self) -> int:
        return len({**self.columns, **self.added})

    def __hash__(self) -> int:
        return hash(frozenset(self.items()))

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"there is no column '{name}'") from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __reduce__(self) -> tuple[Any, ...]:
        return plain_row, (dict(self),)

    def copied(self) -> "Row":
        """The same row, to be changed by a preprocessor; what is read of it is noted here too."""
        return Row(self.columns, self.number, dict(self.added), self.read)


def plain_row(values: dict[str, Any]) -> Row:
    """A row of its own, not of a batch."""
    return Row(
        {name: CodedColumn(np.zeros(1, np.int64), [v]) for name, v in values.items()}, 0, {}, set()
    )
