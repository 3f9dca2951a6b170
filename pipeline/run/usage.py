"""What a run costs: wall-clock and CPU seconds, peak memory, of the whole process tree."""

import os
import threading
import time

import psutil

_INTERVAL = 0.5  # seconds between looks at the memory


class Usage:
    """Measures this process and its children from the start of the process.

    Use as a context manager: a thread looks at the memory while the block runs.
    """

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._peak = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="usage", daemon=True)

    def __enter__(self) -> "Usage":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()

    def seconds(self) -> float:
        """Wall-clock seconds since the process started."""
        return time.time() - self._process.create_time()

    def cpu_seconds(self) -> float:
        """User and system seconds of this process, of ended children and of running ones."""
        times = os.times()
        total = times.user + times.system + times.children_user + times.children_system
        for child in self._children():
            try:
                used = child.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += used.user + used.system
        return total

    def peak_rss_mb(self) -> float:
        """Highest resident memory of the process tree so far, in MB (2**20 bytes)."""
        self._look()
        return self._peak / 2**20

    def _watch(self) -> None:
        while not self._stop.wait(_INTERVAL):
            self._look()

    def _look(self) -> None:
        resident = 0
        for process in (self._process, *self._children()):
            try:
                resident += process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        self._peak = max(self._peak, resident)

    def _children(self) -> list[psutil.Process]:
        return self._process.children(recursive=True)
