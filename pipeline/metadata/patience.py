"""Waits for SQLite's lock, within bounds, and says who holds it."""

import os
import re
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from ml_metadata.errors import AbortedError, StatusError, UnavailableError

BUSY_WAITS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2)  # seconds
SQLITE_WAIT = 5.0  # seconds that SQLite itself waits at each attempt
LOCKS = Path("/proc/locks")  # Linux's list of file locks: ... pid, major:minor:inode ...
_GAVE_UP = re.compile("Concurrent writes aborted|database is locked")
_Answer = TypeVar("_Answer")


class StoreLockedError(OSError):
    """Another process holds a transaction open; nothing was lost."""


def patiently(ask: Callable[[], _Answer], file: Path) -> _Answer:
    """Asks again while another process holds the lock of an SQLite file.

    Raises:
        StoreLockedError: it still does after all waits; names the process.
    """
    for wait in BUSY_WAITS:
        try:
            return ask()
        except (StatusError, sqlite3.OperationalError, RuntimeError) as error:
            if not _is_busy(error):
                raise
            time.sleep(wait)
    try:
        return ask()
    except (StatusError, sqlite3.OperationalError, RuntimeError) as error:
        if not _is_busy(error):
            raise
        raise locked_by(file) from None


def locked_by(file: Path) -> StoreLockedError:
    """Says who holds the lock of an SQLite file."""
    return StoreLockedError(
        f"{file} is locked by {_named(holders(file))}, which holds a transaction open; nothing was "
        "lost. Let it finish, or end it"
    )


def is_locked_out(error: BaseException) -> bool:
    """Whether ML Metadata gave up waiting; it does so after some six minutes."""
    return bool(_GAVE_UP.search(str(error)))


def _is_busy(error: Exception) -> bool:
    return isinstance(error, AbortedError | UnavailableError) or "locked" in str(error)


def holders(file: Path) -> list[int]:
    """Ids of the other processes of this machine that hold a lock of a file."""
    try:
        status = file.stat()
        lines = LOCKS.read_text(encoding="ascii").splitlines()
    except OSError:
        return []
    device = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    fields = [line.split() for line in lines]
    found = {int(field[-4]) for field in fields if field[-3] == device}
    return sorted(found - {os.getpid(), -1})


def _named(processes: list[int]) -> str:
    """`process 4711 (sqlite3 metadata.sqlite)`."""
    names = []
    for process in processes:
        try:
            words = Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
            names.append(f"process {process} ({b' '.join(words).decode(errors='replace').strip()})")
        except OSError:
            names.append(f"process {process}")
    return ", ".join(names) or "another process"
