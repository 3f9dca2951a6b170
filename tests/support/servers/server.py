"""A server in a process of its own, on ports that are free, and what asks it."""

import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.files import REPOSITORY

_PATIENCE = 60.0


@dataclass(frozen=True)
class Server:
    """A server that is up."""

    process: subprocess.Popen[str]
    url: str
    grpc: str

    def ask(
        self,
        path: str,
        body: Any = None,
        method: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, Any]:
        """Status and body of a request; a body that is not bytes is sent as JSON, NaN and all."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers or {}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=_PATIENCE) as response:
                code, content = response.status, response.read()
        except urllib.error.HTTPError as error:
            code, content = error.code, error.read()
        try:
            return code, json.loads(content)
        except ValueError:
            return code, content.decode()

    def wait_for(self, path: str, wanted: Any, seconds: float = 20.0) -> None:
        """Waits until a GET is answered by JSON that holds what is wanted."""
        deadline = time.monotonic() + seconds
        while True:
            _, found = self.ask(path)
            if isinstance(found, dict) and wanted.items() <= found.items():
                return
            assert self.process.poll() is None, "the server ended"
            assert time.monotonic() < deadline, found
            time.sleep(0.05)


@contextmanager
def serving(
    root: Path, *arguments: str, config: str = "smoke", ready: bool = True
) -> Iterator[Server]:
    """Starts `python -m pipeline serve`; it is up when this yields, and gone afterwards.

    With `ready`, a version answers.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline", "serve", "--config", config, "--root", str(root),
         "--port", "0", "--grpc-port", "0", *arguments],
        cwd=REPOSITORY, env={**os.environ, "COLUMNS": "200"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    line = process.stdout.readline()
    url, grpc = re.search(r"http://[\w.:]+", line), re.search(r"gRPC at ([\w.:]+)", line)
    try:
        assert url, line + process.stdout.read()
        server = Server(process, url[0], grpc[1] if grpc else "")
        server.wait_for("/readyz", {"ready": True} if ready else {}, _PATIENCE)
        yield server
    finally:
        process.terminate()
        output, _ = process.communicate(timeout=_PATIENCE)
        print(output)  # pytest shows it with what failed
