"""What `monitor` found last, as gauges for Prometheus; docs/monitoring.md lists them."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from prometheus_client import CollectorRegistry, Gauge

from pipeline.monitoring.records import MonitorReport

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
        of = (check.kind, check.of)
        yield "check", (of, check.value)
        yield "bound", (of, check.bound)
        yield "exceeded", (of, check.exceeded)
    for unknown in report.unknown:
        yield "unknown", ((unknown.what,), 1)
    for name, part in report.slices.items():
        yield "slice_rows", ((name,), part.rows)
        if part.positive is not None:
            yield "positive_ratio", ((name,), part.positive.value)
        for how, metrics in (("estimated", part.estimated), ("measured", part.measured)):
            for metric, quantity in metrics.items():
                for end in ("value", "low", "high"):
                    yield "metric", ((name, metric, how, end), getattr(quantity, end))
    for gap in report.gaps:
        for end in ("value", "low", "high"):
            yield "gap", ((gap.column, gap.rate, gap.how, end), getattr(gap.gap, end))
    for error in report.errors:
        yield "estimate_error", ((error.metric,), error.error)
