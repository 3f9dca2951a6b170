"""TensorFlow Serving's JSON: what its code takes and refuses, and in which words."""

import base64
import json
import math
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from pipeline.serving.errors import RequestError
from pipeline.serving.protocols import payloads
from pipeline.serving.protocols.inference import infer_rows
from pipeline.serving.rows import RowChecker
from tests.support.servers.columns_model import CONTRACT, checker, row

COLUMNS = {"signature_name": "serving_columns"}


def refusal(document: Any, **flags: Any) -> str:
    """Why a `:predict` is refused."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    with pytest.raises(RequestError) as error:
        payloads.predict_rows(payloads.parse(body), checker(**flags))
    assert error.value.http == 400
    return error.value.message


def test_rows_and_columns_are_the_same() -> None:
    two = [row(), row(age=[41], gain=math.nan, work="", sex=["Female"])]
    key, rows = payloads.predict_rows({**COLUMNS, "instances": two}, checker())
    assert key == "predictions"
    assert rows.texts == [("Male", "Private"), ("Female", "")]
    assert rows.numbers[:1] == [(39, 1.5)]
    assert rows.numbers[1][:1] == (41,)
    assert math.isnan(rows.numbers[1][1])
    columns = {"age": [39, [41]], "gain": [[1.5], math.nan], "work": ["Private", ""]}
    columns |= {"sex": ["Male", "Female"], "unknown": [1]}
    key, again = payloads.predict_rows({**COLUMNS, "inputs": columns}, checker())
    assert key == "outputs"
    assert again.texts == rows.texts
    assert str(again.numbers) == str(rows.numbers)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "JSON Parse error: The document is empty"),
        (b"  \n", "JSON Parse error: The document is empty"),
        (b"instances = [1, 2]", "JSON Parse error: Invalid value. at offset: 0"),
        (b"[1]", "Is not object"),
        (b"\xff\xfe", "JSON Parse error: Invalid encoding"),
        (b'{"instances": ["\\ud800"]}', "JSON Parse error: Invalid encoding"),
        (b"[" * 100_000, "JSON Parse error"),
        (b'{"x": ' + b"9" * 5000 + b"}", "JSON Parse error"),
    ],
)
def test_what_is_not_json(body: bytes, message: str) -> None:
    assert message in refusal(body)


def test_what_json_lacks_is_read_as_tensorflow_serving_reads_it() -> None:
    body = b'\xef\xbb\xbf {"a": [NaN, Infinity, -Infinity]} and what follows is not looked at'
    assert str(payloads.parse(body)) == "{'a': [nan, inf, -inf]}"


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"signature_name": 100}, "'signature_name' key must be a string value."),
        (
            {"signature_name": "other", "instances": [1]},
            'Serving signature name: "other" not found in signature def',
        ),
        (COLUMNS, "Missing 'inputs' or 'instances' key"),
        ({**COLUMNS, "instances": [], "inputs": {}}, "only one of 'inputs' or 'instances'"),
        ({**COLUMNS, "instances": {}}, "Expecting 'instances' to be an list/array"),
        ({**COLUMNS, "instances": []}, "No values in 'instances' array"),
        ({**COLUMNS, "instances": [1]}, "instances is a plain list, but expecting list of objects"),
        (
            {**COLUMNS, "instances": [row(), 5]},
            "Expecting object but got Number at item 1 of input list",
        ),
        ({**COLUMNS, "inputs": [1]}, "inputs is a plain value/list, but expecting an object"),
        ({**COLUMNS, "inputs": {"age": [1]}}, "Missing named input: gain in 'inputs' object."),
        (
            {**COLUMNS, "inputs": {**row(), "age": [39, 40]}},
            "column 'age' has 2 rows, column 'gain' has 1",
        ),
        ({**COLUMNS, "inputs": {name: [] for name in row()}}, "column 'age' has no rows"),
        ({**COLUMNS, "instances": [row()] * 101}, "101 rows, serving.max_rows=100"),
        ({**COLUMNS, "inputs": {n: [v] * 101 for n, v in row().items()}}, "101 rows"),
    ],
)
def test_requests_that_are_not_as_they_should_be(document: Any, message: str) -> None:
    assert message in refusal(document)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"age": "39"}, 'JSON Value: "39" Type: String is not of expected type: float'),
        ({"age": True}, "Type: True is not of expected type: float"),
        ({"age": None}, "Type: Null is not of expected type: float"),
        ({"age": {}}, "Type: Object is not of expected type: float"),
        ({"age": [39, 40]}, "has not the shape [1]"),
        ({"age": [[39]]}, "has not the shape [1]"),
        ({"age": 39.5}, "39.5 is not a whole number"),
        ({"age": math.inf}, "inf is not a whole number"),
        ({"age": 2**63}, "too large"),
        ({"age": math.nan}, "asks for a value in every row"),
        ({"gain": 10**400}, "too many digits"),
        ({"work": 5}, "Type: Number is not of expected type: string"),
        ({"work": None}, 'a missing text as ""'),
        ({"work": {"b64": "/w=="}}, "not UTF-8"),
        ({"work": {"b64": "?"}}, "Unable to base64 decode"),
        ({"work": {"b64": 5}}, "not formatted correctly for base64"),
        ({"sex": ""}, "asks for a value in every row"),
        ({"income": 1}, "does not have named input: income"),
    ],
)
def test_a_value_that_is_refused_is_named_by_row_and_column(
    changes: dict[str, Any], message: str
) -> None:
    [column] = changes
    text = refusal({**COLUMNS, "instances": [row(), row(**changes)]})
    assert f"row 1, column '{column}': " in text
    assert f"element: 1 key: {column} of 'instances' list" in text
    assert message in text
    if column != "income":
        inputs = {name: [value, changes.get(name, value)] for name, value in row().items()}
        text = refusal({**COLUMNS, "inputs": inputs})
        assert f"row 1, column '{column}': " in text
        assert message in text


def test_a_row_that_lacks_a_column_is_named() -> None:
    lacking = {name: value for name, value in row().items() if name != "work"}
    text = refusal({**COLUMNS, "instances": [row(), lacking]})
    assert "keys must be equal to: age,gain,sex,work" in text
    assert "row 1 lacks column 'work'" in text


@pytest.mark.parametrize(
    "changes", [{"age": 16}, {"age": 91.0}, {"gain": 1e39}, {"gain": math.inf}, {"work": "None"}]
)
def test_what_is_outside_the_contract_is_answered_or_refused(changes: dict[str, Any]) -> None:
    document = {**COLUMNS, "instances": [row(), row(**changes)]}
    _, rows = payloads.predict_rows(document, checker())
    assert rows.count == 2
    assert f"row 1, column '{next(iter(changes))}': " in refusal(document, refuse=True)


@pytest.mark.parametrize("refuse", [False, True])
def test_one_row_is_checked_as_rows_are(refuse: bool) -> None:
    """A row of its own goes a shorter way; what it is held to and what comes of it is the same."""
    changes: list[dict[str, Any]] = [
        {}, {"age": 16}, {"age": 39.0}, {"age": 39.5}, {"age": True}, {"age": None}, {"age": [39]},
        {"age": 2**63}, {"gain": 2**63}, {"gain": 1e30}, {"gain": math.inf}, {"gain": math.nan},
        {"age": math.nan}, {"gain": 1001}, {"work": ""}, {"sex": ""}, {"work": "other"},
        {"sex": ["Male"]}, {"sex": {"b64": "TWFsZQ=="}}, {"sex": 1}, {"age": "39"}, {"more": 1},
    ]  # fmt: skip
    for change in changes:
        found = []
        for instances in ([row(**change)], [row(**change), row()]):
            try:
                _, rows = payloads.predict_rows(
                    {**COLUMNS, "instances": instances}, checker(refuse=refuse)
                )
                found.append(str((rows.numbers[0], rows.texts[0])))
            except RequestError as error:
                found.append(error.message)
        assert found[0] == found[1], change


def test_whole_numbers_are_whole_however_they_are_written() -> None:
    _, rows = payloads.predict_rows({**COLUMNS, "instances": [row(age=39.0)]}, checker())
    assert rows.numbers == [(39, 1.5)]
    assert type(rows.numbers[0][0]) is int


def test_a_model_of_one_column_takes_plain_lists() -> None:
    alone = RowChecker(CONTRACT, (), ("work",), True, 100)
    for document in (
        {"instances": ["Private", ["Public"], {"b64": "UHJpdmF0ZQ=="}]},
        {"instances": [{"b64": "UHJpdmF0ZQ=="}, "Public", "Private"]},
        {"inputs": ["Private", "Public", "Private"]},
        {"instances": [{"work": "Private"}, {"work": "Public"}, {"work": "Private"}]},
    ):
        _, rows = payloads.predict_rows({**COLUMNS, **document}, alone)
        assert (rows.count, rows.numbers) == (3, [()] * 3)
        assert {*rows.texts} == {("Private",), ("Public",)}
    assert payloads.predict_rows({**COLUMNS, "inputs": "Private"}, alone)[1].count == 1
    with pytest.raises(RequestError, match="row 1, column 'work'"):
        payloads.predict_rows({**COLUMNS, "instances": ["Private", 5]}, alone)


def example(**features: Any) -> bytes:
    made = tf.train.Example()
    for name, value in features.items():
        feature = made.features.feature[name]
        if isinstance(value, bytes):
            feature.bytes_list.value.append(value)
        elif isinstance(value, float):
            feature.float_list.value.append(value)
        elif isinstance(value, int):
            feature.int64_list.value.append(value)
        else:
            feature.int64_list.value.extend(value)
    return made.SerializeToString()


def test_serialized_examples() -> None:
    sent = example(age=39, sex=b"Male", label=1.0)
    encoded = {"b64": base64.b64encode(sent).decode().rstrip("=")}
    for document in (
        {"instances": [encoded]},
        {"instances": [{"examples": encoded}]},
        {"inputs": {"examples": [encoded]}},
        {"inputs": [encoded]},
        {"inputs": encoded, "signature_name": "serving_default"},
    ):
        _, rows = payloads.predict_rows(document, checker())
        assert rows.examples == [sent]
        assert rows.texts == [("Male", "")]
        assert rows.numbers[0][0] == 39
        assert math.isnan(rows.numbers[0][1])


@pytest.mark.parametrize(
    ("instance", "message"),
    [
        ({"b64": "////"}, "Could not parse example input at row 0"),
        ({"age": 39}, "does not have named input: age"),
        ({}, "keys must be equal to: examples"),
        ({"b64": base64.b64encode(example(age=(1, 2), sex=b"Male")).decode()}, "2 values"),
        ({"b64": base64.b64encode(example(age=39.0, sex=b"Male")).decode()}, "a float_list"),
        ({"b64": base64.b64encode(example(age=39)).decode()}, "column 'sex'"),
        (39, "not formatted correctly for base64"),
    ],
)
def test_examples_that_are_refused(instance: Any, message: str) -> None:
    assert message in refusal({"instances": [instance]})


def test_classify_and_regress_take_features_over_their_context() -> None:
    document = {"context": {"sex": "Male", "age": 20}, "examples": [{"age": [39]}, {"gain": 2}]}
    rows = payloads.example_rows(document, checker())
    assert [numbers[0] for numbers in rows.numbers] == [39, 20]
    assert rows.texts == [("Male", "")] * 2


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "key 'examples' is expected and was not found"),
        ({"examples": {}}, "'examples' value to be an list/array"),
        ({"examples": []}, "'examples' value is an empty array"),
        ({"examples": [5]}, "Example must be JSON object"),
        ({"examples": [row()], "context": 5}, "Example must be JSON object"),
        ({"examples": [row()], "signature_name": "x"}, "No signature was found with the name: x"),
        ({"examples": [row()], **COLUMNS}, "Expected one input Tensor"),
        ({"examples": [{"age": 39}]}, "column 'sex'"),
        ({"examples": [row()] * 101}, "101 rows"),
    ],
)
def test_classify_and_regress_refuse(document: dict[str, Any], message: str) -> None:
    with pytest.raises(RequestError, match=message.replace("(", r"\(")):
        payloads.example_rows(document, checker())


def tensors(**changes: Any) -> list[dict[str, Any]]:
    kinds = {"age": "INT64", "gain": "FP32", "work": "BYTES", "sex": "BYTES"}
    made = [
        {"name": name, "shape": [1, 1], "datatype": kinds[name], "data": [value]}
        for name, value in row().items()
    ]
    made[0].update(changes)
    return made


def test_infer_of_the_open_inference_protocol() -> None:
    rows = infer_rows({"inputs": tensors(shape=[1])}, checker())
    assert (rows.numbers, rows.texts) == ([(39, 1.5)], [("Male", "Private")])


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "'inputs' must be a list"),
        ({"inputs": [5]}, "there is no input"),
        ({"inputs": tensors(name=["age"])}, "there is no input"),
        ({"inputs": tensors(name="x")}, "there is no input"),
        ({"inputs": tensors(name="sex", datatype="BYTES", data=["Male"])}, "given twice"),
        ({"inputs": tensors()[1:]}, "input 'age' is missing"),
        ({"inputs": tensors(datatype="BYTES")}, "datatype"),
        ({"inputs": tensors(datatype=["FP32"])}, "datatype"),
        ({"inputs": tensors(shape=[2, 1])}, "but 1 values"),
        ({"inputs": tensors(shape=[1, 2])}, "is not"),
        ({"inputs": tensors(shape="1")}, "is not"),
        ({"inputs": tensors(data=39)}, "must be a list"),
        ({"inputs": tensors(data=["39"])}, "row 0, column 'age'"),
        ({"inputs": tensors(shape=[0, 1], data=[])}, "0-th dimension"),
        ({"inputs": tensors(), "outputs": [{"name": "x"}]}, "there is no output"),
        ({"inputs": tensors(), "outputs": 5}, "'outputs' must be a list"),
    ],
)
def test_infer_refuses(document: dict[str, Any], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        infer_rows(document, checker())


def test_answers_are_written_as_short_as_their_type_allows() -> None:
    answers = np.array([0.1, 0.088160746], np.float32)
    assert payloads.dump({"predictions": answers}, answers) == b'{"predictions":[0.1,0.088160746]}'
    lost = np.array([[np.nan]], np.float32)
    assert payloads.dump({"predictions": lost}, lost) == b'{"predictions": [[NaN]]}'
