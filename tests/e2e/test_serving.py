"""What was pushed, asked over the network: real servers, sockets, stubs and a browser."""

import base64
import csv
import gzip
import json
import os
import random
import shutil
import signal
import socket
import threading
import time
import urllib.error
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from models.export.device import interpreter
from pipeline.cli.main import main
from tests.support.e2e.clients import EDGE, fresh
from tests.support.e2e.runs import pipeline
from tests.support.servers.browser import chromium
from tests.support.servers.server import Server, serving

NUMBERS = ["age", "education-num", "capital-gain", "capital-loss", "hours-per-week"]
TEXTS = ["workclass", "education", "marital-status", "occupation", "relationship", "race", "sex",
         "native-country"]  # fmt: skip
MODEL = "/v1/models/smoke"
COLUMNS = {"signature_name": "serving_columns"}


@pytest.fixture(scope="module")
def pushed(kept: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root of our own with the versions of the first run, so that others see no rollback."""
    copy = tmp_path_factory.mktemp("served")
    for folder in ("serving", "edge"):
        shutil.copytree(kept / "smoke" / folder, copy / "smoke" / folder)
    return copy


@pytest.fixture(scope="module")
def rows(kept: Path) -> list[dict[str, Any]]:
    """The staged test rows, as a client sends them."""
    [path] = kept.glob("smoke/staged/*/test/data.csv")
    with path.open(newline="") as file:
        return [
            {**{n: int(row[n]) for n in NUMBERS}, **{name: row[name] for name in TEXTS}}
            for row in csv.DictReader(file)
        ]


@pytest.fixture(scope="module", params=["server", "edge"])
def target(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def server(pushed: Path, target: str) -> Iterator[Server]:
    with serving(pushed, "--target", target) as up:
        yield up


def folder_of(pushed: Path, target: str) -> Path:
    return pushed / "smoke" / {"server": "serving", "edge": "edge"}[target] / "smoke"


def live(pushed: Path, target: str) -> Path:
    return max(folder_of(pushed, target).iterdir(), key=lambda path: int(path.name))


@pytest.fixture(scope="module")
def expected(kept: Path, pushed: Path, target: str, rows: list[dict[str, Any]]) -> np.ndarray:
    """What the pushed model answers where no server is."""
    if target == "edge":
        [path] = kept.glob("smoke/staged/*/test/data.csv")
        folder = live(pushed, target)
        _, numeric, categorical, _ = fresh(EDGE, str(folder), str(path))
        # The kernels of the Evaluator: those of a plain interpreter round some rows otherwise.
        runner = interpreter((folder / "tflite").read_bytes()).get_signature_runner()
        inputs = {"numeric": np.array(numeric, np.float32), "categorical": np.array(categorical)}
        [found] = runner(**inputs).values()
        return np.array(found[:, 0])
    signature = tf.saved_model.load(str(live(pushed, target))).signatures["serving_columns"]
    columns = {n: tf.constant([[row[n]] for row in rows], tf.float32) for n in NUMBERS}
    columns |= {n: tf.constant([[row[n]] for row in rows]) for n in TEXTS}
    answers: np.ndarray = signature(**columns)["probability"].numpy()[:, 0]
    return answers


def example(row: dict[str, Any]) -> bytes:
    made = tf.train.Example()
    for name, value in row.items():
        feature = made.features.feature[name]
        if isinstance(value, int):
            feature.int64_list.value.append(value)
        elif value:
            feature.bytes_list.value.append(value.encode())
    content: bytes = made.SerializeToString()
    return content


def test_every_way_of_asking_gives_the_models_answers(
    server: Server, rows: list[dict[str, Any]], expected: np.ndarray, target: str
) -> None:
    def same(code: int, found: Any) -> None:
        assert code == 200, found
        tolerance = 0 if target == "edge" else 1e-6
        np.testing.assert_allclose(np.float32(found).ravel(), expected, rtol=0, atol=tolerance)

    code, found = server.ask(f"{MODEL}:predict", {**COLUMNS, "instances": rows})
    assert np.shape(found["predictions"]) == (len(rows), 1)
    same(code, found["predictions"])
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    code, found = server.ask(f"{MODEL}/labels/live:predict", {**COLUMNS, "inputs": columns})
    same(code, found["outputs"])
    serialized = [{"b64": base64.b64encode(example(row)).decode()} for row in rows]
    code, found = server.ask(f"{MODEL}:predict", {"instances": serialized})
    same(code, found["predictions"])
    sent = [{name: value for name, value in row.items() if value != ""} for row in rows]
    code, found = server.ask(f"{MODEL}:regress", {"examples": sent})
    same(code, found["results"])
    code, found = server.ask(f"{MODEL}:classify", {"examples": sent})
    same(code, [row[1][1] for row in found["results"]])
    assert [label for label, _ in found["results"][0]] == ["<=50K", ">50K"]
    tensors = [
        {"name": name, "shape": [len(rows), 1], "data": values,
         "datatype": "INT64" if name in NUMBERS else "BYTES"}
        for name, values in columns.items()
    ]  # fmt: skip
    code, found = server.ask("/v2/models/smoke/infer", {"id": "mine", "inputs": tensors})
    same(code, found["outputs"][0]["data"])
    assert (found["id"], found["outputs"][0]["shape"]) == ("mine", [len(rows), 1])


def test_grpc_by_the_public_stubs(
    server: Server, rows: list[dict[str, Any]], expected: np.ndarray, pushed: Path, target: str
) -> None:
    with grpc.insecure_channel(server.grpc) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        request = predict_pb2.PredictRequest()
        request.model_spec.name = "smoke"
        request.model_spec.signature_name = "serving_columns"
        for name in NUMBERS:
            values = np.array([[row[name]] for row in rows], np.float32)
            request.inputs[name].CopyFrom(tf.make_tensor_proto(values))
        for name in TEXTS:
            texts = [[row[name].encode()] for row in rows]
            request.inputs[name].CopyFrom(tf.make_tensor_proto(texts))
        response = stub.Predict(request, timeout=30)
        answers = tf.make_ndarray(response.outputs["probability"])
        assert answers.shape == (len(rows), 1)
        np.testing.assert_allclose(answers[:, 0], expected, rtol=0, atol=1e-6)
        assert response.model_spec.version.value == int(live(pushed, target).name)

        by_examples = predict_pb2.PredictRequest()
        by_examples.model_spec.name = "smoke"
        sent = tf.make_tensor_proto([example(row) for row in rows])
        by_examples.inputs["examples"].CopyFrom(sent)
        found = tf.make_ndarray(stub.Predict(by_examples).outputs["probability"])
        np.testing.assert_allclose(found[:, 0], expected, rtol=0, atol=1e-6)

        asked = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
        asked.model_spec.name = "smoke"
        signatures = get_model_metadata_pb2.SignatureDefMap()
        stub.GetModelMetadata(asked).metadata["signature_def"].Unpack(signatures)
        inputs = signatures.signature_def["serving_columns"].inputs
        assert {*inputs} == {*NUMBERS, *TEXTS}

        status = get_model_status_pb2.GetModelStatusRequest()
        status.model_spec.name = "smoke"
        model = model_service_pb2_grpc.ModelServiceStub(channel)
        [version] = model.GetModelStatus(status).model_version_status
        assert version.state == get_model_status_pb2.ModelVersionStatus.AVAILABLE

        for change, code, words in (
            (lambda r: r.inputs["age"].CopyFrom(tf.make_tensor_proto([["x"]])), "INVALID_ARGUMENT",
             "expected to be DT_FLOAT but DT_STRING"),
            (lambda r: r.inputs.pop("age"), "INVALID_ARGUMENT", "Missing but required: {age}"),
            (lambda r: setattr(r.model_spec, "name", "x"), "NOT_FOUND", "Latest(x)"),
            (lambda r: setattr(r.model_spec, "signature_name", "x"), "FAILED_PRECONDITION",
             'Serving signature key "x" not found'),
            (lambda r: r.output_filter.append("x"), "INVALID_ARGUMENT", "alias not found"),
        ):  # fmt: skip
            wrong = predict_pb2.PredictRequest.FromString(request.SerializeToString())
            change(wrong)
            with pytest.raises(grpc.RpcError) as error:
                stub.Predict(wrong)
            assert error.value.code() is grpc.StatusCode[code], error.value
            assert words in error.value.details()


# Cases of http_rest_api_handler_test.cc, and of the documentation.
@pytest.mark.parametrize(
    ("method", "path", "body", "code", "message"),
    [
        ("GET", "/v1/foo", None, 400, "Malformed request: GET /v1/foo"),
        ("POST", "/v1/foo", b"", 400, "Malformed request: POST /v1/foo"),
        ("GET", "/v1/models", None, 400, "Missing model name"),
        ("GET", "/v1/models/debug/smoke", None, 400, "Malformed request"),
        ("POST", "/v1/models", b"", 400, "Malformed request"),
        ("GET", f"{MODEL}:predict", None, 400, "Malformed request"),
        ("PUT", f"{MODEL}:predict", b"{}", 400, "Malformed request: PUT"),
        ("DELETE", MODEL, None, 400, "Malformed request: DELETE"),
        ("POST", f"{MODEL}/version/50:regress", b"", 400, "Malformed request"),
        ("POST", f"{MODEL}/versions/HELLO:regress", b"", 400, "Malformed request"),
        ("POST", f"{MODEL}/versions/{2**64 - 1}:regress", b"", 400, "Failed to convert version"),
        ("POST", f"{MODEL}/metadata", b"", 400, "Malformed request"),
        ("POST", f"{MODEL}/versions/50/labels/live:regress", b"", 400, "Malformed request"),
        ("POST", "/v1/models/foo:predict", {"instances": [1]}, 404,
         "Servable not found for request: Latest(foo)"),
        ("POST", "/v1/models/foo/versions/50:predict", {"instances": [1]}, 404,
         "Servable not found for request: Specific(foo, 50)"),
        ("POST", f"{MODEL}/labels/x:predict", {"instances": [1]}, 400,
         "Unrecognized servable version label: x"),
        ("POST", "/v1/models/..%2F..%2Fetc:predict", {"instances": [1]}, 404, "Latest(../../etc)"),
        ("GET", f"{MODEL}/versions/50", None, 404, "Could not find version 50 of model smoke"),
        ("GET", "/v1/models/foo", None, 404, "Could not find any versions of model foo"),
        ("GET", "/v1/models/foo/metadata", None, 404, "Servable not found for request"),
        ("POST", f"{MODEL}:predict", b"", 400, "The document is empty"),
        ("POST", f"{MODEL}:predict", {"instances": [], **COLUMNS}, 400, "No values in"),
        ("POST", f"{MODEL}:predict", {"signature_name": "x", "instances": [1]}, 400,
         'Serving signature name: "x" not found'),
        ("GET", "/v2/models/foo", None, 404, "Servable not found"),
        ("GET", "/v2/models/smoke/versions/x", None, 400, "Failed to convert version"),
        ("POST", "/v2/models/smoke/infer", {"inputs": []}, 400, "'inputs' must be a list"),
        ("POST", "/compare", b"[]", 400, "Is not object"),
        ("GET", "/../../etc/passwd", None, 404, "Not Found"),
        ("POST", "/", b"", 405, "Method Not Allowed"),
    ],
)  # fmt: skip
def test_what_is_refused(
    server: Server, method: str, path: str, body: Any, code: int, message: str
) -> None:
    found = server.ask(path, body, method)
    assert found[0] == code, found
    assert message in found[1]["error"]


def test_status_metadata_health_figures_and_description(
    server: Server, pushed: Path, target: str
) -> None:
    version = live(pushed, target).name
    state = {"version": version, "state": "AVAILABLE",
             "status": {"error_code": "OK", "error_message": ""}}  # fmt: skip
    for path in (MODEL, f"{MODEL}/versions/{version}", f"{MODEL}/labels/live"):
        assert server.ask(path) == (200, {"model_version_status": [state]})
    code, found = server.ask(f"{MODEL}/metadata")
    assert code == 200
    assert found["model_spec"] == {"name": "smoke", "signature_name": "", "version": version}
    age = found["metadata"]["signature_def"]["signature_def"]["serving_columns"]["inputs"]["age"]
    sizes = [{"size": "-1", "name": ""}, {"size": "1", "name": ""}]
    assert age["tensor_shape"] == {"dim": sizes, "unknown_rank": False}
    assert age["dtype"] == "DT_FLOAT"
    assert server.ask("/healthz")[0] == server.ask("/v2/health/live")[0] == 200
    assert server.ask("/v2/health/ready") == (200, {"ready": True})
    assert server.ask("/v2/models/smoke/ready")[1]["ready"]
    assert server.ask("/v2/models/smoke")[1]["versions"] == [version]
    assert server.ask("/v2")[0] == 200
    figures = server.ask("/metrics")[1]
    assert f'tfx_serving_live_version{{target="{target}"}}' in figures
    assert 'tfx_serving_requests_total{code="OK",method="status",protocol="rest"}' in figures
    description = server.ask("/openapi.json")[1]
    assert description["openapi"].startswith("3.")
    for path, verbs in description["paths"].items():
        code, _ = server.ask(path, b"{}" if "post" in verbs else None)
        assert code in verbs[next(iter(verbs))]["responses"] or code in (200, 400), path


def test_a_missing_value_a_list_of_one_and_a_text_in_base64(
    server: Server, rows: list[dict[str, Any]]
) -> None:
    row = {**rows[0], "workclass": ""}
    as_lists = {name: [value] for name, value in row.items()}
    coded = {**row, "sex": {"b64": base64.b64encode(row["sex"].encode()).decode()}}
    _, found = server.ask(f"{MODEL}:predict", {**COLUMNS, "instances": [row, as_lists, coded]})
    [one, two, three] = found["predictions"]
    assert one == two == three
    code, found = server.ask(
        f"{MODEL}:predict", {**COLUMNS, "instances": [row, {**row, "age": float("nan")}]}
    )
    assert code == 400
    assert "row 1, column 'age': the contract asks for a value" in found["error"]


def test_requests_that_are_cut_off_or_odd_do_no_harm(server: Server) -> None:
    port = int(server.url.rpartition(":")[2])
    path = f"POST {MODEL}:predict HTTP/1.1\r\nHost: x\r\n".encode()
    for sent in (
        b"\x16\x03\x01\x02\x00",
        b"GET / HTTP/1.1\r\n",
        path + b"Content-Length: 100\r\n\r\n{",
        path + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        path + b"Content-Length: -5\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(sent)
    assert server.ask("/readyz")[0] == 200


def test_the_page_answers_as_the_rest_api_does_by_keyboard_and_without_a_network(
    server: Server, rows: list[dict[str, Any]], target: str, tmp_path: Path
) -> None:
    row = {**rows[0], "workclass": ""}
    code, found = server.ask(f"{MODEL}:predict", {**COLUMNS, "instances": [row]})
    assert code == 200
    with chromium(tmp_path / "chromium") as page:
        page.open(server.url + "/")
        assert page.evaluate("document.documentElement.lang") == "en"
        page.press("Tab")
        for _ in range(len(row)):
            name = page.evaluate("document.activeElement.name")
            page.type(str(row[name]))
            page.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Ask"
        filled = (
            "Object.fromEntries([...form.elements].filter(e => e.name).map(e => [e.name, e.value]))"
        )
        assert page.evaluate(filled) == {name: str(value) for name, value in row.items()}
        page.press("Enter", "\r")
        cells = "[...document.querySelectorAll('#answer td')].map(cell => cell.textContent)"
        page.wait_for("document.querySelector('#answer td') !== null")
        first, *_ = answers = np.reshape(page.evaluate(cells), (-1, 4)).tolist()
        assert first[0] == target
        assert float(first[3]) == found["predictions"][0][0]
        assert first[2] in ("<=50K", ">50K")
        assert [each[0] for each in answers] == (
            ["server", "edge"] if target == "server" else ["edge"]
        )
        assert page.evaluate("document.activeElement.id") == "answer"
        page.evaluate("form.elements['age'].value = 200.5; form.noValidate = true")
        page.evaluate("form.requestSubmit()")
        page.wait_for("document.getElementById('error').textContent.includes(\"column 'age'\")")
        assert all(url.startswith(server.url) for url in page.requests)
        assert [p for p in page.problems if "400" not in p and "favicon" not in p] == []


def odd(draws: random.Random, value: Any) -> Any:
    """A JSON value with something changed somewhere in it."""
    odds: list[Any] = [None, True, -1, 2**70, 1.5, float("nan"), float("-inf"), "", "\ud83d", [],
                       {}, [[]], {"b64": "x"}, {"b64": 1}, [1, 2], "\0", "9" * 400]  # fmt: skip
    if draws.random() < 0.2 or not isinstance(value, dict | list) or not value:
        return draws.choice(odds)
    if isinstance(value, list):
        at = draws.randrange(len(value))
        return [*value[:at], odd(draws, value[at]), *value[at + draws.randrange(2) :]]
    name = draws.choice([*value])
    changed = {**value, name: odd(draws, value[name])}
    if draws.random() < 0.2:
        del changed[name]
    if draws.random() < 0.1:
        changed[draws.choice(["", "x", "instances", "inputs", "examples"])] = draws.choice(odds)
    return changed


def test_no_request_is_the_servers_fault(server: Server, rows: list[dict[str, Any]]) -> None:
    columns = {name: [value, value] for name, value in rows[0].items()}
    tensors = [
        {"name": name, "shape": [2, 1], "data": values,
         "datatype": "INT64" if name in NUMBERS else "BYTES"}
        for name, values in columns.items()
    ]  # fmt: skip
    sound: dict[str, list[dict[str, Any]]] = {
        f"{MODEL}:predict": [{**COLUMNS, "instances": rows[:2]}, {**COLUMNS, "inputs": columns},
                             {"instances": [{"b64": base64.b64encode(example(rows[0])).decode()}]}],
        f"{MODEL}:classify": [{"examples": rows[:2], "context": {"age": 39}}],
        f"{MODEL}:regress": [{"examples": rows[:2]}],
        "/v2/models/smoke/infer": [{"id": "x", "inputs": tensors}],
        f"{MODEL}:explain": [{**COLUMNS, "instances": rows[:2], "counterfactuals": 1},
                             {**COLUMNS, "inputs": columns, "class": ">50K"}],
        "/compare": [rows[0]],
    }  # fmt: skip
    draws, codes = random.Random(7), []
    for path, documents in sound.items():
        for document in documents:
            assert server.ask(path, document)[0] == 200, path
            for _ in range(60):
                body = json.dumps(odd(draws, document)).encode()
                code, found = server.ask(path, body)
                assert code in (200, 400), (path, body, found)
                codes.append(code)
    assert codes.count(400) > 200
    assert server.ask(f"{MODEL}:predict", sound[f"{MODEL}:predict"][0])[0] == 200


def test_a_body_may_be_packed(server: Server, rows: list[dict[str, Any]]) -> None:
    body = json.dumps({**COLUMNS, "instances": rows[:1]}).encode()
    packed = {"Content-Encoding": "gzip"}
    path, bomb = f"{MODEL}:predict", gzip.compress(b"[" * 10**8)
    assert server.ask(path, gzip.compress(body), headers=packed) == server.ask(path, body)
    half = gzip.compress(body)[:-9]
    for wrong, words in ((body, "not gzip"), (half, "cut off"), (bomb, "more than")):
        code, found = server.ask(path, wrong, headers=packed)
        assert code == 400
        assert words in found["error"]
    assert server.ask(path, body, headers={"Content-Encoding": "br"})[0] == 400


class Load(threading.Thread):
    """Asks again and again until it is told to stop; keeps what came back and when."""

    def __init__(self, server: Server, row: dict[str, Any]) -> None:
        super().__init__()
        self._server, self._row = server, row
        self.stopped = threading.Event()
        self.failed: list[Any] = []
        self.answers: list[tuple[float, float]] = []

    def run(self) -> None:
        while not self.stopped.is_set():
            try:
                code, found = self._server.ask(
                    f"{MODEL}:predict", {**COLUMNS, "instances": [self._row]}
                )
            except (OSError, urllib.error.URLError) as error:
                code, found = 0, str(error)
            if code != 200:
                self.failed.append((code, found))
            else:
                self.answers.append((time.time(), found["predictions"][0][0]))


def test_answers_are_explained_and_predictions_go_on_meanwhile(
    server: Server, rows: list[dict[str, Any]], target: str
) -> None:
    load, asked = Load(server, rows[0]), {**COLUMNS, "instances": rows[:20], "counterfactuals": 3}
    assert server.ask(f"{MODEL}:explain", asked)[0] == 200, "the first time it is loaded"
    load.start()
    try:
        began = time.time()
        for _ in range(3):
            code, found = server.ask(f"{MODEL}:explain", asked)
            assert code == 200, found
        ended = time.time()
    finally:
        load.stopped.set()
        load.join()
    assert load.failed == []
    meanwhile = [at for at, _ in load.answers if began < at < ended]
    assert max(np.diff([began, *meanwhile, ended])) < max(0.5, (ended - began) / 3)
    _, predicted = server.ask(f"{MODEL}:predict", {**COLUMNS, "instances": rows[:20]})
    for told, [answer] in zip(found["explanations"], predicted["predictions"], strict=True):
        assert told["answer"] == pytest.approx(answer, abs=1e-5)
        assert set(told["attributions"]) == {*NUMBERS, *TEXTS}
        assert told["base_value"] + sum(told["attributions"].values()) == pytest.approx(
            answer, abs=1e-5
        )
    changes = [one for told in found["explanations"] for one in told["counterfactuals"]]
    allowed = {"education", "education-num", "occupation", "hours-per-week", "capital-gain"}
    assert changes
    assert all(set(one["changes"]) <= allowed for one in changes)
    holds = []
    for row, told in zip(rows, found["explanations"], strict=False):
        for one in told["counterfactuals"]:
            made = {**row, **{name: change["to"] for name, change in one["changes"].items()}}
            _, again = server.ask(f"{MODEL}:predict", {**COLUMNS, "instances": [made]})
            holds.append((again["predictions"][0][0] > 0.5) == (one["class"] == ">50K"))
            assert one["class"] != told["class"]
    assert all(holds), "each is what the model answers"
    if target == "edge":
        status = Path(f"/proc/{server.process.pid}/status").read_text()
        peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        assert int(peak.split()[1]) < 200 * 1024, peak


def test_the_verb_explains_as_the_server_does(
    server: Server, pushed: Path, rows: list[dict[str, Any]], target: str, tmp_path: Path
) -> None:
    row = {**rows[0], "workclass": "", "occupation": "<script>alert(1)</script>"}
    path = tmp_path / "row.json"
    path.write_text(json.dumps(row))
    flags = ["--config", "smoke", "--root", str(pushed), "--target", target]
    done = pipeline("explain", "--row", str(path), "--json", "--counterfactuals", "2", *flags)
    assert done.returncode == 0, done.stdout
    told = json.loads(done.stdout[done.stdout.index("{") :])
    document = {**COLUMNS, "instances": [row], "counterfactuals": 2}
    _, found = server.ask(f"{MODEL}:explain", document)
    assert told["version"] == found["version"]
    [served], [explained] = found["explanations"], told["rows"]
    assert explained["counterfactuals"] == served.pop("counterfactuals")
    assert explained["told"]["attributions"] == pytest.approx(served["attributions"], abs=1e-5)
    assert explained["cells"]["workclass"] is None
    shown = pipeline("explain", "--row", str(path), *flags)
    assert "<script>alert(1)</script>" in shown.stdout
    assert ": holds" in shown.stdout
    path.write_text(json.dumps({**row, "shoe-size": 43}))
    refused = pipeline("explain", "--row", str(path), *flags)
    assert refused.returncode == 2
    assert f"{path}: column 'shoe-size' is not in the contract" in refused.stdout


def test_pushes_and_rollbacks_fail_no_request(
    server: Server, pushed: Path, target: str, rows: list[dict[str, Any]]
) -> None:
    served, first = folder_of(pushed, target), live(pushed, target)
    second = int(first.name) + 10
    load = Load(server, rows[0])
    load.start()
    try:
        for _ in range(2):
            shutil.copytree(first, pushed / "incoming")
            (pushed / "incoming").rename(served / str(second))
            server.wait_for("/readyz", {"live": second, "previous": int(first.name)})
            assert server.ask(f"{MODEL}/labels/previous:predict", b"")[0] == 400
            flags = ["--config", "smoke", "--root", str(pushed)]
            assert main(["rollback", target, *flags]) == 0
            server.wait_for("/readyz", {"live": int(first.name)})
            assert server.ask(f"{MODEL}/versions/{second}:predict", {"instances": []})[0] == 404
            second += 10
        # A version that is broken is told, and takes nothing away.
        (served / str(second)).mkdir()
        deadline = time.monotonic() + 10
        while server.ask(f"{MODEL}/versions/{second}")[0] == 404:
            assert time.monotonic() < deadline
        time.sleep(0.5)
        state = server.ask(f"{MODEL}/versions/{second}")[1]["model_version_status"][0]
        assert state["state"] == "END", state
        assert state["status"]["error_code"] == "UNKNOWN"
        assert server.ask("/readyz")[1]["live"] == int(first.name)
        (served / str(second)).rmdir()
    finally:
        load.stopped.set()
        load.join()
    assert load.failed == []
    assert len(load.answers) > 100
    assert len({answer for _, answer in load.answers}) == 1


def test_a_server_of_broken_versions_tells_it_and_answers_when_a_good_one_comes(
    pushed: Path, rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    (folder_of(tmp_path, "edge") / "5").mkdir(parents=True)
    with serving(tmp_path, "--target", "edge", ready=False) as server:
        assert server.ask("/readyz") == (503, {"ready": False})
        assert server.ask("/healthz")[0] == server.ask("/")[0] == server.ask("/metrics")[0] == 200
        for path in ("/openapi.json", "/v2/models/smoke", f"{MODEL}/metadata"):
            code, found = server.ask(path)
            assert (code, found["error"][:17]) == (404, "Servable not foun")
        assert server.ask("/compare", rows[0])[0] == 404
        [state] = server.ask(MODEL)[1]["model_version_status"]
        assert (state["version"], state["state"]) == ("5", "END")
        assert "preprocessing.json" in state["status"]["error_message"]
        copied = Path(shutil.copytree(live(pushed, "edge"), tmp_path / "copied"))
        copied.rename(folder_of(tmp_path, "edge") / "6")
        server.wait_for("/readyz", {"ready": True, "live": 6})
        damaged = Path(shutil.copytree(live(pushed, "edge"), tmp_path / "copied"))
        with (damaged / "tflite").open("ab") as file:
            file.write(b"x")
        damaged.rename(folder_of(tmp_path, "edge") / "7")
        deadline = time.monotonic() + 10
        while "tflite is damaged" not in str(state := server.ask(f"{MODEL}/versions/7")):
            assert time.monotonic() < deadline, state
            time.sleep(0.1)
        assert server.ask("/readyz")[1]["live"] == 6
        assert server.ask("/compare", rows[0])[0] == 200


def test_a_token_workers_bounds_and_the_log(
    pushed: Path, rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("secret\n")
    shutil.copytree(pushed / "smoke" / "edge", tmp_path / "smoke" / "edge")
    folder = tmp_path / "smoke" / "requests"
    flags = ["--target", "edge", "--set", f"serving.token_file={tmp_path / 'token'}",
             "--set", "serving.log.leave_out=[race]", "--set", "serving.max_body_bytes=100000",
             "--set", "serving.out_of_domain=refuse"]  # fmt: skip
    bearer = {"Authorization": "Bearer secret", "X-Request-Id": "mine"}
    body = {**COLUMNS, "instances": rows[:2]}
    with serving(tmp_path, *flags, "--set", "serving.workers=2") as server:
        assert server.ask(f"{MODEL}:predict", body)[0] == 401
        assert server.ask("/metrics")[0] == server.ask("/openapi.json")[0] == 401
        assert server.ask(f"{MODEL}:predict", body, headers={"Authorization": "Bearer x"})[0] == 401
        for _ in range(20):
            assert server.ask(f"{MODEL}:predict", body, headers=bearer)[0] == 200
        large = {**COLUMNS, "instances": rows[:1] * 1000}
        code, found = server.ask(f"{MODEL}:predict", large, headers=bearer)
        assert (code, "serving.max_body_bytes=100000" in found["error"]) == (400, True)
        odd = {**COLUMNS, "instances": [{**rows[0], "sex": "unknown"}]}
        code, found = server.ask(f"{MODEL}:predict", odd, headers=bearer)
        assert code == 400
        assert "row 0, column 'sex'" in found["error"]
        figures = server.ask("/metrics", headers=bearer)[1]
        counted = 'tfx_serving_requests_total{code="OK",method="predict",protocol="rest"} 20.0'
        assert counted in figures, "the processes add up"
        with grpc.insecure_channel(server.grpc) as channel:
            stub = model_service_pb2_grpc.ModelServiceStub(channel)
            request = get_model_status_pb2.GetModelStatusRequest()
            request.model_spec.name = "smoke"
            with pytest.raises(grpc.RpcError) as error:
                stub.GetModelStatus(request)
            assert error.value.code() is grpc.StatusCode.UNAUTHENTICATED
            stub.GetModelStatus(request, metadata=[("authorization", "Bearer secret")])
    written = [json.loads(line) for path in folder.glob("*.jsonl") for line in path.open()]
    assert len(written) == 40
    assert {line["request"] for line in written} == {"mine"}
    assert written[0]["columns"] == {
        name: None if value == "" else value for name, value in rows[0].items() if name != "race"
    }


def test_a_kill_leaves_whole_lines(
    pushed: Path, rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    shutil.copytree(pushed / "smoke" / "edge", tmp_path / "smoke" / "edge")
    folder, body = tmp_path / "smoke" / "requests", {**COLUMNS, "instances": rows[:2]}
    with serving(tmp_path, "--target", "edge") as server:
        deadline = time.monotonic() + 1.0
        while time.monotonic() < deadline:
            server.ask(f"{MODEL}:predict", body)
        os.kill(server.process.pid, signal.SIGKILL)
    with serving(tmp_path, "--target", "edge"):
        lines = [line for path in folder.glob("*.jsonl") for line in path.open()]
    assert len(lines) > 100
    assert all(line.endswith("\n") and json.loads(line) for line in lines)
