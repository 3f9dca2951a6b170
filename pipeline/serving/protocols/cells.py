"""Cells of requests, JSON values or features of tf.Examples, as numbers and texts."""

import base64
import binascii
import math
from collections.abc import Sequence
from typing import Any

import orjson
from tensorflow.core.example import feature_pb2

from pipeline.serving.contract import ServedColumn
from pipeline.serving.errors import CellError, RequestError

NUMBERS = {int, float}
"""The types of JSON's numbers."""

SHOWN = 256
"""Bytes of a value in a message, as in TensorFlow Serving."""

HINT = 'a missing number is sent as NaN, a missing text as ""'


def number_of(row: int, column: str, value: Any) -> float:
    """The value of a cell of a number column.

    Raises:
      CellError: It is no number, and no list of one.
    """
    plain = _scalar(row, column, value)
    if type(plain) not in NUMBERS:
        raise CellError(row, column, _type_error(plain, "float"))
    number: float = plain
    return number


def text_of(row: int, column: str, value: Any) -> str:
    """The value of a cell of a text column, whose bytes may be in base64.

    Raises:
      CellError: It is no text, and no list of one.
    """
    plain = _scalar(row, column, value)
    try:
        if type(plain) is dict:
            plain = decode_base64(plain).decode()
        elif type(plain) is bytes:
            plain = plain.decode()
    except RequestError as error:
        raise CellError(row, column, error.message) from error
    except UnicodeDecodeError as error:
        raise CellError(row, column, "the text is not UTF-8") from error
    if type(plain) is not str:
        raise CellError(row, column, _type_error(plain, "string"))
    return plain


def _scalar(row: int, column: str, value: Any) -> Any:
    """The value of a cell of shape [] or [1]."""
    if type(value) is not list:
        return value
    if len(value) != 1 or type(value[0]) is list:
        text = f"{shown(value)} has not the shape [1] of the signature's [-1, 1]"
        raise CellError(row, column, text)
    return value[0]


def feature_of(row: int, column: ServedColumn, feature: feature_pb2.Feature | None) -> Any:
    """The value of a feature of a tf.Example; that of a missing one where it has none.

    Raises:
      CellError: There are several values, or they are of another type than the contract's.
    """
    text = column.kind == "BYTES"
    which = feature.WhichOneof("kind") if feature is not None else None
    values: Sequence[Any] = getattr(feature, which).value if which else ()
    if len(values) == 0:
        return "" if text else math.nan
    if len(values) > 1:
        raise CellError(row, column.name, f"{len(values)} values where one is expected")
    wanted = {"BYTES": "bytes_list", "INT": "int64_list", "FLOAT": "float_list"}[column.kind]
    if which != wanted:
        raise CellError(row, column.name, f"it is a {which}, the contract asks for a {wanted}")
    return values[0]


def decode_base64(value: Any) -> bytes:
    """The bytes of `{"b64": "..."}`.

    Raises:
      RequestError: It is no such object.
    """
    text = value.get("b64") if type(value) is dict and len(value) == 1 else None
    if type(text) is not str:
        raise RequestError(f"JSON Value: {shown(value)} not formatted correctly for base64 data")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise RequestError("Unable to base64 decode") from error


def shown(value: Any) -> str:
    """A value for a message, cut off where it is long."""
    try:
        text = orjson.dumps(value)[:SHOWN].decode("utf-8", "replace")
    except TypeError:
        text = repr(value)[:SHOWN]
    return text


def json_type(value: Any) -> str:
    """What JSON calls the type of a value, as TensorFlow Serving writes it."""
    if value is None or isinstance(value, bool):
        return {None: "Null", False: "False", True: "True"}[value]
    names = {dict: "Object", list: "Array", str: "String", int: "Number", float: "Number"}
    return names.get(type(value), type(value).__name__)


def _type_error(value: Any, expected: str) -> str:
    hint = f"; {HINT}" if value is None else ""
    return (
        f"JSON Value: {shown(value)} Type: {json_type(value)} is not of expected type: "
        f"{expected}{hint}"
    )
