"""Predictions that are answered where they are read, past ASGI.

uvicorn's protocol makes a task, an event and half a dozen messages of a request: as much work as
the rest of an answer. A POST to /v1/ that has come whole needs none of them: what it asks is handed
on in the callback that read it, and the answer is written in the callback that has it. Whatever
else comes - other paths, bodies without a length or packed ones, `Expect`, pipelined requests, no
token - goes uvicorn's way. Connections, timeouts and the end of the server are uvicorn's for both.

Nothing here imports TensorFlow's messages: uvicorn imports it before the application.
"""

from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

_PATH = b"/v1/"
_HEAD = b"content-type: application/json\r\ncontent-length: %d\r\nx-request-id: %s\r\n%s\r\n"
_CLOSES = b"connection: close\r\n"
_NOT_DIRECT = (b"content-encoding", b"transfer-encoding", b"expect", b"upgrade")


class DirectProtocol(HttpToolsProtocol):
    """A connection."""

    def on_headers_complete(self) -> None:
        """Tells which way a request goes."""
        busy = self.cycle is not None and not self.cycle.response_complete
        if self.url.startswith(_PATH) and not busy and not self.flow.write_paused:
            headers = dict(reversed(self.headers))  # the first of a name counts
            if self._is_direct(headers):
                self.cycle = _Exchange(self, headers)  # type: ignore[assignment]
                return
        super().on_headers_complete()

    def _is_direct(self, headers: dict[bytes, bytes]) -> bool:
        if self.parser.get_method() != b"POST" or b"?" in self.url or b"#" in self.url:
            return False
        if self.parser.get_http_version() != "1.1" or not headers.keys().isdisjoint(_NOT_DIRECT):
            return False
        length = headers.get(b"content-length", b"")
        application: Any = self.app
        return (
            length.isdigit()
            and int(length) <= application.max_body
            and application.is_allowed(headers.get(b"authorization"))
        )

    def on_body(self, body: bytes) -> None:
        """Takes a part of a body."""
        cycle: Any = self.cycle
        if type(cycle) is _Exchange:
            cycle.parts.append(body)
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Has a request that is whole answered."""
        cycle: Any = self.cycle
        if type(cycle) is _Exchange:
            cycle.ask()
        else:
            super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Lets go of what refers back, so that no garbage collector is waited for."""
        super().connection_lost(exc)
        self.cycle = None  # type: ignore[assignment]


class _Exchange:
    """A request and its answer, with what uvicorn's protocol looks at of its own."""

    def __init__(self, protocol: DirectProtocol, headers: dict[bytes, bytes]) -> None:
        self._protocol, self._headers = protocol, headers
        self.parts: list[bytes] = []
        self.response_complete = self.disconnected = False
        self.keep_alive: bool = protocol.parser.should_keep_alive()
        self.message_event = _Nobody

    def ask(self) -> None:
        protocol = self._protocol
        application: Any = protocol.app
        self._request = application.service.request_id(self._headers.get(b"x-request-id"))
        application.rest.ask(
            "POST", protocol.url.decode("latin-1"), b"".join(self.parts), self._request,
            self._header, self._answer,
        )  # fmt: skip

    def _header(self, name: str) -> str | None:
        found = self._headers.get(name.encode())
        return None if found is None else found.decode("latin-1")

    def _answer(self, status: int, content: bytes) -> None:
        protocol, self.response_complete = self._protocol, True
        if self.disconnected or protocol.transport.is_closing():
            return
        closes = b"" if self.keep_alive else _CLOSES
        head = _HEAD % (len(content), self._request.encode(), closes)
        protocol.transport.write(STATUS_LINE[status] + head + content)
        if not self.keep_alive:
            protocol.transport.close()
        protocol.on_response_complete()


class _Nobody:
    """Nobody waits for parts of the request."""

    @staticmethod
    def set() -> None:
        """See `asyncio.Event`."""
