"""Imports flow one way: pipeline -> components -> models; data is a leaf; none go to tests."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("pipeline", "components", "models", "data", "benchmarks", "tests")

# What a module of each room may import of ours, by the beginning of the dotted name.
ALLOWED = {
    "pipeline": ("pipeline", "components", "models"),
    "components": ("components", "models"),
    "models": ("models",),
    "data": ("data", "models.csv_text", "models.errors", "models.raw_table"),
    "benchmarks": ("benchmarks", "pipeline", "components", "models", "data"),
    "tests": ROOMS,
}

# models/ holds functions on values: no wiring, no metadata store, no configuration files.
NOT_IN_MODELS = ("tfx", "ml_metadata", "yaml")


def starts_with(name: str, prefixes: tuple[str, ...]) -> bool:
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in prefixes)


def imported_names(source: str, package: str) -> Iterator[tuple[int, str]]:
    """Line and dotted name of every import in `source`, a module of `package`.

    `from a import b` counts as `a.b`, because b may be a module of a.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parents, base] if base else parents)
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def forbidden_imports(source: str, package: str) -> list[str]:
    """`line: name` of every import in `source` that goes against the flow."""
    room = package.split(".")[0]
    return [
        f"{line}: {name}"
        for line, name in imported_names(source, package)
        if (starts_with(name, ROOMS) and not starts_with(name, ALLOWED[room]))
        or (room == "models" and starts_with(name, NOT_IN_MODELS))
    ]


@pytest.mark.parametrize("room", ROOMS)
def test_room_imports_only_what_lies_below_it(room: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{hit}"
        for path in sorted((ROOT / room).rglob("*.py"))
        for hit in forbidden_imports(
            path.read_text(encoding="utf-8"), ".".join(path.relative_to(ROOT).parent.parts)
        )
    ]
    assert found == []


@pytest.mark.parametrize(
    ("package", "source"),
    [
        ("models", "from components import artifacts"),
        ("models", "def f():\n    import pipeline.config"),
        ("models", "from tfx import v1"),
        ("components", "from pipeline.config import Config"),
        ("data.census", "from models import labeling"),
        ("data.census", "from ...pipeline import config"),
        ("pipeline", "from data.census import spans"),
        ("pipeline", "import tests.unit"),
        ("benchmarks", "from tests import e2e"),
    ],
)
def test_import_against_the_flow_is_found(package: str, source: str) -> None:
    assert len(forbidden_imports(source, package)) == 1


@pytest.mark.parametrize(
    ("package", "source"),
    [
        ("pipeline", "from components.artifacts import LabelReport"),
        ("components", "from models.errors import InputError\nimport tfx"),
        ("data.census", "from models.errors import InputError\nfrom . import spans"),
        ("data.census", "from models.raw_table import Source"),
        ("models", "import dataclasses\nimport modelsomething"),
    ],
)
def test_import_with_the_flow_is_accepted(package: str, source: str) -> None:
    assert forbidden_imports(source, package) == []
