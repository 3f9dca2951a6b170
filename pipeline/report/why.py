"""Why a model was pushed or not: the verdict, gate by gate, and what would have to change."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.names import LABEL_GATES
from core.targets import TARGETS
from models.labels.gates import TARGET as LABELS
from models.metrics.gates import Gate
from pipeline.report.findings import NOT_YET
from pipeline.report.gate_table import fold
from pipeline.report.summary import Pushed, Summary
from pipeline.report.why_words import BoundChange, changes, in_words, rows_needed, within_chance
from pipeline.versions.served import Version


@dataclass(frozen=True)
class GateInWords:
    """A gate, in words.

    Attributes:
      gate: The gate.
      count: How many of its metric passed that it stands for.
      words: How far it is from the bound, and whether that is chance.
      within_chance: Whether the rows may as well have told the other side; None where nothing says.
    """

    gate: Gate
    count: int
    words: str
    within_chance: bool | None


@dataclass(frozen=True)
class WhyPushed:
    """Why a target's model of a run was pushed, or was not.

    Attributes:
      target: server or edge.
      run_id: The run.
      outcome: In a sentence what became of the model.
      told: More of it: a failure, or who rolled the version back and why.
      reasons: What failed, then what is undecided, then what passed, folded.
      changes: What would have to change for what failed.
    """

    target: str
    run_id: str
    outcome: str
    told: list[str]
    reasons: list[GateInWords]
    changes: list[BoundChange]

    @property
    def failed(self) -> list[GateInWords]:
        """What kept the model from being pushed."""
        return [reason for reason in self.reasons if not reason.gate.passed]

    @property
    def undecided(self) -> list[GateInWords]:
        """What could not be told, and was let pass."""
        return [r for r in self.reasons if r.gate.passed and r.gate.undecided]

    @property
    def kept(self) -> list[GateInWords]:
        """What passed."""
        return [r for r in self.reasons if r.gate.passed and not r.gate.undecided]


def explain(
    summary: Summary, target: str, versions: Sequence[Version] = (), every: bool = False
) -> WhyPushed:
    """The explanation of a target in a run.

    Args:
      summary: Of the run.
      target: A name in core/targets.py.
      versions: Those of the target, which say what became of a pushed one.
      every: Whether each gate that passed is a reason of its own.
    """
    stopped_by_labels = bool(summary.failure and summary.failure.node == LABEL_GATES.node)
    gates = [
        gate
        for gate in summary.gates
        if gate.target == target or (gate.target == LABELS and (stopped_by_labels or every))
    ]
    lines = [(gate, 1) for gate in gates] if every else fold(gates)
    lines = sorted(lines, key=lambda line: (line[0].passed, not line[0].undecided))
    pushed = summary.pushed.get(target) or Pushed(version=None, why=NOT_YET)
    return WhyPushed(
        target,
        summary.run_id,
        _outcome(summary, pushed),
        [*_failure(summary, pushed), *_later(target, pushed, versions)],
        [GateInWords(g, count, _words(g, count), within_chance(g)) for g, count in lines],
        changes([gate for gate in gates if not gate.passed], summary.labels),
    )


def _words(gate: Gate, count: int) -> str:
    """The gate in words; where it could not be told, also how many rows would tell."""
    words = in_words(gate, count)
    rows = rows_needed([gate]) if gate.undecided else None
    return f"{words}; {rows}" if rows else words


def _outcome(summary: Summary, pushed: Pushed) -> str:
    if pushed.already_live:
        return f"the same model was live already, as version {pushed.version}: not pushed again"
    if pushed.version is not None:
        return f"pushed as version {pushed.version}: no bound stood against it"
    if summary.failure is not None:
        return "not pushed: the run failed before it could be"
    return {
        "RUNNING": "not pushed yet: the run is under way",
        "INTERRUPTED": "not pushed: the run was interrupted; run the same command again",
    }.get(summary.state, f"not pushed: {_why(summary, pushed)}")


def _why(summary: Summary, pushed: Pushed) -> str:
    """Why a run that went to its end did not push."""
    if "rolled back" in (pushed.why or "") or "is gone" in (pushed.why or ""):
        return pushed.why or ""
    failed = [gate for gate in summary.gates if not gate.passed]
    return "bounds were not kept to" if failed else pushed.why or "nothing says why"


def _failure(summary: Summary, pushed: Pushed) -> list[str]:
    """Node, cause, and what to do, where the run failed."""
    failure = summary.failure
    if failure is None:
        return []
    where = f" (at {failure.code})" if failure.code else ""
    whose = "data or configuration are at fault: the same run would stop again"
    return [
        f"{failure.node or 'the run'} failed: {failure.cause}{where}",
        *([whose] if failure.input_at_fault else []),
        f"to go on: {failure.resume}",
        *(["the version had been pushed before that"] if pushed.version is not None else []),
    ]


def _later(target: str, pushed: Pushed, versions: Sequence[Version]) -> list[str]:
    """What became of a pushed version: whether it is live, who rolled it back and why."""
    if pushed.version is None:
        return []
    live = next((v.version for v in versions if v.status == "live"), None)
    found = next((v for v in versions if v.version == pushed.version), None)
    if found is None:
        return [
            f"{target} has no version {pushed.version} any more; `models` lists those there are"
        ]
    told = [
        f"{event.what} at {event.at} by {event.by}: {event.reason} (live since: {event.live})"
        for event in found.events
    ]
    now = {
        "live": f"version {pushed.version} is live",
        "previous": f"version {live} is live now",
        "rolled back": f"version {pushed.version} is rolled back"
        + (f", version {live} is live; to make it live again: " if live else "; to make it live: ")
        + f"python -m pipeline rollback {target} {pushed.version}",
        "deleted": f"the files of version {pushed.version} are deleted",
    }
    return [*told, now[found.status]]


def targets_of(summary: Summary, target: str | None) -> list[str]:
    """The targets that are meant, in the order of the DAG."""
    return [target] if target is not None else [t for t in TARGETS if t in summary.pushed]
