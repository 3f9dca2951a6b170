"""Looks at the requests of a target's live version, and says what is beyond the bounds."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from core.config import Config
from core.intervals import Quantity
from core.operation import MonitorSection
from models.metrics.registry import metric_of
from pipeline.ingestion.contract import slice_columns
from pipeline.metadata.executions import Execution
from pipeline.monitoring import (
    canaries,
    inputs,
    outcomes,
    quality,
    reference,
    requests,
    side_by_side,
)
from pipeline.monitoring.records import (
    ALL_ROWS,
    AnswerShares,
    BoundCheck,
    CanaryReport,
    CheckKind,
    GapReport,
    MonitorReport,
    SliceReport,
    Unknown,
)
from pipeline.monitoring.reference import Reference, UnknownError
from pipeline.retraining.served_model import executions_of, statistics_of_run
from pipeline.serving.options import REQUESTS_FOLDER
from pipeline.versions.served import Version, live

Known = Mapping[requests.Place, str]
"""Labels that came later, by request and row."""


@dataclass
class _Found:
    checks: list[BoundCheck] = field(default_factory=list)
    unknown: list[Unknown] = field(default_factory=list)

    def add(self, findings: Iterable[BoundCheck | Unknown]) -> None:
        for one in findings:
            if isinstance(one, BoundCheck):
                self.checks.append(one)
            else:
                self.unknown.append(one)

    def add_unknown(self, what: str, why: str) -> None:
        self.unknown.append(Unknown(what=what, why=why))


def monitor(
    config: Config,
    config_name: str,
    run_folder: Path,
    target: str,
    now: datetime,
    tell: Callable[[str], None],
) -> MonitorReport:
    """Compares the newest requests with what the live version was trained and tested on.

    TensorFlow is loaded when there are enough requests to compare, not before.

    Args:
        config: the configuration.
        config_name: as given on the command line.
        run_folder: <root>/<name>.
        target: whose live version.
        now: the time, in UTC.
        tell: is told what takes its time.

    Raises:
        InputError: the log, outcomes or metadata cannot be read.
    """
    settings = config.monitor
    version = live(run_folder, config.name, target)
    since = None if settings.hours is None else now - timedelta(hours=settings.hours)
    number = None if version is None else version.version
    asked = requests.read(run_folder / REQUESTS_FOLDER, config, target, number, since)
    report = MonitorReport(
        at=f"{now:%Y-%m-%dT%H:%M:%SZ}",
        config=config_name,
        target=target,
        version=number,
        run_id=version.run_id if version else None,
        window=asked.window,
    )
    found = _Found()
    if version is None:
        found.add_unknown("everything", f"no version of {target} is live; `run` pushes one")
    elif asked.rows is None or asked.window.rows < settings.min_rows:
        found.add_unknown(
            "everything",
            f"{asked.window.rows} rows of requests to version {number} are logged in "
            f"{run_folder / REQUESTS_FOLDER}, monitor.min_rows={settings.min_rows} are needed",
        )
    else:
        return _look(config, run_folder, version, asked, report, tell)
    return report.model_copy(update={"unknown": found.unknown})


def _look(
    config: Config,
    run_folder: Path,
    version: Version,
    asked: requests.Requests,
    report: MonitorReport,
    tell: Callable[[str], None],
) -> MonitorReport:
    found = _Found()
    executions = executions_of(run_folder, version.run_id)
    statistics = statistics_of_run(executions)
    assert asked.rows is not None
    found.add(inputs.values(asked.rows, statistics, config))
    with contextlib.suppress(UnknownError, OSError):  # `_reference` says that it is gone
        found.add(inputs.unseen(asked.rows, reference.staged_test_rows(executions), config))
    if statistics is None:
        for kind in ("drift", "skew"):
            found.add_unknown(kind, "statistics of the version's training rows are gone")
    else:
        tell(f"{asked.window.rows} rows: measuring drift and skew")
        found.add(inputs.distances(asked.rows, statistics, config))
    tell(f"asking version {version.version} about its test rows")
    test = _reference(executions, config, version, found)
    known = outcomes.labels_of(outcomes.read_all(run_folder))
    labels = _labels(config, known, asked.places)
    classes = None if config.columns.is_binary else config.columns.names
    columns = reference.group_columns(asked.rows.table, config)
    if missing := [column for column in slice_columns(config) if column not in columns]:
        why = "requests are logged without it (serving.log.leave_out)"
        found.unknown.extend(Unknown(what=f"slices by {column}", why=why) for column in missing)
    answered = quality.Answered(columns, asked.answers, labels)
    judge = quality.Judge(answered, test, config.evaluation, config.monitor.min_slice_rows, classes)
    if judge.uncalibrated is not None:
        found.add_unknown("estimate", judge.uncalibrated)
    if not (labels >= 0).any():
        found.add_unknown("quality", "no label came later; `labels outcomes FILE` takes them")
    slices, gaps, answers = judge.slices(), list(judge.gaps()), judge.answers()
    found.add(_check_answers(answers, config.monitor))
    found.add(_check_quality(slices[ALL_ROWS], config.monitor))
    found.add(_check_gaps(gaps, config.monitor))
    return report.model_copy(
        update={
            "checks": found.checks,
            "unknown": found.unknown,
            "answers": answers,
            "slices": slices,
            "gaps": gaps,
            "errors": quality.errors_of(slices[ALL_ROWS]),
            "shadow": side_by_side.compare(
                asked.lines,
                labels,
                config.monitor.min_slice_rows,
                config.monitor.max_drop.get("accuracy", 0.0),
                config.columns.width,
            ),
            "canary": _canary(config, known, asked),
        }
    )


def _reference(
    executions: list[Execution], config: Config, version: Version, found: _Found
) -> Reference | None:
    try:
        return reference.read(reference.staged_test_rows(executions), config, version)
    except UnknownError as error:
        for what in ("answers", "estimate"):
            found.add_unknown(what, str(error))
        return None


def _labels(config: Config, known: Known, places: Sequence[requests.Place]) -> np.ndarray:
    class_of = {name: code for code, name in enumerate(config.columns.names)}
    return np.array([class_of.get(known.get(place, ""), -1) for place in places], np.int8)


def _canary(config: Config, known: Known, asked: requests.Requests) -> CanaryReport | None:
    bounds = canaries.CanaryBounds(
        config.monitor.min_slice_rows,
        config.monitor.max_drop.get("accuracy", 0.0),
        config.pusher.max_latency_ms,
    )

    def labels_of(lines: canaries.Lines) -> np.ndarray:
        return _labels(config, known, requests.places_of(lines))

    return canaries.compare(
        asked.lines, asked.canary, labels_of, config.columns.names, bounds, config.monitor.rows
    )


def _check_answers(answers: AnswerShares | None, settings: MonitorSection) -> Iterator[BoundCheck]:
    if answers is not None:
        value, bound = (
            quality.distance(answers.requests, answers.test),
            settings.max_answer_distance,
        )
        yield BoundCheck(
            kind="answers",
            of="jensen_shannon_divergence",
            value=value,
            bound=bound,
            exceeded=value > bound,
            key="monitor.max_answer_distance",
        )


def _check_quality(
    everything: SliceReport, settings: MonitorSection
) -> Iterator[BoundCheck | Unknown]:
    """The fall of each bounded metric since the test rows."""
    kinds: tuple[tuple[CheckKind, dict[str, Quantity]], ...] = (
        ("estimate", everything.estimated),
        ("quality", everything.measured),
    )
    for metric, bound in settings.max_drop.items():
        for kind, now in kinds:
            if metric in now and metric in everything.test:
                before, found = everything.test[metric], now[metric]
                drop = before - found.value, before - found.high, before - found.low
                if not metric_of(metric).greater_is_better:
                    drop = found.value - before, found.low - before, found.high - before
                value, low, high = drop
                yield BoundCheck(
                    kind=kind,
                    of=f"{metric} drop",
                    value=value,
                    low=low,
                    high=high,
                    bound=bound,
                    exceeded=low > bound,
                    key=f"monitor.max_drop.{metric}",
                )
    if everything.labelled and not everything.measured:
        least = settings.min_slice_rows
        why = f"{everything.labelled} rows with a label, monitor.min_slice_rows={least} are needed"
        yield Unknown(what="quality", why=why)


def _check_gaps(gaps: list[GapReport], settings: MonitorSection) -> Iterator[BoundCheck | Unknown]:
    for column, bounds in settings.max_gap.items():
        for rate, bound in bounds.items():
            of = [
                gap
                for gap in gaps
                if gap.column == column and (gap.rate == rate or gap.rate.startswith(f"{rate}["))
            ]
            for gap in of:
                yield BoundCheck(
                    kind="estimated gap" if gap.how == "estimated" else "gap",
                    of=f"{column} {gap.rate}",
                    value=gap.gap.value,
                    low=gap.gap.low,
                    high=gap.gap.high,
                    bound=bound,
                    exceeded=gap.gap.low > bound,
                    key=f"monitor.max_gap.{column}.{rate}",
                )
            if not of:
                least = settings.min_slice_rows
                why = f"fewer than two groups have monitor.min_slice_rows={least} rows"
                yield Unknown(what=f"gap {column} {rate}", why=why)
