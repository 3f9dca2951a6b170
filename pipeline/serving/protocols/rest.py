"""TensorFlow Serving's REST API, held to what its code does (`http_rest_api_handler.cc`), and
`:explain`, which it lacks.

Names in a URL are looked up among the versions that are loaded; none of them reaches a file.
"""

import logging
import re
import time
from functools import partial
from typing import Any
from urllib.parse import unquote

import numpy as np
import orjson

from pipeline.serving import outputs
from pipeline.serving.errors import RequestError
from pipeline.serving.metrics import EXPLAIN
from pipeline.serving.protocols import payloads
from pipeline.serving.protocols.http import (
    Receive,
    Scope,
    Send,
    header,
    read_body,
    reply,
    text_header,
)
from pipeline.serving.service import Service
from pipeline.serving.versions import Servable

_LOG = logging.getLogger(__name__)
_ASKED = re.compile(
    r"/v1/models/([^/:]+)(?:(?:/versions/(\d+))|(?:/labels/([^/:]+)))?:(classify|regress|predict|explain)",
    re.IGNORECASE | re.ASCII,
)
_TOLD = re.compile(
    r"/v1/models(?:/([^/:]+))?(?:(?:/versions/(\d+))|(?:/labels/([^/:]+)))?(?:/(metadata))?",
    re.IGNORECASE | re.ASCII,
)
_METHODS = ("classify", "regress", "predict", EXPLAIN, "metadata", "status")
_ANY = {"version": None, "label": None}
_LARGEST_VERSION = 2**63 - 1
_PROTOCOL = "rest"


class RestApi:
    """What is below /v1/, as an ASGI application."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._max_body = service.config.serving.max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request."""
        service, began = self._service, time.perf_counter()
        request = service.request_id(header(scope, b"x-request-id"))
        method, code, status = "malformed", "OK", 200
        try:
            body = await read_body(scope, receive, self._max_body)
            began = time.perf_counter()
            method, find = self._parse(scope["method"], scope["raw_path"].decode("latin-1"))
            content = await self._content(method, find, body, request, began, scope)
        except RequestError as error:
            code, status = error.code, error.http
            content = orjson.dumps({"error": error.message})
        except Exception:
            _LOG.exception("a request was not answered")
            code, status = "INTERNAL", 500
            content = orjson.dumps({"error": "the server failed; its log says why"})
        service.metrics.request(_PROTOCOL, method, code, time.perf_counter() - began)
        await reply(send, status, content, request)

    def _parse(self, verb: str, path: str) -> tuple[str, dict[str, Any]]:
        """What is asked for, and of which version.

        Raises:
          RequestError: The path is malformed, or the verb is not the one for it.
        """
        pattern = {"POST": _ASKED, "GET": _TOLD}.get(verb)
        match = pattern.fullmatch(path) if pattern else None
        method = (match[4] or "status") if match else ""
        if match is None or method not in (
            "classify",
            "regress",
            "predict",
            EXPLAIN,
            "metadata",
            "status",
        ):
            raise RequestError(f"Malformed request: {verb} {path}")
        if match[2] and int(match[2]) > _LARGEST_VERSION:
            raise RequestError(f"Failed to convert version: {match[2]} to numeric.")
        if not match[1]:
            raise RequestError("Missing model name in request.")
        version = int(match[2]) if match[2] else None
        label = unquote(match[3]) if match[3] else None
        return method, {"name": unquote(match[1]), "version": version, "label": label}

    async def _content(
        self, method: str, find: dict[str, Any], body: bytes, request: str, began: float,
        scope: Scope,
    ) -> bytes:  # fmt: skip
        if method == "status":
            return self._status(find)
        if method == "metadata":
            told = self._service.describe(self._service.served.find(**find))
            return orjson.dumps(told, option=orjson.OPT_INDENT_2)
        document = payloads.parse(body)
        servable = self._service.served.find(**find)
        headers = partial(text_header, scope) if find == {**find, **_ANY} else None
        if method == "predict":
            key, rows = payloads.predict_rows(document, servable.checker)
            _, answers = await self._service.answer(servable, rows, request, began, headers)
            formed = outputs.by_row if key == payloads.BY_ROW else outputs.by_output
            return payloads.dump({key: formed(answers, servable.model.classes)}, answers)
        if method == EXPLAIN:
            _, rows = payloads.predict_rows(document, servable.checker)
            found = await self._service.explainers.answer(servable, rows, document)
            return orjson.dumps(found)
        if method == "regress" and (classes := servable.model.classes) is not None:
            raise RequestError(
                f"the model tells {len(classes)} classes apart ({', '.join(classes)}), and regress "
                "answers one number a row; ask :predict or :classify"
            )
        rows = payloads.example_rows(document, servable.checker)
        _, answers = await self._service.answer(servable, rows, request, began, headers)
        if method == "regress":
            return payloads.dump({"results": answers}, answers)
        return payloads.dump({"results": self._classes(answers)}, answers)

    def _classes(self, answers: np.ndarray) -> list[list[tuple[str, np.float32]]]:
        if answers.ndim == 1:
            answers = np.stack([np.float32(1) - answers, answers], axis=1)
        names = self._service.classes
        return [list(zip(names, shares, strict=True)) for shares in answers]

    def _status(self, find: dict[str, Any]) -> bytes:
        states = self._service.served.status(**find)
        found = [
            {
                "version": str(version),
                "state": state.state,
                "status": {
                    "error_code": "UNKNOWN" if state.error else "OK",
                    "error_message": state.error,
                },
            }
            for version, state in states.items()
        ]
        return orjson.dumps({"model_version_status": found}, option=orjson.OPT_INDENT_2)


def servable_of(service: Service, name: str, version: str | None) -> Servable:
    """The version that a path of /v2 names.

    Raises:
      RequestError: There is none.
    """
    if version is None:
        return service.served.find(name)
    if not (version.isascii() and version.isdecimal() and int(version) <= _LARGEST_VERSION):
        raise RequestError(f"Failed to convert version: {version} to numeric.")
    return service.served.find(name, int(version))
