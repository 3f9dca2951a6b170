"""TensorFlow Serving's REST API, held to what its code does (`http_rest_api_handler.cc`).

Names in a URL are looked up among the versions that are loaded; none of them reaches a file.
"""

import asyncio
import logging
import re
import time
from collections.abc import Callable, Coroutine
from functools import lru_cache, partial
from typing import Any, NamedTuple
from urllib.parse import unquote

import numpy as np
import orjson

from pipeline.serving import outputs
from pipeline.serving.canary import Header
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
    r"/v1/models/([^/:]+)(?:(?:/versions/(\d+))|(?:/labels/([^/:]+)))?:"
    r"(classify|regress|predict|explain)",
    re.IGNORECASE | re.ASCII,
)
_TOLD = re.compile(
    r"/v1/models(?:/([^/:]+))?(?:(?:/versions/(\d+))|(?:/labels/([^/:]+)))?(?:/(metadata))?",
    re.IGNORECASE | re.ASCII,
)
_METHODS = ("classify", "regress", "predict", EXPLAIN, "metadata", "status")
_LARGEST_VERSION = 2**63 - 1
_REMEMBERED = 256  # paths
_PROTOCOL = "rest"
Told = Callable[[int, bytes], None]
"""Is told status and body of an answer."""


class Path(NamedTuple):
    """What a path asks for, and of which version."""

    method: str
    name: str
    version: int | None
    label: str | None


class RestApi:
    """What is below /v1/: `ask`, and an ASGI application around it."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._max_body = service.config.serving.max_body_bytes
        self._explaining: set[asyncio.Task[None]] = set()  # asyncio alone would let go of them

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request."""
        request = self._service.request_id(header(scope, b"x-request-id"))
        future: asyncio.Future[tuple[int, bytes]] = asyncio.get_running_loop().create_future()

        def told(status: int, content: bytes) -> None:
            if not future.done():
                future.set_result((status, content))

        try:
            body = await read_body(scope, receive, self._max_body)
        except RequestError as error:
            self._tell(told, error, "malformed", time.perf_counter())
        else:
            path = scope["raw_path"].decode("latin-1")
            self.ask(scope["method"], path, body, request, partial(text_header, scope), told)
        status, content = await future
        await reply(send, status, content, request)

    def ask(
        self, verb: str, path: str, body: bytes, request: str, headers: Header, told: Told
    ) -> None:
        """Answers a request: at once, or when the model has answered.

        Args:
          verb: GET or POST; others are refused.
          path: As it came, without a query.
          body: The whole of it, unpacked.
          request: Its id.
          headers: Its headers.
          told: Is told once.
        """
        began, method = time.perf_counter(), "malformed"
        try:
            asked = read_path(verb, path)
            method, of = asked.method, (asked.name, asked.version, asked.label)
            if method == "status":
                content = self._status(*of)
            elif method == "metadata":
                found = self._service.served.find(*of)
                content = orjson.dumps(self._service.describe(found), option=orjson.OPT_INDENT_2)
            else:
                self._ask_model(asked, body, request, began, headers, told)
                return
        except Exception as error:
            self._tell(told, error, method, began)
        else:
            self._tell(told, content, method, began)

    def _ask_model(
        self, asked: Path, body: bytes, request: str, began: float, headers: Header, told: Told
    ) -> None:
        """Has rows answered.

        Raises:
          RequestError: They are refused.
        """
        document = payloads.parse(body)
        servable = self._service.served.find(asked.name, asked.version, asked.label)
        if asked.method == EXPLAIN:
            _, rows = payloads.predict_rows(document, servable.checker)
            explaining = self._service.explainers.answer(servable, rows, document)
            task = asyncio.get_running_loop().create_task(self._explain(explaining, began, told))
            self._explaining.add(task)
            task.add_done_callback(self._explaining.discard)
            return
        classes = servable.model.classes
        if asked.method == "predict":
            key, rows = payloads.predict_rows(document, servable.checker)
        else:
            if asked.method == "regress" and classes is not None:
                raise RequestError(
                    f"the model tells {len(classes)} classes apart ({', '.join(classes)}), and "
                    "regress answers one number a row; ask :predict or :classify"
                )
            key, rows = "results", payloads.example_rows(document, servable.checker)

        def form(answers: np.ndarray) -> Any:
            if key == payloads.BY_ROW:
                return outputs.by_row(answers, classes)
            if key == payloads.BY_OUTPUT:
                return outputs.by_output(answers, classes)
            return self._classes(answers) if asked.method == "classify" else answers

        def answered(by: Servable, found: np.ndarray | RequestError) -> None:
            del by
            content: bytes | Exception
            if isinstance(found, RequestError):
                content = found
            else:
                try:
                    content = payloads.dump({key: form(found)}, found)
                except Exception as error:
                    content = error
            self._tell(told, content, asked.method, began)

        any_version = asked.version is None and asked.label is None
        self._service.ask(
            servable, rows, request, began, headers if any_version else None, answered
        )

    async def _explain(
        self, explaining: Coroutine[Any, Any, dict[str, Any]], began: float, told: Told
    ) -> None:
        content: bytes | Exception
        try:
            content = orjson.dumps(await explaining)
        except Exception as error:
            content = error
        self._tell(told, content, EXPLAIN, began)

    def _tell(self, told: Told, content: bytes | Exception, method: str, began: float) -> None:
        """Gives an answer or says why there is none, and counts that."""
        code, status = "OK", 200
        if isinstance(content, RequestError):
            code, status = content.code, content.http
            content = orjson.dumps({"error": content.message})
        elif isinstance(content, Exception):
            _LOG.error("a request was not answered", exc_info=content)
            code, status = "INTERNAL", 500
            content = orjson.dumps({"error": "the server failed; its log says why"})
        self._service.metrics.request(_PROTOCOL, method, code, time.perf_counter() - began)
        told(status, content)

    def _classes(self, answers: np.ndarray) -> list[list[tuple[str, np.float32]]]:
        if answers.ndim == 1:
            answers = np.stack([np.float32(1) - answers, answers], axis=1)
        names = self._service.classes
        return [list(zip(names, shares, strict=True)) for shares in answers]

    def _status(self, name: str, version: int | None, label: str | None) -> bytes:
        states = self._service.served.status(name, version, label)
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


@lru_cache(_REMEMBERED)
def read_path(verb: str, path: str) -> Path:
    """What a path asks for.

    Raises:
      RequestError: The path is malformed, or the verb is not the one for it.
    """
    pattern = {"POST": _ASKED, "GET": _TOLD}.get(verb)
    match = pattern.fullmatch(path) if pattern else None
    method = (match[4] or "status") if match else ""
    if match is None or method not in _METHODS:
        raise RequestError(f"Malformed request: {verb} {path}")
    if match[2] and int(match[2]) > _LARGEST_VERSION:
        raise RequestError(f"Failed to convert version: {match[2]} to numeric.")
    if not match[1]:
        raise RequestError("Missing model name in request.")
    version = int(match[2]) if match[2] else None
    return Path(method, unquote(match[1]), version, unquote(match[3]) if match[3] else None)


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
