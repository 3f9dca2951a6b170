"""Figures of the server for Prometheus, at /metrics."""

import os
from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)

PREFIX = "tfx_serving_"
EXPLAIN = "explain"
"""The method of requests for explanations."""

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"  # prometheus_client's: processes add up in files there
_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 1024)


class ServingMetrics:
    """The figures. Labels that occur are kept, so that counting costs a look-up."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        self._registry = registry
        self._requests = Counter(
            f"{PREFIX}requests", "Requests", ["protocol", "method", "code"],
            registry=registry,
        )  # fmt: skip
        self._latency = Histogram(
            f"{PREFIX}request_seconds", "From the whole request to the answer", ["protocol"],
            buckets=_SECONDS, registry=registry,
        )  # fmt: skip
        self._rows = Counter(
            f"{PREFIX}rows", "Rows answered, by version", ["target", "version"], registry=registry
        )
        self.batches = Histogram(
            f"{PREFIX}batch_rows", "Rows answered at once", buckets=_ROWS, registry=registry
        )
        self._explained = Counter(
            f"{PREFIX}explained_rows", "Rows explained, by version", ["target", "version"],
            registry=registry,
        )  # fmt: skip
        self._explaining = Histogram(
            f"{PREFIX}explain_seconds", "Explaining a request, waiting left out",
            buckets=_SECONDS, registry=registry,
        )  # fmt: skip
        self._live = Gauge(
            f"{PREFIX}live_version", "Version that is live", ["target"],
            multiprocess_mode="mostrecent", registry=registry,
        )  # fmt: skip
        self._dropped = Gauge(
            f"{PREFIX}log_dropped", "Requests that were not written to the log",
            multiprocess_mode="sum", registry=registry,
        )  # fmt: skip
        self._known: dict[tuple[str, ...], Callable[[], None]] = {}

    def request(self, protocol: str, method: str, code: str, seconds: float) -> None:
        """Counts a request; `method` and `code` are of a few that are known.

        The seconds of explanations count by themselves: see `explained`.
        """
        key = (protocol, method, code)
        if key not in self._known:
            self._known[key] = self._requests.labels(*key).inc
        self._known[key]()
        if method != EXPLAIN:
            self._latency.labels(protocol).observe(seconds)

    def rows(self, target: str, version: int, count: int) -> None:
        """Counts rows."""
        self._rows.labels(target, str(version)).inc(count)

    def explained(self, target: str, version: int, count: int, seconds: float) -> None:
        """Counts rows that were explained together."""
        self._explained.labels(target, str(version)).inc(count)
        self._explaining.observe(seconds)

    def page(self, live: dict[str, int], dropped: int) -> bytes:
        """The page, with what is looked at only when it is asked for."""
        for target, version in live.items():
            self._live.labels(target).set(version)
        self._dropped.set(dropped)
        if FOLDER_VARIABLE not in os.environ:
            return generate_latest(self._registry)
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)
        return generate_latest(registry)
