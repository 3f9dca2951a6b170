"""Trainings one after another here, or side by side in processes of their own.

Which training is done where changes nothing of it: each sets its own seeds. A process that dies
takes one training with it, which has then failed; the others go on in other processes.
"""

import multiprocessing
import os
import signal
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Protocol

import tensorflow as tf

from models.search.trials import NOT_BEGUN, SearchRows, TrialOutcome, TrialTask, run

_GRACE = 10.0  # seconds that a process has after the deadline to end its epoch


class Runner(Protocol):
    """Does the trainings of a round."""

    def run(self, tasks: Sequence[TrialTask]) -> list[TrialOutcome]:
        """The outcome of each task, in the order of the tasks."""

    def close(self) -> None:
        """Ends what it has started."""


class Here:
    """Trains in this process."""

    def __init__(self, rows: SearchRows) -> None:
        self._rows = rows

    def run(self, tasks: Sequence[TrialTask]) -> list[TrialOutcome]:
        """See `Runner`."""
        return [run(task, self._rows) for task in tasks]

    def close(self) -> None:
        """Nothing was started."""


class TrialProcesses:
    """Trains in up to `count` processes, which are started when they are first needed."""

    def __init__(self, rows: SearchRows, count: int) -> None:
        self._rows = rows
        self._count = count
        self._workers: list[_Worker] = []

    def run(self, tasks: Sequence[TrialTask]) -> list[TrialOutcome]:
        """See `Runner`."""
        outcomes: dict[int, TrialOutcome] = {}
        waiting = list(range(len(tasks)))[::-1]
        busy: dict[int, _Worker] = {}
        while waiting or busy:
            while waiting and len(busy) < self._count:
                place = waiting.pop()
                if tasks[place].is_over():
                    outcomes[place] = NOT_BEGUN
                    continue
                busy[place] = self._free(busy)
                busy[place].begin(tasks[place])
            if busy:
                _look(tasks, busy, outcomes)
        return [outcomes[place] for place in range(len(tasks))]

    def _free(self, busy: dict[int, "_Worker"]) -> "_Worker":
        self._workers = [worker for worker in self._workers if worker.is_alive]
        idle = [worker for worker in self._workers if worker not in busy.values()]
        if not idle:
            idle = [_Worker(self._rows)]
            self._workers += idle
        return idle[0]

    def close(self) -> None:
        """Ends the processes."""
        for worker in self._workers:
            worker.end()
        self._workers = []


class _Worker:
    """A process, and the way to and from it."""

    def __init__(self, rows: SearchRows) -> None:
        # A process that has TensorFlow cannot be forked.
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        threading = tf.config.threading
        threads = (
            threading.get_intra_op_parallelism_threads(),
            threading.get_inter_op_parallelism_threads(),
        )
        self._process: BaseProcess = context.Process(
            target=_work, args=(theirs, rows, threads), daemon=True, name="trial"
        )
        self._process.start()
        theirs.close()  # so that its end is seen here

    @property
    def is_alive(self) -> bool:
        """Whether it can be given a task."""
        return self._process.is_alive()

    def begin(self, task: TrialTask) -> None:
        """Hands it a task; of one that has died `result` tells."""
        try:
            self.connection.send(task)
        except OSError:
            self._process.join()

    def result(self) -> TrialOutcome:
        """What came back: an outcome, or that the process died."""
        try:
            outcome: TrialOutcome = self.connection.recv()
            return outcome
        except (EOFError, OSError):
            self._process.join()
            code = self._process.exitcode or 0
            how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"exited ({code})"
            return TrialOutcome(None, message=f"the process of the trial {how}")

    def end(self) -> None:
        """Ends the process."""
        self.connection.close()
        self._process.kill()
        self._process.join()


def _look(
    tasks: Sequence[TrialTask], busy: dict[int, _Worker], outcomes: dict[int, TrialOutcome]
) -> None:
    """Waits until a process has something to say or has taken too long, and notes it."""
    bounded = [task for place in busy if not (task := tasks[place]).always]
    deadlines = [task.deadline for task in bounded if task.deadline is not None]
    patience = max(0.0, min(deadlines) + _GRACE - time.monotonic()) if deadlines else None
    ready = wait([worker.connection for worker in busy.values()], patience)
    for place, worker in list(busy.items()):
        if worker.connection in ready:
            outcomes[place] = worker.result()
            del busy[place]
        elif tasks[place].is_over(_GRACE):
            worker.end()
            message = "tuner.seconds were over and its epoch took too long: it was ended"
            outcomes[place] = TrialOutcome(None, message=message, in_time=False)
            del busy[place]


def _work(connection: Connection, rows: SearchRows, threads: tuple[int, int]) -> None:
    """What a process does: trains until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started it ends it
    tf.config.threading.set_intra_op_parallelism_threads(threads[0])
    tf.config.threading.set_inter_op_parallelism_threads(threads[1])
    while True:
        try:
            connection.send(run(connection.recv(), rows))
        except (EOFError, OSError):
            return


def runner_for(rows: SearchRows, processes: int) -> Runner:
    """What trains: this process, or several where more than one is asked for and has a core.

    Args:
      rows: That every trial is trained and measured on.
      processes: At most; no more are started than there are cores.
    """
    count = min(processes, len(os.sched_getaffinity(0)))
    return TrialProcesses(rows, count) if count > 1 else Here(rows)
