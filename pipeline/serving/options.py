"""What a process that serves is told, small enough to hand to another process."""

import re
from collections.abc import Sequence
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
class CanaryName:
    """A version that answers a share of the requests; see `pipeline.serving.canary`.

    Attributes:
      version: Its number.
      share: 0 to 1.
      header, column: Where the key of a request is; both None: its first row is its key.
    """

    version: int
    share: float
    header: str | None = None
    column: str | None = None


def read_canary(text: str | None, key: str | None, columns: Sequence[str]) -> CanaryName | None:
    """What `--canary` and `--canary-key` name.

    Args:
      text: VERSION:SHARE.
      key: A column that the models take, or else a header.
      columns: Names of these columns.

    Raises:
        InputError: It is none, or the share is none.
    """
    if text is None:
        if key is not None:
            raise InputError(f"--canary-key {key}: there is no --canary whose requests it tells")
        return None
    match = re.fullmatch(r"([0-9]{1,18}):([0-9]*\.?[0-9]+(?:[eE]-?[0-9]{1,3})?)", text)
    if match is None:
        raise InputError(
            f"--canary {text}: give the number of a version and a share, such as 1795715046:0.1; "
            "`models` lists versions"
        )
    share = float(match[2])
    if not 0 <= share <= 1:
        raise InputError(f"--canary {text}: {match[2]} is no share of the requests; give 0 to 1")
    if key is None:
        return CanaryName(int(match[1]), share)
    if key in columns:
        return CanaryName(int(match[1]), share, column=key)
    if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}", key):
        raise InputError(
            f"--canary-key {key}: it is no column that the models take ({', '.join(columns)}), and "
            "a header has no such name"
        )
    return CanaryName(int(match[1]), share, header=key.lower())


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
      canary: Who answers a share of the requests in its place; None: nobody.
      figures: A folder where several processes add up their figures; None: there is one process.
    """

    config: Config
    run_folder: Path
    target: str
    grpc_address: str | None
    token: str | None
    shadow: ShadowName | None = None
    canary: CanaryName | None = None
    figures: Path | None = None
