"""A server in a process of its own, and load on it from others."""

import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.measure import MeasurementError
from core.files import REPOSITORY

_PATIENCE = 60.0
_TIMES = {"us": 0.001, "ms": 1.0, "s": 1000.0}


@dataclass(frozen=True)
class Up:
    """A server that answers.

    Attributes:
      process: The one that was started.
      url: http://host:port.
      grpc: host:port.
      seconds: From its start to its first answer.
    """

    process: subprocess.Popen[str]
    url: str
    grpc: str
    seconds: float

    def ready(self) -> dict[str, Any]:
        """What /readyz answers."""
        with urllib.request.urlopen(f"{self.url}/readyz", timeout=_PATIENCE) as response:
            found: dict[str, Any] = json.load(response)
        return found

    def memory_mb(self) -> float:
        """Resident memory of its processes, MB of 2**20 bytes."""
        return sum(each.memory_info().rss for each in self._tree()) / 2**20

    def cpu_seconds(self) -> float:
        """CPU time of its processes so far."""
        return sum(sum(each.cpu_times()[:2]) for each in self._tree())

    def _tree(self) -> list[psutil.Process]:
        process = psutil.Process(self.process.pid)
        return [process, *process.children(recursive=True)]


@dataclass(frozen=True)
class Load:
    """What a load of `wrk` measured; times in milliseconds.

    Attributes:
      cpu_us: Microseconds of CPU that the server's processes took for a request. Unlike the rest,
        it hardly depends on what else the machine does.
    """

    per_second: float
    median: float
    p99: float
    failed: int
    cpu_us: float


@contextmanager
def serving(root: Path, target: str, overrides: Sequence[str] = ()) -> Iterator[Up]:
    """Starts `serve --config smoke` under a root, and ends it."""
    flags = [part for override in overrides for part in ("--set", override)]
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline", "serve", "--config", "smoke", "--root", str(root),
         "--target", target, "--port", "0", "--grpc-port", "0", *flags],
        cwd=REPOSITORY, env={**os.environ, "COLUMNS": "200"}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None
    line = process.stdout.readline()
    url, grpc = re.search(r"http://[\w.:]+", line), re.search(r"gRPC at ([\w.:]+)", line)
    try:
        if url is None or grpc is None:
            raise MeasurementError(f"the server does not start: {line}")
        up = Up(process, url[0], grpc[1], 0.0)
        while True:
            try:
                up.ready()
                break
            except OSError as error:  # 503 among them
                if time.monotonic() - began > _PATIENCE:
                    raise MeasurementError(f"the server is not ready: {error}") from error
                time.sleep(0.01)
        yield Up(process, url[0], grpc[1], time.monotonic() - began)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=_PATIENCE)


def wrk(up: Up, path: str, body: bytes, folder: Path, connections: int, seconds: int) -> Load:
    """Posts a body to a path of a server again and again.

    Raises:
      MeasurementError: wrk is not installed, or failed.
    """
    program = shutil.which("wrk")
    if program is None:
        raise MeasurementError("wrk is missing: install it (Debian: apt-get install wrk)")
    script = folder / "post.lua"
    script.write_text(
        f'wrk.method = "POST"\nwrk.body = {json.dumps(body.decode())}\n'
        'wrk.headers["Content-Type"] = "application/json"\n'
    )
    flags = ["-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "30s"]
    command = [program, *flags, "-s", str(script), up.url + path]
    before = up.cpu_seconds()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MeasurementError(f"wrk failed: {done.stdout}{done.stderr}")
    return told_by_wrk(done.stdout, up.cpu_seconds() - before)


def told_by_wrk(text: str, cpu_seconds: float) -> Load:
    """What wrk printed.

    Raises:
      MeasurementError: No request was answered.
    """
    rate, count = (
        re.search(r"Requests/sec:\s+([\d.]+)", text),
        re.search(r"(\d+) requests in", text),
    )
    found = re.findall(r"^\s+(\d+)%\s+([\d.]+)(us|ms|s)", text, re.MULTILINE)
    times = {share: float(value) * _TIMES[unit] for share, value, unit in found}
    if rate is None or count is None or not int(count[1]) or "99" not in times:
        raise MeasurementError(f"wrk had no answer: {text}")
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    broken = re.findall(r"(?:connect|read|write|timeout) (\d+)", text)
    failed = int(refused[1] if refused else 0) + sum(map(int, broken))
    cpu_us = cpu_seconds / int(count[1]) * 1e6
    return Load(float(rate[1]), times["50"], times["99"], failed, cpu_us)


@dataclass(frozen=True)
class TimedAnswer:
    """An answer: when it was asked for, when it came, and its first probability."""

    asked: float
    came: float
    value: float


class Clients:
    """Connections that are kept open and ask one after another, each in a thread.

    Attributes:
      answers: What came.
      failed: What came instead, in words.
    """

    def __init__(self, up: Up, path: str, body: bytes, connections: int) -> None:
        self.answers: list[TimedAnswer] = []
        self.failed: list[str] = []
        self._address = up.url.removeprefix("http://")
        self._path, self._body = path, body
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(connections)]

    def __enter__(self) -> "Clients":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        connection = http.client.HTTPConnection(self._address, timeout=_PATIENCE)
        headers = {"Content-Type": "application/json"}
        while not self._stop.is_set():
            asked = time.time()
            try:
                connection.request("POST", self._path, self._body, headers)
                response = connection.getresponse()
                content = json.loads(response.read())
                if response.status != 200:
                    raise ValueError(f"{response.status} {content}")
            except (OSError, ValueError, http.client.HTTPException) as problem:
                self.failed.append(repr(problem))
                connection.close()
                continue
            self.answers.append(TimedAnswer(asked, time.time(), content["predictions"][0][0]))
        connection.close()
