"""What a scheduler remembers across restarts, <root>/<name>/schedule.json, and decides by."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import psutil
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from core.files import write_atomically
from core.operation import ScheduleSection
from pipeline.schedule.cron import Slots

FILE = "schedule.json"
# A last slot further ahead than this was written by a clock that was wrong.
_CLOCK_ERROR = timedelta(days=1)
_LONGEST_WAIT = timedelta(days=1)
_LOG = logging.getLogger("schedule")


@dataclass(frozen=True)
class SlotDecision:
    """What to do about a slot, and why."""

    slot: datetime
    action: Literal["run", "pass"]
    why: str


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Running(_Part):
    """A run that was begun and not seen to end; pid and its start are null until it has one."""

    slot: AwareDatetime
    pid: int | None = None
    created: float | None = None

    def as_process(self, pid: int) -> "Running":
        """The run in a process that was begun."""
        return self.model_copy(update={"pid": pid, "created": _created(pid)})

    def is_alive(self) -> bool:
        """Whether the process that was begun still is, and is no other with its number."""
        return self.pid is not None and _created(self.pid) == self.created is not None


class Ended(_Part):
    """The last run that ended; exit codes below zero are signals."""

    slot: AwareDatetime
    ended: AwareDatetime
    exit_code: int
    seconds: float


class ScheduleState(_Part):
    """State of a schedule; the defaults are those of one that has not run anything.

    last_slot: the last one that was run or passed over; none up to it is run again.
    failures: failed runs in a row.
    """

    format: Literal[1] = 1
    cron: str
    timezone: str
    last_slot: AwareDatetime | None = None
    running: Running | None = None
    failures: int = 0
    last: Ended | None = None

    def adapted(self, settings: ScheduleSection, now: datetime) -> "ScheduleState":
        """The state for an expression and a clock: what belongs to others is forgotten.

        A new expression does not make slots of the past due; a last slot that a wrong clock put
        far ahead does not keep the schedule from running.
        """
        changed = (self.cron, self.timezone) != (settings.cron, settings.timezone)
        ahead = self.last_slot is not None and self.last_slot - now > _CLOCK_ERROR
        if not changed and not ahead:
            return self
        new = {"cron": settings.cron, "timezone": settings.timezone, "last_slot": now}
        return self.model_copy(update=new)

    def decide(self, slots: Slots, settings: ScheduleSection, now: datetime) -> SlotDecision | None:
        """What to do now; None when no slot is due. A run that is `running` has died.

        However many slots have passed since the last one, at most one run makes up for them.
        """
        slot = slots.last(now, self.last_slot)
        if slot is None:
            if self.running is None:
                return None
            slot, why = self.running.slot, "its run was cut off"
            if settings.catch_up:
                return SlotDecision(slot, "run", why)
            return SlotDecision(slot, "pass", f"{why}; schedule.catch_up=false")
        until = self.backs_off_until(settings)
        # A clock that was put back before the last run's end says nothing of how long ago it was.
        if until is not None and self.last is not None and self.last.ended <= now < until:
            why = f"{self.failures} failed runs in a row: none before {until:%Y-%m-%dT%H:%M:%SZ}"
            return SlotDecision(slot, "pass", why)
        late = (now - slot).total_seconds()
        if late <= settings.misfire_grace:
            return SlotDecision(slot, "run", "its time has come")
        if settings.catch_up:
            return SlotDecision(slot, "run", f"catching up, {late:.0f} s late")
        return SlotDecision(slot, "pass", f"{late:.0f} s late; schedule.catch_up=false")

    def backs_off_until(self, settings: ScheduleSection) -> datetime | None:
        """When runs may begin again after `schedule.max_failures` failures in a row."""
        if self.last is None or self.failures < settings.max_failures:
            return None
        doublings = min(self.failures - settings.max_failures, 32)
        wait = min(timedelta(seconds=settings.backoff) * 2**doublings, _LONGEST_WAIT)
        return self.last.ended + wait

    def write(self, folder: Path) -> None:
        """Replaces the file; neither a kill nor a loss of power leaves half of it."""
        write_atomically(folder / FILE, self.model_dump_json(indent=2) + "\n")


def _created(pid: int) -> float | None:
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return None


def read(folder: Path) -> ScheduleState | None:
    """The state under <root>/<name>; None when there is none, or a damaged one, with a warning."""
    try:
        return ScheduleState.model_validate_json((folder / FILE).read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        what = f"{folder / FILE} is damaged: {error.errors()[0]['msg']}"
        _LOG.warning("%s; starting as for the first time", what)
        return None
