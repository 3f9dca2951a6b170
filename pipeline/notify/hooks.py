"""Hands a JSON text to a program or to a URL, within a time limit; says what went wrong."""

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

import requests

from core.files import REPOSITORY

_KEPT = 65_536  # bytes of a program's output
_LAST_WORDS = 0.5  # seconds that are waited for them
_SHORTEST = 4  # characters of a secret; less would blot out words
_HIDDEN = "***"
_SECRET_NAME = re.compile(r"PASS|SECRET|TOKEN|KEY|CREDENTIAL|WEBHOOK", re.IGNORECASE)
_URL = re.compile(r"(\bhttps?://)[^\s\"'<>]+", re.IGNORECASE)
_RETRIED = (429, 500, 502, 503, 504)
_PAUSE = 0.5  # seconds before the second attempt; doubles
_SHOWN = 200  # characters of a program's output
_TOO_LATE = "it did not answer in time"


def run_command(
    command: Sequence[str], payload: str, timeout: float, secrets: Iterable[str] = ()
) -> str | None:
    """Runs a program with `payload` on its standard input.

    Args:
        command: program and arguments; the repository is its working directory.
        payload: what it is given.
        timeout: seconds until it is killed, and what it has started.
        secrets: what the answer repeats nothing of.

    Returns:
        None when it ended with 0, else what went wrong.
    """
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=REPOSITORY,
            start_new_session=True,
        )
    except OSError as error:
        return f"{command[0]} cannot be started: {error.strerror}"
    assert process.stdin is not None
    assert process.stdout is not None
    tail = _Tail(process.stdout)
    deadline = time.monotonic() + timeout
    writer = threading.Thread(target=_feed, args=(process.stdin, payload.encode()), daemon=True)
    writer.start()
    try:
        process.wait(timeout=max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        return f"{command[0]} took more than {timeout:g} s and was killed"
    finally:
        _kill_group(process)
    if process.returncode == 0:
        return None
    said = without_secrets(tail.text(), secrets)[-_SHOWN:]
    return f"{command[0]} ended with {process.returncode}" + (f": {said}" if said else "")


def _feed(pipe: IO[bytes], payload: bytes) -> None:
    with suppress(OSError):  # a program need not read it
        pipe.write(payload)
    with suppress(OSError):
        pipe.close()


class _Tail:
    """The end of what a program prints, however much it prints: a thread reads the rest away."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._last = b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while chunk := os.read(self._pipe.fileno(), _KEPT):
            self._last = (self._last + chunk)[-_KEPT:]

    def text(self) -> str:
        """What is there now: what the program started may hold the pipe open."""
        self._reader.join(_LAST_WORDS)
        return self._last.decode(errors="replace")


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    """A program's words on one line, without secrets and without paths of URLs, which may be some.

    Args:
        text: what it printed.
        secrets: known ones. Values of environment variables that are called one are taken out, too.
    """
    named = [value for name, value in os.environ.items() if _SECRET_NAME.search(name)]
    long = {value.strip() for value in (*secrets, *named) if len(value.strip()) >= _SHORTEST}
    for secret in sorted(long, key=len, reverse=True):
        text = text.replace(secret, _HIDDEN)
    text = _URL.sub(rf"\1{_HIDDEN}", text)
    return "".join(c if c.isprintable() else " " for c in text).strip()


def _kill_group(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def post(url: str, payload: str, timeout: float, retries: int) -> str | None:
    """POSTs `payload` as JSON; the answer tells nothing of the URL, which may hold a secret.

    Args:
        url: http or https.
        payload: the body.
        timeout: seconds that all attempts may take together.
        retries: further attempts when it cannot be reached or answers 429 or 5xx.

    Returns:
        None when it answered 2xx, else what went wrong.
    """
    problems: list[str | None] = []
    # A thread, because a server that answers a byte at a time outlasts any limit of a socket.
    sender = threading.Thread(
        target=lambda: problems.append(_attempts(url, payload, timeout, retries)), daemon=True
    )
    sender.start()
    sender.join(timeout)
    return problems[0] if problems else _TOO_LATE


def _attempts(url: str, payload: str, timeout: float, retries: int) -> str | None:
    """Attempts until one succeeds. Own, because urllib3's retries log the URL."""
    for attempt in range(retries + 1):
        if attempt:
            time.sleep(_PAUSE * 2 ** (attempt - 1))
        problem, passing = _attempt(url, payload, timeout / (retries + 1))
        if not passing:
            break
    return problem


def _attempt(url: str, payload: str, timeout: float) -> tuple[str | None, bool]:
    """What went wrong, and whether another attempt may go better."""
    try:
        with requests.post(
            url,
            data=payload.encode(),
            headers={"Content-Type": "application/json"},
            timeout=timeout,
            allow_redirects=False,
            stream=True,
        ) as answer:
            if answer.status_code // 100 == 2:
                return None, False
            return f"it answered {answer.status_code}", answer.status_code in _RETRIED
    except requests.ConnectionError as error:
        return f"it could not be reached ({type(error).__name__})", True
    except requests.Timeout:
        return _TOO_LATE, True
    except (requests.RequestException, ValueError) as error:
        return f"it could not be asked ({type(error).__name__})", False


def read_secret_file(path: Path) -> str:
    """The first line of a file."""
    return path.read_text(encoding="utf-8").partition("\n")[0].strip()
