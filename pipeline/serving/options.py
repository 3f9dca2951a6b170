"""What a process that serves is told, small enough to hand to another process."""

import re
from dataclasses import dataclass
from pathlib import Path

from core.config import Config
from core.errors import InputError
from core.targets import EDGE

REQUESTS_FOLDER = "requests"


@dataclass(frozen=True)
class ShadowName:
    """A version that is asked beside the live one: of a target, by label or by number."""

    target: str
    label: str | None
    version: int | None


def read_shadow(text: str | None, target: str) -> ShadowName | None:
    """What `--shadow` names: `edge`, `previous`, or a number of the served target.

    Raises:
        InputError: It is none of these.
    """
    if text is None:
        return None
    if text == EDGE.name and target != EDGE.name:
        return ShadowName(EDGE.name, "live", None)
    if text == "previous":
        return ShadowName(target, text, None)
    if re.fullmatch("[0-9]{1,18}", text):
        return ShadowName(target, None, int(text))
    also = "" if target == EDGE.name else f", or {EDGE.name}"
    raise InputError(
        f"--shadow {text}: give previous, the number of a version of {target}{also}; `models` "
        "lists versions"
    )


@dataclass(frozen=True)
class ServeOptions:
    """How to serve.

    Attributes:
      config: The configuration.
      run_folder: <root>/<name>.
      target: Whose versions are served.
      grpc_address: host:port of gRPC; None: no gRPC.
      token: What requests must bear; None: nothing.
      shadow: Who answers beside the live version; None: nobody.
    """

    config: Config
    run_folder: Path
    target: str
    grpc_address: str | None
    token: str | None
    shadow: ShadowName | None = None
