"""Hash of the source code that a node depends on, so that an edit re-runs what uses it, no more.

Code is followed definition by definition: of a module that several nodes share, a node's hash holds
the functions, classes and constants that it reaches. Comments, docstrings, formatting and prose
count for nothing.
"""

import ast
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

from core.config import Config
from core.errors import InputError
from core.files import REPOSITORY
from core.targets import TARGETS

_ENVIRONMENT = ("environment/lock.txt", "environment/torch.txt")
_NOT_RESOURCES = (".py", ".pyc", ".md", ".rst")
_WHOLE = ""

RUN_MODULES = (
    "pipeline.dag",
    "pipeline.ingestion.staging",
    "pipeline.retraining.decision",
    "pipeline.retraining.gather",
    # What the DAG names by strings, so that nothing imports it.
    "components.beam.exact_metrics",
    "components.beam.sliced_batches",
    "components.beam.tfma_fast_path",
    "components.training.trainer",
    "components.training.tuner",
    "models.network.preprocessing",
    *(
        name
        for target in TARGETS.values()
        for name in (target.process, target.exporter, target.loader, target.candidates)
    ),
)
"""What a run follows from, besides the modules that a configuration names."""

Symbol = tuple[str, str]
"""Dotted name of a module, and a name at its top; an empty name stands for the whole module."""


def code_sha256(*modules: str) -> str:
    """SHA-256 of the code of `modules` and of what they reach in this repository.

    Nothing is executed. For what is not of this repository, the environment's lock files count.
    Other files beside a module (a table that labelling functions read) count as its source; prose,
    folders and hidden files do not.

    Raises:
        InputError: one of `modules` is not a module of this repository, or is not Python.
    """
    digest = hashlib.sha256()
    symbols = sorted(reached(*modules))
    for module, name in symbols:
        digest.update(f"{module}\0{name}\0{_read(module).code_of(name)}\0".encode())
    files = [file for file in map(_file, {module for module, _ in symbols}) if file is not None]
    folders = {file.parent for file in files}
    beside = [path for folder in folders for path in folder.iterdir() if _is_resource(path)]
    locks = [path for path in (REPOSITORY / name for name in _ENVIRONMENT) if path.is_file()]
    for path in sorted([*beside, *locks]):
        name = path.relative_to(REPOSITORY).as_posix()
        digest.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\0".encode())
    return digest.hexdigest()


def run_code_sha256(config: Config) -> str:
    """SHA-256 of the code from which follows what a run makes and whether there is one.

    Who is told and what is shown make no other run.
    """
    modules = [config.data.loader, config.labeling.functions]
    return code_sha256(*RUN_MODULES, *filter(None, modules))


def reached(*modules: str) -> set[Symbol]:
    """What `modules` reach in this repository, directly or not, themselves included.

    Imports inside functions count, those for type checkers alone do not.

    Raises:
        InputError: one of `modules` is not a module of this repository, or a module is not Python.
    """
    _file.cache_clear()  # files may have changed since the last time
    _read.cache_clear()
    for module in modules:
        if _file(module) is None:
            raise InputError(f"{module}: there is no such module in {REPOSITORY}")
    found: set[Symbol] = set()
    waiting = [(module, _WHOLE) for module in modules]
    while waiting:
        symbol = waiting.pop()
        if symbol not in found:
            found.add(symbol)
            waiting += _read(symbol[0]).uses(symbol[1])
    return found


@dataclass(eq=False)
class _Module:
    """A module taken apart.

    Attributes:
      name: Dotted.
      package: Dotted name of the package that it is in, or is.
      tree: Its code.
      imports: What of ours the names at its top were imported from.
      definitions: The other statements that bind names at its top, by name.
      always: Statements that bind none and run whenever the module is imported.
    """

    name: str
    package: str
    tree: ast.Module
    imports: dict[str, Symbol] = field(default_factory=dict)
    definitions: dict[str, list[ast.stmt]] = field(default_factory=dict)
    always: list[ast.stmt] = field(default_factory=list)

    @cached_property
    def mentioned(self) -> frozenset[str]:
        """All names in its code; what is imported and never mentioned is there to be run."""
        return frozenset(node.id for node in ast.walk(self.tree) if isinstance(node, ast.Name))

    def code_of(self, name: str) -> str:
        """The code of a name, or of the whole module, without comments, docstrings and places."""
        return "\n".join(_code(statement) for statement in self._statements(name))

    def uses(self, name: str) -> Iterator[Symbol]:
        """The symbols that the code of a name, or of the whole module, refers to."""
        parent = self.name.rpartition(".")[0]
        if _file(parent) is not None:
            yield parent, _WHOLE
        if name in self.imports:
            yield self.imports[name]
        elif name == _WHOLE:
            yield from (self.imports[here] for here in self.imports if here not in self.mentioned)
        for statement in self._statements(name):
            yield from _references(self, statement)

    def _statements(self, name: str) -> list[ast.stmt]:
        if name != _WHOLE:
            return [*self.definitions.get(name, ()), *self.always]
        every = (statement for bound in self.definitions.values() for statement in bound)
        return [*every, *self.always]

    def binds(self, name: str) -> bool:
        """Whether the module has this name at its top."""
        return name in self.imports or name in self.definitions


@cache
def _references(module: _Module, statement: ast.stmt) -> frozenset[Symbol]:
    """The symbols that a statement of a module refers to."""
    found: set[Symbol] = set()
    qualifiers = set()
    for node in ast.walk(statement):
        if isinstance(node, ast.Import | ast.ImportFrom):
            found |= {symbol for _, symbol in _imported(node, module.package)}
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            other, whole = module.imports.get(node.value.id, ("", "no module"))
            if whole == _WHOLE:
                qualifiers.add(node.value)
                found.add((other, node.attr if _read(other).binds(node.attr) else _WHOLE))
        elif isinstance(node, ast.Name) and node not in qualifiers and module.binds(node.id):
            found.add(module.imports.get(node.id, (module.name, node.id)))
    return frozenset(found)


@cache
def _read(module: str) -> _Module:
    file = _file(module)
    assert file is not None, module
    stat = file.stat()
    return _take_apart(module, file, stat.st_mtime_ns, stat.st_size)


@cache
def _take_apart(name: str, file: Path, changed: int, size: int) -> _Module:
    """Parses a module, once for each state of its file."""
    del changed, size
    try:
        tree = ast.parse(file.read_text(encoding="utf-8"))
    except SyntaxError as error:
        raise InputError(f"{file}:{error.lineno}: not Python: {error.msg}") from error
    except ValueError as error:
        raise InputError(f"{file}: not Python: {error}") from error
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    module = _Module(name, package, tree)
    for statement in tree.body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            module.imports |= dict(_imported(statement, package))
        elif names := _bound(statement):
            for bound in names:
                module.definitions.setdefault(bound, []).append(statement)
        elif not _is_text(statement) and not _is_for_type_checkers(statement):
            module.always.append(statement)
    return module


def _bound(statement: ast.stmt) -> list[str]:
    """The names that a definition or an assignment binds."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [statement.name]
    if isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        nodes = [node for target in targets for node in ast.walk(target)]
        return [n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    return []


def _imported(node: ast.Import | ast.ImportFrom, package: str) -> Iterator[tuple[str, Symbol]]:
    """The name here, and the symbol there, of what an import binds and is of this repository."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            if _file(alias.name) is not None:
                yield alias.asname or alias.name, (alias.name, _WHOLE)
        return
    parts = package.split(".")
    above = parts[: len(parts) - node.level + 1] if node.level else []
    base = ".".join([*above, *filter(None, [node.module])])
    for alias in node.names:
        if _file(f"{base}.{alias.name}") is not None:
            yield alias.asname or alias.name, (f"{base}.{alias.name}", _WHOLE)
        elif _file(base) is not None:
            yield alias.asname or alias.name, (base, _WHOLE if alias.name == "*" else alias.name)


@cache
def _file(module: str) -> Path | None:
    """File of a module of this repository; None for any other."""
    path = REPOSITORY.joinpath(*module.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if module and candidate.is_file():
            return candidate
    return None


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _is_for_type_checkers(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and ast.unparse(statement.test) == "TYPE_CHECKING"


@cache
def _code(statement: ast.stmt) -> str:
    """A statement without comments, docstrings and places."""
    for node in ast.walk(statement):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [each for each in body if not _is_text(each)]  # type: ignore[attr-defined]
    return ast.dump(statement)


def _is_resource(path: Path) -> bool:
    named = path.suffix not in _NOT_RESOURCES and not path.name.startswith(".")
    return named and path.is_file()
