"""Which slot is run: on time, missed, after failures, and when the clock was changed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.operation import ScheduleSection
from pipeline.config.load import load
from pipeline.schedule.cron import parse
from pipeline.schedule.schedule_state import Ended, Running, ScheduleState, SlotDecision

CRON = "0 * * * *"
SLOTS = parse(CRON, "UTC")
SETTINGS = load("census", [f"schedule.cron='{CRON}'", "schedule.misfire_grace=600"]).schedule


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-01-{text}").replace(tzinfo=UTC)


def state(last_slot: str | None = "05T03:00", **changes: Any) -> ScheduleState:
    last = at(last_slot) if last_slot else None
    return ScheduleState(cron=CRON, timezone="UTC", last_slot=last, **changes)


def settings(**changes: Any) -> ScheduleSection:
    return SETTINGS.model_copy(update=changes)


def decided(now: str, of: ScheduleState, **changes: Any) -> SlotDecision | None:
    return of.decide(SLOTS, settings(**changes), at(now))


def test_a_slot_is_run_once() -> None:
    decision = decided("05T04:00:03", state())
    assert decision == SlotDecision(at("05T04:00"), "run", "its time has come")
    assert decided("05T04:00:04", state("05T04:00")) is None
    assert decided("05T03:59:59", state()) is None


def test_a_clock_that_is_put_back_fires_nothing_twice() -> None:
    assert [decided(now, state("05T04:00")) for now in ("05T03:00", "05T03:30", "05T04:59")] == [
        None,
        None,
        None,
    ]
    decision = decided("05T05:00", state("05T04:00"))
    assert decision is not None
    assert decision.slot == at("05T05:00")


def test_many_missed_slots_are_one_late_run() -> None:
    decision = decided("09T14:20", state())
    assert decision == SlotDecision(at("09T14:00"), "run", "catching up, 1200 s late")


def test_a_late_slot_without_catching_up() -> None:
    decision = decided("09T14:20", state(), catch_up=False)
    assert decision == SlotDecision(at("09T14:00"), "pass", "1200 s late; schedule.catch_up=false")
    within = decided("09T14:09", state(), catch_up=False)
    assert within is not None
    assert within.action == "run"


def test_the_first_start_runs_nothing_of_the_past_but_once_does() -> None:
    assert decided("05T03:59", state("05T03:59")) is None
    decision = decided("05T03:59", state(None))
    assert decision is not None
    assert decision.action == "run"


@pytest.mark.parametrize("cut_off", [True, False])
@pytest.mark.parametrize("catch_up", [True, False])
def test_a_run_that_died_with_its_scheduler_is_begun_again(cut_off: bool, catch_up: bool) -> None:
    running = Running(slot=at("05T03:00"), pid=1, created=1.0) if cut_off else None
    decision = decided("05T03:40", state(running=running), catch_up=catch_up)
    if not cut_off:
        assert decision is None
    else:
        assert decision is not None
        assert (decision.slot, decision.action) == (at("05T03:00"), "run" if catch_up else "pass")


def failed(failures: int, ended: str = "05T03:30") -> ScheduleState:
    last = Ended(slot=at("05T03:00"), ended=at(ended), exit_code=1, seconds=1)
    return state(failures=failures, last=last)


@pytest.mark.parametrize(
    ("failures", "now", "action"),
    [
        (2, "05T04:00", "run"),
        (3, "05T04:00", "pass"),  # not before 04:30
        (3, "05T05:00", "run"),
        (4, "05T05:00", "pass"),  # not before 05:30
        (4, "05T06:00", "run"),
        (40, "06T03:00", "pass"),  # no longer than a day
        (40, "06T04:00", "run"),
    ],
)
def test_failures_in_a_row_make_runs_rarer(failures: int, now: str, action: str) -> None:
    decision = decided(now, failed(failures))
    assert decision is not None
    assert decision.action == action
    if action == "pass":
        assert f"{failures} failed runs in a row: none before 2026-01-0" in decision.why


def test_a_failure_that_ended_in_the_future_keeps_nothing_back() -> None:
    decision = decided("05T04:00", failed(9, ended="05T07:00"))
    assert decision is not None
    assert decision.action == "run"


def test_a_clock_that_was_far_ahead_is_forgotten() -> None:
    wrong = state("30T03:00")
    now = at("05T04:30")
    assert wrong.adapted(SETTINGS, now).last_slot == now
    hour_back = state("05T05:00")
    assert hour_back.adapted(SETTINGS, now) is hour_back


def test_another_expression_makes_nothing_of_the_past_due() -> None:
    now = at("05T04:30")
    changed = state().adapted(settings(cron="30 * * * *"), now)
    assert (changed.cron, changed.last_slot) == ("30 * * * *", now)
    assert state().adapted(settings(timezone="Europe/Berlin"), now).last_slot == now
    assert decided("05T04:30", changed) is None


def test_every_hour_of_two_days_with_a_wild_clock() -> None:
    """The clock goes forward by 7 minutes a step, and twice back by 90: each slot comes once."""
    current, now, fired = state("05T00:00"), at("05T00:00"), []
    for step in range(400):
        now += timedelta(minutes=-90 if step in (100, 250) else 7)
        decision = current.decide(SLOTS, SETTINGS, now)
        if decision is not None:
            fired.append(decision.slot)
            current = current.model_copy(update={"last_slot": decision.slot})
    assert fired == sorted(set(fired))
    first, last = fired[0], fired[-1]
    assert len(fired) == (last - first) // timedelta(hours=1) + 1
