"""Figures of the server for Prometheus, at /metrics.

Counting must cost a request next to nothing, so what is counted are numbers of this process; what
Prometheus reads is made of them when it asks. Processes of one server add up by files in a folder:
each writes its numbers there a few times a second, if they changed.
"""

import json
import os
import time
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

PREFIX = "tfx_serving_"
EXPLAIN = "explain"
"""The method of requests for explanations."""

PUBLISHED = 0.1  # seconds between looks at what is to be written for the other processes
_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
_ROWS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 1024.0)
_ENDING = ".json"


class Histogram:
    """Counts of values up to bounds, and their sum."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """Counts a value."""
        self.counts[bisect_left(self._bounds, value)] += 1
        self.sum += value


class ServingMetrics:
    """The figures.

    Attributes:
      batches: Rows that were answered at once.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """Begins at nothing.

        Args:
          folder: Where the processes of the server add up; None: there is one.
        """
        self._path = folder and folder / f"{os.getpid()}-{time.time_ns()}{_ENDING}"
        self._requests: dict[tuple[str, str, str], int] = {}
        self._latency: dict[str, Histogram] = {}
        self._rows: dict[tuple[str, int], int] = {}
        self.batches = Histogram(_ROWS)
        self._explained: dict[tuple[str, int], int] = {}
        self._explaining = Histogram(_SECONDS)
        self._written = b""

    def request(self, protocol: str, method: str, code: str, seconds: float) -> None:
        """Counts a request; `method` and `code` are of a few that are known.

        The seconds of explanations count by themselves: see `explained`.
        """
        key = protocol, method, code
        self._requests[key] = self._requests.get(key, 0) + 1
        if method == EXPLAIN:
            return
        if protocol not in self._latency:
            self._latency[protocol] = Histogram(_SECONDS)
        self._latency[protocol].observe(seconds)

    def rows(self, target: str, version: int, count: int) -> None:
        """Counts rows."""
        key = target, version
        self._rows[key] = self._rows.get(key, 0) + count

    def explained(self, target: str, version: int, count: int, seconds: float) -> None:
        """Counts rows that were explained together."""
        key = target, version
        self._explained[key] = self._explained.get(key, 0) + count
        self._explaining.observe(seconds)

    @property
    def is_shared(self) -> bool:
        """Whether other processes add theirs."""
        return self._path is not None

    def publish(self, dropped: int) -> None:
        """Writes the numbers for the other processes, if they changed.

        Args:
          dropped: Requests that were not written to the log.

        Raises:
          OSError: They cannot be written.
        """
        content = json.dumps(self._numbers(dropped)).encode()
        if self._path is None or content == self._written:
            return
        part = self._path.with_suffix(".part")
        part.write_bytes(content)
        part.replace(self._path)
        self._written = content

    def page(self, live: Mapping[str, int], dropped: int) -> bytes:
        """The page.

        Args:
          live: Version that is live by target.
          dropped: Requests that were not written to the log.
        """
        numbers = [self._numbers(dropped)]
        if self._path is not None:
            others = self._path.parent.glob(f"*{_ENDING}")
            numbers += [json.loads(path.read_bytes()) for path in others if path != self._path]
        registry = CollectorRegistry()
        registry.register(_Page(numbers, live))
        return generate_latest(registry)

    def _numbers(self, dropped: int) -> dict[str, Any]:
        latency = [([protocol], of.counts, of.sum) for protocol, of in self._latency.items()]
        return {
            "requests": [*self._requests.items()],
            "rows": _by_version(self._rows),
            "explained_rows": _by_version(self._explained),
            "explain_seconds": [([], self._explaining.counts, self._explaining.sum)],
            "request_seconds": latency,
            "batch_rows": [([], self.batches.counts, self.batches.sum)],
            "log_dropped": dropped,
        }


def _by_version(rows: Mapping[tuple[str, int], int]) -> list[tuple[tuple[str, str], int]]:
    return [((target, str(version)), count) for (target, version), count in rows.items()]


class _Page:
    """The numbers of all processes as Prometheus' client writes them."""

    def __init__(self, numbers: list[dict[str, Any]], live: Mapping[str, int]) -> None:
        self._numbers, self._live = numbers, live

    def collect(self) -> Iterator[Metric]:
        """The figures; called by the registry."""
        labels = ["protocol", "method", "code"]
        yield self._counter("requests", "Requests", labels)
        yield self._histogram(
            "request_seconds", "From the whole request to the answer", ["protocol"], _SECONDS
        )
        yield self._counter("rows", "Rows answered, by version", ["target", "version"])
        yield self._histogram("batch_rows", "Rows answered at once", [], _ROWS)
        yield self._counter("explained_rows", "Rows explained, by version", ["target", "version"])
        yield self._histogram(
            "explain_seconds", "Explaining a request, waiting left out", [], _SECONDS
        )
        live = GaugeMetricFamily(f"{PREFIX}live_version", "Version that is live", labels=["target"])
        for target, version in self._live.items():
            live.add_metric([target], version)
        yield live
        yield GaugeMetricFamily(
            f"{PREFIX}log_dropped",
            "Requests that were not written to the log",
            value=sum(each["log_dropped"] for each in self._numbers),
        )

    def _counter(self, name: str, text: str, labels: Sequence[str]) -> Metric:
        found: dict[tuple[str, ...], int] = {}
        for key, count in self._all(name):
            found[tuple(key)] = found.get(tuple(key), 0) + count
        family = CounterMetricFamily(PREFIX + name, text, labels=labels)
        for key, count in found.items():
            family.add_metric(key, count)
        return family

    def _histogram(
        self, name: str, text: str, labels: Sequence[str], bounds: Sequence[float]
    ) -> Metric:
        found: dict[tuple[str, ...], tuple[list[int], float]] = {}
        for key, counts, total in self._all(name):
            others, sum_of_others = found.get(tuple(key), ([0] * len(counts), 0.0))
            added = [one + other for one, other in zip(counts, others, strict=True)]
            found[tuple(key)] = added, total + sum_of_others
        family = HistogramMetricFamily(PREFIX + name, text, labels=labels)
        for key, (counts, total) in found.items():
            names = [*map(repr, bounds), "+Inf"]
            up_to = [sum(counts[: at + 1]) for at in range(len(names))]
            family.add_metric(key, [*zip(names, up_to, strict=True)], total)
        return family

    def _all(self, name: str) -> Iterable[Any]:
        return (entry for each in self._numbers for entry in each[name])
