"""Decides from evidence whether there is a reason to run, records it, and runs or does not."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from core import lock
from core.errors import InputError
from core.targets import TARGETS
from core.version_record import version_damage, version_folders
from pipeline.ingestion.contract import contract_sha256
from pipeline.ingestion.staging import window_of
from pipeline.ingestion.window import Suspect, Window
from pipeline.metadata import seal
from pipeline.metadata.store import Metadata, open_store
from pipeline.report import summary
from pipeline.retraining import gather, records, served_model
from pipeline.retraining.answered import imports_in_use
from pipeline.retraining.decision import SUSPICIOUS, Inputs, decide, find_earlier, is_blocked
from pipeline.retraining.evidence import Evidence
from pipeline.retraining.judged_labels import suspected
from pipeline.retraining.records import (
    REPEATED_ROWS,
    SUSPICIOUS_LABELS,
    Decision,
    RecordedOutcome,
    Suspicion,
)
from pipeline.run import run
from pipeline.run.events import Listener
from pipeline.run.fingerprint import run_code_sha256
from pipeline.versions.reconcile import mend_versions

DONE, BLOCKED, SIGNALLED = 0, 3, 128
_REASONS = "retrain_reasons"


@dataclass(frozen=True)
class RetrainRequest:
    """A decision that is asked for.

    run: what to run if there is a reason to.
    now: the time, in UTC.
    dry_run: decide and record nothing, run nothing.
    """

    run: run.RunRequest
    now: datetime
    dry_run: bool

    @property
    def folder(self) -> Path:
        """<root>/<name>."""
        return (self.run.root / self.run.config.name).resolve()


@dataclass(frozen=True)
class RetrainResult:
    """What was decided, and how the run ended if there was one.

    exit_code: 0 the decision was not to run, or the run pushed every target; 1 it failed; 2 its
        input is at fault; 3 spans, a gate or a missing blessing blocked it; 128 + n: a signal.
    warnings: what went wrong in recording how the run ended.
    """

    decision: Decision
    run: run.RunOutcome | None
    exit_code: int
    warnings: list[str] = field(default_factory=list)


def retrain(
    request: RetrainRequest,
    build: run.Builder,
    listener: Listener,
    tell: Callable[[str], None],
    announce: Callable[[Decision], None],
) -> RetrainResult:
    """Decides, and runs when there is a reason to.

    Args:
        request: what is asked for.
        build, listener, tell: as for `pipeline.run.run.execute`.
        announce: is given the decision before the run.

    Raises:
        InputError: configuration, data or root are at fault; nothing was decided.
        LockHeldError: a run is under way.
    """
    if lock.is_held(request.folder / lock.FILE):
        with lock.hold(request.folder / lock.FILE):
            pass  # the run has just ended
    if not request.dry_run:
        _mend(request, tell)
    decision, window = make_decision(request, tell)
    announce(decision)
    code = BLOCKED if decision.action == "blocked" else DONE
    if request.dry_run:
        return RetrainResult(decision, None, code)
    records.append(request.folder, decision)
    if decision.action != "run":
        return RetrainResult(decision, None, code)
    notes = {_REASONS: "; ".join(decision.reasons)}
    outcome = run.execute(replace(request.run, window=window, notes=notes), build, listener, tell)
    code = exit_code_of(outcome)
    warnings = _record(request.folder, decision, outcome.summary, code)
    return RetrainResult(decision, outcome, code, warnings)


def _mend(request: RetrainRequest, tell: Callable[[str], None]) -> None:
    """Puts damaged files of served versions right: spans are judged by what these answer."""
    folder = request.folder
    served = [target.served(folder, folder.name) for target in TARGETS.values()]
    damaged = any(version_damage(v) for path in served for v in version_folders(path).values())
    if damaged and open_store(folder) is not None:
        with lock.hold(folder / lock.FILE), seal.writing(folder):
            store = Metadata(folder, writable=True)
            store.bring_home()
            mend_versions(store, folder, tell)


def make_decision(request: RetrainRequest, tell: Callable[[str], None]) -> tuple[Decision, Window]:
    """The decision, and the window of the run it speaks of; writes nothing."""
    config, folder = request.run.config, request.folder
    tell("looking at the spans")
    window = window_of(config, folder)
    served = served_model.look_up(folder, config.name, records.read(folder))
    imports = imports_in_use(config, folder, window.spans)
    situation = gather.Situation(config, folder, window, served, imports, request.now, tell)
    predictions = gather.predictions_of(situation)
    repeats = gather.repeat_evidence(situation)
    labels = gather.label_evidence(situation, predictions)
    suspicions = [
        *_suspicions(labels, SUSPICIOUS_LABELS, window),
        *_suspicions(repeats, REPEATED_ROWS, window),
    ]
    if suspicions:
        suspects = {s.span: Suspect(frozenset(s.files), s.kind, s.why) for s in suspicions}
        window = window_of(config, folder, suspects)
        imports = imports_in_use(config, folder, window.spans)
        situation = replace(situation, window=window, imports=imports)
    if not any(finding.kind in SUSPICIOUS for finding in window.held_back):
        window.check()
    evidence = [*gather.other_evidence(situation, predictions), labels, repeats]
    inputs = Inputs(
        config.config_sha256,
        run_code_sha256(config),
        contract_sha256(config),
        {file.name: file.sha256 for file in window.files},
        frozenset(imports),
        served.numbers,
    )
    earlier = find_earlier(folder, inputs)
    verdict = decide(evidence, bool(window.spans), window.held_back, earlier)
    decision = Decision(
        id=f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}",
        at=request.now,
        config=request.run.config_name,
        config_sha256=config.config_sha256,
        code_sha256=inputs.code_sha256,
        contract_sha256=inputs.contract_sha256,
        action=verdict.action,
        reasons=verdict.reasons,
        evidence=evidence,
        spans=list(window.spans),
        files=dict(inputs.files),
        held_back=list(window.held_back),
        reported=list(window.reported),
        suspicions=suspicions,
    )
    return decision, window


def _suspicions(found: Evidence, kind: str, window: Window) -> Iterator[Suspicion]:
    """The spans that evidence speaks against."""
    if found.state != "blocking":
        return
    for span in suspected(found):
        files = sorted(file.sha256 for file in window.files_of(span))
        yield Suspicion(span=span, files=files, kind=kind, why=found.message)


def exit_code_of(outcome: run.RunOutcome) -> int:
    """0 pushed, 3 blocked by a gate or not blessed, or what `run` would exit with."""
    if outcome.failure is not None:
        return BLOCKED if is_blocked(outcome.summary.failure) else outcome.failure.exit_code
    if outcome.signal is not None:
        return SIGNALLED + outcome.signal
    pushed = all(push.version is not None for push in outcome.summary.pushed.values())
    return DONE if pushed else BLOCKED


def _record(folder: Path, decision: Decision, found: summary.Summary, code: int) -> list[str]:
    """Notes the outcome in the log.

    What goes wrong here does not change how the run ended: it is returned as warnings.
    """
    outcome = RecordedOutcome(
        id=decision.id,
        run_id=found.run_id,
        state=found.state,
        pushed={target: push.version for target, push in found.pushed.items()},
        why={t: push.why for t, push in found.pushed.items() if push.why is not None},
        exit_code=code,
    )
    try:
        records.append(folder, outcome)
    except (OSError, InputError) as error:
        return [f"the outcome of the decision is not recorded: {type(error).__name__}: {error}"]
    return []
