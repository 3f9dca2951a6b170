"""What serves, in the process of the test: versions of models that are no files."""

import asyncio
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from starlette.applications import Starlette

from core.config import Config
from pipeline.serving.batching import Batcher
from pipeline.serving.canary import Canary
from pipeline.serving.metrics import ServingMetrics
from pipeline.serving.options import CanaryName
from pipeline.serving.protocols import inference, page
from pipeline.serving.protocols.rest import RestApi
from pipeline.serving.request_log import RequestLog
from pipeline.serving.rows import RowChecker
from pipeline.serving.service import Service
from pipeline.serving.versions import Servable, Versions, ask_columns
from tests.support.servers.columns_model import CONTRACT, ColumnsModel

Make = Callable[[int], ColumnsModel]


def of_classes(config: Config, classes: tuple[str, ...]) -> Config:
    """A configuration of other classes."""
    columns = config.columns.model_copy(update={"classes": classes, "positive": None})
    return config.model_copy(update={"columns": columns})


def push(served: Path, version: int) -> None:
    (served / str(version)).mkdir(parents=True)


def make(
    config: Config, served: Path, model: Make, canary: CanaryName | None = None,
    log: RequestLog | None = None, wait: float = 0,
) -> Service:  # fmt: skip
    """What answers with the versions in a folder; `model` makes that of a number.

    Requests wait so many seconds for others.
    """

    def load(version: int, folder: Path) -> Servable:
        made = model(version)
        checker = RowChecker(CONTRACT, made.numbers, made.texts, False, 100)
        return Servable(
            version, made, checker, Batcher(ask_columns(made), 64, wait, lambda n: None), None
        )

    versions = Versions(config.name, served, load, canary.version if canary else None)
    asyncio.run(versions.look())
    chosen = None if canary is None else Canary(canary, versions)
    return Service(config, "server", {"server": versions}, log, ServingMetrics(), True,
                   canary=chosen)  # fmt: skip


def ask(
    service: Service,
    path: str,
    document: Any = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[int, Any]:
    """Status and JSON of a request: a GET without a document, a POST with one."""
    body = b"" if document is None else json.dumps(document).encode()
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    async def send(message: Any) -> None:
        sent.append(message)

    pages = Starlette(routes=[*page.routes(service), *inference.routes(service)])
    scope = {
        "type": "http", "method": "GET" if document is None else "POST", "path": path,
        "raw_path": path.encode(), "query_string": b"", "http_version": "1.1",
        "headers": [(n.lower().encode(), v.encode()) for n, v in (headers or {}).items()],
    }  # fmt: skip
    asyncio.run((RestApi(service) if path.startswith("/v1/") else pages)(scope, receive, send))
    content = b"".join(message.get("body", b"") for message in sent)
    try:
        return sent[0]["status"], json.loads(content)
    except ValueError:
        return sent[0]["status"], content.decode()
