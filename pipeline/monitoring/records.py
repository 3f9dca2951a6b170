"""What `monitor` found: <root>/<name>/monitoring/reports.jsonl, one JSON object a line, appended.

Docs: docs/monitoring.md. Fields may be added, never renamed.
"""

import json
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from core.errors import not_of_log
from core.files import append_line, read_lines
from core.intervals import Quantity

FILE = Path("monitoring") / "reports.jsonl"
ALL_ROWS = "all"
CheckKind = Literal[
    "drift", "skew", "missing", "unknown values", "answers", "estimate", "estimated gap",
    "quality", "gap",
]  # fmt: skip


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class BoundCheck(_Line):
    """A value held against a bound.

    of: the column, the metric, or the column and the rate.
    value: with its 95% interval where it has one; it exceeds when the whole interval is beyond.
    key: where the bound is.
    """

    kind: CheckKind
    of: str
    value: float
    low: float | None = None
    high: float | None = None
    bound: float
    exceeded: bool
    key: str


class Unknown(_Line):
    """What could not be found out, and why."""

    what: str
    why: str


class RequestWindow(_Line):
    """The requests that were looked at; first, last: UTC. others: rows that other versions
    answered; unreadable: lines that are no request.
    """

    rows: int
    requests: int
    first: str | None
    last: str | None
    others: int
    unreadable: int


class AnswerShares(_Line):
    """Shares of ten equal intervals of the answers, of the requests and of the test rows.

    classes: with more than two the shares are those of the classes that are answered, in this
    order.
    """

    requests: list[float]
    test: list[float]
    classes: list[str] = []


class SliceReport(_Line):
    """One slice: rows, their share, the share that is answered positive; metrics by name.

    classes: of more than two the share of each that is answered, in the place of `positive`.

    test_share, test: the same of the test rows, whose labels are known.
    labelled: rows whose label came later, `measured` on them; `estimated_there` is the estimate of
    the same rows, so that its error can be seen.
    """

    rows: int
    share: float
    test_share: float | None = None
    positive: Quantity | None = None
    test_positive: float | None = None
    classes: dict[str, Quantity] = {}
    test_classes: dict[str, float] = {}
    estimated: dict[str, Quantity] = {}
    test: dict[str, float] = {}
    labelled: int = 0
    measured: dict[str, Quantity] = {}
    estimated_there: dict[str, float] = {}


class GapReport(_Line):
    """The largest difference of a rate between the groups of a column, and between which."""

    column: str
    rate: str
    how: Literal["estimated", "measured"]
    higher: str
    lower: str
    gap: Quantity


class EstimateError(_Line):
    """On rows with labels that came later: what was wrong by how much, as absolute values.

    unchanged: had one taken the value of the test rows.
    """

    metric: str
    rows: int
    measured: float
    estimated: float
    error: float
    unchanged: float | None


class SideBySide(_Line):
    """The live version beside the shadow that was asked the same.

    difference, largest: mean and largest absolute difference of the answers.
    With more than two classes a row's difference is the largest of its K.
    other_decisions: share of the rows that the two decide otherwise.
    failed: rows that the shadow did not answer, and why the last of them.
    accuracy_gain: of the shadow over the live version, on rows whose label came later.
    """

    target: str
    version: int | None
    rows: int
    failed: int
    error: str | None
    difference: float
    largest: float
    other_decisions: Quantity | None
    labelled: int
    accuracy_gain: Quantity | None
    verdict: Literal["go on", "go back", "unknown"]
    why: str


class CanaryReport(_Line):
    """The live version beside a canary: requests of the newest one, and those that it left.

    failed: rows that the canary did not answer, so that the live version did, and why the last.
    decisions: by how much more often the canary answers a class; of two the positive one.
    latency_ms: median latency of requests: `live`, `canary`, `difference`.
    accuracy_gain: of the canary over the live version, on rows whose label came later.
    """

    version: int
    rows: int
    live_rows: int
    requests: int
    live_requests: int
    failed: int
    error: str | None
    decisions: dict[str, Quantity]
    latency_ms: dict[str, Quantity]
    labelled: int
    live_labelled: int
    accuracy_gain: Quantity | None
    verdict: Literal["go on", "go back", "unknown"]
    why: str


class MonitorReport(_Line):
    """One look at the requests of a target's live version."""

    format: Literal[1] = 1
    at: str
    config: str
    target: str
    version: int | None
    run_id: str | None
    window: RequestWindow
    checks: list[BoundCheck] = []
    unknown: list[Unknown] = []
    answers: AnswerShares | None = None
    slices: dict[str, SliceReport] = {}
    gaps: list[GapReport] = []
    errors: list[EstimateError] = []
    shadow: SideBySide | None = None
    canary: CanaryReport | None = None

    @property
    def exceeded(self) -> list[BoundCheck]:
        """Checks beyond their bounds."""
        return [check for check in self.checks if check.exceeded]


def append(run_folder: Path, report: MonitorReport) -> None:
    """Adds a report; who reads meanwhile sees it whole or not at all."""
    path = run_folder / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    append_line(path, json.dumps(report.model_dump(mode="json"), allow_nan=False))


def newest(run_folder: Path) -> dict[str, MonitorReport]:
    """The newest report by target.

    Raises:
        InputError: a line is no report.
    """
    found: dict[str, MonitorReport] = {}
    try:
        for line in read_lines(run_folder / FILE):
            report = MonitorReport.model_validate(line)
            found[report.target] = report
    except ValidationError as error:
        raise not_of_log(run_folder / FILE, error) from None
    return found


def say(check: BoundCheck) -> str:
    """A check in words."""
    interval = "" if check.low is None else f" ({check.low:.3f} to {check.high:.3f})"
    sign = ">" if check.exceeded else "<="
    return f"{check.kind} {check.of} {check.value:.3f}{interval} {sign} {check.bound:g}"
