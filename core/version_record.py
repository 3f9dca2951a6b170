"""A served version: its folder, and the record that lies in it.

TensorFlow Serving's convention: a served folder holds one folder for each version, named by its
number, and the highest number is live. `version.json` in a version's folder says where the version
comes from and what happened to it; a server reads past it. It moves with the folder, so that one
rename makes, withdraws or restores a version and its record together.
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.files import find_damage, write_atomically

RECORD_FILE = "version.json"
FORMAT = 1


@dataclasses.dataclass(frozen=True)
class Event:
    """What was done to a version.

    Attributes:
      what: "rolled back" or "restored".
      at: When, UTC, as 2026-01-02T03:04:05Z.
      by: Who, as user@host.
      reason: Why, in the words of who did it.
      live: The version that is live since.
    """

    what: str
    at: str
    by: str
    reason: str
    live: int


@dataclasses.dataclass(frozen=True)
class VersionRecord:
    """Where a version comes from.

    Attributes:
      run_id: The run that pushed it.
      pushed_at: When, UTC, as 2026-01-02T03:04:05Z.
      model_sha256: `models.export.model_content.content_sha256` of the model; empty where unknown.
      events: What was done to it since, the oldest first.
      files: SHA-256 of each of its files by path, the record left out; empty where unknown.
    """

    run_id: str
    pushed_at: str
    model_sha256: str
    events: tuple[Event, ...] = ()
    files: Mapping[str, str] = dataclasses.field(default_factory=dict)


def write_record(folder: Path, record: VersionRecord) -> None:
    """Writes a version's record; who reads meanwhile sees the one before or this one."""
    values = {"format": FORMAT, **dataclasses.asdict(record)}
    write_atomically(folder / RECORD_FILE, json.dumps(values, indent=1))


def read_record(folder: Path) -> VersionRecord | None:
    """The record of a version; None where there is none that can be read."""
    try:
        values = json.loads((folder / RECORD_FILE).read_text(encoding="utf-8"))
        events = tuple(Event(**event) for event in values["events"])
        return VersionRecord(
            str(values["run_id"]),
            str(values["pushed_at"]),
            str(values["model_sha256"]),
            events,
            {str(name): str(digest) for name, digest in values.get("files", {}).items()},
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def version_damage(folder: Path) -> str | None:
    """The first file of a version that is damaged or gone; None where all are as they were pushed,
    or nothing says how they were.
    """
    record = read_record(folder)
    return find_damage(folder, record.files) if record else None


def version_folders(served: Path) -> dict[int, Path]:
    """The versions in a served folder by number, ascending; none where there is no such folder."""
    try:
        found = [path for path in served.iterdir() if path.name.isdecimal() and path.is_dir()]
    except OSError:
        return {}
    return {int(path.name): path for path in sorted(found, key=lambda path: int(path.name))}


def withdrawn_folder(served: Path) -> Path:
    """Where versions that were rolled back lie: beside the served folder, on the same disk."""
    return served.with_name(f".{served.name}.rolled-back")


def next_version(served: Path, seconds: float) -> int:
    """Number of a version pushed now: the time, or more where a version has that number already.

    Args:
      served: The served folder.
      seconds: The time since the epoch.
    """
    taken: Sequence[int] = [*version_folders(served), *version_folders(withdrawn_folder(served))]
    return max([int(seconds), *(number + 1 for number in taken)])
