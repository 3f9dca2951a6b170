"""Makes an older version live again, or one that was rolled back.

Under TensorFlow Serving's convention the highest number is live. So the versions above the wanted
one are moved out of the served folder, whole, by one rename each, to a hidden folder beside it; a
version that lies there is moved back the same way. The wanted version becomes live with the last
rename: who looks meanwhile sees the version before or the wanted one, never another or a part.

Publishing the old model again under a higher number would need no server to drop a version, but
would copy it, give one model two numbers, and leave the bad version among the served ones.
"""

import dataclasses
import socket
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

from core import lock
from core.errors import InputError
from core.targets import TARGETS
from core.version_record import (
    Event,
    VersionRecord,
    read_record,
    version_damage,
    version_folders,
    withdrawn_folder,
    write_record,
)
from models.cards.files import rewrite_history

ROLLED_BACK = "rolled back"
RESTORED = "restored"


@dataclass(frozen=True)
class Rollback:
    """`before` is live, or nothing is; `live` will be, or is once that is done.

    What moves, in this order: `restored` back to the served folder, `withdrawn` out of it.
    """

    target: str
    before: int | None
    live: int
    restored: tuple[int, ...] = ()
    withdrawn: tuple[int, ...] = ()


def make_plan(
    target: str, served: Sequence[int], withdrawn: Collection[int], wanted: int | None
) -> Rollback:
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
    return Rollback(
        target=target,
        before=served[-1] if served else None,
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
        target: its name in core/targets.py.
        wanted: the version; None for the one before the live one.
        reason: why, to be kept with the versions that are moved.

    Raises:
        InputError: that makes no sense; nothing was moved.
        LockHeldError: a run is under way.
    """
    served = TARGETS[target].served(folder, name)
    if not served.is_dir():
        raise InputError(f"{target}: no version was pushed to {served} yet")
    with lock.hold(folder / lock.FILE):
        here, there = version_folders(served), version_folders(withdrawn_folder(served))
        plan = make_plan(target, list(here), list(there), wanted)
        if damage := version_damage((here | there)[plan.live]):
            raise InputError(
                f"{target}: version {plan.live} cannot be served: {damage}; make another one live"
            )
        withdrawn_folder(served).mkdir(exist_ok=True)
        for version in plan.restored:
            _note(there[version], RESTORED, plan.live, reason)
            there[version].rename(served / there[version].name)
        for version in plan.withdrawn:  # ascending: the live one goes last
            _note(here[version], ROLLED_BACK, plan.live, reason)
            here[version].rename(withdrawn_folder(served) / here[version].name)
    return plan


def _note(version: Path, what: str, live: int, reason: str | None) -> None:
    """Adds an event to a version's record and its card, which move with the version."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    event = Event(what, now, _user(), reason or "no reason given", live)
    record = read_record(version) or VersionRecord("", "", "")
    write_record(version, dataclasses.replace(record, events=(*record.events, event)))
    rewrite_history(version)


def _user() -> str:
    """Name and host; the number where it has no name, as in containers."""
    return f"{psutil.Process().username()}@{socket.gethostname()}"
