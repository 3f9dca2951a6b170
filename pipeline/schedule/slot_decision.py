"""Which slot a scheduler runs now, if any. Pure: the time is given."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from core.operation import Schedule
from pipeline.schedule.cron import Slots
from pipeline.schedule.schedule_state import ScheduleState

_LONGEST_WAIT = timedelta(days=1)


@dataclass(frozen=True)
class Decision:
    """What to do about a slot, and why."""

    slot: datetime
    action: Literal["run", "pass"]
    why: str


def decide(
    state: ScheduleState, slots: Slots, settings: Schedule, now: datetime, cut_off: bool
) -> Decision | None:
    """What to do now; None when no slot is due.

    However many slots have passed since the last one, at most one run makes up for them.

    Args:
        state: what is remembered.
        slots: of the cron expression.
        settings: the configuration's section.
        now: the present time.
        cut_off: whether the run in `state.running` died with its scheduler.
    """
    slot = slots.last(now)
    due = slot is not None and (state.last_slot is None or slot > state.last_slot)
    if cut_off and state.running is not None and not due:
        if settings.catch_up:
            return Decision(state.running.slot, "run", "its run was cut off")
        return Decision(state.running.slot, "pass", "its run was cut off; schedule.catch_up=false")
    if slot is None or not due:
        return None
    until = backing_off_until(state, settings)
    # A clock that was put back before the last run's end says nothing of how long ago that was.
    if until is not None and state.last is not None and state.last.ended <= now < until:
        why = f"{state.failures} failed runs in a row: none before {until:%Y-%m-%dT%H:%M:%SZ}"
        return Decision(slot, "pass", why)
    late = (now - slot).total_seconds()
    if late <= settings.misfire_grace:
        return Decision(slot, "run", "its time has come")
    if settings.catch_up:
        return Decision(slot, "run", f"catching up, {late:.0f} s late")
    return Decision(slot, "pass", f"{late:.0f} s late; schedule.catch_up=false")


def backing_off_until(state: ScheduleState, settings: Schedule) -> datetime | None:
    """When runs may begin again after `schedule.max_failures` failures in a row."""
    if state.last is None or state.failures < settings.max_failures:
        return None
    doublings = min(state.failures - settings.max_failures, 32)
    wait = min(timedelta(seconds=settings.backoff) * 2**doublings, _LONGEST_WAIT)
    return state.last.ended + wait
