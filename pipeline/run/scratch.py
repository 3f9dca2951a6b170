"""A folder for the temporary files of this process, which never outlasts it for long.

Beam, AutoGraph and Python's tempfile leave what they were about to remove when a process is killed.
So each process has a folder of its own below that of temporary files. The process removes it; that
of a killed one goes when the next process begins. A lock tells whose process is alive: the kernel
takes it away with the process, in whatever container that was.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "tfx-two-targets-"
_LOCK = ".lock"


@contextmanager
def own_temporary_folder() -> Iterator[None]:
    """Makes temporary files of the block, and of processes that it starts, go to such a folder.

    Where none can be made, on a full or read-only disk, they go where they went.
    """
    base, folder, lock = Path(), None, None
    with suppress(OSError):
        base = Path(tempfile.gettempdir())
        _remove_left(base)
        made = Path(tempfile.mkdtemp(prefix=f".new-{PREFIX}"))
        lock = open(made / _LOCK, "wb")  # noqa: SIM115 - closed below
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Never to be seen without its lock held.
        folder = made.rename(base / made.name.removeprefix(".new-"))
    if folder is None or lock is None:
        yield
        return
    with lock:
        before = os.environ.get("TMPDIR")
        os.environ["TMPDIR"], tempfile.tempdir = str(folder), None
        try:
            yield
        finally:
            os.environ.pop("TMPDIR")
            if before is not None:
                os.environ["TMPDIR"] = before
            tempfile.tempdir = str(base)
            shutil.rmtree(folder, ignore_errors=True)


def _remove_left(base: Path) -> None:
    """Removes the folders of this user's processes that are no more."""
    for folder in base.glob(f"{PREFIX}*"):
        with suppress(OSError):
            if folder.lstat().st_uid != os.getuid() or folder.is_symlink():
                continue
            with open(folder / _LOCK, "ab") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
