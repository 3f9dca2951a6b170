"""Bytes on disk and latency of a model."""

import gzip
import statistics
import timeit
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
    return statistics.median(timeit.repeat(call, repeat=repeats, number=1)) * 1e6
