"""What a model of three classes answers, by each protocol, in the log and on the page."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2

from core.operation import LogSection
from pipeline.config.load import load
from pipeline.serving.loading import warm_up
from pipeline.serving.outputs import check_classes
from pipeline.serving.protocols import grpc_api, openapi
from pipeline.serving.request_log import LogEntry, RequestLog, log_files
from pipeline.serving.rows import RequestRows
from pipeline.serving.service import Service
from tests.support.servers.columns_model import (
    THREE_CLASSES,
    ColumnsModel,
    ThreeClassModel,
    checker,
    row,
)
from tests.support.servers.in_process import ask, make, of_classes, push

CLASSES = list(THREE_CLASSES)
SHARES = [0.2, np.float32(0.8) * 2 / 3, np.float32(0.8) / 3]
MODEL, COLUMNS = "/v1/models/census", {"signature_name": "serving_columns"}
TWO = [row(age=20), row(age=80)]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    served = tmp_path_factory.mktemp("served")
    push(served, 7)
    config = of_classes(load("census"), THREE_CLASSES)
    return make(config, served, lambda version: ThreeClassModel())


def test_rows_and_columns(service: Service) -> None:
    code, found = ask(service, f"{MODEL}:predict", {**COLUMNS, "instances": TWO})
    assert code == 200
    first, second = found["predictions"]
    assert first.keys() == {"probabilities", "classes", "class"}
    assert first["probabilities"] == pytest.approx(SHARES, abs=1e-6)
    assert (first["class"], second["class"]) == (CLASSES[1], CLASSES[0])
    assert first["classes"] == second["classes"] == CLASSES
    columns = {name: [one[name] for one in TWO] for name in TWO[0]}
    code, found = ask(service, f"{MODEL}:predict", {**COLUMNS, "inputs": columns})
    assert code == 200
    assert found["outputs"] == {
        "probabilities": [first["probabilities"], second["probabilities"]],
        "classes": [CLASSES, CLASSES],
        "class": [CLASSES[1], CLASSES[0]],
    }


def test_classify_gives_every_class_and_regress_is_refused(service: Service) -> None:
    code, found = ask(service, f"{MODEL}:classify", {"examples": TWO[:1]})
    assert code == 200
    [pairs] = found["results"]
    assert [name for name, _ in pairs] == CLASSES
    assert [share for _, share in pairs] == pytest.approx(SHARES, abs=1e-6)
    code, found = ask(service, f"{MODEL}:regress", {"examples": TWO[:1]})
    assert code == 400
    assert found["error"].startswith("the model tells 3 classes apart (ride, ")
    assert "ask :predict or :classify" in found["error"]


def tensors() -> list[dict[str, Any]]:
    return [
        {"name": name, "shape": [2, 1], "data": [one[name] for one in TWO],
         "datatype": "BYTES" if isinstance(TWO[0][name], str) else "FP32"}
        for name in TWO[0]
    ]  # fmt: skip


def test_the_open_inference_protocol(service: Service) -> None:
    code, found = ask(service, "/v2/models/census/infer", {"inputs": tensors()})
    assert code == 200
    probabilities, classes, chosen = found["outputs"]
    assert probabilities["name"] == "probabilities"
    assert (probabilities["datatype"], probabilities["shape"]) == ("FP32", [2, 3])
    assert probabilities["data"][:3] == pytest.approx(SHARES, abs=1e-6)
    assert classes == {"name": "classes", "datatype": "BYTES", "shape": [2, 3],
                       "data": [*CLASSES, *CLASSES]}  # fmt: skip
    assert chosen == {"name": "class", "datatype": "BYTES", "shape": [2, 1],
                      "data": [CLASSES[1], CLASSES[0]]}  # fmt: skip
    asked = {"inputs": tensors(), "outputs": [{"name": "class"}]}
    assert ask(service, "/v2/models/census/infer", asked)[1]["outputs"] == [chosen]
    for wrong in ({"name": "probability"}, {"name": ["class"]}, 3):
        code, found = ask(
            service, "/v2/models/census/infer", {"inputs": tensors(), "outputs": [wrong]}
        )
        assert code == 400
        assert "outputs are 'probabilities', 'classes', 'class'" in found["error"]
    outputs = ask(service, "/v2/models/census")[1]["outputs"]
    assert [(o["name"], o["datatype"], o["shape"]) for o in outputs] == [
        ("probabilities", "FP32", [-1, 3]), ("classes", "BYTES", [-1, 3]),
        ("class", "BYTES", [-1, 1]),
    ]  # fmt: skip


def test_tensors_over_grpc(service: Service) -> None:
    servable = service.served.find("census")
    answers = servable.model.answer(np.array([[20.0, 1], [80.0, 1]]), np.full((2, 2), "", object))
    request = predict_pb2.PredictRequest()
    response = grpc_api._response(request, "serving_columns", servable, answers)
    found = {name: tf.make_ndarray(response.outputs[name]) for name in response.outputs}
    np.testing.assert_array_equal(found["probabilities"], answers)
    assert found["classes"].tolist() == [[name.encode() for name in CLASSES]] * 2
    assert found["class"].tolist() == [[CLASSES[1].encode()], [CLASSES[0].encode()]]
    request.output_filter.append("class")
    response = grpc_api._response(request, "serving_columns", servable, answers)
    assert [*response.outputs] == ["class"]


def test_the_description_has_the_classes_and_no_regress(service: Service) -> None:
    paths = openapi.describe(service)["paths"]
    assert f"{MODEL}:regress" not in paths
    answer = paths[f"{MODEL}:predict"]["post"]["responses"]["200"]["content"]["application/json"]
    one = answer["schema"]["properties"]["predictions"]["items"]
    assert one["properties"]["class"] == {"enum": CLASSES}


def test_the_page_shows_every_share(service: Service) -> None:
    code, content = ask(service, "/")
    assert code == 200
    classes = content.split('<script id="classes" type="application/json"')[1]
    assert json.loads(classes.split(">", 1)[1].split("</script>")[0]) == CLASSES
    code, found = ask(service, "/compare", TWO[0])
    [answer] = found["answers"]
    assert answer["label"] == CLASSES[1]
    assert [*answer["probabilities"]] == CLASSES
    assert [*answer["probabilities"].values()] == pytest.approx(SHARES, abs=1e-6)


def test_two_classes_have_the_page_and_the_answers_that_they_had(tmp_path: Path) -> None:
    push(tmp_path, 7)
    two = make(load("census"), tmp_path, lambda version: ColumnsModel())
    _, found = ask(two, f"{MODEL}:predict", {**COLUMNS, "instances": TWO})
    assert found == {"predictions": [[0.2], [0.8]]}
    _, found = ask(two, f"{MODEL}:classify", {"examples": TWO[:1]})
    assert found == {"results": [[["<=50K", 0.8], [">50K", 0.2]]]}
    assert ask(two, f"{MODEL}:regress", {"examples": TWO[:1]})[1] == {"results": [0.2]}
    _, found = ask(two, "/v2/models/census/infer", {"inputs": tensors()})
    assert found["outputs"] == [
        {"name": "probability", "datatype": "FP32", "shape": [2, 1], "data": [0.2, 0.8]}
    ]
    assert 'id="classes"' not in ask(two, "/")[1]
    _, found = ask(two, "/compare", TWO[0])
    assert found["answers"] == [
        {"target": "server", "version": 7, "probability": 0.2, "label": "<=50K"}
    ]


def test_a_line_of_the_log_has_the_shares_and_the_class(tmp_path: Path) -> None:
    settings = LogSection(sample=1.0, file_bytes=2**20, bytes=2**22, leave_out=())
    log = RequestLog(tmp_path, "edge", settings)
    shadow = {"target": "edge", "version": 8, "answers": [[0.1, 0.2, 0.7]]}
    rows, shares = RequestRows([(39,)], [()]), [[0.6, 0.3, 0.1]]
    log.add(
        LogEntry("r", 1.5e9, "edge", 7, ("age",), rows, shares, 1.0, THREE_CLASSES, shadow=shadow)
    )
    log.close()
    [path] = log_files(tmp_path)
    line = json.loads(path.read_bytes())
    assert (line["answer"], line["class"]) == ([0.6, 0.3, 0.1], "ride")
    assert (line["shadow"]["class"], line["shadow"]["answer"]) == ("other", [0.1, 0.2, 0.7])
    assert line["shadow"]["difference"] == pytest.approx(0.6)


def test_a_warm_up_that_is_answered_by_no_shares_is_refused() -> None:
    warm_up(ThreeClassModel(), checker(), (1, 8))

    class Wrong(ThreeClassModel):
        def answer(self, numbers: np.ndarray, texts: np.ndarray) -> np.ndarray:
            return super().answer(numbers, texts) * 0.5

    class Narrow(ThreeClassModel):
        classes = ("a", "b", "c", "d")

    models: list[ColumnsModel] = [Wrong(), Narrow()]
    for model in models:
        with pytest.raises(ValueError, match="no probabilities"):
            warm_up(model, checker(), (1, 8))


def test_a_version_of_other_classes_is_not_served() -> None:
    two, three = load("census").columns.names, THREE_CLASSES
    check_classes(None, two)
    check_classes(three, three)
    for wanted in (two, three[::-1]):
        with pytest.raises(ValueError, match="its classes are ride, carry"):
            check_classes(three, wanted)
    with pytest.raises(ValueError, match=r"its classes are two, .* names ride"):
        check_classes(None, three)
