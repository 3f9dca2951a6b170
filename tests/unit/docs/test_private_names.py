"""docs/performance.md lists every private name of other packages that the code goes by."""

import ast
import re
from collections.abc import Iterator

from core.files import REPOSITORY

ROOMS = ("core", "data", "models", "components", "pipeline")
ROW = re.compile(r"^\| [^|]+ \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
OURS = (*ROOMS, "benchmarks", "tests")
# Set as Python's documents say.
PUBLIC = {
    ("pipeline/serving/service.py", "_replace"),  # of a named tuple
    ("pipeline/init/describe.py", "dont_write_bytecode"),
    ("pipeline/run/scratch.py", "tempdir"),
}


def listed() -> set[tuple[str, str]]:
    """File and last part of each name in the table."""
    text = (REPOSITORY / "docs" / "performance.md").read_text(encoding="utf-8")
    section = text.partition("## What rests on private names")[2].partition("\n## ")[0]
    return {
        (file, name.rpartition(".")[2])
        for names, files in ROW.findall(section)
        for file in re.findall(r"\]\(\.\./([^)]+)\)", files)
        for name in re.findall(r"`([\w.]+)`", names)
    }


def trees() -> dict[str, ast.Module]:
    paths = [path for room in ROOMS for path in sorted((REPOSITORY / room).rglob("*.py"))]
    return {str(p.relative_to(REPOSITORY)): ast.parse(p.read_text("utf-8")) for p in paths}


def defined(tree: ast.Module) -> Iterator[str]:
    """Functions, classes, fields and attributes that a module makes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr


def foreign_imports(tree: ast.Module) -> set[str]:
    """Names here of what is imported from other packages, Python's own among them."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] not in OURS:
            found |= {alias.asname or alias.name for alias in node.names}
    return found


def private_names(tree: ast.Module) -> set[str]:
    """Attributes with an underscore that are of no object of ours, and names put in the place of
    those of another package.
    """
    own, foreign = {*defined(tree)}, foreign_imports(tree)
    found = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute):
            continue
        of = node.value.id if isinstance(node.value, ast.Name) else None
        hidden = node.attr.startswith("_") and not node.attr.startswith("__")
        of_self = of in ("self", "cls") and node.attr in own
        if (hidden and not of_self) or (isinstance(node.ctx, ast.Store) and of in foreign):
            found.add(node.attr)
    return found


def test_every_private_name_is_listed() -> None:
    used = {(file, name) for file, tree in trees().items() for name in private_names(tree)}
    assert used - listed() - PUBLIC == set()


def test_every_listed_name_is_used_where_it_is_said_to_be() -> None:
    for file, name in listed():
        assert re.search(rf"\b{name}\b", (REPOSITORY / file).read_text("utf-8")), f"{file}: {name}"


def test_private_and_replaced_names_are_found() -> None:
    source = """
from other import thing

class Kept(thing.Base):
    def f(self):
        self._own = self._theirs
        thing._hidden(getattr(self, "_own"))
        thing.patched = 1
        local = thing.made()
        local.open = 2
"""
    assert private_names(ast.parse(source)) == {"_theirs", "_hidden", "patched"}
