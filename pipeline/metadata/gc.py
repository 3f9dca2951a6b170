"""Retention: which files of old runs can go, and how they go.

Kept is what the newest runs used, and everything behind each version that is live or can be made
live again. ML Metadata keeps every record; artifacts whose files go are marked DELETED first, so
that no cached result hands them on. A kill between the two leaves files that the next call finds:
they belong to no artifact that is there.
"""

import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from core import lock
from core.errors import InputError
from core.targets import TARGETS
from pipeline.metadata.executions import RAW_FILE, Execution
from pipeline.metadata.graph import Graph
from pipeline.metadata.lineage import models_of
from pipeline.metadata.store import Metadata
from pipeline.report import summary

STAGED_KEYS = ("input_base", "schema_file", "path")  # parameters that name staged files
_SYSTEM = ".system"


@dataclass(frozen=True)
class Removal:
    """Files to remove.

    kind: artifact, unfinished, staged, report or scratch.
    artifact_id: of the artifact that they are, if it is not marked yet.
    size: bytes.
    """

    kind: str
    path: Path
    size: int
    artifact_id: int | None = None


def plan(graph: Graph, folder: Path, keep: int) -> list[Removal]:
    """What `collect` would remove.

    Args:
        graph: of the pipeline.
        folder: <root>/<name>.
        keep: how many of the newest runs keep their files.

    Raises:
        InputError: the records speak of files elsewhere, as after the folder was moved or copied:
            then nothing under it could be accounted for.
    """
    _check_place(graph, folder)
    newest = list(graph.runs)[-keep:]
    steps = {step.id: step for run_id in newest for step in graph.of_run(run_id)}
    rollbacks = [m for m in models_of(graph, folder) if m.version and m.version.status != "deleted"]
    # Of a model that another one was compared with, or began from, the files are kept, not those
    # behind it.
    steps |= {step.id: step for step in graph.upstream(m.pushed for m in rollbacks)}
    held = [artifact for step in steps.values() for artifact in (*step.read, *step.made)]
    staged = _staged_paths(graph, newest, steps.values()) | {artifact.uri for artifact in held}
    kept = {a.id for a in held} | {a.id for a in graph.artifacts if a.uri in staged}
    known = {artifact.uri for artifact in graph.artifacts if not artifact.deleted}
    others = [
        ("unfinished", _unknown(folder / "artifacts", known)),
        ("scratch", _system(folder / "artifacts", set(steps))),
        ("staged", _staged(folder / "staged", staged)),
        ("report", _reports(folder, {*newest, *(model.run_id for model in rollbacks)})),
        ("scratch", _scratch(folder)),
    ]
    found = [
        *_artifacts(graph, folder, kept),
        *(Removal(kind, path, size_of(path)) for kind, paths in others for path in paths),
    ]
    by_path = {removal.path: removal for removal in reversed(found) if removal.path.exists()}
    marked_only = [r for r in found if r.artifact_id is not None and not r.path.exists()]
    return [*reversed(by_path.values()), *marked_only]


def collect(store: Metadata, removals: Iterable[Removal], tell: Callable[[Removal], None]) -> None:
    """Removes files; the run's lock is held.

    Args:
        store: opened for writing.
        removals: from `plan`.
        tell: is told of each, once it is gone.
    """
    removals = list(removals)
    store.forget_artifacts([r.artifact_id for r in removals if r.artifact_id is not None])
    for removal in removals:
        if removal.path.is_dir():
            shutil.rmtree(removal.path)
        else:
            removal.path.unlink(missing_ok=True)
        tell(removal)


def _check_place(graph: Graph, folder: Path) -> None:
    for artifact in graph.artifacts:
        elsewhere = not Path(artifact.uri).is_relative_to(folder)
        if elsewhere and artifact.type_name != RAW_FILE and not artifact.deleted:
            raise InputError(
                f"{folder}: its records speak of files elsewhere ({artifact.uri}), so that nothing "
                "here can be accounted for and nothing was removed; move the folder back to where "
                "its runs were made"
            )


def _artifacts(graph: Graph, folder: Path, kept: set[int]) -> Iterator[Removal]:
    for artifact in graph.artifacts:
        path = Path(artifact.uri)
        if artifact.id in kept or artifact.deleted or artifact.type_name == RAW_FILE:
            continue
        if path.is_relative_to(folder) and path != folder:
            kind = "artifact" if path.is_relative_to(folder / "artifacts") else "staged"
            yield Removal(kind, path, size_of(path), artifact.id)


def _unknown(artifacts: Path, known: set[str]) -> list[Path]:
    """Outputs that no artifact stands for: of killed runs, of a killed gc."""
    outputs = [p for p in sorted(artifacts.glob("*/*/*")) if not p.parent.name.startswith(".")]
    return [path for path in outputs if path.name.isdecimal() and str(path) not in known]


def _system(artifacts: Path, kept: set[int]) -> list[Path]:
    """What TFX itself writes for an execution, and working folders that a killed node left."""
    return [
        path
        for path in sorted(artifacts.glob(f"*/{_SYSTEM}/*/*"))
        if path.parent.name == "stateful_working_dir"
        or (path.name.isdecimal() and int(path.name) not in kept)
    ]


def _staged_paths(graph: Graph, runs: Iterable[str], steps: Iterable[Execution]) -> set[str]:
    of_runs = {str(graph.runs[run_id].get("staged_data")) for run_id in runs}
    return of_runs | {
        str(step.properties[key]) for step in steps for key in STAGED_KEYS if key in step.properties
    }


def _staged(staged: Path, kept: set[str]) -> Iterator[Path]:
    """Staged data, contracts and answers that no kept run has read, and records of such data."""
    for path in sorted([*staged.glob("contracts/*"), *staged.glob("answers/*"), *staged.glob("*")]):
        if path.name in ("contracts", "answers", lock.STAGED_FILE):
            continue
        data = path
        if path.suffix == ".json":
            data = staged / str(json.loads(path.read_bytes())["digest"])[:16]
        if not any(Path(uri).is_relative_to(data) for uri in kept):
            yield path


def _reports(folder: Path, kept: set[str]) -> list[Path]:
    """Reports of old runs; their summaries stay, for `runs` and `show`."""
    files = sorted(folder.glob("reports/*/*"))
    return [p for p in files if p.parent.name not in kept and p.name != summary.FILE]


def _scratch(folder: Path) -> list[Path]:
    """What a killed process was about to rename."""
    served = [target.served(folder, folder.name) for target in TARGETS.values()]
    incoming = [path.with_name(f".{path.name}.incoming") for path in served]
    return [*incoming, *folder.glob(".*.[0-9]*"), *folder.glob("reports/*/.*.[0-9]*")]


def size_of(path: Path) -> int:
    """Bytes of a file or of all files in a folder."""
    if path.is_dir() and not path.is_symlink():
        return sum(p.lstat().st_size for p in path.rglob("*") if not p.is_dir())
    return path.lstat().st_size if path.exists() else 0
