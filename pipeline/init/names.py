"""Names that every part of the pipeline can take, made of whatever a file's header says."""

import keyword
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from core.errors import InputError
from pipeline.config.column_checks import RESERVED

_DATA_SET = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
_TAKEN = frozenset(name.lower() for name in (*RESERVED, "self", *keyword.kwlist))
_SPELT = str.maketrans(
    {"ß": "ss", "æ": "ae", "ø": "o", "ł": "l", "%": " percent ", "#": " number "}
)


def check_data_set(name: str, repository: Path) -> None:
    """Checks the name of a new data set.

    Raises:
        InputError: it cannot be the name of a Python module, or is taken.
    """
    if not _DATA_SET.fullmatch(name) or keyword.iskeyword(name):
        raise InputError(
            f"--name {name}: write small letters a-z, digits and '_', a letter first, and no word "
            "of Python's own: it becomes a module, a folder and the name of a configuration"
        )
    places = [
        repository / "configs" / f"{name}.yaml",
        repository / "schema" / name,
        repository / "data" / name,
        repository / "data" / f"{name}.py",
    ]
    for place in places:
        if place.exists():
            raise InputError(
                f"--name {name}: {place.relative_to(repository)} is there already; give another "
                "name, or remove what is there"
            )


def safe_names(headers: Sequence[str]) -> dict[str, str]:
    """A name for each column: its own if it will do, else letters, digits and `_` like it.

    Names differ in more than capitals and in more than `-`, `.` and `_`, which a served model takes
    for one.
    """
    found: dict[str, str] = {}
    used: set[str] = set()
    for number, header in enumerate(headers, 1):
        name = _safe(header) or f"column_{number}"
        while _key(name) in used or name.lower() in _TAKEN:
            name = _numbered(name) if _key(name) in used else f"{name}_"
        used.add(_key(name))
        found[header] = name
    return found


def _safe(header: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", header, re.ASCII):
        return header
    spelt = unicodedata.normalize("NFKD", header.translate(_SPELT))
    ascii_only = spelt.encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]+", "_", ascii_only).strip("_").lower()


def _key(name: str) -> str:
    return re.sub("[-.]", "_", name).lower()


def _numbered(name: str) -> str:
    """`a` becomes `a_2`, `a_2` becomes `a_3`."""
    match = re.fullmatch(r"(.*)_(\d+)", name)
    return f"{match[1]}_{int(match[2]) + 1}" if match else f"{name}_2"
