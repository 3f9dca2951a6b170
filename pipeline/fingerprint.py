"""Hash of the source code that a module depends on, so that an edit re-runs what uses it."""

import ast
import hashlib
from functools import cache
from pathlib import Path

from models.errors import InputError

REPOSITORY = Path(__file__).resolve().parent.parent


def code_sha256(*modules: str) -> str:
    """SHA-256 of the sources of `modules` and of everything of ours that they import.

    Imports are read from the syntax tree, those inside functions too; nothing is executed. Only
    modules of this repository count: the environment has its lock file.

    Raises:
        InputError: one of `modules` is not a module of this repository.
    """
    for module in modules:
        if _source(module) is None:
            raise InputError(f"{module}: there is no such module in {REPOSITORY}")
    digest = hashlib.sha256()
    for module in sorted(our_imports(*modules)):
        source = _source(module)
        assert source is not None
        digest.update(f"{module}\0".encode() + source.read_bytes() + b"\0")
    return digest.hexdigest()


def our_imports(*modules: str) -> set[str]:
    """`modules` and the modules of this repository that they import, directly or not."""
    found: set[str] = set()
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        source = _source(module)
        if module in found or source is None:
            continue
        found.add(module)
        package = module if source.name == "__init__.py" else module.rpartition(".")[0]
        waiting += _imported(source.read_text(encoding="utf-8"), package)
    return found


@cache
def _source(module: str) -> Path | None:
    """File of a module of this repository; None for any other."""
    path = REPOSITORY.joinpath(*module.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if module and candidate.is_file():
            return candidate
    return None


def _imported(text: str, package: str) -> list[str]:
    """Dotted names that a source imports; `from a import b` may mean the module a.b."""
    names: list[str] = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*(above if node.level else []), *filter(None, [node.module])])
            names += [base, *(f"{base}.{alias.name}" for alias in node.names)]
    parents = [
        name.rsplit(".", depth)[0] for name in names for depth in range(1, name.count(".") + 1)
    ]
    return names + parents
