"""What `monitor` found last, as gauges for Prometheus; docs/monitoring.md lists them."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from prometheus_client import CollectorRegistry, Gauge

from core.intervals import Quantity
from pipeline.monitoring.records import CanaryReport, MonitorReport

_PREFIX = "tfx_monitor_"
_Sample = tuple[tuple[str, ...], float]
_FAMILIES = {
    "timestamp_seconds": ("When requests were last looked at", ()),
    "rows": ("Rows of requests that were looked at", ()),
    "check": ("A value that has a bound", ("kind", "of")),
    "bound": ("Its bound", ("kind", "of")),
    "exceeded": ("1 where the value is beyond the bound", ("kind", "of")),
    "unknown": ("1 for what could not be found out", ("what",)),
    "slice_rows": ("Rows of requests by slice", ("slice",)),
    "positive_ratio": ("Share of rows that are answered positive", ("slice",)),
    "metric": ("Quality by slice, and the ends of its 95% interval",
               ("slice", "metric", "how", "end")),
    "gap": ("Largest gap between groups, and the ends of its 95% interval",
            ("column", "rate", "how", "end")),
    "estimate_error": ("Absolute error of the estimate where labels came later", ("metric",)),
    "class_ratio": ("Share of rows that are answered a class", ("slice", "class")),
    "class_metric": ("Quality of a class by slice, and the ends of its 95% interval",
                     ("slice", "class", "metric", "how", "end")),
    "class_gap": ("Largest gap of a class between groups, and the ends of its 95% interval",
                  ("column", "class", "rate", "how", "end")),
    "class_estimate_error": ("Absolute error of the estimate where labels came later",
                             ("class", "metric")),
    "canary_failed": ("Rows that the canary did not answer", ("version",)),
    "canary_latency_ms": ("Median latency of requests, and the ends of its 95% interval",
                          ("version", "of", "end")),
    "canary_accuracy_gain": ("Accuracy of the canary minus that of the live version, and the ends "
                             "of its 95% interval", ("version", "end")),
}  # fmt: skip


def add_gauges(
    registry: CollectorRegistry, pipeline: str, reports: Iterable[MonitorReport]
) -> None:
    """Adds the gauges of reports, one a target, to a registry."""
    gauges: dict[str, Gauge] = {}
    for report in reports:
        for name, (labels, value) in _samples(report):
            meaning, names = _FAMILIES[name]
            if name not in gauges:
                of = ("pipeline", "target", *names)
                gauges[name] = Gauge(_PREFIX + name, meaning, of, registry=registry)
            gauges[name].labels(pipeline, report.target, *labels).set(value)


def _samples(report: MonitorReport) -> Iterator[tuple[str, _Sample]]:
    at = datetime.fromisoformat(report.at.replace("Z", "+00:00"))
    yield "timestamp_seconds", ((), at.timestamp())
    yield "rows", ((), report.window.rows)
    for check in report.checks:
        what = (check.kind, check.of)
        yield "check", (what, check.value)
        yield "bound", (what, check.bound)
        yield "exceeded", (what, check.exceeded)
    for unknown in report.unknown:
        yield "unknown", ((unknown.what,), 1)
    for name, part in report.slices.items():
        yield "slice_rows", ((name,), part.rows)
        if part.positive is not None:
            yield "positive_ratio", ((name,), part.positive.value)
        for class_name, share in part.classes.items():
            yield "class_ratio", ((name, class_name), share.value)
        for how, metrics in (("estimated", part.estimated), ("measured", part.measured)):
            for metric, quantity in metrics.items():
                family, of = _by_class("metric", metric)
                for end, value in _ends(quantity):
                    yield family, ((name, *of, how, end), value)
    for gap in report.gaps:
        family, of = _by_class("gap", gap.rate)
        for end, value in _ends(gap.gap):
            yield family, ((gap.column, *of, gap.how, end), value)
    for error in report.errors:
        family, of = _by_class("estimate_error", error.metric)
        yield family, (of, error.error)
    if report.canary is not None:
        yield from _of_canary(report.canary)


def _of_canary(canary: CanaryReport) -> Iterator[tuple[str, _Sample]]:
    version = str(canary.version)
    yield "canary_failed", ((version,), canary.failed)
    for of, latency in canary.latency_ms.items():
        for end, value in _ends(latency):
            yield "canary_latency_ms", ((version, of, end), value)
    if canary.accuracy_gain is not None:
        for end, value in _ends(canary.accuracy_gain):
            yield "canary_accuracy_gain", ((version, end), value)


def _ends(quantity: Quantity) -> list[tuple[str, float]]:
    return [(end, getattr(quantity, end)) for end in ("value", "low", "high")]


def _by_class(family: str, metric: str) -> tuple[str, tuple[str, ...]]:
    """Family and labels of a metric; one of a class is called `recall[ride]`."""
    name, bracket, rest = metric.partition("[")
    return (f"class_{family}", (rest[:-1], name)) if bracket else (family, (metric,))
