"""One run at a time for each metadata store.

The lock is the kernel's (flock): it ends with the process that holds it, however that process
ends. The file only says who holds it.
"""

import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

FILE = "metadata.sqlite.lock"
STAGED_FILE = ".lock"  # in the folder of staged data
_ATTEMPTS = 5  # a reader that looks at the lock holds it for an instant
_PAUSE = 0.1  # seconds


class LockHeldError(RuntimeError):
    """Another run holds the lock; the message says which."""


@contextmanager
def hold(path: Path, what: str = "a run is under way") -> Iterator[None]:
    """Holds the lock file `path` while the block runs.

    Args:
        path: of the file; made when it is not there.
        what: what a holder does, for the message of the one that is refused.

    Raises:
        LockHeldError: names process, host and start of the run that holds it.
    """
    with open(path, "a+", encoding="utf-8") as file:
        if not _try(file, fcntl.LOCK_EX, _ATTEMPTS):
            raise LockHeldError(_holder(file, path, what))
        holder = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "since": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        file.truncate(0)
        file.write(json.dumps(holder))
        file.flush()
        yield


@contextmanager
def wait(path: Path) -> Iterator[None]:
    """Holds the lock file `path` while the block runs, once others have let go of it."""
    with open(path, "a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def is_held(path: Path) -> bool:
    """Whether a run holds the lock file."""
    try:
        with open(path, encoding="utf-8") as file:
            return not _try(file, fcntl.LOCK_SH, 1)
    except FileNotFoundError:
        return False


def _try(file: IO[str], kind: int, attempts: int) -> bool:
    for attempt in range(attempts):
        if attempt:
            time.sleep(_PAUSE)
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            continue
    return False


def _holder(file: IO[str], path: Path, what: str) -> str:
    file.seek(0)
    try:
        holder = json.loads(file.read())
        who = f"process {holder['pid']} on {holder['host']}, since {holder['since']}"
    except (json.JSONDecodeError, KeyError):
        who = "another process"
    return f"{what}: {who} holds {path}. Wait for it, or end it, and start again"
