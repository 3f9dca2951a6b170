"""The shape of `summary.json` (docs/summary.md). Fields may be added, never renamed.

What a node or the run itself has a record of is written and read here by that record's own class.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from core.errors import InputError, first_problem
from core.files import write_atomically
from models.frontier.record import VariantSelection
from models.labels.findings import Finding
from models.metrics.comparison import Difference
from models.metrics.evidence import SliceEvidence
from models.metrics.gaps import GapGrowth, RateGap
from models.metrics.gates import Gate, PushChecks
from models.metrics.group_rates import GroupScores, WorstGroup
from pipeline.ingestion.spans import SpanFinding
from pipeline.run.events import NodeState
from pipeline.run.failures import Failure

FORMAT = 1
FILE, PAGE = "summary.json", "index.html"
# A list of numbers as `json` indents it; no text holds a line break.
_NUMBERS = re.compile(r"\[\n +([-+.\dEe]+(?:,\n +[-+.\dEe]+)*)\n +\]")
_NEXT = re.compile(r",\n +")
State = Literal["RUNNING", "COMPLETE", "FAILED", "INTERRUPTED"]
Variant = Literal[
    "teacher",
    "teacher_pruned",
    "student",
    "student_float16",
    "student_dynamic_int8",
    "student_int8",
    "student_int8_inputs",
]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Report(BaseModel):
    """What a component reports; it may say more than is listed here."""

    model_config = ConfigDict(frozen=True, extra="allow")


class RunData(_Part):
    """Spans of the data window, ascending, rows by split, SHA-256 of the raw files by name and of
    the contract; spans that were held back, and what else is to be said of spans.
    """

    spans: list[int]
    rows: dict[str, int]
    files: dict[str, str] = {}
    contract_sha256: str = ""
    held_back: list[SpanFinding] = []
    reported: list[SpanFinding] = []


class LabelingFunction(_Report):
    """Share of rows it votes on, share of its gold votes that are right, learned weight."""

    coverage: float
    accuracy_on_gold: float | None
    weight: float | None


class LabelSummary(_Report):
    """What the labeler did; null where labeling.mode=gold applies no function."""

    mode: Literal["weak", "gold"]
    gold_rows: int
    coverage: float | None
    conflict: float | None
    accuracy_on_gold: float | None
    functions: Mapping[str, LabelingFunction]
    findings: list[Finding] = []


class Node(_Part):
    """How a node ended; wall-clock seconds, and CPU seconds of the process tree from its start to
    its end; its execution in ML Metadata, if there is one.
    """

    state: NodeState
    seconds: float
    cpu_seconds: float
    execution_id: int | None


class TrainingStart(_Report):
    """How the teacher's training started: from which run's weights, or cold and why.

    `new_rows`: share of the embedding rows that start untrained; `initial_val_loss`: evaluation
    loss before the first epoch; `notes`: how training went off its usual way; `mitigation`: what
    was done about gaps between groups, and what it did on the eval rows, by network.
    """

    start: Literal["warm", "cold"]
    from_run: str | None
    reason: str | None
    new_rows: float | None
    initial_val_loss: float
    notes: list[str] = []
    mitigation: dict[str, Any] | None = None


class MeasuredReference(_Report):
    """Quality on the test split, by slice and as gaps between groups.

    `evidence`: what the figures rest on, by slice, "overall" among them; `confusion`: with more
    than two classes rows by true class, in each by the class that is decided for; `gap_intervals`:
    each gap with the groups that it is between, of several columns too; `worst`: the slice in which
    a metric is worst; `scores`: with two classes rows by slice, true class and bin of the
    probability.
    """

    metrics: dict[str, int | float | None]
    slices: dict[str, dict[str, int | float | None]]
    gaps: dict[str, dict[str, float | None]]
    evidence: dict[str, SliceEvidence] = {}
    confusion: list[list[int]] | None = None
    gap_intervals: dict[str, dict[str, RateGap | None]] = {}
    worst: dict[str, WorstGroup] = {}
    scores: GroupScores | None = None


class MeasuredModel(MeasuredReference):
    """A model that may be pushed: size and latency besides.

    `against_teacher`: the model minus the teacher on the same rows, by metric;
    `against_reference`: the same by the name of each of the references; `gap_growth`: how much
    wider a gap is than the teacher's; `sparsity`, the most `distinct_weights` of a layer and both
    by layer in `weights`: as they are in the file.
    """

    against_teacher: list[Difference] = []
    against_reference: dict[str, list[Difference]] = {}
    gap_growth: dict[str, dict[str, GapGrowth | None]] = {}
    bytes: int
    gzip_bytes: int
    latency_us: dict[str, float]
    sparsity: float
    distinct_weights: int | None = None
    weights: dict[str, dict[str, float]] = {}


class Pushed(_Part):
    """A pushed version and its folder, relative to <root>/<name>; or why there is none.

    `already_live`: the same model was live as this version before, and was not pushed again.
    """

    version: int | None
    path: str | None = None
    why: str | None = None
    already_live: bool = False


class Summary(_Part):
    """One run."""

    format: Literal[1]
    run_id: str
    config: str
    config_sha256: str
    code_sha256: str
    seed: int
    state: State
    seconds: float
    cpu_seconds: float
    peak_rss_mb: float
    data: RunData
    damaged: list[str] = []
    labels: LabelSummary | None
    features: dict[str, Any] | None
    tuner: list[dict[str, Any]] | None
    search: dict[str, Any] | None = None
    training: TrainingStart | None = None
    nodes: dict[str, Node]
    upstream: dict[str, list[str]] = {}
    models: dict[Variant, MeasuredModel]
    references: dict[str, MeasuredReference] = {}
    targets: dict[str, Variant]
    choices: dict[str, VariantSelection] = {}
    gates: list[Gate]
    push_checks: dict[str, PushChecks] = {}
    pushed: dict[str, Pushed]
    notes: list[str] = []
    failure: Failure | None

    @property
    def deployed(self) -> dict[str, MeasuredModel]:
        """The measured model of each target."""
        return {t: self.models[v] for t, v in self.targets.items() if v in self.models}


def path_of(run_folder: Path, run_id: str) -> Path:
    """<root>/<name>/reports/<run id>/summary.json."""
    return run_folder / "reports" / run_id / FILE


def page_of(run_folder: Path, run_id: str) -> Path:
    """<root>/<name>/reports/<run id>/index.html."""
    return path_of(run_folder, run_id).with_name(PAGE)


def write(summary: Summary, path: Path) -> None:
    """Writes a summary; who reads meanwhile sees the one before or this one, never a part.

    That of a run that goes on is written after each node: on one line, which costs a tenth.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    values = summary.model_dump(mode="json")
    text = json.dumps(values, indent=None if summary.state == "RUNNING" else 2, allow_nan=False)
    write_atomically(path, _NUMBERS.sub(_on_one_line, text) + "\n")


def _on_one_line(found: re.Match[str]) -> str:
    return f"[{_NEXT.sub(', ', found[1])}]"


def read(path: Path) -> Summary:
    """Reads a summary.

    Raises:
        InputError: there is none, or it is not one of this format.
    """
    try:
        return Summary.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise InputError(f"{path}: there is no summary of that run") from None
    except ValidationError as error:
        raise InputError(
            f"{path}: not a summary of format {FORMAT}: {first_problem(error)}"
        ) from None
