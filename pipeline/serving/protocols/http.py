"""Bodies, headers and replies of ASGI, without what a framework does besides."""

import zlib
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


def text_header(scope: Scope, name: str) -> str | None:
    """The same as text."""
    found = header(scope, name.encode())
    return None if found is None else found.decode("latin-1")


async def read_body(scope: Scope, receive: Receive, most: int) -> bytes:
    """The body of a request, unpacked where it is gzip. Too large a one is read, but not kept.

    Raises:
      RequestError: It is larger than `most` bytes, packed or not, or the client left.
    """
    encoding = header(scope, b"content-encoding")
    body = await _read(receive, most)
    if encoding is None or encoding.lower() in (b"", b"identity"):
        return body
    if encoding.lower() != b"gzip":
        raise RequestError("a body is sent as it is or with Content-Encoding: gzip")
    unpacking = zlib.decompressobj(wbits=31)  # gzip's head and tail
    try:
        body = unpacking.decompress(body, most + 1)
    except zlib.error as error:
        raise RequestError(f"the body is not gzip: {error}") from error
    if len(body) > most:
        raise RequestError(f"the body unpacks to more than serving.max_body_bytes={most}")
    if not unpacking.eof:
        raise RequestError("the body is not gzip: it is cut off")
    return body


async def _read(receive: Receive, most: int) -> bytes:
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
