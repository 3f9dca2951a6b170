"""What a scheduler remembers across restarts: <root>/<name>/schedule.json."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from core.files import write_atomically

FORMAT = 1
FILE = "schedule.json"
# A last slot further ahead than this was written by a clock that was wrong.
_CLOCK_ERROR = timedelta(days=1)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Running(_Part):
    """A run that was begun and not seen to end; pid and its start are null until it has one."""

    slot: AwareDatetime
    pid: int | None
    created: float | None


class Ended(_Part):
    """The last run that ended; exit codes below zero are signals."""

    slot: AwareDatetime
    ended: AwareDatetime
    exit_code: int
    seconds: float


class ScheduleState(_Part):
    """State of a schedule.

    last_slot: the last one that was run or passed over; none up to it is run again.
    failures: failed runs in a row.
    """

    format: Literal[1]
    cron: str
    timezone: str
    last_slot: AwareDatetime | None
    running: Running | None
    failures: int
    last: Ended | None


def fresh(cron: str, timezone: str, last_slot: datetime | None) -> ScheduleState:
    """The state of a schedule that has not run anything."""
    return ScheduleState(
        format=FORMAT,
        cron=cron,
        timezone=timezone,
        last_slot=last_slot,
        running=None,
        failures=0,
        last=None,
    )


def read(folder: Path) -> ScheduleState | None:
    """The state under <root>/<name>; None when there is none.

    Raises:
        ValueError: the file is damaged, or of another format.
    """
    try:
        return ScheduleState.model_validate_json((folder / FILE).read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise ValueError(f"{folder / FILE} is damaged: {error.errors()[0]['msg']}") from None


def write(state: ScheduleState, folder: Path) -> None:
    """Replaces the state; neither a kill nor a loss of power leaves half of it."""
    write_atomically(folder / FILE, state.model_dump_json(indent=2) + "\n")


def adapted(state: ScheduleState, cron: str, timezone: str, now: datetime) -> ScheduleState:
    """The state for an expression and a clock: what belongs to others is forgotten.

    A new expression does not make slots of the past due; a last slot that a wrong clock put far
    ahead does not keep the schedule from running.
    """
    changed = (state.cron, state.timezone) != (cron, timezone)
    ahead = state.last_slot is not None and state.last_slot - now > _CLOCK_ERROR
    if not changed and not ahead:
        return state
    return state.model_copy(update={"cron": cron, "timezone": timezone, "last_slot": now})
