"""Figures of the last run for Prometheus' textfile collector, and of every run in a history.

docs/operations.md lists them. What a run did not come to measure is left out.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

from core.files import append_line, read_lines
from pipeline.monitoring import records as monitoring
from pipeline.monitoring.gauges import add_gauges
from pipeline.report.summary import State, Summary

FORMAT = 1
HISTORY = "metrics.jsonl"
PREFIX = "tfx_pipeline_"
Record = Mapping[str, Any]
Labels = tuple[str, ...]
Sample = tuple[Labels, float | None]
_MB = 2**20


def record_of(
    summary: Summary, pipeline: str, ended: float, live: Mapping[str, int], before: Record | None
) -> dict[str, Any]:
    """One line of the history.

    Args:
        summary: of the run that ended.
        pipeline: its name.
        ended: seconds since 1970, UTC.
        live: served version by target.
        before: the line of the run before; it remembers the last success.
    """
    succeeded = ended if summary.state == "COMPLETE" else (before or {}).get("last_success")
    labels = summary.labels
    return {
        "format": FORMAT,
        "pipeline": pipeline,
        "run_id": summary.run_id,
        "config": summary.config,
        "config_sha256": summary.config_sha256,
        "code_sha256": summary.code_sha256,
        "state": summary.state,
        "ended": ended,
        "last_success": succeeded,
        "seconds": summary.seconds,
        "cpu_seconds": summary.cpu_seconds,
        "peak_rss_bytes": round(summary.peak_rss_mb * _MB),
        "rows": summary.data.rows,
        "labels": labels
        and {
            "coverage": labels.coverage,
            "conflict": labels.conflict,
            "accuracy_on_gold": labels.accuracy_on_gold,
        },
        "nodes": {
            name: {"state": node.state, "seconds": node.seconds}
            for name, node in summary.nodes.items()
        },
        "gates": _count_gates(summary),
        "models": {
            variant: {"metrics": model.metrics, "gaps": model.gaps, "bytes": model.bytes}
            for variant, model in summary.models.items()
        },
        "targets": dict(summary.targets),
        "live": dict(live),
    }


def _count_gates(summary: Summary) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for gate in summary.gates:
        of_target = counts.setdefault(gate.target, {"passed": 0, "failed": 0})
        of_target["passed" if gate.passed else "failed"] += 1
    return counts


def _models(record: Record) -> Iterator[tuple[str, str, Record]]:
    """Target ("" for a variant that none pushes), variant, figures."""
    targets = {variant: target for target, variant in record["targets"].items()}
    for variant, model in record["models"].items():
        yield targets.get(variant, ""), variant, model


def _metrics(record: Record) -> Iterator[Sample]:
    for target, variant, model in _models(record):
        for metric, value in model["metrics"].items():
            yield (target, variant, metric), value


def _gaps(record: Record) -> Iterator[Sample]:
    for target, variant, model in _models(record):
        for column, by_metric in model["gaps"].items():
            for metric, value in by_metric.items():
                yield (target, variant, column, metric), value


def _of(key: str) -> Callable[[Record], Iterable[Sample]]:
    return lambda record: [((), record[key])]


def _of_labels(key: str) -> Callable[[Record], Iterable[Sample]]:
    return lambda record: [((), (record["labels"] or {}).get(key))]


# Name, meaning, labels besides `pipeline`, samples of a record.
FAMILIES: tuple[tuple[str, str, Labels, Callable[[Record], Iterable[Sample]]], ...] = (
    (
        "run_info",
        "The last run; always 1",
        ("run_id", "config", "config_sha256", "code_sha256"),
        lambda r: [((r["run_id"], r["config"], r["config_sha256"], r["code_sha256"]), 1)],
    ),
    (
        "run_state",
        "1 for the state in which the last run ended",
        ("state",),
        lambda r: [((state,), state == r["state"]) for state in get_args(State)],
    ),
    ("run_end_timestamp_seconds", "When the last run ended", (), _of("ended")),
    (
        "last_success_timestamp_seconds",
        "When the last run that completed ended, blessed or not",
        (),
        _of("last_success"),
    ),
    ("run_duration_seconds", "Wall-clock time of the last run", (), _of("seconds")),
    ("run_cpu_seconds", "CPU time of the last run", (), _of("cpu_seconds")),
    ("run_peak_rss_bytes", "Highest resident memory", (), _of("peak_rss_bytes")),
    ("rows", "Rows by split", ("split",), lambda r: [((s,), n) for s, n in r["rows"].items()]),
    (
        "node_duration_seconds",
        "Wall-clock time of each node of the last run",
        ("node", "state"),
        lambda r: [((name, n["state"]), n["seconds"]) for name, n in r["nodes"].items()],
    ),
    (
        "gates",
        "Gates of the last run by verdict",
        ("target", "verdict"),
        lambda r: [((t, v), n) for t, counts in r["gates"].items() for v, n in counts.items()],
    ),
    ("model_metric", "Quality on the test split", ("target", "variant", "metric"), _metrics),
    (
        "model_gap",
        "Largest gap between the groups of a column",
        ("target", "variant", "column", "metric"),
        _gaps,
    ),
    (
        "model_size_bytes",
        "Size of a model's files",
        ("target", "variant"),
        lambda r: [((target, variant), model["bytes"]) for target, variant, model in _models(r)],
    ),
    (
        "live_version",
        "Served version",
        ("target",),
        lambda r: [((target,), version) for target, version in r["live"].items()],
    ),
    ("label_coverage_ratio", "Share of rows with a vote", (), _of_labels("coverage")),
    ("label_conflict_ratio", "Share of rows with contrary votes", (), _of_labels("conflict")),
    (
        "label_accuracy_ratio",
        "Accuracy of the weak labels on gold rows",
        (),
        _of_labels("accuracy_on_gold"),
    ),
)


def registry_of(record: Record) -> CollectorRegistry:
    """The metric families of a record; one without a sample is left out."""
    registry = CollectorRegistry()
    for name, meaning, labels, samples_of in FAMILIES:
        samples = [(values, value) for values, value in samples_of(record) if value is not None]
        if samples:
            gauge = Gauge(PREFIX + name, meaning, ("pipeline", *labels), registry=registry)
            for values, value in samples:
                gauge.labels(record["pipeline"], *values).set(value)
    return registry


def publish(
    summary: Summary | None,
    pipeline: str,
    folder: Path,
    textfile: Path | None,
    live: Mapping[str, int],
    now: float,
) -> None:
    """Adds a run to <folder>/metrics.jsonl and replaces `textfile`, which is never seen half.

    Args:
        summary: of a run that ended; None between runs, which puts the served versions and what
            `monitor` found right in `textfile` and does nothing before the first of either.
        pipeline: its name.
        folder: <root>/<name>.
        textfile: for the collector, if any.
        live: served version by target.
        now: seconds since 1970, UTC.

    Raises:
        OSError: one of them cannot be written.
        InputError: the reports of `monitor` are damaged.
    """
    history = read_lines(folder / HISTORY)
    record = history[-1] if history else None
    if summary is not None:
        record = record_of(summary, pipeline, now, live, record)
        append_line(folder / HISTORY, json.dumps(record))
    looks = monitoring.newest(folder)
    if textfile is not None and (record is not None or looks):
        registry = registry_of({**record, "live": dict(live)}) if record else CollectorRegistry()
        add_gauges(registry, pipeline, looks.values())
        write_to_textfile(str(textfile), registry)
