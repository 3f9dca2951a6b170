"""Parquet files as text: each value in the form in which a CSV file would hold it.

| type in the file | cell |
|---|---|
| string, dictionary of strings, binary in UTF-8 | as it is |
| whole numbers, decimals | `-3`, `12.50` |
| float, double | the shortest text that gives the same value back; NaN is missing |
| bool | `True`, `False` |
| date, time, timestamp | `2024-01-31`, `13:45:00`, `2024-01-31 13:45:00`, and a fraction of a |
|  | second where there is one; behind it the offset of its zone: `+0100`, `Z` |
| null, empty text | empty: missing |

A list, a struct or a map has no such form, nor has a duration or a type of one library.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from core.errors import InputError

ENDING = ".parquet"
_ENCRYPTED = b"PARE"
_ZERO_FRACTION = re.compile(r"\.0+(?![0-9])")
_TEXT = (pa.types.is_string, pa.types.is_large_string)
_BINARY = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary)
_BY_ARROW = (
    pa.types.is_float32,
    pa.types.is_date,
    pa.types.is_time,
    pa.types.is_timestamp,
)
_BY_PYTHON = (
    pa.types.is_integer,
    pa.types.is_float64,
    pa.types.is_boolean,
    pa.types.is_decimal,
    pa.types.is_null,
)


@contextmanager
def opened(file: BinaryIO, name: str) -> Iterator[pq.ParquetFile]:
    """A Parquet file, whose faults are InputErrors as long as it is open.

    Args:
      file: Its bytes; stays open.
      name: What to call it in errors.

    Raises:
      InputError: It is no Parquet file, encrypted, cut off or damaged.
    """
    try:
        if _is_encrypted(file):
            raise InputError(f"{name}: it is encrypted; write it without encryption")
        parquet = pq.ParquetFile(file)
        _check_places(parquet.metadata, file, name)
        yield parquet
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        why = str(error).partition("\n")[0].rstrip(".")
        raise InputError(
            f"{name}: no Parquet file, or a damaged one: {why}; write or bring it anew"
        ) from error


def _is_encrypted(file: BinaryIO) -> bool:
    size = file.seek(0, 2)
    file.seek(max(0, size - len(_ENCRYPTED)))
    ending = file.read()
    file.seek(0)
    return ending == _ENCRYPTED


def _check_places(metadata: pq.FileMetaData, file: BinaryIO, name: str) -> None:
    """Checks that columns lie within the file: reading beyond may end the process.

    Raises:
      InputError: They do not.
    """
    size = file.seek(0, 2)
    file.seek(0)
    for group in map(metadata.row_group, range(metadata.num_row_groups)):
        for column in map(group.column, range(metadata.num_columns)):
            starts = [column.data_page_offset]
            if column.has_dictionary_page:
                starts.append(column.dictionary_page_offset)
            packed = column.total_compressed_size
            inside = packed >= 0 and 0 <= min(starts) <= size - packed
            if not (inside and column.num_values >= group.num_rows >= 0):
                raise InputError(
                    f"{name}: a damaged Parquet file: column '{column.path_in_schema}' is said to "
                    "lie outside of it; bring it anew"
                )


def check_types(fields: Sequence[pa.Field], name: str) -> None:
    """Checks that the values of columns can be written as text.

    Raises:
      InputError: Names the columns whose values cannot.
    """
    problems = []
    for field in fields:
        kind = value_type(field.type)
        if pa.types.is_nested(kind):
            problems.append(
                f"column '{field.name}' is nested ({kind}), a cell is one value; write its parts "
                "as columns of their own, or leave it out"
            )
        elif not any(check(kind) for check in (*_TEXT, *_BINARY, *_BY_ARROW, *_BY_PYTHON)):
            problems.append(
                f"column '{field.name}' has values of type {kind}, which no cell holds; write it "
                "as a number or as text, or leave it out"
            )
    if problems:
        raise InputError("\n".join(f"{name}: {problem}" for problem in problems))


def value_type(kind: pa.DataType) -> pa.DataType:
    """The type of the values: of a dictionary, of what it refers to."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def cells(values: pa.Array, column: str, first: int, name: str) -> list[str]:
    """The values of a column as text, equal ones as one object, "" where missing.

    Args:
      values: Of a type that `check_types` lets pass.
      column: Its name.
      first: Number of the first row.
      name: Of the file, for messages.

    Raises:
      InputError: A text is not UTF-8; names its row.
    """
    encoded = values if pa.types.is_dictionary(values.type) else values.dictionary_encode()
    at = encoded.indices.fill_null(-1).cast(pa.int64()).to_pylist()
    try:
        words = [*_words(encoded.dictionary), ""]  # the last stands for null
    except UnicodeDecodeError:
        for number, place in enumerate(at):
            if place >= 0 and not _is_utf8(encoded.dictionary[place]):
                raise InputError(
                    f"{name}: row {first + number}, column '{column}': not text in UTF-8; write it "
                    "as text, or leave the column out"
                ) from None
        raise
    return [words[place] for place in at]


def _words(values: pa.Array) -> list[str]:
    """Different values as texts."""
    kind = values.type
    if any(check(kind) for check in _BY_ARROW):
        texts = values.cast(pa.string()).to_pylist()
        return ["" if t in (None, "nan") else _ZERO_FRACTION.sub("", t) if _is_time(kind) else t
                for t in texts]  # fmt: skip
    found = values.to_pylist()
    if any(check(kind) for check in _TEXT):
        return ["" if value is None else value for value in found]
    if any(check(kind) for check in _BINARY):
        return ["" if value is None else value.decode() for value in found]
    if pa.types.is_decimal(kind):
        return ["" if value is None else format(value, "f") for value in found]
    return ["" if value is None or value != value else str(value) for value in found]


def _is_time(kind: pa.DataType) -> bool:
    return pa.types.is_time(kind) or pa.types.is_timestamp(kind)


def _is_utf8(value: pa.Scalar) -> bool:
    content = value.as_buffer() if value.is_valid else None
    try:
        return content is None or bool(content.to_pybytes().decode() or True)
    except UnicodeDecodeError:
        return False
