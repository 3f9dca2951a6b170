"""Keeps `retrain` on a cron expression, in the foreground, until a signal ends it.

APScheduler says when to look; the worker decides by what it remembers whether a slot is due, so
that looking too often does nothing. The main thread watches the clock, which APScheduler does not:
after a suspend, or when the clock was changed, it has the worker look.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from apscheduler.events import EVENT_JOB_MAX_INSTANCES, JobSubmissionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.job import Job as ScheduledJob
from apscheduler.schedulers import SchedulerNotRunningError
from apscheduler.schedulers.background import BackgroundScheduler

from core import lock
from pipeline.run.signals import Interrupted, interruptible
from pipeline.schedule import schedule_state
from pipeline.schedule.worker import Job, Worker

LOCK_FILE = "schedule.lock"
_AT_WORK = "a scheduler is at work"
_LOOK = 10.0  # seconds between looks at the clock
_JUMP = 5.0  # seconds; less is the clock being disciplined
_LOG = logging.getLogger("schedule")


def load_state(job: Job, first: datetime | None) -> schedule_state.ScheduleState:
    """What an earlier scheduler of this root left.

    Args:
        job: the job.
        first: the last slot of a schedule that starts for the first time.
    """
    settings = job.settings
    try:
        found = schedule_state.read(job.folder)
    except ValueError as error:
        _LOG.warning("%s; starting as for the first time", error)
        found = None
    return found or schedule_state.fresh(settings.cron, settings.timezone, first)


def keep(job: Job, interval: float = _LOOK) -> int:
    """Runs the job at each slot until SIGTERM or SIGINT, which the run under way is given, too.

    Args:
        job: what to run, and when.
        interval: seconds between looks at the clock.

    Returns:
        The number of the signal.

    Raises:
        LockHeldError: another scheduler keeps this root; the message says which.
    """
    with lock.hold(job.folder / LOCK_FILE, _AT_WORK), interruptible():
        worker = Worker(job, load_state(job, job.clock()))
        worker.remember()  # so that a slot before the next start has been missed
        scheduler = BackgroundScheduler(timezone=UTC, executors={"default": ThreadPoolExecutor(1)})
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        scheduler.add_listener(_say_overlap, EVENT_JOB_MAX_INSTANCES)
        scheduled = scheduler.add_job(
            worker.look,
            job.slots.trigger,
            next_run_time=datetime.now(UTC),  # at once: slots may have been missed
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,  # how late is too late, the worker decides
        )
        _say_start(job)
        try:
            scheduler.start()
            _watch(worker, scheduled, interval)
        except Interrupted as interrupted:
            number = _end(worker, interrupted.number)
        with contextlib.suppress(Interrupted, SchedulerNotRunningError):
            scheduler.shutdown(wait=True)
        _LOG.info("ended", extra={"fields": {"signal": number}})
        return number


def once(job: Job) -> int:
    """Runs the job if a slot is due since the last one, the first time in any case.

    Returns:
        The exit code of the run, below zero for a signal; 0 when nothing was due; 1 when another
        run is under way.

    Raises:
        LockHeldError: a scheduler keeps this root.
        Interrupted: a signal ended the run.
    """
    with lock.hold(job.folder / LOCK_FILE, _AT_WORK), interruptible():
        worker = Worker(job, load_state(job, None))
        look = threading.Thread(target=worker.look)
        look.start()
        try:
            look.join()
        except Interrupted as interrupted:
            raise Interrupted(_end(worker, interrupted.number)) from None
        if worker.exit_code is not None:
            return worker.exit_code
        return int(worker.waiting)


def _watch(worker: Worker, scheduled: ScheduledJob, interval: float) -> None:
    clock = ClockWatch()
    while True:
        time.sleep(interval)
        jump = clock.jump()
        if jump:
            _LOG.warning("the clock has jumped", extra={"fields": {"seconds": round(jump, 1)}})
        if (jump or worker.waiting) and not worker.busy:
            scheduled.modify(next_run_time=datetime.now(UTC))


def _end(worker: Worker, number: int) -> int:
    """Passes signals on until the worker is at rest; the number of the last one."""
    while True:
        try:
            worker.stop(number)
            while worker.busy:
                time.sleep(0.05)
            return number
        except Interrupted as again:
            number = again.number


@dataclass
class ClockWatch:
    """Tells when the wall clock moved otherwise than the monotonic one, which sleep stops."""

    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    _offset: float = field(init=False)

    def __post_init__(self) -> None:
        self._offset = self.wall() - self.monotonic()

    def jump(self) -> float:
        """Seconds by which the clock was put forward (or back, below zero) since the last call."""
        offset = self.wall() - self.monotonic()
        moved, self._offset = offset - self._offset, offset
        return moved if abs(moved) > _JUMP else 0.0


def _say_start(job: Job) -> None:
    following = job.slots.next(job.clock())
    fields = {
        "cron": job.settings.cron,
        "timezone": job.settings.timezone,
        "next": following and following.isoformat(),
    }
    _LOG.info("started", extra={"fields": fields})


def _say_overlap(event: JobSubmissionEvent) -> None:
    slots = [time.isoformat() for time in event.scheduled_run_times]
    _LOG.warning(
        "the run still goes on; it makes up for this slot", extra={"fields": {"slots": slots}}
    )
