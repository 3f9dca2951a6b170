"""Whether a run folder's SQLite file is as the last writer left it.

Who holds the folder's lock and writes takes the file's digest away first, and writes down a new one
at the end: so a bit that flips meanwhile is noticed, as is a file cut off or overwritten. After a
kill there is no digest, and SQLite's own check has to do.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import cache
from pathlib import Path

from core import lock
from core.errors import InputError
from core.files import sha256_of, write_atomically
from pipeline.metadata import patience
from pipeline.metadata.connection import SQLITE
from pipeline.metadata.patience import patiently

FILE = f"{SQLITE}.sha256"
_DIGEST = 64  # characters
_DAMAGED = ("malformed", "not a database", "disk image", "corrupt")


class StoreDamagedError(InputError):
    """The SQLite file is not what ML Metadata wrote."""

    def __init__(self, file: Path, what: str) -> None:
        super().__init__(
            f"{file}: damaged ({what}). Put a copy of before in its place and remove {FILE}; or "
            f"move it away (mv {file} {file}.damaged): the next run then writes a new one from the "
            "served versions and the reports, and makes anew what only the damaged one knew"
        )


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """For who holds the lock of <root>/<name> and writes to its store.

    Raises:
        StoreDamagedError: it is damaged; nothing was written.
    """
    file = folder / SQLITE
    _check(file)
    (folder / FILE).unlink(missing_ok=True)
    try:
        yield
    finally:
        with suppress(OSError):  # a full disk: without a digest, as after a kill
            if file.exists():
                write_atomically(folder / FILE, sha256_of(file) + "\n")


def check(folder: Path) -> None:
    """Looks at the store of <root>/<name>, unless somebody writes to it now.

    Raises:
        StoreDamagedError: it is damaged.
    """
    if lock.is_held(folder / lock.FILE):
        return
    try:
        _check(folder / SQLITE)
    except StoreDamagedError:
        if not lock.is_held(folder / lock.FILE):  # a run may have begun meanwhile
            raise


def _check(file: Path) -> None:
    if not file.exists() or not (size := file.stat().st_size):
        return
    try:
        seal = file.with_name(FILE).read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        seal = ""
    if problem := _problem(file, seal, file.stat().st_mtime_ns, size):
        raise StoreDamagedError(file, problem)


@cache
def _problem(file: Path, seal: str, changed: int, size: int) -> str | None:
    """What is wrong with a store; looked at once for each state of the file."""
    del changed, size
    if len(seal) == _DIGEST:
        if sha256_of(file) == seal:
            return None
        return f"its SHA-256 is not that in {FILE}; if it was changed on purpose, remove that file"
    try:
        # Not read-only: what a killed writer began is undone first.
        with closing(sqlite3.connect(file, patience.SQLITE_WAIT)) as database:
            said = patiently(lambda: database.execute("PRAGMA quick_check(1)").fetchone()[0], file)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            return None  # a disk that cannot be written, or is full
        said = str(error)
    return None if said == "ok" else str(said).splitlines()[-1]


def is_damage(error: Exception) -> bool:
    """Whether SQLite or ML Metadata came upon a damaged file."""
    said = str(error)
    return not isinstance(error, InputError) and any(words in said for words in _DAMAGED)


def no_store(run_folder: Path) -> InputError:
    """Why there is no store of <root>/<name>: before its first run, or it was lost."""
    if any(run_folder.glob("reports/*/summary.json")):
        return InputError(
            f"{run_folder / SQLITE}: gone, though runs were reported. Put a copy of before in its "
            "place, or start a run: it writes a new one from the served versions and the reports, "
            "and makes anew what only the lost one knew"
        )
    return InputError(f"{run_folder}: no runs there yet; start one with `run`")
