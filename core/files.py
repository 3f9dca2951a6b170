"""Files that appear whole or not at all, files of JSON lines that only grow, digests."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic_core import to_jsonable_python

REPOSITORY = Path(__file__).resolve().parent.parent


def write_atomically(path: Path, content: str | bytes) -> None:
    """Makes a file or replaces it; neither a kill nor a loss of power leaves a part of it.

    Args:
      path: The content is written beside it, in a folder that is there, and renamed.
      content: A text is written as UTF-8.

    Raises:
      OSError: It cannot be written; what was there before still is.
    """
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(scratch, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)


def write_json(path: Path, content: Any) -> None:
    """Writes JSON values, dataclasses as objects, as UTF-8 and indented by one space."""
    text = json.dumps(content, indent=1, default=to_jsonable_python)
    path.write_text(text, encoding="utf-8")


def append_line(path: Path, line: str) -> None:
    """Adds a line with one write, after what a killed writer may have left of its own."""
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        size = os.fstat(descriptor).st_size
        cut_off = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        os.write(descriptor, (b"\n" if cut_off else b"") + line.encode() + b"\n")
    finally:
        os.close(descriptor)


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The whole lines, the oldest first; none when there is no file."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []
    found = []
    for line in lines:
        try:
            value = json.loads(line)
        except json.JSONDecodeError:
            continue
        if isinstance(value, dict):
            found.append(value)
    return found


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digests_of(folder: Path) -> dict[str, str]:
    """SHA-256 of each file below a folder, by its path relative to it, ascending."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): sha256_of(path) for path in found}


def find_damage(folder: Path, digests: Mapping[str, str]) -> str | None:
    """The first file below `folder` that is not as it was when it was made; None if all are.

    Args:
      folder: May be gone.
      digests: Of its files, as `digests_of` gives them; files beside them are not looked at.
    """
    if not folder.is_dir():
        return f"{folder} is gone"
    for name, digest in digests.items():
        try:
            if sha256_of(folder / name) != digest:
                return f"{folder / name} is damaged"
        except FileNotFoundError:
            return f"{folder / name} is gone"
        except OSError as error:
            return f"{folder / name} cannot be read ({error.strerror})"
    return None
