"""Hash of the source code that a module depends on, so that an edit re-runs what uses it."""

import ast
import hashlib
from functools import cache
from pathlib import Path

from core.errors import InputError
from core.files import REPOSITORY

_ENVIRONMENT = ("environment/lock.txt", "environment/torch.txt")
_CODE = (".py", ".pyc")


def code_sha256(*modules: str) -> str:
    """SHA-256 of the sources of `modules` and of everything of ours that they import.

    Imports are read from the syntax tree, those inside functions too; nothing is executed. For what
    is not of this repository, the environment's lock files count. Other files beside a module (a
    table that labelling functions read) count as its source; folders and hidden files do not.

    Raises:
        InputError: one of `modules` is not a module of this repository, or is not Python.
    """
    for module in modules:
        if _source(module) is None:
            raise InputError(f"{module}: there is no such module in {REPOSITORY}")
    sources = [s for s in map(_source, our_imports(*modules)) if s is not None]
    locks = [REPOSITORY / name for name in _ENVIRONMENT]
    folders = {source.parent for source in sources}
    beside = [path for folder in folders for path in folder.iterdir() if _is_resource(path)]
    digest = hashlib.sha256()
    for path in sorted({*sources, *filter(Path.is_file, locks), *beside}):
        name = path.relative_to(REPOSITORY).as_posix()
        digest.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\0".encode())
    return digest.hexdigest()


def _is_resource(path: Path) -> bool:
    return path.suffix not in _CODE and not path.name.startswith(".") and path.is_file()


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
        waiting += _imported(source, package)
    return found


@cache
def _source(module: str) -> Path | None:
    """File of a module of this repository; None for any other."""
    path = REPOSITORY.joinpath(*module.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if module and candidate.is_file():
            return candidate
    return None


def _imported(source: Path, package: str) -> list[str]:
    """Dotted names that a source imports; `from a import b` may mean the module a.b."""
    names: list[str] = []
    try:
        tree = ast.parse(source.read_text(encoding="utf-8"))
    except SyntaxError as error:
        raise InputError(f"{source}:{error.lineno}: not Python: {error.msg}") from error
    except ValueError as error:
        raise InputError(f"{source}: not Python: {error}") from error
    for node in ast.walk(tree):
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
