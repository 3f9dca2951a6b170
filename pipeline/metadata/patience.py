"""Waits for SQLite's lock, within bounds, and says who holds it."""

import os
import re
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import psutil
from ml_metadata.errors import AbortedError, StatusError, UnavailableError

BUSY_WAITS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2)  # seconds
SQLITE_WAIT = 5.0  # seconds that SQLite itself waits at each attempt
_GAVE_UP = re.compile("Concurrent writes aborted|database is locked")
_Answer = TypeVar("_Answer")


class StoreLockedError(OSError):
    """Another process holds a transaction open; nothing was lost."""


def patiently(ask: Callable[[], _Answer], file: Path) -> _Answer:
    """Asks again while another process holds the lock of an SQLite file.

    Raises:
        StoreLockedError: it still does after all waits; names the process.
    """
    waits = iter(BUSY_WAITS)
    while True:
        try:
            return ask()
        except (StatusError, sqlite3.OperationalError, RuntimeError) as error:
            if not (isinstance(error, AbortedError | UnavailableError) or "locked" in str(error)):
                raise
            if (wait := next(waits, None)) is None:
                raise locked_by(file) from None
            time.sleep(wait)


def locked_by(file: Path) -> StoreLockedError:
    """Says who holds the lock of an SQLite file: `process 4711 (sqlite3 metadata.sqlite)`."""
    who = [f"process {p.pid} ({' '.join(p.info['cmdline'] or [])})" for p in holders(file)]
    return StoreLockedError(
        f"{file} is locked by {' or '.join(who) or 'another process'}, which holds a transaction "
        "open; nothing was lost. Let it finish, or end it"
    )


def is_locked_out(error: BaseException) -> bool:
    """Whether ML Metadata gave up waiting; it does so after some six minutes."""
    return bool(_GAVE_UP.search(str(error)))


def holders(file: Path) -> list[psutil.Process]:
    """The other processes of this machine that have a file open, as far as they can be seen."""
    path = str(file.resolve())
    return [
        process
        for process in psutil.process_iter(["open_files", "cmdline"])
        if process.pid != os.getpid()
        and any(file.path == path for file in process.info["open_files"] or ())
    ]
