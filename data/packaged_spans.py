"""For loaders of data that an installed package carries: reads a file of it, lays parts out.

The package is found through its metadata and never imported. Fails with InputError when a file is
missing or another one, or something else lies where the parts go.
"""

import hashlib
import importlib.metadata
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from core import csv_text
from core.errors import InputError


def read(package: str, version: str, file: str, sha256: str, what: str) -> bytes:
    """Reads a file of an installed package.

    Args:
        package: name of the package.
        version: the version in the lock file, for messages.
        file: path within the package's installation.
        sha256: the expected digest, in hexadecimal.
        what: what the file holds, for messages.

    Raises:
        InputError: the package or the file is missing, or its SHA-256 is another one.
    """
    hint = f"the lock file holds {package} {version}: delete .venv and run make setup"
    try:
        path = importlib.metadata.distribution(package).locate_file(file)
    except importlib.metadata.PackageNotFoundError as error:
        raise InputError(f"package {package}, which carries {what}: missing; {hint}") from error
    try:
        content = Path(str(path)).read_bytes()
    except FileNotFoundError as error:
        raise InputError(f"{path}: missing from package {package}; {hint}") from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise InputError(f"{path}: SHA-256 is {found}, expected {sha256}; {hint}")
    return content


def lay_out(files: Mapping[str, str], folder: str, what: str) -> None:
    """Writes files under `folder`, all of them or none.

    A folder that already holds exactly these files is left as it is, with whatever else is in it.

    Args:
        files: text by path below the folder, each in a folder of its own.
        folder: where they go.
        what: what they hold, for messages.

    Raises:
        InputError: `folder` holds something else.
    """
    target = Path(folder)
    if target.exists() and any(target.iterdir()):
        for name, text in files.items():
            path = target / name
            if not path.is_file() or path.read_bytes() != text.encode("utf-8"):
                raise InputError(
                    f"{path}: missing or not {what} as laid out there; delete {folder} "
                    "to have it written anew, or name your own folder in data.folder"
                )
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        for name, text in files.items():
            (scratch / name).parent.mkdir()
            (scratch / name).write_text(text, encoding="utf-8", newline="")
        scratch.chmod(0o755)
        os.rename(scratch, target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def to_csv(table: Sequence[Sequence[str]]) -> str:
    """The table, header first, as CSV text, lines ended by a line feed."""
    return "".join(csv_text.to_lines(table))
