"""What a process that serves is told, small enough to hand to another process."""

from dataclasses import dataclass
from pathlib import Path

from core.config import Config

REQUESTS_FOLDER = "requests"


@dataclass(frozen=True)
class ServeOptions:
    """How to serve.

    Attributes:
      config: The configuration.
      run_folder: <root>/<name>.
      target: Whose versions are served.
      grpc_address: host:port of gRPC; None: no gRPC.
      token: What requests must bear; None: nothing.
    """

    config: Config
    run_folder: Path
    target: str
    grpc_address: str | None
    token: str | None
