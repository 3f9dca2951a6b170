"""What is told: one notice for each event (docs/operations.md). Pure functions."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from core.operation import NoticeEvent
from models.metrics.gates import Gate
from pipeline.monitoring.records import BoundCheck, MonitorReport, say
from pipeline.report.summary import Pushed, Summary
from pipeline.run.failures import Failure
from pipeline.versions.rollback import Rollback

FORMAT = 1


@dataclass(frozen=True)
class Blocked:
    """Why `retrain` was blocked before a run."""

    reasons: list[str]


class Notice(BaseModel):
    """One event; fields may be added, never renamed.

    text: one sentence, which chat services show.
    run_id, summary: null when no run began.
    gates: those that failed.
    blocked, pushed: by target.
    reasons: why `retrain` was blocked before a run.
    rollback: the version that was live before, and the one that is live now.
    checks: of `monitor`, those beyond their bounds.
    """

    model_config = ConfigDict(frozen=True)

    format: Literal[1]
    event: NoticeEvent
    text: str
    pipeline: str
    config: str
    run_id: str | None
    time: str
    host: str
    gates: list[Gate] = []
    failure: Failure | None = None
    blocked: dict[str, str] = {}
    pushed: dict[str, Pushed] = {}
    reasons: list[str] = []
    rollback: Rollback | None = None
    checks: list[BoundCheck] = []
    summary: str | None = None


@dataclass(frozen=True)
class NoticeOrigin:
    """Where a notice comes from: pipeline, configuration, host, time (UTC, ISO 8601)."""

    pipeline: str
    config: str
    host: str
    time: str


def of_run(summary: Summary, origin: NoticeOrigin, path: str) -> Iterator[Notice]:
    """The notices of a run that has ended.

    A run that a signal ended has none: who sent the signal knows.

    Args:
        summary: of the run.
        origin: where it ran.
        path: of the summary.
    """
    failed = [gate for gate in summary.gates if not gate.passed]
    notice = partial(_notice, origin, run_id=summary.run_id, gates=failed, summary=path)
    if summary.state == "FAILED" and summary.failure:
        yield notice("failure", _failure_text(summary.failure), failure=summary.failure)
    blocked = {t: push.why or "" for t, push in summary.pushed.items() if push.version is None}
    if summary.state == "COMPLETE" and blocked:
        what = "; ".join(f"{target} not pushed: {why}" for target, why in blocked.items())
        yield notice("block", what, blocked=blocked)
    pushed = {target: push for target, push in summary.pushed.items() if _is_new(summary, target)}
    if pushed:
        what = ", ".join(f"{target} version {push.version}" for target, push in pushed.items())
        yield notice("push", f"pushed {what}{_compared(summary, pushed)}", pushed=pushed)


def of_failure(failure: Failure, origin: NoticeOrigin) -> Notice:
    """The notice of a failure without a run: before its first node, or outside of it."""
    return _notice(origin, "failure", _failure_text(failure), failure=failure)


def of_blocked(reasons: list[str], origin: NoticeOrigin) -> Notice:
    """The notice of a retraining that was blocked before a run."""
    return _notice(origin, "block", f"retraining blocked: {'; '.join(reasons)}", reasons=reasons)


def of_rollback(rollback: Rollback, origin: NoticeOrigin) -> Notice:
    """The notice of a version that was made live by hand."""
    text = f"{rollback.target} version {rollback.live} made live"
    text += f" instead of {rollback.before}" if rollback.before is not None else ""
    return _notice(origin, "rollback", text, rollback=rollback)


def of_monitoring(report: MonitorReport, origin: NoticeOrigin) -> Iterator[Notice]:
    """The notice of requests that are beyond the bounds; none where none is."""
    if report.exceeded:
        text = f"{report.target} version {report.version}: "
        text += "; ".join(say(check) for check in report.exceeded)
        yield _notice(origin, "monitor", text, run_id=report.run_id, checks=report.exceeded)


def _notice(origin: NoticeOrigin, event: NoticeEvent, text: str, **more: Any) -> Notice:
    about = {"run_id": None, **vars(origin), **more}
    return Notice(format=FORMAT, event=event, text=f"{origin.pipeline}: {text}", **about)


def _is_new(summary: Summary, target: str) -> bool:
    """Whether this run pushed: neither was it in the cache, nor was the model live already."""
    node = summary.nodes.get(f"Pusher.{target}")
    push = {str(name): push for name, push in summary.pushed.items()}[target]
    ran = node is not None and node.state == "RAN"
    return ran and push.version is not None and not push.already_live


def _compared(summary: Summary, targets: Iterable[str]) -> str:
    """Which rows a model was not compared with the live version on although it could have been."""
    left_out = {c.left_out for t, c in summary.push_checks.items() if t in targets and c.left_out}
    return "".join(f"; {what}" for what in sorted(left_out))


def _failure_text(failure: Failure) -> str:
    return f"{failure.node or 'the run'} failed: {failure.cause}"
