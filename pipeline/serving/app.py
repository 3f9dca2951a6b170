"""The application: what is served at which path, and what runs beside it."""

import asyncio
import hmac
import logging
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.targets import EDGE, TARGETS
from pipeline.serving.canary import Canary
from pipeline.serving.contract import read_columns
from pipeline.serving.errors import RequestError
from pipeline.serving.loading import Loader
from pipeline.serving.metrics import PUBLISHED, ServingMetrics
from pipeline.serving.options import REQUESTS_FOLDER, ServeOptions
from pipeline.serving.protocols import grpc_api, inference, openapi, page
from pipeline.serving.protocols.http import Receive, Scope, Send, header, reply
from pipeline.serving.protocols.rest import RestApi
from pipeline.serving.request_log import RequestLog
from pipeline.serving.service import Service
from pipeline.serving.shadow import Shadow
from pipeline.serving.versions import Versions

_LOG = logging.getLogger(__name__)
_SWITCH = (
    0.0005  # seconds after which a thread hands the interpreter on; Python's 5 ms is a long wait
)
_OPEN = ("/", "/healthz", "/readyz", "/v2/health/live", "/v2/health/ready")  # ask for no token


class Application:
    """An ASGI application. The REST API, where time counts, goes past the framework.

    Attributes:
      service: What answers.
      rest: The REST API; `pipeline.serving.protocols.direct` asks it past ASGI, too.
      max_body: Bytes of the largest body that is read.
    """

    def __init__(self, options: ServeOptions) -> None:
        """Prepares; versions are loaded when the server starts."""
        self._options = options
        self._config = options.config
        self.service = make_service(options)
        self.rest = RestApi(self.service)
        self.max_body = self._config.serving.max_body_bytes
        self._token = token_check(options.token)
        self._pages = Starlette(
            routes=[*page.routes(self.service), *self._routes(), *inference.routes(self.service)],
            lifespan=self._lifespan,
            exception_handlers={RequestError: _told, 404: _refused, 405: _refused, 500: _refused},
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request."""
        if scope["type"] != "http":
            await self._pages(scope, receive, send)
            return
        path: str = scope["path"]
        if path not in _OPEN and not self.is_allowed(header(scope, b"authorization")):
            content = orjson.dumps({"error": "a token is asked for: Authorization: Bearer ..."})
            await reply(send, 401, content, "-")
            return
        if path[:4].lower() == "/v1/":
            await self.rest(scope, receive, send)
        else:
            await self._pages(scope, receive, send)

    def is_allowed(self, authorization: bytes | None) -> bool:
        """Whether a header `Authorization` bears the token; all do when there is none."""
        if self._options.token is None:
            return True
        return self._token(authorization.decode("latin-1") if authorization else None)

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        del app
        service = self.service
        sys.setswitchinterval(_SWITCH)
        await service.served.look()
        tasks = [
            asyncio.create_task(versions.watch(self._config.serving.poll))
            for versions in service.versions.values()
        ]
        if service.metrics.is_shared:
            tasks.append(asyncio.create_task(self._publish()))
        server = None
        if self._options.grpc_address is not None:
            server = await grpc_api.start(service, self._options.grpc_address, self._token)
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            if server is not None:
                await server.stop(grace=5)
            service.explainers.close()
            await service.settle()
            if service.log is not None:
                await asyncio.to_thread(service.log.close)

    async def _publish(self) -> None:
        """Keeps the figures that the other processes read up to date."""
        service = self.service
        while True:
            try:
                service.metrics.publish(service.dropped)
            except OSError:
                _LOG.exception("figures cannot be written for the other processes")
            await asyncio.sleep(PUBLISHED)

    def _routes(self) -> list[Route]:
        service = self.service

        async def health(request: Request) -> Response:
            return inference.json({"status": "up"})

        async def ready(request: Request) -> Response:
            labels = service.served.labels
            return inference.json({"ready": bool(labels), **labels}, 200 if labels else 503)

        async def metrics(request: Request) -> Response:
            live = {t: v.labels["live"] for t, v in service.versions.items() if v.labels}
            if service.metrics.is_shared:  # what the others have counted is there then
                await asyncio.sleep(2 * PUBLISHED)
            content = service.metrics.page(live, service.dropped)
            return Response(content, media_type="text/plain; version=0.0.4; charset=utf-8")

        async def description(request: Request) -> Response:
            return inference.json(openapi.describe(service))

        return [
            Route("/healthz", health),
            Route("/readyz", ready),
            Route("/metrics", metrics),
            Route("/openapi.json", description),
        ]


async def _told(request: Request, error: Any) -> Response:
    del request
    return inference.json({"error": error.message}, error.http)


async def _refused(request: Request, error: Any) -> Response:
    code = getattr(error, "status_code", 500)
    what = {404: "Not Found", 405: "Method Not Allowed"}.get(code, "Internal Server Error")
    return inference.json({"error": f"{what}: {request.method} {request.url.path}"}, code)


def token_check(token: str | None) -> Callable[[str | None], bool]:
    """Whether a header `Authorization` bears the token; all do when there is none."""
    if token is None:
        return lambda given: True
    wanted = token.encode()

    def check(given: str | None) -> bool:
        scheme, _, value = (given or "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(value.strip().encode(), wanted)

    return check


def make_service(options: ServeOptions) -> Service:
    """What answers, with nothing loaded yet.

    The server target answers beside the edge one for whoever compares them; not the other way
    round, since that would load TensorFlow.
    """
    config, metrics = options.config, ServingMetrics(options.figures)
    contract = read_columns(config.schema_path, config.columns.dates)
    targets = dict.fromkeys([options.target, EDGE.name])
    canary, shadowed = options.canary, options.shadow
    versions = {
        target: Versions(
            config.name,
            TARGETS[target].served(options.run_folder, config.name),
            Loader(target, contract, config, metrics),
            canary.version if canary is not None and target == options.target else None,
            shadowed.version if shadowed is not None and target == shadowed.target else None,
        )
        for target in targets
    }
    log = None
    if config.serving.log.sample:
        folder = options.run_folder / REQUESTS_FOLDER
        log = RequestLog(folder, options.target, config.serving.log)
    shadow = None
    if shadowed is not None:
        of = versions[shadowed.target]
        shadow = Shadow(shadowed.target, shadowed.label, shadowed.version, of)
    return Service(
        config, options.target, versions, log, metrics, options.token is None, shadow,
        None if canary is None else Canary(canary, versions[options.target]),
    )  # fmt: skip
