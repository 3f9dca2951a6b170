"""Which model versions there are, and which one is live.

The folders are the truth: what lies under <root>/<name>/serving/<name>/ and edge/<name>/ is served,
the highest number live. Each version's own record (`core/version_record.py`) says which run it is
of; summaries say so of versions without one, and remember versions whose folders are gone. Nothing
here needs TensorFlow or ML Metadata, so an answer takes milliseconds.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from core.version_record import Event, read_record, version_folders, withdrawn_folder
from pipeline.report import summary

Status = Literal["live", "previous", "rolled back", "deleted"]
FOLDERS: dict[str, str] = {"server": "serving", "edge": "edge"}


@dataclass(frozen=True)
class Version:
    """A version of a target's model.

    path: where its files are, or were when the status is "deleted".
    run_id: the run that pushed it; None when nothing says so.
    pushed_at: UTC, as 2026-01-02T03:04:05Z; None when nothing says so.
    model_sha256: digest of the model's content; None without a record.
    events: what was done to it, the oldest first.
    """

    target: str
    version: int
    path: Path
    run_id: str | None
    status: Status
    pushed_at: str | None = None
    model_sha256: str | None = None
    events: tuple[Event, ...] = ()


def served_folder(folder: Path, name: str, target: str) -> Path:
    """The folder that a server of `target` watches.

    Args:
        folder: <root>/<name>.
        name: the pipeline's name.
        target: server or edge.
    """
    return folder / FOLDERS[target] / name


def live(folder: Path, name: str, target: str) -> Version | None:
    """The version that is served; None when there is none. Arguments as for `served_folder`."""
    folders = version_folders(served_folder(folder, name, target))
    if not folders:
        return None
    newest = max(folders)
    return _version(target, folders[newest], "live", _Runs(folder, target))


def versions(folder: Path, name: str, target: str) -> list[Version]:
    """All versions of a target, the newest first. Arguments as for `served_folder`."""
    served = served_folder(folder, name, target)
    runs = _Runs(folder, target)
    here = version_folders(served)
    found = [
        _version(target, path, "live" if number == max(here) else "previous", runs)
        for number, path in here.items()
    ]
    withdrawn = version_folders(withdrawn_folder(served))
    found += [_version(target, path, "rolled back", runs) for path in withdrawn.values()]
    known = {version.version for version in found}
    found += [
        Version(target, number, served / str(number), run_id, "deleted")
        for number, run_id in runs.pushed().items()
        if number not in known
    ]
    return sorted(found, key=lambda version: version.version, reverse=True)


def _version(target: str, path: Path, status: Status, runs: "_Runs") -> Version:
    number = int(path.name)
    record = read_record(path)
    if record is None:
        return Version(target, number, path, runs.pushed().get(number), status)
    return Version(
        target,
        number,
        path,
        record.run_id or runs.pushed().get(number),
        status,
        record.pushed_at or None,
        record.model_sha256 or None,
        record.events,
    )


class _Runs:
    """Which run pushed a version, by the summaries; they are read when first asked for."""

    def __init__(self, folder: Path, target: str) -> None:
        self._folder = folder
        self._target = target
        self._pushed: dict[int, str] | None = None

    def pushed(self) -> dict[int, str]:
        """The first run that speaks of a version, by version."""
        if self._pushed is None:
            self._pushed = {}
            for values in _summaries(self._folder):
                pushed = values.get("pushed", {}).get(self._target) or {}
                if pushed.get("version") is not None:
                    self._pushed.setdefault(int(pushed["version"]), str(values.get("run_id")))
        return self._pushed


def _summaries(folder: Path) -> Iterator[dict[str, Any]]:
    """The summaries under <root>/<name> that can be read, the oldest first."""
    paths: Iterable[Path] = sorted(folder.glob(f"reports/*/{summary.FILE}"))
    for path in paths:
        try:
            values = json.loads(path.read_bytes())
        except (OSError, ValueError):
            continue
        if isinstance(values, dict):
            yield values
