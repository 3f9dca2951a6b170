"""Imports flow one way, pipeline -> components -> models -> core, without a circle, at the top."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from pipeline.cli.main import VERBS

ROOT = Path(__file__).parents[2]
ROOMS = ("pipeline", "components", "models", "core", "data", "benchmarks", "tests")

# What a module of each room may import of ours, by the beginning of the dotted name.
ALLOWED = {
    "pipeline": ("pipeline", "components", "models", "core"),
    "components": ("components", "models", "core"),
    "models": ("models", "core"),
    "core": ("core",),
    "data": ("data", "core"),
    "benchmarks": ("benchmarks", "pipeline", "components", "models", "core", "data"),
    "tests": (*ROOMS[:-1], "tests.support"),  # not one module of tests from another
}

# models/ and core/ hold functions on values: no wiring, no metadata store, no configuration files.
NOT_BELOW = ("tfx", "ml_metadata", "ruamel", "yaml")


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
        or (room in ("models", "core") and starts_with(name, NOT_BELOW))
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
        ("models", "def f():\n    import pipeline.config.load"),
        ("models", "from tfx import v1"),
        ("components", "from pipeline.config.load import Config"),
        ("data.census", "from models.labels import functions"),
        ("core", "from models.metrics import gates"),
        ("core", "import yaml"),
        ("core", "from ruamel.yaml import YAML"),
        ("data.census", "from ...pipeline import config"),
        ("pipeline", "from data.census import spans"),
        ("pipeline", "import tests.unit"),
        ("benchmarks", "from tests import e2e"),
        ("tests.unit", "from tests.unit.core.test_files import ROWS"),
    ],
)
def test_import_against_the_flow_is_found(package: str, source: str) -> None:
    assert len(forbidden_imports(source, package)) == 1


@pytest.mark.parametrize(
    ("package", "source"),
    [
        ("pipeline", "from components.artifacts import LabelReport"),
        ("components", "from core.errors import InputError\nimport tfx"),
        ("data.census", "from core.errors import InputError\nfrom . import spans"),
        ("data.census", "from core.raw_table import Source"),
        ("core", "from core.errors import InputError"),
        ("models", "import dataclasses\nimport modelsomething"),
    ],
)
def test_import_with_the_flow_is_accepted(package: str, source: str) -> None:
    assert forbidden_imports(source, package) == []


def edges(root: Path) -> dict[str, set[str]]:
    """The modules of ours that each file under `root` imports, those inside functions too."""
    modules = {}
    for room in ROOMS:
        for path in sorted((root / room).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            modules[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    found = {}
    for module, path in modules.items():
        package = module if path.name == "__init__.py" else module.rpartition(".")[0]
        names = [name for _, name in imported_names(path.read_text(encoding="utf-8"), package)]
        wider = [name.rpartition(".")[0] for name in names]
        found[module] = {name for name in [*names, *wider] if name in modules} - {module}
    return found


def circle(found: dict[str, set[str]]) -> list[str]:
    """Modules that import each other in a circle, the first one found; empty when there is none."""
    try:
        tuple(TopologicalSorter(found).static_order())
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_two_files_import_each_other() -> None:
    assert circle(edges(ROOT)) == []


def test_a_circle_is_found(tmp_path: Path) -> None:
    for room in ROOMS:
        (tmp_path / room).mkdir()
    (tmp_path / "core" / "__init__.py").touch()
    (tmp_path / "core" / "one.py").write_text("from core import two\n")
    (tmp_path / "core" / "two.py").write_text("x = 1\n")
    assert circle(edges(tmp_path)) == []
    (tmp_path / "core" / "two.py").write_text("def f():\n    from core.one import x\n")
    assert {*circle(edges(tmp_path))} == {"core.one", "core.two"}


# What is too dear for a verb that does not need it: an import inside a function keeps one of these
# out, and says which.
DEAR = re.compile(r"# loads (TensorFlow|TensorFlow Hub|Beam|PyTorch|LiteRT|Altair|SHAP)$")


def unexplained_imports(source: str) -> list[str]:
    """`line: text` of every import inside a function without a comment on what it loads."""
    lines = source.splitlines()
    return [
        f"{node.lineno}: {lines[node.lineno - 1].strip()}"
        for function in ast.walk(ast.parse(source))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
        if not any(DEAR.search(line) for line in lines[node.lineno - 2 : node.lineno])
    ]


@pytest.mark.parametrize("room", ["core", "data", "models", "components", "pipeline", "benchmarks"])
def test_an_import_inside_a_function_says_what_it_keeps_out(room: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{hit}"
        for path in sorted((ROOT / room).rglob("*.py"))
        for hit in unexplained_imports(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_an_import_inside_a_function_is_found() -> None:
    inside = "def f():\n    if x:\n        import tfx{}\n"
    assert unexplained_imports(inside.format("")) == ["3: import tfx"]
    assert unexplained_imports(inside.format("  # loads TensorFlow")) == []
    assert unexplained_imports("def f():\n    # loads Beam\n    import apache_beam\n") == []
    assert unexplained_imports("if x:\n    import tfx\n") == []


def test_the_modules_of_verbs_load_no_tensorflow() -> None:
    code = (
        "import importlib, sys\n"
        "for module in sys.argv[1:]:\n"
        "    importlib.import_module(f'pipeline.cli.{module}')\n"
        "    dear = {'tensorflow', 'tfx', 'apache_beam', 'torch', 'altair', 'shap'}\n"
        "    heavy = dear & {*sys.modules}\n"
        "    assert not heavy, (module, heavy)"
    )
    modules = {flags.partition(":")[0] for flags, _ in VERBS.values()}
    done = subprocess.run(
        [sys.executable, "-c", code, *sorted(modules)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_a_class_has_a_name_of_its_own() -> None:
    places: dict[str, list[str]] = {}
    for room in [room for room in ROOMS if room != "tests"]:
        for path in sorted((ROOT / room).rglob("*.py")):
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    places.setdefault(node.name, []).append(str(path.relative_to(ROOT)))
    assert {name: files for name, files in places.items() if len(files) > 1} == {}


def test_no_folder_is_a_heap() -> None:
    folders = {path.parent for room in ROOMS for path in (ROOT / room).rglob("*.py")}
    counts = {str(f.relative_to(ROOT)): len(list(f.glob("*.py"))) for f in folders}
    assert {folder: count for folder, count in counts.items() if count > 16} == {}
    assert counts["pipeline"] <= 6
