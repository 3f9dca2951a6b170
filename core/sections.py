"""The sections that the nodes of the DAG read; `configs/base.yaml` explains each key."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from core.names import BOTH

Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Limit = Annotated[float, Field(ge=0)]
"""A bound on a metric: at most 1 for all but the log loss, as loading the configuration checks."""
Sparsity = Annotated[float, Field(ge=0, lt=1)]
LearningRate = Annotated[float, Field(gt=0, le=1)]
Units = Annotated[tuple[Annotated[int, Field(ge=1, le=4096)], ...], Field(min_length=1)]
EmbeddingDim = Annotated[int, Field(ge=1, le=1024)]
Text = Annotated[str, Field(min_length=1)]
FileName = Annotated[str, Field(pattern=r"^[^/]+$")]
SpanNumber = Annotated[int, Field(ge=0)]
Rate = Literal["tpr", "fpr", "selection_rate"]
EdgeVariant = Literal[
    "student",
    "student_float16",
    "student_dynamic_int8",
    "student_int8",
    "student_int8_inputs",
]
ServerVariant = Literal["teacher", "teacher_pruned"]


class Section(BaseModel):
    """Frozen; unknown keys and values of another type are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class DataSection(Section):
    """Which raw data a run takes."""

    loader: Text | None
    source: Text | None
    folder: Text | None
    answers: Text | None
    window: Count | None
    completion_marker: FileName | None
    checksum_file: FileName
    accept_spans: tuple[SpanNumber, ...]
    hold_back_spans: tuple[SpanNumber, ...]
    max_repeated: Share | None
    max_unreadable_dates: Share | None
    rows: Annotated[int, Field(ge=100)] | None
    eval_fraction: Annotated[float, Field(ge=0.01, le=0.9)]


class Group(Section):
    """A column derived from a numeric one: which of the intervals between `bounds` it is in."""

    column: Text
    bounds: Annotated[tuple[float, ...], Field(min_length=1)]


class DateFormat(Section):
    """How the texts of a column of dates or times are written."""

    format: Text
    timezone: Text = "UTC"


class TrueLabel(Section):
    """The column with the true label, and its classes.

    Attributes:
      label: The column.
      classes: Its values, in the order of the models' outputs.
      positive: Of two classes the one that is detected; None where there are more.
    """

    label: Text
    classes: Annotated[tuple[Text, ...], Field(min_length=2)]
    positive: Text | None

    @property
    def is_binary(self) -> bool:
        """Whether one class is told from one other."""
        return len(self.classes) == 2

    @property
    def names(self) -> tuple[str, ...]:
        """The classes by their codes 0, 1, ...; of two the positive one has the code 1."""
        if not self.is_binary or self.positive != self.classes[0]:
            return self.classes
        return self.classes[::-1]

    @property
    def called(self) -> tuple[str, ...]:
        """What reports call the classes, by their codes."""
        return BOTH if self.is_binary else self.classes

    @property
    def both(self) -> tuple[str, str]:
        """Of two classes the negative and the positive one."""
        negative, positive = self.names
        return negative, positive

    @property
    def width(self) -> int:
        """Numbers that a label is: the probability of the positive class, or a share of each."""
        return 1 if self.is_binary else len(self.classes)


class ColumnsSection(TrueLabel):
    """The columns by kind, and the label."""

    numeric: tuple[Text, ...]
    categorical: tuple[Text, ...]
    text: tuple[Text, ...]
    dates: dict[Text, DateFormat]
    groups: dict[Text, Group]

    @property
    def features(self) -> tuple[str, ...]:
        """All columns that the models may learn from."""
        return (*self.numeric, *self.categorical, *self.text, *self.dates)


class AnomaliesSection(Section):
    """What stops a run before it trains."""

    severity: Literal["WARNING", "ERROR"]
    accept: tuple[Text, ...]


class LabelGates(Section):
    """What labels have to keep to before anything is trained on them; null: no bound."""

    min_coverage: Share | None
    min_accuracy: Share | None
    max_conflict: Share | None
    max_coverage_gap: Share | None
    max_error_gap: Share | None
    min_group_rows: Count
    min_group_gold_rows: Count


class LabelTuning(Section):
    """Values tried in training Snorkel's label model, besides its defaults."""

    learning_rate: tuple[LearningRate, ...]
    l2: tuple[Annotated[float, Field(ge=0, le=100)], ...]
    epochs: tuple[Count, ...]
    prec_init: tuple[Annotated[float, Field(gt=0, lt=1)], ...]


class LabelSource(Section):
    """Whether labels are true or made."""

    mode: Literal["weak", "gold"]


class LabelFitting(Section):
    """Which method makes labels of votes, and how Snorkel's label model is trained."""

    method: Literal[
        "auto", "average", "combiner", "label_model", "majority_vote", "votes_and_columns"
    ]
    epochs: Count
    tuning: LabelTuning


class Labeler(LabelSource, LabelFitting):
    """From labelling functions and a budget of true labels to labels."""

    functions: Text | None
    gold_rows: Annotated[int, Field(ge=0)]
    gold_of_class: Annotated[int, Field(ge=0)]
    gold_choice: Literal["random", "informative"]
    random_share: Share
    gold_weight: Annotated[float, Field(ge=0, le=1e6)]
    even_errors: Share
    uncovered: Literal["distill", "drop", "prior"]

    @property
    def random_rows(self) -> int:
        """How many rows of the gold budget are drawn at random."""
        if self.gold_choice == "random":
            return self.gold_rows
        return round(self.gold_rows * self.random_share)


class LabelingSection(Labeler):
    """Where labels come from."""

    gates: LabelGates


class Selection(Section):
    """Which columns the models see.

    Attributes:
      select: Whether any is dropped.
      keep: How many columns, or those that hold a share of the importance, or all that are not
        noise where noise hurts; None: whatever their scores.
      min_presence: Share of rows that have a value.
      max_share: Of the rows with a value those with the most frequent one.
    """

    select: bool
    keep: Count | Annotated[float, Field(gt=0, lt=1)] | Literal["auto"] | None
    min_presence: Share
    max_share: Annotated[float, Field(gt=0, le=1)]


class FeaturesSection(Selection):
    """Which columns the models see, and how."""

    buckets: Annotated[int, Field(ge=2, le=1024)]
    vocabulary: Annotated[int, Field(ge=1, le=1_000_000)]
    hash_buckets: Annotated[int, Field(ge=1, le=65_536)]
    text_vocabulary: Annotated[int, Field(ge=1, le=1_000_000)]
    text_tokens: Annotated[int, Field(ge=1, le=4096)]
    text_ngrams: Annotated[int, Field(ge=1, le=5)]


class TunerSection(Section):
    """The search for hyperparameters."""

    enabled: bool
    search: Literal["random", "hyperband", "bayesian", "automl"] = "random"
    trials: Count
    seconds: Annotated[float, Field(gt=0)] | None = None
    epochs: Count
    patience: Count = 2
    processes: Annotated[int, Field(ge=1, le=64)] = 1
    seeds: Annotated[int, Field(ge=1, le=10)] = 2


class Batches(Section):
    """How rows are fed to a network."""

    batch_size: Count


class Stopping(Batches):
    """How rows are fed to a network, and until when."""

    patience: Count


class Hyperparameters(Section):
    """What the tuner searches, as it is without the tuner: where the search begins."""

    learning_rate: LearningRate
    hidden_units: Units
    dropout: Annotated[float, Field(ge=0, lt=1)]
    embedding_dim: EmbeddingDim
    l2: Share
    numeric_embedding: Literal["none", "relu", "periodic"] = "none"
    numeric_dim: EmbeddingDim = 8
    normalization: Literal["none", "batch", "layer"] = "none"
    residual: bool = False
    crosses: Annotated[int, Field(ge=0, le=4)] = 0


class Weighing(Section):
    """How classes are weighed in training."""

    rare_share: Annotated[float, Field(ge=0, le=0.5)]


class Teaching(Section):
    """Whom the teacher learns from, besides labels."""

    kind: Literal["wide_and_deep", "boosted_trees"]
    trees: Count
    opinion_share: Share
    augmentation: Annotated[float, Field(ge=0, le=100)] | Literal["auto"]


class Search(Stopping, Weighing, Teaching, Hyperparameters):
    """What trials of the tuner train with, and what is found is compared with."""

    epochs: Count


class ReferenceSection(Section):
    """The simplest models that could do the job, which the network is compared with."""

    enabled: bool
    trees: Count


class PruningOptions(Section):
    """What pruning does besides one sparsity for all layers.

    Attributes:
      by_layer: Sparsity by the name or the class of a layer, where it is another.
      structure: Of dense kernels; None: none.
      clusters: Distinct weights of a layer; None: any number.
    """

    by_layer: dict[Text, Sparsity]
    structure: Literal["2:4"] | None
    clusters: Annotated[int, Field(ge=3, le=256)] | None


UNSTRUCTURED = PruningOptions(by_layer={}, structure=None, clusters=None)
"""One sparsity for all layers."""


class TrainerSection(Search):
    """The teacher: the server model."""

    all_rows: bool
    warm_start: bool
    sparsity: Sparsity
    pruning_epochs: Count
    pruning: PruningOptions = UNSTRUCTURED


class DistillerSection(Section):
    """The student: the edge model."""

    epochs: Count
    hidden_units: Units
    embedding_dim: EmbeddingDim
    learning_rate: LearningRate
    temperature: Annotated[float, Field(gt=0, le=100)]
    label_share: Share
    steps: Count
    augmentation: Annotated[float, Field(ge=0, le=1000)] | Literal["auto"]
    swap: Annotated[float, Field(gt=0, lt=1)]
    features: Annotated[float, Field(ge=0, le=1000)]
    sparsity: Sparsity
    pruning_epochs: Count
    pruning: PruningOptions = UNSTRUCTURED
    quantization_aware: bool = False


class Conversion(Section):
    """How the student becomes TFLite variants."""

    calibration_rows: Count
    max_difference: Annotated[float, Field(gt=0, le=1)]


class QuantizerSection(Conversion):
    """The TFLite variants of the student, and which of them ships."""

    variant: Literal[EdgeVariant, "auto"]


class Limits(Section):
    """What a variant keeps to that ships, on the eval rows; null: no limit."""

    max_auc_loss: Share | None
    max_gap_growth: Share | None
    max_bytes: Count | None
    max_latency_us: Annotated[float, Field(gt=0)] | None
    prefer: Literal["bytes", "latency", "quality"]


class ServerSelection(Limits):
    """Which of the teachers ships."""

    variant: Literal[ServerVariant, "auto"]


class SelectionSection(Section):
    """Which variant of the model each target ships."""

    server: ServerSelection
    edge: Limits

    def limits_of(self, target: str) -> Limits:
        """Those of a target of core/targets.py."""
        limits: Limits = getattr(self, target)
        return limits


class GroupRate(Section):
    """A rate that is to be alike in all groups of a column."""

    column: Text
    rate: Rate


class Mitigation(Section):
    """What is done in training so that a rate is alike in all groups of a column."""

    mitigation: Literal["none", "reweighing", "min_diff", "thresholds"]
    column: Text | None
    rate: Rate
    loss: Literal["rate", "mmd"]
    strength: Annotated[float, Field(gt=0, le=1000)] | Literal["auto"]
    epochs: Count
    min_group_rows: Count


class FairnessSection(Mitigation):
    """Groups between which the models' answers are to be alike, whether they see
    the group, and whether labels are made alike, too.
    """

    reads_column: bool
    labels: Literal["none", "by_group"]

    @property
    def of_labels(self) -> GroupRate | None:
        """The rate of labels that is made alike; None: none is."""
        if self.labels == "none" or self.column is None:
            return None
        return GroupRate(column=self.column, rate=self.rate)


class Bounds(Section):
    """What a target's model has to keep to before it is pushed.

    Metrics and rates by the names of `models/metrics/registry.py`; loading the configuration checks
    them.
    """

    min: dict[str, Limit]
    min_by_slice: dict[str, Limit]
    min_by_class: dict[str, Share]
    max_drop: dict[str, Limit]
    max_gap: dict[Text, dict[str, Share]]
    max_gap_growth: dict[Text, dict[str, Share]]
    max_drop_from_teacher: dict[str, Limit]
    min_over_reference: dict[str, Annotated[float, Field(ge=-1, le=1)]]
    better_than_chance: bool


class Judging(Section):
    """What is said of figures that rest on few rows."""

    min_slice_rows: Count
    few_rows: Count
    when_too_few: Literal["warn", "fail"]


class Slicing(Section):
    """On which slices is measured."""

    slices: tuple[Annotated[tuple[Text, ...], Field(min_length=1)], ...]
    min_slice_rows: Count


class EvaluationSection(Slicing, Judging):
    """What is measured, on which slices, and bounded."""

    server: Bounds
    edge: Bounds

    def bounds_of(self, target: str) -> Bounds:
        """The bounds of a target of core/targets.py."""
        bounds: Bounds = getattr(self, target)
        return bounds


class KeptRows(Section):
    """Which training rows are kept beside a pushed version."""

    background: Annotated[int, Field(ge=2, le=10_000)]
    keep_rows: bool


class Explaining(Section):
    """How many rows are explained, and how many stand for what is unknown."""

    rows: Annotated[int, Field(ge=10, le=100_000)]
    background: Annotated[int, Field(ge=2, le=10_000)]


class ExplainSection(Explaining, KeptRows):
    """What is explained of the models' answers."""

    enabled: bool
    actionable: tuple[Text, ...]


class CardsSection(Section):
    """What cards say that no node can know."""

    intended_use: Text
    source: Text | None
    licence: Text | None
    sensitive: tuple[Text, ...]


class BeamSection(Section):
    """Options of the data work."""

    args: tuple[Annotated[str, Field(pattern="^--")], ...]
