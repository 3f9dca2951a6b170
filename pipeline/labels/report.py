"""The shape of what `lf` reports (docs/weak-supervision.md). Fields may be added, never renamed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from models.labels.analysis import Common
from models.labels.by_group.shifts import Correction
from models.labels.label_model import Trial
from models.labels.scores import Score
from models.metrics.gates import Gate
from pipeline.report.summary import LabelingFunction, LabelSummary

Value = int | float | str | None


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Function(LabelingFunction):
    """One labelling function; shares of all rows, accuracy with its 95% interval on gold rows.

    `polarity`: the classes that it votes for; of two, "negative" and "positive".
    """

    overlap: float
    conflict: float
    polarity: list[str]
    gold_votes: int
    accuracy_interval: tuple[float, float] | None


class GroupReport(_Part):
    """Rows of a group and the share of them with a vote; its gold rows and the error on them."""

    rows: int
    coverage: float
    gold_rows: int
    error: float | None
    error_interval: tuple[float, float] | None


class FunctionsReport(LabelSummary):
    """The label report of a run that would start now; `labels` of its summary.json."""

    rows: int
    gold_rows_answered: int
    class_balance: float | dict[str, float]
    overlap: float
    accuracy_interval: tuple[float, float] | None
    groups: dict[str, dict[str, GroupReport]]
    method: str
    method_reason: str
    methods: dict[str, Score]
    trials: list[Trial]
    functions: Mapping[str, Function]
    by_group: Correction | None = None


class ExampleRow(_Part):
    """A row; `label` is its class in the words of `polarity` if it is a gold row, else null."""

    row_id: str
    columns: dict[str, Value]
    label: str | None


class DisagreementReport(_Part):
    """Two functions that vote for different classes on `rows` of the rows where `both` vote.

    Of the `gold_rows` among them, `first_right` have the class that `first` votes for, and
    `second_right` that of `second`; of more than two classes, some may have neither.
    """

    first: str
    second: str
    rows: int
    both: int
    gold_rows: int
    first_right: int
    second_right: int
    examples: list[ExampleRow]


class Uncovered(_Part):
    """Rows on which no function votes, and what sets them apart."""

    rows: int
    in_common: list[Common]
    examples: list[ExampleRow]


class Change(_Part):
    """Later minus earlier; `changed_votes` is null when the two calls saw different rows."""

    changed_votes: int | None
    coverage: float | None
    overlap: float | None
    conflict: float | None
    accuracy_on_gold: float | None
    weight: float | None


class Changes(_Part):
    """What changed since an earlier call; `settings` names what else differs between the two."""

    since: datetime
    settings: list[str]
    new: list[str]
    removed: list[str]
    functions: dict[str, Change]
    total: Change


class LfReport(_Part):
    """One call of `lf`; `changes` is null when there is no earlier call to compare with.

    `classes`: the classes by the codes of votes; empty in a report of before there was a list.
    """

    format: Literal[1]
    config: str
    module: str
    created: datetime
    data_sha256: str
    seed: int
    epochs: int
    classes: list[str] = []
    labels: FunctionsReport
    gates: list[Gate]
    disagreements: list[DisagreementReport]
    uncovered: Uncovered
    changes: Changes | None
