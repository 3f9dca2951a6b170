"""Predictions past ASGI, over real sockets: each request gets its answer, whichever way it goes."""

import asyncio
import gc
import gzip
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from core.config import Config
from core.operation import LogSection
from pipeline.config.load import load
from pipeline.serving.protocols.direct import DirectProtocol
from pipeline.serving.protocols.http import Receive, Scope, Send, reply
from pipeline.serving.protocols.rest import RestApi
from pipeline.serving.request_log import RequestLog, log_files
from pipeline.serving.service import Service
from tests.support.servers.columns_model import ColumnsModel, row
from tests.support.servers.in_process import make, push

PATH = "/v1/models/census:predict"
MOST = 5000


class App:
    """What `Application` is to the protocol; counts what goes its way."""

    max_body = MOST

    def __init__(self, service: Service) -> None:
        self.service, self.rest, self.asked = service, RestApi(service), 0

    def is_allowed(self, authorization: bytes | None) -> bool:
        return authorization != b"wrong"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self.asked += 1
            if not self.is_allowed(dict(scope["headers"]).get(b"authorization")):
                await reply(send, 401, b"{}", "-")
            else:
                await self.rest(scope, receive, send)


@pytest.fixture(scope="module")
def census() -> Config:
    return load("census", [f"serving.max_body_bytes={MOST}"])


@contextmanager
def running(config: Config, folder: Path, wait: float = 0, log: RequestLog | None = None) -> Any:
    """The application, the port that it answers at, and its server."""
    push(folder, 1)
    app = App(make(config, folder, lambda version: ColumnsModel(), log=log, wait=wait))
    settings = uvicorn.Config(
        app, http=DirectProtocol, lifespan="off", log_config=None, loop="uvloop", ws="none",
        proxy_headers=False, date_header=False, server_header=False,
    )  # fmt: skip
    server = uvicorn.Server(settings)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])))
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield app, listener.getsockname()[1], server
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def up(census: Config, tmp_path: Path) -> Iterator[tuple[App, int, uvicorn.Server]]:
    with running(census, tmp_path / "served") as found:
        yield found


def body(**changes: Any) -> bytes:
    return json.dumps({"signature_name": "serving_columns", "instances": [row(**changes)]}).encode()


def request(content: bytes, *headers: str, path: str = PATH, verb: str = "POST") -> bytes:
    lines = [f"{verb} {path} HTTP/1.1", "Host: x", f"Content-Length: {len(content)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + content


class Client:
    """A connection, and the answers that come over it."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self._file = self.socket.makefile("rb")

    def answer(self) -> tuple[int, dict[str, str], Any]:
        status = int(self._file.readline().split()[1])
        headers = {}
        while line := self._file.readline().strip():
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        if status == 100:
            return status, headers, None
        return status, headers, json.loads(self._file.read(int(headers["content-length"])))

    def ask(self, *arguments: Any, **named: Any) -> tuple[int, dict[str, str], Any]:
        self.socket.sendall(request(*arguments, **named))
        return self.answer()

    def is_closed(self) -> bool:
        return self._file.read(1) == b""


def test_a_connection_is_kept_and_the_answers_are_those_of_asgi(up: Any) -> None:
    app, port, _ = up
    client = Client(port)
    for age in (20, 30):
        status, headers, found = client.ask(body(age=age), "X-Request-Id: mine")
        assert (status, found) == (200, {"predictions": [[age / 100]]})
        assert (headers["x-request-id"], headers["content-type"]) == ("mine", "application/json")
    assert app.asked == 0
    packed = gzip.compress(body(age=20))
    by_asgi = client.ask(packed, "Content-Encoding: gzip", "X-Request-Id: mine")
    assert app.asked == 1
    assert by_asgi == client.ask(body(age=20), "X-Request-Id: mine")
    assert client.ask(body(age=20), path=f"{PATH}?x=1")[0] == 200
    assert client.ask(b"", path="/v1/models/census", verb="GET")[0] == 200
    assert app.asked == 3


def test_refusals_are_answered_and_counted(up: Any) -> None:
    app, port, _ = up
    client = Client(port)
    for content, path, status, words in (
        (b"{", PATH, 400, "JSON Parse error"),
        (body(age="x"), PATH, 400, "row 0, column 'age'"),
        (body(), "/v1/models/other:predict", 404, "Latest(other)"),
        (body(), "/v1/models/census:explode", 400, "Malformed request: POST"),
        (body(age=66), PATH, 500, "the model failed: no answer for 66"),
    ):
        code, _, found = client.ask(content, path=path)
        assert (code, words in found["error"]) == (status, True), found
    assert app.asked == 0
    page = app.service.metrics.page({}, 0).decode()
    for labels in (
        'code="INVALID_ARGUMENT",method="predict"', 'code="NOT_FOUND",method="predict"',
        'code="INVALID_ARGUMENT",method="malformed"', 'code="INTERNAL",method="predict"',
    ):  # fmt: skip
        assert f'tfx_serving_requests_total{{{labels},protocol="rest"}}' in page
    code, _, _ = client.ask(body(), "Authorization: wrong")
    assert (code, app.asked) == (401, 1)


def test_pipelined_requests_are_answered_in_their_order(up: Any) -> None:
    _, port, _ = up
    client = Client(port)
    status = request(b"", path="/v1/models/census", verb="GET")
    asked = [request(body(age=20)), status, request(body(age=30)), request(body(age=40)), status]
    client.socket.sendall(b"".join(asked * 3))
    for _ in range(3):
        found = [client.answer()[2] for _ in asked]
        assert [f.get("predictions") for f in found] == [[[0.2]], None, [[0.3]], [[0.4]], None]


def test_bodies_come_in_pieces_in_chunks_or_after_a_wait(up: Any) -> None:
    app, port, _ = up
    client = Client(port)
    whole = request(body(age=20))
    for at in range(0, len(whole), 40):
        client.socket.sendall(whole[at : at + 40])
        time.sleep(0.005)
    assert client.answer()[2] == {"predictions": [[0.2]]}
    assert app.asked == 0
    content = body(age=30)
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    chunks = b"%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n"
    client.socket.sendall(head + chunks % (10, content[:10], len(content) - 10, content[10:]))
    assert client.answer()[2] == {"predictions": [[0.3]]}
    expecting = request(content, "Expect: 100-continue")
    client.socket.sendall(expecting[: -len(content)])
    assert client.answer()[0] == 100
    client.socket.sendall(content)
    assert client.answer()[2] == {"predictions": [[0.3]]}
    assert app.asked == 2


def test_a_body_that_is_too_large_is_refused_and_the_next_answered(up: Any) -> None:
    _, port, _ = up
    client = Client(port)
    code, _, found = client.ask(body(work="x" * MOST))
    assert (code, f"serving.max_body_bytes={MOST}" in found["error"]) == (400, True)
    assert client.ask(body(age=20))[2] == {"predictions": [[0.2]]}


def test_connections_close_when_they_are_asked_to(up: Any) -> None:
    _, port, _ = up
    client = Client(port)
    status, headers, _ = client.ask(body(), "Connection: close")
    assert (status, headers["connection"]) == (200, "close")
    assert client.is_closed()
    client = Client(port)
    client.socket.sendall(request(body()).replace(b"HTTP/1.1", b"HTTP/1.0"))
    assert client.answer()[0] == 200
    assert client.is_closed()
    client = Client(port)
    client.socket.sendall(b"POST /v1/ HTTP/1.1\r\nContent-Length: x\r\n\r\n")
    assert client.socket.makefile("rb").readline() == b"HTTP/1.1 400 Bad Request\r\n"


def test_who_leaves_does_no_harm(census: Config, tmp_path: Path) -> None:
    log = RequestLog(
        tmp_path / "requests", "server",
        LogSection(sample=1.0, file_bytes=2**20, bytes=2**22, leave_out=()),
    )  # fmt: skip
    with running(census, tmp_path / "served", wait=0.2, log=log) as (app, port, _):
        clients = [Client(port) for _ in range(3)]
        for client in clients:
            client.socket.sendall(request(body()))
        clients[0]._file.close()
        clients[0].socket.close()
        clients[1].socket.sendall(request(body())[:-5])  # and half of another
        assert clients[2].answer()[0] == clients[1].answer()[0] == 200
        clients[1].socket.close()
        clients[1]._file.close()
        assert Client(port).ask(body())[0] == 200
        assert app.asked == 1, "the half one, which was pipelined"
    log.close()
    assert (
        sum(len(path.read_bytes().splitlines()) for path in log_files(tmp_path / "requests")) == 4
    )


def test_connections_that_ended_leave_nothing_to_collect(up: Any) -> None:
    _, port, _ = up

    def left() -> int:
        return sum(isinstance(found, DirectProtocol) for found in gc.get_objects())

    gc.collect()
    gc.disable()
    try:
        before = left()
        for at in range(30):
            client = Client(port)
            if at % 3:
                assert client.ask(body() if at % 3 == 1 else b"{")[0] in (200, 400)
            else:
                client.socket.sendall(request(body())[:-5])
            client._file.close()
            client.socket.close()
        deadline = time.monotonic() + 10
        while left() > before and time.monotonic() < deadline:
            time.sleep(0.05)
        assert left() <= before
    finally:
        gc.enable()


def test_answers_under_way_are_given_when_the_server_ends(census: Config, tmp_path: Path) -> None:
    with running(census, tmp_path / "served", wait=0.5) as (app, port, server):
        busy, idle = Client(port), Client(port)
        assert idle.ask(body(age=20))[0] == 200
        busy.socket.sendall(request(body(age=30)))
        time.sleep(0.1)
        server.should_exit = True
        status, headers, found = busy.answer()
        assert (status, found, headers["connection"]) == (
            200, {"predictions": [[0.3]]}, "close"
        )  # fmt: skip
        assert busy.is_closed()
        assert idle.is_closed()
        assert app.asked == 0
