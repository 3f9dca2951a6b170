"""Times of calls: warmed up, interleaved, on one core or on all, with the CPU seconds they took."""

import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

_ROUNDS = 5
_WARM_UP = 50


@dataclass
class Times:
    """Wall times of calls in microseconds, and their CPU seconds together, all threads counted."""

    wall_us: list[float] = field(default_factory=list)
    cpu_seconds: float = 0.0

    @property
    def median_us(self) -> float:
        """Of a call."""
        return statistics.median(self.wall_us)

    @property
    def p99_us(self) -> float:
        """Of a call: 99 of 100 take no longer."""
        return float(np.percentile(self.wall_us, 99))

    @property
    def cpu_us(self) -> float:
        """CPU time of a call, mean."""
        return self.cpu_seconds / len(self.wall_us) * 1e6


@contextmanager
def on_cores(cores: set[int]) -> Iterator[None]:
    """Keeps all threads of this process on some cores for a while.

    Thread pools are made once in a process, by TensorFlow for all its models, so that their size
    cannot be what tells one thread from many.
    """
    before = os.sched_getaffinity(0)
    _move(cores)
    try:
        yield
    finally:
        _move(before)


def _move(cores: set[int]) -> None:
    for thread in Path("/proc/self/task").iterdir():
        try:
            os.sched_setaffinity(int(thread.name), cores)
        except ProcessLookupError:  # it has ended
            continue


def times_of(calls: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, Times]:
    """Times of several calls, in turns, so that what else the machine does hits all alike.

    Args:
      calls: By name.
      repeats: Of each call, in all turns together.
    """
    found = {name: Times() for name in calls}
    for _ in range(_ROUNDS):
        for name, call in calls.items():
            for _ in range(_WARM_UP):
                call()
            times, started = found[name], time.process_time()
            for _ in range(max(1, repeats // _ROUNDS)):
                begun = time.perf_counter_ns()
                call()
                times.wall_us.append((time.perf_counter_ns() - begun) / 1000.0)
            times.cpu_seconds += time.process_time() - started
    return found
