"""The page at /: a form made from the contract, and what each target answers. No network needed."""

import time
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from core.names import COLUMNS_SIGNATURE
from pipeline.report.templates import templates_in
from pipeline.serving.errors import RequestError
from pipeline.serving.outputs import chosen
from pipeline.serving.protocols import payloads
from pipeline.serving.protocols.http import read_body
from pipeline.serving.protocols.inference import json
from pipeline.serving.service import Service

_TEMPLATES = Path(__file__).parent / "templates"
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def routes(service: Service) -> list[Route]:
    """The page, and what it asks."""
    environment = templates_in(_TEMPLATES)

    async def form(request: Request) -> Response:
        nonce = token_urlsafe(16)
        labels = service.served.labels
        columns = service.served.find(service.config.name).checker.columns() if labels else ()
        content = environment.get_template("page.html.j2").render(
            name=service.config.name,
            target=service.target,
            version=labels.get("live", "none"),
            columns=columns,
            classes=service.classes,
            has_token=not service.token_free,
            signature=COLUMNS_SIGNATURE,
            nonce=nonce,
        )
        policy = (
            f"default-src 'none'; connect-src 'self'; script-src 'nonce-{nonce}'; "
            f"style-src 'nonce-{nonce}'; base-uri 'none'; form-action 'none'; "
            "frame-ancestors 'none'"
        )
        return HTMLResponse(content, headers={**_HEADERS, "Content-Security-Policy": policy})

    async def compare(request: Request) -> Response:
        most = service.config.serving.max_body_bytes
        body = await read_body(request.scope, request.receive, most)
        return json({"answers": await answers(service, payloads.parse(body))})

    return [Route("/", form), Route("/compare", compare, methods=["POST"])]


async def answers(service: Service, row: dict[str, Any]) -> list[dict[str, Any]]:
    """What each target answers for a row, the served one first; only its answer is written down.

    Raises:
      RequestError: The served target refuses the row.
    """
    document = {"signature_name": COLUMNS_SIGNATURE, "instances": [row]}
    found = []
    for target, versions in service.versions.items():
        if target != service.target and not versions.labels:
            continue
        began = time.perf_counter()
        servable = versions.find(service.config.name)
        try:
            _, rows = payloads.predict_rows(document, servable.checker)
        except RequestError as error:
            if target == service.target:
                raise
            found.append({"target": target, "version": servable.version, "error": error.message})
            continue
        if target == service.target:
            _, answered = await service.answer(servable, rows, service.request_id(None), began)
        else:
            answered = await servable.answer(rows)
        told = {"target": target, "version": servable.version}
        found.append({**told, **_told(answered, service.classes)})
    return found


def _told(answered: np.ndarray, classes: tuple[str, ...]) -> dict[str, Any]:
    """The answer for one row, with numbers as :predict writes them."""
    if answered.ndim == 1:
        probability = float(str(answered[0]))
        return {"probability": probability, "label": classes[int(probability >= 0.5)]}
    shares = {name: float(str(share)) for name, share in zip(classes, answered[0], strict=True)}
    return {"probabilities": shares, "label": chosen(answered, classes)[0]}
