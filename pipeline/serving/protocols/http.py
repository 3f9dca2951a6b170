"""Bodies, headers and replies of ASGI, without what a framework does besides."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from pipeline.serving.errors import RequestError

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
JSON = b"application/json"


def header(scope: Scope, name: bytes) -> bytes | None:
    """The first header of a name in small letters."""
    for key, value in scope["headers"]:
        if key == name:
            found: bytes = value
            return found
    return None


async def read_body(receive: Receive, most: int) -> bytes:
    """The body of a request. One that is too large is read to its end, but not kept.

    Raises:
      RequestError: It is larger than `most` bytes, or the client left.
    """
    parts, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RequestError("the client left before the body was whole")
        part = message.get("body", b"")
        size += len(part)
        more = message.get("more_body", False)
        if size <= most:
            parts.append(part)
        else:
            parts.clear()
    if size > most:
        text = f"the body has {size} bytes, serving.max_body_bytes={most} is the most that is read"
        raise RequestError(text)
    return parts[0] if len(parts) == 1 else b"".join(parts)


async def reply(
    send: Send, status: int, content: bytes, request: str, content_type: bytes = JSON
) -> None:
    """Sends a whole answer."""
    headers = [
        (b"content-type", content_type),
        (b"content-length", str(len(content)).encode()),
        (b"x-request-id", request.encode()),
    ]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
