"""What a scheduler does each time that it is called: decide, run `retrain`, remember, tell."""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

from core import lock
from core.operation import Schedule
from pipeline.schedule import schedule_state
from pipeline.schedule.child import Child
from pipeline.schedule.cron import Slots
from pipeline.schedule.schedule_state import Ended, Running, ScheduleState
from pipeline.schedule.slot_decision import Decision, backing_off_until, decide

_LOG = logging.getLogger("schedule")
_OUTPUT = logging.getLogger("retrain")
_SUCCESSES = (0, 3)  # done, and blocked by a gate, which is a result
_FAILED = 1


@dataclass(frozen=True)
class Job:
    """What is run, and when.

    command: the child process.
    folder: <root>/<name>.
    watch: is called before each run; what it returns is given the exit code and the last line of
        output of a run that failed.
    clock: the present time.
    """

    command: Sequence[str]
    settings: Schedule
    slots: Slots
    folder: Path
    watch: Callable[[], Callable[[int, str], None]]
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)


class Worker:
    """Runs the job when a slot is due.

    waiting: whether a slot is due but another run holds the lock; `look` has to be called again.
    exit_code: of the last run, None before the first.
    """

    def __init__(self, job: Job, state: ScheduleState) -> None:
        self._job = job
        self._state = state
        self._child = Child(job.command, self._on_line)
        self._busy = threading.Event()
        self._last_line = ""
        self.waiting = False
        self.exit_code: int | None = None

    @property
    def busy(self) -> bool:
        """Whether `look` is under way."""
        return self._busy.is_set()

    def look(self) -> None:
        """Runs the job if a slot is due, to its end."""
        self._busy.set()
        try:
            self._look()
        finally:
            self._busy.clear()

    def stop(self, number: int) -> None:
        """Passes a signal on to the run that is under way; none is begun any more."""
        self._child.stop(number)

    def _look(self) -> None:
        job, now = self._job, self._job.clock()
        before = self._state.last_slot
        self._state = schedule_state.adapted(
            self._state, job.settings.cron, job.settings.timezone, now
        )
        if self._state.last_slot != before:
            _say("the last slot was of another schedule or clock: it is forgotten", slot=before)
        cut_off = self._state.running is not None and not _is_alive(self._state.running)
        decision = decide(self._state, job.slots, job.settings, now, cut_off)
        if self._state.running is not None and not cut_off:
            return self._wait("a run that an earlier scheduler began goes on")
        if decision is None:
            self.waiting = False
            return self._forget_running()
        if decision.action == "run" and lock.is_held(job.folder / lock.FILE):
            return self._wait("another run is under way", slot=decision.slot)
        self.waiting = False
        if decision.action == "run":
            return self._run(decision)
        _say(f"not run: {decision.why}", logging.WARNING, slot=decision.slot)
        return self.remember(last_slot=self._later(decision.slot), running=None)

    def _wait(self, why: str, slot: datetime | None = None) -> None:
        if not self.waiting:
            _say(f"waiting: {why}", slot=slot)
        self.waiting = True

    def _forget_running(self) -> None:
        if self._state.running is not None:
            self.remember(running=None)

    def _run(self, decision: Decision) -> None:
        before, slot, started = self._state, decision.slot, self._job.clock()
        _say(f"running: {decision.why}", slot=slot)
        self._last_line, on_failure = "", self._job.watch()
        # First, so that the slot counts as run however this process ends.
        self.remember(
            last_slot=self._later(slot), running=Running(slot=slot, pid=None, created=None)
        )
        try:
            code = self._child.run(lambda pid: self._note_start(slot, pid))
        except OSError as error:
            code, self._last_line = _FAILED, f"{self._job.command[0]}: {error.strerror}"
        if code is None:
            self.remember(**dict(before))
        elif self._child.stopped and code not in _SUCCESSES:
            # It stays `running`, so that the next scheduler begins it again.
            _say("cut off by a signal", logging.WARNING, slot=slot, exit_code=code)
        else:
            self._note_end(slot, started, code)
            if code not in _SUCCESSES:
                on_failure(code, self._last_line)

    def _note_start(self, slot: datetime, pid: int) -> None:
        self.remember(running=Running(slot=slot, pid=pid, created=_created(pid)))

    def _note_end(self, slot: datetime, started: datetime, code: int) -> None:
        now = self._job.clock()
        failures = 0 if code in _SUCCESSES else self._state.failures + 1
        passed = self._job.slots.last(now)
        self.remember(
            # Slots that passed meanwhile are made up for by this run.
            last_slot=self._later(slot if passed is None else passed),
            running=None,
            failures=failures,
            last=Ended(
                slot=slot,
                ended=now,
                exit_code=code,
                seconds=max(0.0, (now - started).total_seconds()),
            ),
        )
        level = logging.INFO if code in _SUCCESSES else logging.ERROR
        _say("ended", level, slot=slot, exit_code=code, failures=failures)
        self.exit_code = code
        if until := backing_off_until(self._state, self._job.settings):
            _say(f"{failures} failed runs in a row", logging.WARNING, none_before=until)

    def _later(self, slot: datetime) -> datetime:
        return max(slot, self._state.last_slot or slot)

    def remember(self, **changes: object) -> None:
        """Changes the state and writes it; in memory alone where the disk is full."""
        self._state = self._state.model_copy(update=changes)
        try:
            schedule_state.write(self._state, self._job.folder)
        except OSError as error:
            _say(f"the state cannot be written: {error.strerror}", logging.ERROR)

    def _on_line(self, line: str) -> None:
        if line.strip():
            self._last_line = line.strip()
        _OUTPUT.info(line)


def _say(message: str, level: int = logging.INFO, **fields: object) -> None:
    told = {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in fields.items()
        if value is not None
    }
    _LOG.log(level, message, extra={"fields": told})


def _created(pid: int) -> float | None:
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return None


def _is_alive(running: Running) -> bool:
    """Whether the process that was begun still is, and is no other with its number."""
    return running.pid is not None and _created(running.pid) == running.created is not None
