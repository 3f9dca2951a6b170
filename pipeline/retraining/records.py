"""The log of retraining decisions: <root>/<name>/retraining/decisions.jsonl.

One JSON object a line, only ever appended: a decision when it is taken, and its outcome when the
run that it started has ended.
"""

import json
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from core.errors import not_of_log
from core.files import append_line, read_lines
from pipeline.ingestion.spans import SpanFinding
from pipeline.retraining.evidence import Evidence

FILE = Path("retraining") / "decisions.jsonl"
SUSPICIOUS_LABELS, REPEATED_ROWS = "suspicious labels", "repeated rows"
Action = Literal["run", "nothing", "blocked"]


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Suspicion(_Line):
    """A span that was found suspicious: SHA-256 of its files, what of it, and why."""

    span: int
    files: list[str]
    kind: str = SUSPICIOUS_LABELS
    why: str


class Decision(_Line):
    """What was decided, when, and from what.

    at: UTC; the time given with --now where there is one.
    spans: the window that a run takes or would take.
    files: SHA-256 of its files by name, those of the test part too.
    """

    line: Literal["decision"] = "decision"
    format: Literal[1] = 1
    id: str
    at: datetime
    config: str
    config_sha256: str
    code_sha256: str
    contract_sha256: str
    action: Action
    reasons: list[str]
    evidence: list[Evidence]
    spans: list[int]
    files: dict[str, str]
    held_back: list[SpanFinding] = []
    reported: list[SpanFinding] = []
    suspicions: list[Suspicion] = []


class RecordedOutcome(_Line):
    """How the run of a decision ended; `pushed` is the version by target, null with `why`."""

    line: Literal["outcome"] = "outcome"
    id: str
    run_id: str
    state: str
    pushed: dict[str, int | None]
    why: dict[str, str]
    exit_code: int


class Log(_Line):
    """All decisions, the oldest first, and the outcomes by the decision's id."""

    decisions: list[Decision]
    outcomes: dict[str, RecordedOutcome]

    def decision_of(self, run_id: str) -> Decision | None:
        """The decision that started a run."""
        ids = [outcome.id for outcome in self.outcomes.values() if outcome.run_id == run_id]
        return next((d for d in self.decisions if d.id in ids), None)


def append(run_folder: Path, line: Decision | RecordedOutcome) -> None:
    """Adds one line; who reads meanwhile sees it whole or not at all."""
    path = run_folder / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    append_line(path, json.dumps(line.model_dump(mode="json"), allow_nan=False))


def read(run_folder: Path) -> Log:
    """Reads the log; a line that was cut off is left out.

    Raises:
        InputError: a line is neither a decision nor an outcome.
    """
    lines = read_lines(run_folder / FILE)
    try:
        decisions = [Decision.model_validate(v) for v in lines if v.get("line") != "outcome"]
        outcomes = [RecordedOutcome.model_validate(v) for v in lines if v.get("line") == "outcome"]
    except ValidationError as error:
        raise not_of_log(run_folder / FILE, error) from None
    return Log(decisions=decisions, outcomes={outcome.id: outcome for outcome in outcomes})
