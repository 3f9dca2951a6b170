"""Bodies of TensorFlow Serving's REST API: JSON to rows, answers to JSON.

Where its documentation and its code differ, the code counts (`json_tensor.cc`): NaN and Infinity
are read, what follows the document is not looked at, `instances` must have the signature's inputs
as keys, and `inputs` may have others besides.
"""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import orjson

from core.names import COLUMNS_SIGNATURE, DEFAULT_SIGNATURE, EXAMPLES_INPUT
from pipeline.serving.errors import CellError, RequestError
from pipeline.serving.protocols.cells import decode_base64, shown
from pipeline.serving.rows import RequestRows, RowChecker

BY_ROW, BY_OUTPUT = "predictions", "outputs"
SIGNATURES = (DEFAULT_SIGNATURE, COLUMNS_SIGNATURE)
_DECODER = json.JSONDecoder()


def parse(body: bytes) -> dict[str, Any]:
    """The object in a body.

    Raises:
      RequestError: There is none.
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        document = _parse_leniently(body)
    if type(document) is not dict:
        raise _fault(document, "Is not object")
    return document


def _parse_leniently(body: bytes) -> Any:
    """As RapidJSON with the flags of TensorFlow Serving: NaN is read, the rest is left alone."""
    try:
        text = body.decode("utf-8").lstrip("\ufeff \t\r\n")
        if not text:
            raise RequestError("JSON Parse error: The document is empty. at offset: 0")
        document, _ = _DECODER.raw_decode(text)
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeError as error:
        at = getattr(error, "start", 0)
        raise RequestError(f"JSON Parse error: Invalid encoding. at offset: {at}") from error
    except json.JSONDecodeError as error:
        raise RequestError(
            f"JSON Parse error: Invalid value. at offset: {error.pos} ({error.msg})"
        ) from error
    except RecursionError as error:
        raise RequestError("JSON Parse error: nested too deeply") from error
    except ValueError as error:  # numbers of thousands of digits
        raise RequestError(f"JSON Parse error: {error}") from error
    return document


def _fault(document: Any, what: str) -> RequestError:
    return RequestError(f"JSON Value: {shown(document)} {what}")


def signature_of(document: Mapping[str, Any]) -> str:
    """The signature that a document names.

    Raises:
      RequestError: It is no text.
    """
    name = document.get("signature_name", DEFAULT_SIGNATURE)
    if type(name) is not str:
        raise _fault(
            document, "not formatted correctly. 'signature_name' key must be a string value."
        )
    return name or DEFAULT_SIGNATURE


def predict_rows(document: Mapping[str, Any], checker: RowChecker) -> tuple[str, RequestRows]:
    """Key of the answer (`predictions` or `outputs`), and the rows of a `:predict`.

    Raises:
      RequestError: The document is not as it should be.
    """
    signature = signature_of(document)
    if signature not in SIGNATURES:
        text = f'Serving signature name: "{signature}" not found in signature def'
        raise RequestError(text)
    has_rows, has_columns = "instances" in document, "inputs" in document
    if has_rows and has_columns:
        raise _fault(
            document,
            "Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist",
        )
    if has_rows:
        instances = document["instances"]
        if type(instances) is not list:
            raise _fault(document, "Expecting 'instances' to be an list/array")
        if not instances:
            raise _fault(document, "No values in 'instances' array")
        return BY_ROW, _instances(instances, signature, checker)
    if has_columns:
        return BY_OUTPUT, _inputs(document["inputs"], signature, checker)
    raise RequestError("Missing 'inputs' or 'instances' key")


def _instances(instances: list[Any], signature: str, checker: RowChecker) -> RequestRows:
    try:
        if signature == DEFAULT_SIGNATURE:
            checker.check_count(len(instances))
            return checker.of_examples(_example_instances(instances))
        if type(instances[0]) is not dict or "b64" in instances[0]:
            if len(checker.names) > 1:
                raise RequestError(
                    "instances is a plain list, but expecting list of objects as multiple input "
                    "tensors required as per tensorinfo_map"
                )
            checker.check_count(len(instances))
            return checker.of_columns({checker.names[0]: instances})
        return checker.of_instances(instances)
    except CellError as error:
        raise RequestError(
            f"Failed to process element: {error.row} key: {error.column} of 'instances' list. "
            f"Error: INVALID_ARGUMENT: {error}"
        ) from error


def _example_instances(instances: list[Any]) -> list[bytes]:
    found = []
    for row, instance in enumerate(instances):
        value = instance
        if type(value) is dict and "b64" not in value:
            for name in value:
                if name != EXAMPLES_INPUT:
                    short = name[:100]
                    raise CellError(row, short, f"JSON object: does not have named input: {short}")
            if EXAMPLES_INPUT not in value:
                raise RequestError(
                    f"Failed to process element: {row} of 'instances' list. JSON object: "
                    f"{shown(value)} keys must be equal to: {EXAMPLES_INPUT}"
                )
            value = value[EXAMPLES_INPUT]
        found.append(_example(row, value))
    return found


def _example(row: int, value: Any) -> bytes:
    if type(value) is str:
        return value.encode()
    try:
        return decode_base64(value)
    except RequestError as error:
        raise CellError(row, EXAMPLES_INPUT, error.message) from error


def _inputs(inputs: Any, signature: str, checker: RowChecker) -> RequestRows:
    """Rows of the column format; inputs that the signature does not have are left alone."""
    wanted = (EXAMPLES_INPUT,) if signature == DEFAULT_SIGNATURE else checker.names
    if type(inputs) is not dict or "b64" in inputs:
        if len(wanted) > 1:
            raise RequestError(
                "inputs is a plain value/list, but expecting an object as multiple input tensors "
                "required as per tensorinfo_map"
            )
        inputs = {wanted[0]: inputs}
    columns: dict[str, list[Any]] = {}
    for name in wanted:
        if name not in inputs:
            raise RequestError(f"Missing named input: {name} in 'inputs' object.")
        columns[name] = inputs[name] if type(inputs[name]) is list else [inputs[name]]
    check_lengths(columns)
    checker.check_count(len(columns[wanted[0]]))
    try:
        if signature == DEFAULT_SIGNATURE:
            values = columns[EXAMPLES_INPUT]
            return checker.of_examples([_example(row, value) for row, value in enumerate(values)])
        return checker.of_columns(columns)
    except CellError as error:
        raise RequestError(str(error)) from error


def check_lengths(columns: Mapping[str, Sequence[Any]]) -> None:
    """Refuses columns of different lengths, and such without rows.

    Raises:
      RequestError: Names two of them.
    """
    first, count = next((name, len(values)) for name, values in columns.items())
    for name, values in columns.items():
        if len(values) != count:
            raise RequestError(
                f"column '{first}' has {count} rows, column '{name}' has {len(values)}; all "
                "inputs must have the same 0-th dimension"
            )
    if not count:
        raise RequestError(f"column '{first}' has no rows")


def example_rows(document: Mapping[str, Any], checker: RowChecker) -> RequestRows:
    """Rows of a `:classify` or `:regress`: `examples`, over what they share in `context`.

    Raises:
      RequestError: The document is not as it should be.
    """
    signature = signature_of(document)
    if signature not in SIGNATURES:
        raise RequestError(f"No signature was found with the name: {signature}")
    if signature != DEFAULT_SIGNATURE:
        raise RequestError(f"Expected one input Tensor. {signature} has {len(checker.names)}")
    context = document.get("context", {})
    examples = document.get("examples")
    if "examples" not in document:
        raise _fault(
            document, "When method is classify, key 'examples' is expected and was not found"
        )
    if type(examples) is not list:
        raise _fault(document, "Expecting 'examples' value to be an list/array")
    if not examples:
        raise _fault(document, "'examples' value is an empty array")
    checker.check_count(len(examples))
    for value in (context, *examples):
        if type(value) is not dict:
            raise RequestError(f"Example must be JSON object but got JSON {shown(value)}")
    columns: dict[str, list[Any]] = {}
    for column in checker.columns():
        missing = "" if column.kind == "BYTES" else math.nan
        cells = [example.get(column.name, context.get(column.name, [])) for example in examples]
        columns[column.name] = [missing if cell == [] else cell for cell in cells]
    try:
        return checker.of_columns(columns)
    except CellError as error:
        raise RequestError(f"Feature: {error.column}: {error}") from error


def dump(document: Any, answers: np.ndarray) -> bytes:
    """JSON of an answer; numbers that JSON lacks are written as TensorFlow Serving writes them."""
    if np.isfinite(answers).all():
        return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)
    return json.dumps(document, default=np.ndarray.tolist).encode()
