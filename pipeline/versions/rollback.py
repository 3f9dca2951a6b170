"""Makes an older version live again, or one that was rolled back.

Under TensorFlow Serving's convention the highest number is live. So the versions above the wanted
one are moved out of the served folder, whole, by one rename each, to a hidden folder beside it; a
version that lies there is moved back the same way. The wanted version becomes live with the last
rename: who looks meanwhile sees the version before or the wanted one, never another or a part.

Publishing the old model again under a higher number would need no server to drop a version, but
would copy it, give one model two numbers, and leave the bad version among the served ones.
"""

import dataclasses
import os
import pwd
import socket
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from core import lock
from core.errors import InputError
from core.version_record import (
    Event,
    VersionRecord,
    read_record,
    version_folders,
    withdrawn_folder,
    write_record,
)
from pipeline.versions.served import served_folder

ROLLED_BACK = "rolled back"
RESTORED = "restored"


@dataclass(frozen=True)
class Plan:
    """What to move, in this order: `restored` back to the served folder, `withdrawn` out of it."""

    live: int
    restored: tuple[int, ...]
    withdrawn: tuple[int, ...]


@dataclass(frozen=True)
class Rollback:
    """What was done; `before` was live, `live` is now."""

    target: str
    before: int | None
    live: int
    restored: tuple[int, ...] = ()
    withdrawn: tuple[int, ...] = ()


def make_plan(
    target: str, served: Sequence[int], withdrawn: Collection[int], wanted: int | None
) -> Plan:
    """Which versions to move so that `wanted` is live.

    Args:
        target: server or edge, for messages.
        served: versions in the served folder, ascending.
        withdrawn: versions that were rolled back.
        wanted: the version to make live; None for the one before the live one.

    Raises:
        InputError: there is no such version, none before, or it is live already.
    """
    known = f"served are {_listed(served)}, rolled back are {_listed(sorted(withdrawn))}"
    if wanted is None:
        if len(served) < 2:
            raise InputError(f"{target}: there is no version before the live one; {known}")
        wanted = served[-2]
    if wanted not in served and wanted not in withdrawn:
        raise InputError(
            f"{target}: there is no version {wanted}; {known}; `models` lists them, and those "
            "whose files were deleted"
        )
    if served and wanted == served[-1]:
        raise InputError(f"{target}: version {wanted} is live already; {known}")
    return Plan(
        live=wanted,
        restored=() if wanted in served else (wanted,),
        withdrawn=tuple(version for version in served if version > wanted),
    )


def _listed(versions: Sequence[int]) -> str:
    return ", ".join(map(str, versions)) or "none"


def roll_back(
    folder: Path, name: str, target: str, wanted: int | None, reason: str | None
) -> Rollback:
    """Makes a version live; see the module's docstring. Takes the lock of runs.

    Args:
        folder: <root>/<name>.
        name: the pipeline's name.
        target: server or edge.
        wanted: the version; None for the one before the live one.
        reason: why, to be kept with the versions that are moved.

    Raises:
        InputError: that makes no sense; nothing was moved.
        LockHeldError: a run is under way.
    """
    served = served_folder(folder, name, target)
    if not served.is_dir():
        raise InputError(f"{target}: no version was pushed to {served} yet")
    with lock.hold(folder / lock.FILE):
        here, there = version_folders(served), version_folders(withdrawn_folder(served))
        plan = make_plan(target, list(here), list(there), wanted)
        withdrawn_folder(served).mkdir(exist_ok=True)
        for version in plan.restored:
            _note(there[version], RESTORED, plan.live, reason)
            there[version].rename(served / there[version].name)
        for version in plan.withdrawn:  # ascending: the live one goes last
            _note(here[version], ROLLED_BACK, plan.live, reason)
            here[version].rename(withdrawn_folder(served) / here[version].name)
    before = max(here, default=None)
    return Rollback(target, before, plan.live, plan.restored, plan.withdrawn)


def _note(version: Path, what: str, live: int, reason: str | None) -> None:
    """Adds an event to a version's record, which moves with the version."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    event = Event(what, now, _user(), reason or "no reason given", live)
    record = read_record(version) or VersionRecord("", "", "")
    write_record(version, dataclasses.replace(record, events=(*record.events, event)))


def _user() -> str:
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container may run under a number that has no name
        name = str(os.getuid())
    return f"{name}@{socket.gethostname()}"
