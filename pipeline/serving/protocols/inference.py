"""The Open Inference Protocol, version 2, over HTTP: health, metadata, infer.

Tensors are the columns of the signature `serving_columns`, as JSON; the binary extension is not
offered.
"""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipeline.serving.errors import CellError, RequestError
from pipeline.serving.outputs import CLASS, CLASSES, PROBABILITY, names_of, outputs_of, widths_of
from pipeline.serving.protocols import payloads
from pipeline.serving.protocols.cells import shown
from pipeline.serving.protocols.http import read_body, text_header
from pipeline.serving.protocols.rest import servable_of
from pipeline.serving.rows import RequestRows, RowChecker
from pipeline.serving.service import Service

_PROTOCOL = "v2"
_NUMBERS = {
    "FP32",
    "FP64",
    "FP16",
    *(f"{u}INT{bits}" for u in ("", "U") for bits in (8, 16, 32, 64)),
}
_TEXTS = {"BYTES"}
_Handler = Callable[[Request], Awaitable[Response]]


def routes(service: Service) -> list[Route]:
    """What is below /v2."""

    async def server(request: Request) -> Response:
        return json({"name": "tfx-two-targets", "version": service.target, "extensions": []})

    async def live(request: Request) -> Response:
        return json({"live": True})

    async def ready(request: Request) -> Response:
        up = bool(service.served.labels)
        return json({"ready": up}, 200 if up else 503)

    async def model_ready(request: Request) -> Response:
        _servable(service, request)
        return json({"name": request.path_params["name"], "ready": True})

    async def model(request: Request) -> Response:
        servable = _servable(service, request)
        versions = sorted({*service.served.labels.values()})
        inputs = [
            {"name": c.name, "datatype": "BYTES" if c.kind == "BYTES" else "FP32", "shape": [-1, 1]}
            for c in servable.checker.columns()
        ]
        return json(
            {
                "name": request.path_params["name"],
                "versions": [str(version) for version in versions],
                "platform": f"tfx-two-targets_{service.target}",
                "inputs": inputs,
                "outputs": [
                    {"name": name, "datatype": _datatype(name), "shape": [-1, width]}
                    for name, width in widths_of(servable.model.classes).items()
                ],
            }
        )

    async def infer(request: Request) -> Response:
        began = time.perf_counter()
        most = service.config.serving.max_body_bytes
        body = await read_body(request.scope, request.receive, most)
        servable = _servable(service, request)
        document = payloads.parse(body)
        rows = infer_rows(document, servable.checker, names_of(servable.model.classes))
        given = document.get("id")
        if given is not None and type(given) is not str:
            raise RequestError("'id' must be a string")
        number = service.request_id(given.encode() if given else None)
        any_version = "version" not in request.path_params
        headers = partial(text_header, request.scope) if any_version else None
        servable, answers = await service.answer(servable, rows, number, began, headers)
        asked = [output["name"] for output in document.get("outputs") or []]
        outputs = [
            {"name": o.name, "datatype": _datatype(o.name), "shape": [rows.count, o.width],
             "data": o.values}
            for o in outputs_of(answers, servable.model.classes)
            if not asked or o.name in asked
        ]  # fmt: skip
        content = {
            "model_name": service.config.name,
            "model_version": str(servable.version),
            "id": given or number,
            "outputs": outputs,
        }
        return Response(payloads.dump(content, answers), media_type="application/json")

    model_path = "/v2/models/{name}"
    version_path = model_path + "/versions/{version}"
    found = [
        Route("/v2", _counted(service, "server", server)),
        Route("/v2/health/live", live),
        Route("/v2/health/ready", ready),
    ]
    for path in (model_path, version_path):
        found += [
            Route(path, _counted(service, "metadata", model)),
            Route(f"{path}/ready", _counted(service, "ready", model_ready)),
            Route(f"{path}/infer", _counted(service, "infer", infer), methods=["POST"]),
        ]
    return found


def json(content: Any, status: int = 200) -> Response:
    """A JSON response."""
    return Response(orjson.dumps(content), status, media_type="application/json")


def _counted(service: Service, method: str, handler: _Handler) -> _Handler:
    """A handler whose refusals become JSON, and whose requests are counted."""

    async def counted(request: Request) -> Response:
        began, code = time.perf_counter(), "OK"
        try:
            response = await handler(request)
        except RequestError as error:
            code, response = error.code, json({"error": error.message}, error.http)
        service.metrics.request(_PROTOCOL, method, code, time.perf_counter() - began)
        return response

    return counted


def _servable(service: Service, request: Request) -> Any:
    parameters = request.path_params
    return servable_of(service, parameters["name"], parameters.get("version"))


def _datatype(output: str) -> str:
    return "BYTES" if output in (CLASSES, CLASS) else "FP32"


def infer_rows(
    document: Mapping[str, Any], checker: RowChecker, names: Sequence[str] = (PROBABILITY,)
) -> RequestRows:
    """The rows of an infer request of a model with outputs of these names.

    Raises:
      RequestError: It is not as it should be.
    """
    tensors = document.get("inputs")
    if type(tensors) is not list or not tensors:
        raise RequestError("'inputs' must be a list of tensors")
    columns: dict[str, list[Any]] = {}
    kinds = {column.name: column.kind for column in checker.columns()}
    for tensor in tensors:
        name = tensor.get("name") if type(tensor) is dict else None
        if type(name) is not str or name not in kinds:
            raise RequestError(f"there is no input {shown(name)}; inputs are {', '.join(kinds)}")
        if name in columns:
            raise RequestError(f"input '{name}' is given twice")
        columns[name] = _values(tensor, _TEXTS if kinds[name] == "BYTES" else _NUMBERS)
    for name in kinds:
        if name not in columns:
            raise RequestError(f"input '{name}' is missing")
    outputs = document.get("outputs") or []
    if type(outputs) is not list:
        raise RequestError("'outputs' must be a list of tensors")
    for output in outputs:
        if type(output) is not dict or output.get("name") not in names:
            told = "the output is" if len(names) == 1 else "outputs are"
            listed = ", ".join(f"'{name}'" for name in names)
            raise RequestError(f"there is no output {shown(output)}; {told} {listed}")
    payloads.check_lengths(columns)
    checker.check_count(len(next(iter(columns.values()))))
    try:
        return checker.of_columns(columns)
    except CellError as error:
        raise RequestError(str(error)) from error


def _values(tensor: Mapping[str, Any], datatypes: set[str]) -> list[Any]:
    name, shape, data = tensor["name"], tensor.get("shape"), tensor.get("data")
    datatype = tensor.get("datatype")
    if type(datatype) is not str or datatype not in datatypes:
        allowed, what = ", ".join(sorted(datatypes)), shown(datatype)
        raise RequestError(f"input '{name}': datatype {what} is none of {allowed}")
    if type(data) is not list:
        raise RequestError(f"input '{name}': 'data' must be a list")
    sizes = shape if type(shape) is list else []
    if not sizes or not all(type(size) is int for size in sizes) or [*sizes[1:]] not in ([], [1]):
        raise RequestError(f"input '{name}': shape {shown(shape)} is not [rows, 1]")
    if sizes[0] != len(data):
        raise RequestError(f"input '{name}': shape {shown(shape)}, but {len(data)} values")
    return data
