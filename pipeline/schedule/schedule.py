"""Keeps `retrain` on a cron expression, in the foreground, until a signal ends it.

It looks at the clock by and by, and what it remembers says whether a slot is due: looking too often
does nothing, and a suspend or a clock that was changed needs no treatment of its own. APScheduler
computes the slots. Its scheduler is not used: it waits by a clock that a suspend stops, remembers
nothing without a database, and cannot be asked what is due.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from core import lock
from core.operation import ScheduleSection
from pipeline.run.signals import Interrupted, collected
from pipeline.schedule import schedule_state
from pipeline.schedule.child import Child
from pipeline.schedule.cron import Slots
from pipeline.schedule.schedule_state import Ended, Running, ScheduleState, SlotDecision

LOCK_FILE = "schedule.lock"
_AT_WORK = "a scheduler is at work"
_SUCCESSES = (0, 3)  # done, and blocked by a gate, which is a result
_FAILED = 1
_LOOK = 0.5  # seconds between looks at the clock
_NAP = 0.2  # and at the run that is under way
_JUMP = 5.0  # seconds; less is the clock being disciplined
_LOG = logging.getLogger("schedule")
_OUTPUT = logging.getLogger("retrain")


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
    settings: ScheduleSection
    slots: Slots
    folder: Path
    watch: Callable[[], Callable[[int, str], None]]
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)


def keep(job: Job) -> int:
    """Runs the job at each slot until SIGTERM or SIGINT, which the run under way is given, too.

    Returns:
        The number of the signal.

    Raises:
        LockHeldError: another scheduler keeps this root; the message says which.
    """
    with lock.hold(job.folder / LOCK_FILE, _AT_WORK), collected() as signals:
        worker, clock = Worker(job, job.clock(), signals), ClockWatch()
        worker.remember()  # so that a slot before the next start has been missed
        following, settings = job.slots.next(job.clock()), job.settings
        _say("started", cron=settings.cron, timezone=settings.timezone, next=following)
        while not signals:
            if jump := clock.jump():
                _say("the clock has jumped", logging.WARNING, seconds=round(jump, 1))
            worker.look()
            time.sleep(_LOOK)
        _say("ended", signal=signals[-1])
        return signals[-1]


def once(job: Job) -> int:
    """Runs the job if a slot is due since the last one, the first time in any case.

    Returns:
        The exit code of the run, below zero for a signal; 0 when nothing was due; 1 when another
        run is under way.

    Raises:
        LockHeldError: a scheduler keeps this root.
        Interrupted: a signal ended the run.
    """
    with lock.hold(job.folder / LOCK_FILE, _AT_WORK), collected() as signals:
        worker = Worker(job, signals=signals)
        code = worker.look()
        if signals:
            raise Interrupted(signals[-1])
        return int(worker.waiting) if code is None else code


class Worker:
    """Runs the job when a slot is due.

    waiting: whether a slot is due but another run is under way; `look` has to be called again.
    """

    def __init__(
        self, job: Job, first: datetime | None = None, signals: Sequence[int] = ()
    ) -> None:
        """Goes on from what an earlier scheduler of the root remembered.

        Args:
            job: what to run, and when.
            first: the last slot of a schedule that starts for the first time.
            signals: those that came; the run under way is given them, none is begun after one.
        """
        self._job, self._signals = job, signals
        self.waiting = False
        cron, timezone = job.settings.cron, job.settings.timezone
        new = ScheduleState(cron=cron, timezone=timezone, last_slot=first)
        self._state = schedule_state.read(job.folder) or new

    def look(self) -> int | None:
        """Runs the job if a slot is due, to its end.

        Returns:
            The exit code of the run; None when none was begun, or a signal cut it off.
        """
        try:
            return self._look()
        except Exception:  # whatever it is, the next slot may go better
            _LOG.exception("the slot could not be run")
            self.remember(last_slot=self._later(self._job.clock()), running=None)
            return _FAILED

    def _look(self) -> int | None:
        job, now, before = self._job, self._job.clock(), self._state.last_slot
        waited, self.waiting = self.waiting, False
        self._state = self._state.adapted(job.settings, now)
        if self._state.last_slot != before:
            _say("the last slot was of another schedule or clock: it is forgotten", slot=before)
        if self._state.running is not None and self._state.running.is_alive():
            self._wait("a run that an earlier scheduler began goes on", waited)
            return None
        match self._state.decide(job.slots, job.settings, now):
            case SlotDecision(slot, "run") if lock.is_held(job.folder / lock.FILE):
                self._wait("another run is under way", waited, slot)
            case SlotDecision(slot, "run", why):
                return self._run(slot, why)
            case SlotDecision(slot, "pass", why):
                _say(f"not run: {why}", logging.WARNING, slot=slot)
                self.remember(last_slot=self._later(slot), running=None)
        return None

    def _wait(self, why: str, said: bool, slot: datetime | None = None) -> None:
        self.waiting = True
        if not said:
            _say(f"waiting: {why}", slot=slot)

    def _run(self, slot: datetime, why: str) -> int | None:
        if self._signals:
            return None
        _say(f"running: {why}", slot=slot)
        started, on_failure = self._job.clock(), self._job.watch()
        # First, so that the slot counts as run however this process ends.
        self.remember(last_slot=self._later(slot), running=Running(slot=slot))
        code = self._run_child(slot)
        failed = code not in _SUCCESSES
        if failed and self._signals:
            # It stays `running`, so that the next scheduler begins it again.
            _say("cut off by a signal", logging.WARNING, slot=slot, exit_code=code)
            return None
        self._note_end(slot, started, code, self._state.failures + 1 if failed else 0)
        if failed:
            on_failure(code, self._last_line)
        return code

    def _run_child(self, slot: datetime) -> int:
        self._last_line = ""
        try:
            child = Child(self._job.command, self._on_line)
        except OSError as error:
            self._last_line = f"{self._job.command[0]}: {error.strerror}"
            return _FAILED
        self.remember(running=Running(slot=slot).as_process(child.pid))
        covered = self._state.last_slot
        while (code := child.poll(self._signals)) is None:
            if passed := self._job.slots.last(self._job.clock(), covered):
                why, covered = "the run still goes on; it makes up for this slot", passed
                _say(why, logging.WARNING, slots=[passed.isoformat()])
            time.sleep(_NAP)
        return code

    def _note_end(self, slot: datetime, started: datetime, code: int, failures: int) -> None:
        now = self._job.clock()
        seconds = max(0.0, (now - started).total_seconds())
        self.remember(
            # Slots that passed meanwhile are made up for by this run.
            last_slot=self._later(self._job.slots.last(now) or slot),
            running=None,
            failures=failures,
            last=Ended(slot=slot, ended=now, exit_code=code, seconds=seconds),
        )
        level = logging.ERROR if failures else logging.INFO
        _say("ended", level, slot=slot, exit_code=code, failures=failures)
        if until := self._state.backs_off_until(self._job.settings):
            _say(f"{failures} failed runs in a row", logging.WARNING, none_before=until)

    def _later(self, slot: datetime) -> datetime:
        return max(slot, self._state.last_slot or slot)

    def remember(self, **changes: object) -> None:
        """Changes the state and writes it; in memory alone where the disk is full."""
        self._state = self._state.model_copy(update=changes)
        try:
            self._state.write(self._job.folder)
        except OSError as error:
            _say(f"the state cannot be written: {error.strerror}", logging.ERROR)

    def _on_line(self, line: str) -> None:
        self._last_line = line.strip() or self._last_line
        _OUTPUT.info(line)


class ClockWatch:
    """Tells when the wall clock moved otherwise than the monotonic one, which sleep stops."""

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._offset = lambda: wall() - monotonic()
        self._last = self._offset()

    def jump(self) -> float:
        """Seconds by which the clock was put forward (or back, below zero) since the last call."""
        before, self._last = self._last, self._offset()
        moved = self._last - before
        return moved if abs(moved) > _JUMP else 0.0


def _say(message: str, level: int = logging.INFO, **fields: object) -> None:
    """Logs a message with fields of its own; those that are None are left out."""
    told = {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in fields.items()
        if value is not None
    }
    _LOG.log(level, message, extra={"fields": told})
