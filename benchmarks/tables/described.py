"""The tables by name, and copies of the repository in which `init` describes one of them."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks import measure
from benchmarks.tables import made, packaged
from benchmarks.tables.table import LABEL, StudyTable
from core.files import REPOSITORY

PACKAGED: tuple[Callable[[], StudyTable], ...] = (
    packaged.census,
    packaged.german,
    packaged.pima,
    packaged.reactions,
    packaged.taxi,
    packaged.sms,
    packaged.cancer,
    packaged.wine,
    packaged.digits,
    packaged.progression,
)
MADE: tuple[Callable[[int], StudyTable], ...] = (
    made.wide,
    made.linear,
    made.xor,
    made.places,
    made.rare,
    made.crossed,
)
NAMES = [make.__name__ for make in (*PACKAGED, *MADE)]
_PARTS = (
    "pipeline", "components", "models", "core", "data", "configs", "schema", "environment",
    "benchmarks",
)  # fmt: skip


def table_of(name: str, seed: int) -> StudyTable:
    """The table of a name; a made one by its seed."""
    by_name = {make.__name__: make for make in PACKAGED}
    if name in by_name:
        return by_name[name]()
    return {make.__name__: make for make in MADE}[name](seed)


def repository_in(folder: Path) -> Path:
    """A copy of the repository in a folder, in which configurations may be written."""
    copy = folder / "repository"
    for part in _PARTS:
        ignored = shutil.ignore_patterns("__pycache__", "results")
        shutil.copytree(REPOSITORY / part, copy / part, ignore=ignored)
    shutil.copy(REPOSITORY / "pyproject.toml", copy)
    return copy


def describe(name: str, table: StudyTable, copy: Path, *options: str) -> str:
    """Has `init` describe a table; the name of the configuration that it writes.

    Args:
      name: Of the table.
      table: Written as a CSV file beside the copy.
      copy: Of the repository.
      options: Further ones of `init`.
    """
    file, called = copy.with_name("table.csv"), f"study_{name}"
    table.frame.to_csv(file, index=False)
    init = [sys.executable, "-m", "pipeline", "init", "--csv", str(file), "--label", LABEL]
    measure.run([*init, "--positive", table.positive, "--name", called, *options], copy)
    return called
