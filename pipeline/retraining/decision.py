"""Whether to run: the reasons, and what stands against them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError
from core.version_record import withdrawn_folder
from pipeline.ingestion.spans import SpanFinding
from pipeline.report import summary
from pipeline.report.history import run_ids
from pipeline.report.summary import Summary
from pipeline.retraining.answered import imports_of_run
from pipeline.retraining.evidence import Evidence
from pipeline.retraining.records import REPEATED_ROWS, SUSPICIOUS_LABELS, Action
from pipeline.retraining.served_model import executions_of
from pipeline.run.failures import Failure

SUSPICIOUS = (SUSPICIOUS_LABELS, REPEATED_ROWS)  # what of a span waits for a person
DATA_GATES = ("AnomalyGate", "LabelGate")  # nodes that stop a run for what its data is


@dataclass(frozen=True)
class Earlier:
    """A run that took the same data, configuration and code.

    blocked_by: the gates or the node that stopped it or its models; None: all was pushed.
    """

    run_id: str
    blocked_by: str | None


@dataclass(frozen=True)
class Inputs:
    """All that the end of a run follows from.

    files: SHA-256 of the raw files by name.
    imports: ids of the imports of answers.
    live: version that is served, by target.
    """

    config_sha256: str
    code_sha256: str
    contract_sha256: str
    files: Mapping[str, str]
    imports: frozenset[str]
    live: Mapping[str, int | None]


@dataclass(frozen=True)
class Verdict:
    """What to do, and why."""

    action: Action
    reasons: list[str]


def decide(
    evidence: Sequence[Evidence],
    any_span: bool,
    held_back: Sequence[SpanFinding],
    earlier: Earlier | None,
) -> Verdict:
    """Decides.

    Args:
        evidence: answers to all questions.
        any_span: whether the window has a span.
        held_back: spans that a run would not take.
        earlier: a run that took just what this one would; it would end the same way.
    """
    reasons = [f"{e.kind}: {e.message}" for e in evidence if e.state == "reason"]
    suspicious = [
        f"{f.kind} in span {f.span}: {f.message}" for f in held_back if f.kind in SUSPICIOUS
    ]
    if not any_span:
        return Verdict("blocked", suspicious)
    if not reasons:
        quiet = ["nothing new: no evidence speaks for a run"]
        return Verdict("blocked", suspicious) if suspicious else Verdict("nothing", quiet)
    if earlier is None:
        return Verdict("run", reasons)
    same = "data, configuration and code are those of"
    if earlier.blocked_by is not None:
        already = (
            f"blocked already by {earlier.blocked_by}, nothing changed: {same} run {earlier.run_id}"
        )
        return Verdict("blocked", [already, *reasons, *suspicious])
    done = f"{same} run {earlier.run_id}, which pushed its models: it has learnt what there is"
    return Verdict("blocked" if suspicious else "nothing", [done, *reasons, *suspicious])


def find_earlier(run_folder: Path, inputs: Inputs) -> Earlier | None:
    """The last run that came to an end with the same inputs.

    A run that failed for another reason than its data is none: it is worth another try. Neither is
    one whose model was compared with another live version than today's and not pushed, nor one
    whose version was deleted since: a run pushes it anew.
    """
    for run_id in reversed(run_ids(run_folder)):
        try:
            found = summary.read(summary.path_of(run_folder, run_id))
        except (InputError, OSError):
            continue
        if not _same(found, inputs) or _is_deleted(found, run_folder):
            continue
        failure = found.failure
        took = imports_of_run(executions_of(run_folder, run_id))
        ended = found.state == "COMPLETE" or is_blocked(failure)
        if ended and took in (None, inputs.imports):
            return Earlier(run_id, failure.node if failure else _not_pushed(found))
    return None


def _same(found: Summary, inputs: Inputs) -> bool:
    """Whether a summary is of a run that took these inputs."""
    return (
        found.config_sha256 == inputs.config_sha256
        and found.code_sha256 == inputs.code_sha256
        and found.data.contract_sha256 == inputs.contract_sha256
        and found.data.files == inputs.files
        and all(
            checks.live_version == inputs.live.get(target)
            for target, checks in found.push_checks.items()
            if found.pushed[target].version is None
        )
    )


def _is_deleted(found: Summary, run_folder: Path) -> bool:
    """Whether a version that a run pushed is neither served nor among those rolled back."""
    paths = [run_folder / push.path for push in found.pushed.values() if push.path]
    return any(
        not path.is_dir() and not (withdrawn_folder(path.parent) / path.name).is_dir()
        for path in paths
    )


def is_blocked(failure: Failure | None) -> bool:
    """Whether one of the gates that judge data stopped a run."""
    return failure is not None and failure.node in DATA_GATES and failure.input_at_fault


def _not_pushed(found: Summary) -> str | None:
    whys = [f"{t}: {push.why}" for t, push in found.pushed.items() if push.version is None]
    return "; ".join(whys) or None
