"""Which model versions there are, and which one is live.

The folders are the truth: what lies under <root>/<name>/serving/<name>/ and edge/<name>/ is served,
the highest number live. Each version's own record (`core/version_record.py`) says which run it is
of; summaries say so of versions without one, and remember versions whose folders are gone. Nothing
here needs TensorFlow or ML Metadata, so an answer takes milliseconds.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from core.config import Config
from core.errors import InputError
from core.targets import TARGETS
from core.version_record import (
    Event,
    VersionRecord,
    read_record,
    version_folders,
    withdrawn_folder,
)
from pipeline.report import summary

Status = Literal["live", "previous", "rolled back", "deleted"]
_SERVED = ("live", "previous")


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


@dataclass(frozen=True)
class VersionRequest:
    """Who is to be asked.

    Attributes:
      config: The configuration.
      run_folder: <root>/<name>.
      target: Whose version is asked.
      version: Its number; None: the live one.
    """

    config: Config
    run_folder: Path
    target: str
    version: int | None

    def find(self) -> Version:
        """The version.

        Raises:
          InputError: there is none, or it is not served.
        """
        return to_be_asked(self.run_folder, self.config.name, self.target, self.version)


def live(folder: Path, name: str, target: str) -> Version | None:
    """The version that is served; None when there is none.

    Args:
        folder: <root>/<name>.
        name: the pipeline's name.
        target: its name in core/targets.py.
    """
    folders = version_folders(TARGETS[target].served(folder, name))
    if not folders:
        return None
    return _version(target, folders[max(folders)], "live", lambda: _pushed(folder, target))


def versions(folder: Path, name: str, target: str) -> list[Version]:
    """All versions of a target, the newest first. Arguments as for `live`."""
    served = TARGETS[target].served(folder, name)
    pushed = cache(lambda: _pushed(folder, target))
    here = version_folders(served)
    found = [
        _version(target, path, "live" if number == max(here) else "previous", pushed)
        for number, path in here.items()
    ]
    withdrawn = version_folders(withdrawn_folder(served))
    found += [_version(target, path, "rolled back", pushed) for path in withdrawn.values()]
    known = {version.version for version in found}
    found += [
        Version(target, number, served / str(number), run_id, "deleted")
        for number, run_id in pushed().items()
        if number not in known
    ]
    return sorted(found, key=lambda version: version.version, reverse=True)


def to_be_asked(folder: Path, name: str, target: str, number: int | None) -> Version:
    """A version that is served, the live one where no number is given. Arguments as for `live`.

    Raises:
        InputError: there is none, or it is not served.
    """
    served = [found for found in versions(folder, name, target) if found.status in _SERVED]
    if number is not None:
        served = [found for found in served if found.version == number]
    if not served:
        which = "no version" if number is None else f"no version {number}"
        raise InputError(
            f"{target}: {which} under {folder}; `models` lists them, `run` pushes one, --config "
            "and --root name other folders"
        )
    return served[0]


def _version(
    target: str, path: Path, status: Status, pushed: Callable[[], dict[int, str]]
) -> Version:
    number = int(path.name)
    record = read_record(path) or VersionRecord("", "", "")
    return Version(
        target,
        number,
        path,
        record.run_id or pushed().get(number),
        status,
        record.pushed_at or None,
        record.model_sha256 or None,
        record.events,
    )


def _pushed(folder: Path, target: str) -> dict[int, str]:
    """The first run whose summary speaks of a version, by version; summaries may be damaged."""
    found: dict[int, str] = {}
    for path in sorted(folder.glob(f"reports/*/{summary.FILE}")):
        with suppress(OSError, ValueError):
            values = json.loads(path.read_bytes())
            pushed = values.get("pushed", {}).get(target) if isinstance(values, dict) else None
            if pushed and pushed.get("version") is not None:
                found.setdefault(int(pushed["version"]), str(values.get("run_id")))
    return found
