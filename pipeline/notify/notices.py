"""What is told: one notice for each event (docs/operations.md). Pure functions."""

from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict

from core.operation import NoticeEvent
from pipeline.report.summary import Failure, Gate, Pushed, Summary
from pipeline.run import failures

FORMAT = 1


class Rollback(BaseModel):
    """A version that was made live by hand; `before` is null when none was."""

    model_config = ConfigDict(frozen=True)

    target: str
    before: int | None
    live: int


class Blocked(BaseModel):
    """Why `retrain` was blocked before a run."""

    model_config = ConfigDict(frozen=True)

    reasons: list[str]


class Notice(BaseModel):
    """One event; fields may be added, never renamed.

    text: one sentence, which chat services show.
    run_id, summary: null when no run began.
    gates: those that failed.
    blocked, pushed: by target.
    reasons: why `retrain` was blocked before a run.
    rollback: the version that was live before, and the one that is live now.
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
    summary: str | None = None


class Origin(BaseModel):
    """Where a notice comes from: pipeline, configuration, host, time (UTC, ISO 8601)."""

    model_config = ConfigDict(frozen=True)

    pipeline: str
    config: str
    host: str
    time: str


def of_run(summary: Summary, origin: Origin, path: str) -> Iterator[Notice]:
    """The notices of a run that has ended.

    A run that a signal ended has none: who sent the signal knows.

    Args:
        summary: of the run.
        origin: where it ran.
        path: of the summary.
    """
    about = {
        **origin.model_dump(),
        "format": FORMAT,
        "run_id": summary.run_id,
        "gates": [gate for gate in summary.gates if not gate.passed],
        "summary": path,
    }
    if summary.state == "FAILED" and summary.failure:
        text = _failure_text(origin, summary.failure)
        yield Notice(event="failure", text=text, failure=summary.failure, **about)
    blocked = {t: push.why or "" for t, push in summary.pushed.items() if push.version is None}
    if summary.state == "COMPLETE" and blocked:
        what = "; ".join(f"{target} not pushed: {why}" for target, why in blocked.items())
        yield Notice(
            event="block", text=f"{origin.pipeline}: {what}", blocked=dict(blocked), **about
        )
    pushed = {target: push for target, push in summary.pushed.items() if _is_new(summary, target)}
    if pushed:
        what = ", ".join(f"{target} version {push.version}" for target, push in pushed.items())
        yield Notice(
            event="push", text=f"{origin.pipeline}: pushed {what}", pushed=dict(pushed), **about
        )


def of_failure(failure: failures.Failure, origin: Origin) -> Notice:
    """The notice of a failure without a run: before its first node, or outside of it."""
    told = Failure(node=None, cause=failure.cause, code=failure.code, resume=failure.resume)
    return Notice(
        format=FORMAT,
        event="failure",
        text=_failure_text(origin, told),
        run_id=None,
        failure=told,
        **origin.model_dump(),
    )


def of_blocked(reasons: list[str], origin: Origin) -> Notice:
    """The notice of a retraining that was blocked before a run."""
    text = f"{origin.pipeline}: retraining blocked: {'; '.join(reasons)}"
    return Notice(
        format=FORMAT,
        event="block",
        text=text,
        run_id=None,
        reasons=reasons,
        **origin.model_dump(),
    )


def of_rollback(rollback: Rollback, origin: Origin) -> Notice:
    """The notice of a version that was made live by hand."""
    text = f"{origin.pipeline}: {rollback.target} version {rollback.live} made live"
    return Notice(
        format=FORMAT,
        event="rollback",
        text=text + (f" instead of {rollback.before}" if rollback.before is not None else ""),
        run_id=None,
        rollback=rollback,
        **origin.model_dump(),
    )


def _is_new(summary: Summary, target: str) -> bool:
    """Whether this run pushed: neither was it in the cache, nor was the model live already."""
    node = summary.nodes.get(f"Pusher.{target}")
    push = {str(name): push for name, push in summary.pushed.items()}[target]
    ran = node is not None and node.state == "RAN"
    return ran and push.version is not None and not push.already_live


def _failure_text(origin: Origin, failure: Failure) -> str:
    return f"{origin.pipeline}: {failure.node or 'the run'} failed: {failure.cause}"
