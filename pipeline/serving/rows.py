"""Values of requests held against the contract, and turned into what a model is asked with.

Column by column, so that a value that is as it should be costs next to nothing: types and ranges of
a column are looked at together, and single values only where that shows something.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from tensorflow.core.example import example_pb2

from models.columns.date_formats import reader_of
from pipeline.serving.contract import ServedColumn
from pipeline.serving.errors import CellError, RequestError
from pipeline.serving.protocols.cells import (
    HINT,
    NUMBERS,
    SHOWN,
    feature_of,
    json_type,
    number_of,
    shown,
    text_of,
)

_WHOLE = {int}
_TEXTS = {str}
_INT64 = 2**63


@dataclass(frozen=True)
class RequestRows:
    """Rows that may be asked for.

    Attributes:
      numbers: Values of the model's number columns, row by row; NaN where missing.
      texts: Values of its text columns, row by row; "" where missing.
      examples: The rows as serialized tf.Examples, where they were sent as such.
      cells: Of one row the values by column, where it was sent like that; the log takes them over.
    """

    numbers: list[tuple[float, ...]]
    texts: list[tuple[str, ...]]
    examples: list[bytes] | None = None
    cells: dict[str, Any] | None = None

    @property
    def count(self) -> int:
        """Number of rows."""
        return len(self.numbers)


class RowChecker:
    """Checks rows for a model.

    Attributes:
      names: Columns that the model takes.
    """

    def __init__(
        self,
        contract: Mapping[str, ServedColumn],
        numbers: Sequence[str],
        texts: Sequence[str],
        refuse: bool,
        max_rows: int,
    ) -> None:
        """Takes the contract and the model's columns.

        Args:
          contract: Columns by name; one that it lacks may hold anything.
          numbers: Number columns of the model.
          texts: Text columns of the model.
          refuse: Whether values outside domains and ranges are refused.
          max_rows: Most rows of a request.
        """
        self.names = (*numbers, *texts)
        self._numbers = [contract.get(n, ServedColumn(n, "FLOAT", False)) for n in numbers]
        self._texts = [contract.get(n, ServedColumn(n, "BYTES", False)) for n in texts]
        self._domains = {c.name: {"", *c.values} for c in self._texts if c.values is not None}
        self._dates = {c.name: reader_of(c.date) for c in self._texts if c.date is not None}
        self._known = set(self.names)
        self._values = itemgetter(*self.names, self.names[0])  # two at least: always a tuple
        self._refuse, self._max_rows = refuse, max_rows
        self._plain_numbers = [
            (
                _WHOLE if c.kind == "INT" else NUMBERS,
                max(c.low, -_INT64),
                min(c.high, _INT64 - 1),
            )
            for c in self._numbers
        ]
        self._plain_texts = [
            (c.required, self._domains.get(c.name) if refuse else None) for c in self._texts
        ]
        self._has_dates = refuse and bool(self._dates)

    def columns(self) -> tuple[ServedColumn, ...]:
        """The columns that the model takes, as the contract has them."""
        return (*self._numbers, *self._texts)

    def check_count(self, count: int) -> None:
        """Refuses requests of too many rows.

        Raises:
          RequestError: There are too many.
        """
        if count > self._max_rows:
            most = f"serving.max_rows={self._max_rows}"
            raise RequestError(f"the request has {count} rows, {most} is the most that is answered")

    def of_instances(self, instances: Sequence[Any]) -> RequestRows:
        """Rows of named columns, one object a row.

        Raises:
          CellError: A value is refused.
          RequestError: A row is no object or has not the model's columns.
        """
        self.check_count(len(instances))
        for row, instance in enumerate(instances):
            if type(instance) is not dict or instance.keys() != self._known:
                self._refuse_keys(row, instance)
        if len(instances) == 1 and (found := self._of_plain_row(instances[0])):
            return found
        columns = zip(*map(self._values, instances), strict=True)
        return self.of_columns(dict(zip(self.names, columns, strict=False)))

    def _of_plain_row(self, instance: dict[str, Any]) -> RequestRows | None:
        """A row of numbers in their ranges and of texts; None: its columns are to be looked at.

        Most requests are such, and looking at their columns takes several times as long.
        """
        values, count = self._values(instance), len(self._numbers)
        numbers, texts = values[:count], values[count:-1]
        for value, (kinds, low, high) in zip(numbers, self._plain_numbers, strict=True):
            if type(value) not in kinds or not low <= value <= high:
                return None
        for value, (required, domain) in zip(texts, self._plain_texts, strict=True):
            if type(value) is not str or (required and not value):
                return None
            if domain is not None and value not in domain:
                return None
        return None if self._has_dates else RequestRows([numbers], [texts], None, instance)

    def _refuse_keys(self, row: int, instance: Any) -> None:
        if type(instance) is not dict:
            kind = json_type(instance)
            raise RequestError(f"Expecting object but got {kind} at item {row} of input list")
        for name in instance:
            if name not in self._known:
                short = name[:SHOWN]
                raise CellError(row, short, f"JSON object: does not have named input: {short}")
        missing = [name for name in self.names if name not in instance]
        raise RequestError(
            f"Failed to process element: {row} of 'instances' list. JSON object: "
            f"{shown(instance)} keys must be equal to: {','.join(sorted(self.names))}; "
            f"row {row} lacks column '{missing[0]}' ({HINT})"
        )

    def of_columns(self, columns: Mapping[str, Sequence[Any]]) -> RequestRows:
        """Rows of whole columns, [rows] or [rows, 1], which are as long as each other.

        Raises:
          CellError: A value is refused.
        """
        numbers = [self._checked_numbers(c, columns[c.name]) for c in self._numbers]
        texts = [self._checked_texts(c, columns[c.name]) for c in self._texts]
        count = len(next(iter(columns.values())))
        nothing: list[tuple[Any, ...]] = [()] * count
        return RequestRows(
            list(zip(*numbers, strict=True)) or nothing, list(zip(*texts, strict=True)) or nothing
        )

    def of_examples(self, examples: Sequence[bytes]) -> RequestRows:
        """Rows of serialized tf.Examples; features that the model does not take are left alone.

        Raises:
          CellError: A value is refused.
          RequestError: One is not a tf.Example.
        """
        self.check_count(len(examples))
        features: list[Mapping[str, Any]] = []
        for row, content in enumerate(examples):
            try:
                features.append(example_pb2.Example.FromString(content).features.feature)
            except Exception as error:  # protobuf's, of which there are several
                text = f"Could not parse example input at row {row}, value: '{content[:64]!r}'"
                raise RequestError(text) from error
        columns: dict[str, Sequence[Any]] = {}
        for column in self.columns():
            # get() of a map of messages gives None, [] would make an entry
            found = [f.get(column.name) for f in features]
            columns[column.name] = [feature_of(row, column, cell) for row, cell in enumerate(found)]
        rows = self.of_columns(columns)
        return RequestRows(rows.numbers, rows.texts, list(examples))

    def _checked_numbers(self, column: ServedColumn, values: Sequence[Any]) -> Sequence[float]:
        kinds = set(map(type, values))
        if not kinds <= NUMBERS:
            values = [number_of(row, column.name, value) for row, value in enumerate(values)]
            kinds = set(map(type, values))
        if float not in kinds:
            low, high = min(values, default=0), max(values, default=0)
            if column.low <= low and high <= column.high and low >= -_INT64 and high < _INT64:
                return values
        return [self._checked_number(row, column, value) for row, value in enumerate(values)]

    def _checked_number(self, row: int, column: ServedColumn, value: float) -> float:
        if value != value:
            if column.required:
                raise CellError(row, column.name, "the contract asks for a value in every row")
            return value
        if column.kind == "INT":
            if type(value) is float:
                if not value.is_integer():
                    raise CellError(row, column.name, f"{value} is not a whole number")
                value = int(value)
            if not -_INT64 <= value < _INT64:
                raise CellError(row, column.name, f"{value:.6g} is too large a number")
        elif type(value) is int and not -_INT64 <= value < _INT64:
            raise CellError(row, column.name, "the number has too many digits; write it as 1e30")
        if self._refuse and not column.low <= value <= column.high:
            bounds = f"{column.low:g} to {column.high:g}"
            raise CellError(row, column.name, f"{value} is outside the contract's range {bounds}")
        return value

    def _checked_texts(self, column: ServedColumn, values: Sequence[Any]) -> Sequence[str]:
        if set(map(type, values)) != _TEXTS:
            values = [text_of(row, column.name, value) for row, value in enumerate(values)]
        if column.required and "" in values:
            row = values.index("")
            raise CellError(row, column.name, "the contract asks for a value in every row")
        if self._refuse and column.name in self._domains:
            domain = self._domains[column.name]
            if not domain.issuperset(values):
                row = next(row for row, value in enumerate(values) if value not in domain)
                what = f"{shown(values[row])} is not one of the contract's values"
                raise CellError(row, column.name, what)
        if self._refuse and column.date is not None:
            reader = self._dates[column.name]
            for row, value in enumerate(values):
                if value and reader.read(value) is None:
                    what = f"{shown(value)} is not of the format {column.date.format}"
                    raise CellError(row, column.name, what)
        return values
