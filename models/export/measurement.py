"""Bytes on disk and latency of a model."""

import gzip
import statistics
import time
from collections.abc import Callable, Iterable

_WARM_UP_CALLS = 5


def sizes(contents: Iterable[bytes]) -> dict[str, int]:
    """Returns `bytes` and `gzip_bytes` of some files, each compressed by itself."""
    contents = list(contents)
    return {
        "bytes": sum(len(content) for content in contents),
        "gzip_bytes": sum(len(gzip.compress(content, mtime=0)) for content in contents),
    }


def median_latency_us(call: Callable[[], object], repeats: int) -> float:
    """Returns the median wall time of a call in microseconds, after a few calls to warm up."""
    for _ in range(_WARM_UP_CALLS):
        call()
    durations = []
    for _ in range(repeats):
        start = time.perf_counter_ns()
        call()
        durations.append(time.perf_counter_ns() - start)
    return statistics.median(durations) / 1000.0
