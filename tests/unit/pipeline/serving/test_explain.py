"""`:explain` in the process of the test: what is answered, what is refused, what it costs."""

import asyncio
import gc
import json
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.config import Config
from core.errors import InputError
from models.explain.actions import Allowed
from models.explain.coding import cells_of
from models.explain.single import RowExplainer
from models.explain.training_rows import describe
from pipeline.config.load import load
from pipeline.explaining.version import load_explainer
from pipeline.serving.batching import Batcher
from pipeline.serving.metrics import ServingMetrics
from pipeline.serving.protocols import openapi
from pipeline.serving.rows import RowChecker
from pipeline.serving.service import Service
from pipeline.serving.versions import Servable, Versions, ask_columns
from tests.support.servers.columns_model import (
    CONTRACT,
    THREE_CLASSES,
    ColumnsModel,
    ThreeClassModel,
    row,
)
from tests.support.servers.in_process import ask, of_classes, push

MODEL, COLUMNS = "/v1/models/census", {"signature_name": "serving_columns"}
SCRIPT = "<script>alert(1)</script>"
TRAINING = describe(
    cells_of(
        ColumnsModel.numbers,
        ColumnsModel.texts,
        {
            "age": [20 + n for n in range(40)],
            "gain": [None if n % 3 else 1.5 for n in range(40)],
            "sex": [("Female", "Male")[n % 2] for n in range(40)],
            "work": [("Private", "", SCRIPT)[n % 3] for n in range(40)],
        },
    ),
    20,
    1,
)
ALLOWED = {name: Allowed(c.low, c.high, c.values) for name, c in CONTRACT.items()}
Make = Callable[[], ColumnsModel]


def served(
    folder: Path, make: Make, config: Config | None = None, actionable: tuple[str, ...] = ("age",)
) -> Service:
    """What answers with one version; its explanations ask a model of their own."""
    config = config or load("census")
    push(folder, 7)

    def load_version(version: int, path: Path) -> Servable:
        model = make()
        checker = RowChecker(CONTRACT, model.numbers, model.texts, False, 100)
        batcher = Batcher(ask_columns(model), 64, 0, lambda n: None)

        def explainer() -> RowExplainer:
            return RowExplainer(make(), TRAINING, config.columns.names, actionable, ALLOWED, 1)

        return Servable(version, model, checker, batcher, None, explainer)

    versions = Versions(config.name, folder, load_version)
    asyncio.run(versions.look())
    return Service(config, "server", {"server": versions}, None, ServingMetrics(), True)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    return served(tmp_path_factory.mktemp("served"), ColumnsModel)


def test_columns_add_up_to_the_answer(service: Service) -> None:
    rows = [row(age=80), row(age=20, work=SCRIPT, gain=float("nan"))]
    code, found = ask(service, f"{MODEL}:explain", {**COLUMNS, "instances": rows})
    assert code == 200, found
    assert (found["version"], found["scale"]) == (7, "probability")
    _, predicted = ask(service, f"{MODEL}:predict", {**COLUMNS, "instances": rows})
    for told, [answer] in zip(found["explanations"], predicted["predictions"], strict=True):
        assert told["answer"] == pytest.approx(answer, abs=1e-6)
        added = told["attributions"]
        assert set(added) == {"age", "gain", "sex", "work"}
        assert told["base_value"] + sum(added.values()) == pytest.approx(answer, abs=1e-5)
        assert added["gain"] == added["sex"] == added["work"] == 0
        assert "counterfactuals" not in told
    assert [told["class"] for told in found["explanations"]] == [">50K", "<=50K"]
    columns = {name: [one[name] for one in rows] for name in rows[0]}
    assert ask(service, f"{MODEL}/labels/live:explain", {**COLUMNS, "inputs": columns})[1] == found


def test_counterfactuals_on_demand(service: Service) -> None:
    document = {**COLUMNS, "instances": [row(age=30)], "counterfactuals": 2}
    code, found = ask(service, f"{MODEL}:explain", document)
    assert code == 200, found
    [change] = found["explanations"][0]["counterfactuals"]
    assert change["changes"] == {"age": {"from": 30, "to": 51}}
    assert change["class"] == ">50K"
    document["class"] = "<=50K"
    assert ask(service, f"{MODEL}:explain", document)[1]["explanations"][0]["counterfactuals"] == []


def test_of_three_classes_each_has_its_own(tmp_path: Path) -> None:
    config = of_classes(load("census"), THREE_CLASSES)
    service = served(tmp_path, ThreeClassModel, config)
    document = {
        **COLUMNS, "instances": [row(age=30)], "counterfactuals": 1, "class": THREE_CLASSES[0],
    }  # fmt: skip
    code, found = ask(service, f"{MODEL}:explain", document)
    assert code == 200, found
    [told] = found["explanations"]
    assert told["class"] == THREE_CLASSES[1]
    for name in THREE_CLASSES:
        total = told["base_value"][name] + sum(v[name] for v in told["attributions"].values())
        assert total == pytest.approx(told["answer"][name], abs=1e-5)
    assert told["counterfactuals"][0]["class"] == THREE_CLASSES[0]
    schema = openapi.describe(service)["paths"][f"{MODEL}:explain"]["post"]
    body = schema["requestBody"]["content"]["application/json"]["schema"]["oneOf"]
    assert body[0]["properties"]["class"]["enum"] == [*THREE_CLASSES]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"instances": [row()] * 21}, "serving.explain_rows=20 is the most that is explained"),
        ({"counterfactuals": 11}, "'counterfactuals' must be a whole number of 0 to 10"),
        ({"counterfactuals": True}, "'counterfactuals' must be"),
        ({"counterfactuals": -1}, "'counterfactuals' must be"),
        ({"counterfactuals": "2"}, "'counterfactuals' must be"),
        ({"class": 3}, "'class' must be a string"),
        ({"class": "rich", "counterfactuals": 1}, "there is no class 'rich'; there are <=50K, >50"),
        ({"instances": [{**row(), "income": 1}]}, "column 'income'"),
        ({"instances": [{**row(), "age": "39"}]}, "row 0, column 'age'"),
        ({"instances": []}, "No values in"),
        ({"signature_name": "x"}, 'Serving signature name: "x" not found'),
    ],
)
def test_what_is_refused(service: Service, change: dict[str, Any], words: str) -> None:
    code, found = ask(service, f"{MODEL}:explain", {**COLUMNS, "instances": [row()], **change})
    assert code == 400
    assert words in found["error"]


def test_nothing_to_change_and_no_such_version(service: Service, tmp_path: Path) -> None:
    nothing = served(tmp_path, ColumnsModel, actionable=("education",))
    document = {**COLUMNS, "instances": [row()], "counterfactuals": 1}
    code, found = ask(nothing, f"{MODEL}:explain", document)
    assert (code, "names education, which the model does not take" in found["error"]) == (400, True)
    assert ask(service, f"{MODEL}/versions/8:explain", document)[0] == 404
    assert ask(service, f"{MODEL}:explain")[0] == 400, "a GET"


def test_a_version_without_training_rows_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"explain\.keep_rows=true pushes a version"):
        load_explainer("server", tmp_path, CONTRACT, load("census"))


def test_a_model_that_fails_fails_no_other_request(service: Service) -> None:
    code, found = ask(service, f"{MODEL}:explain", {**COLUMNS, "instances": [row(age=66)]})
    assert (code, found["error"]) == (500, "the explanation failed: no answer for 66")
    assert ask(service, f"{MODEL}:explain", {**COLUMNS, "instances": [row()]})[0] == 200


class HeldModel(ColumnsModel):
    """Waits in a thread that is not the event loop's until it is let go."""

    go = threading.Event()

    def answer(self, numbers: np.ndarray, texts: np.ndarray) -> np.ndarray:
        if threading.current_thread().name.startswith("explain"):
            assert self.go.wait(20)
        return super().answer(numbers, texts)


def test_predictions_are_answered_while_explanations_wait_and_those_are_bounded(
    tmp_path: Path,
) -> None:
    service = served(tmp_path, HeldModel)
    servable = service.served.find("census")
    rows = servable.checker.of_instances([row()])

    async def work() -> list[Any]:
        waiting = [
            asyncio.create_task(service.explainers.answer(servable, rows, {})) for _ in range(9)
        ]
        await asyncio.sleep(0.05)
        _, answers = await service.answer(servable, rows, "mine", 0.0)
        assert answers[0] == pytest.approx(0.39), "while nothing is explained yet"
        assert not any(task.done() and not task.exception() for task in waiting)
        HeldModel.go.set()
        return await asyncio.gather(*waiting, return_exceptions=True)

    *answered, refused = asyncio.run(work())
    assert all(found["explanations"] for found in answered)
    assert refused.code == "UNAVAILABLE"
    assert "8 requests for explanations wait already" in refused.message


def test_a_version_that_left_is_let_go(tmp_path: Path) -> None:
    service = served(tmp_path, ColumnsModel)
    document = {**COLUMNS, "instances": [row()]}
    assert ask(service, f"{MODEL}:explain", document)[1]["version"] == 7
    old = weakref.ref(service.served.find("census"))
    for version in (8, 9):
        push(tmp_path, version)
        asyncio.run(service.served.look())
        assert ask(service, f"{MODEL}:explain", document)[1]["version"] == version
    assert service.served.labels == {"live": 9, "previous": 8}
    gc.collect()
    assert old() is None
    assert {*service.explainers._loaded} == {8, 9}


def test_figures_count_explanations_by_themselves(tmp_path: Path) -> None:
    service = served(tmp_path, ColumnsModel)
    for _ in range(3):
        assert ask(service, f"{MODEL}:explain", {**COLUMNS, "instances": [row()] * 2})[0] == 200
    page = service.metrics.page({}, 0).decode()
    assert 'tfx_serving_explained_rows_total{target="server",version="7"} 6.0' in page
    assert "tfx_serving_explain_seconds_count 3.0" in page
    assert 'tfx_serving_requests_total{code="OK",method="explain",protocol="rest"} 3.0' in page
    assert "tfx_serving_request_seconds_count" not in page, "which is of predictions"
    json.dumps(openapi.describe(service))
