"""The configuration: typed, frozen, built in one place.

The models below mirror `configs/base.yaml`, which lists every key with its default; they have no
defaults of their own. `load` lays a named file over it, then `--set` values.
"""

import hashlib
import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.errors import InputError
from pipeline import config_checks, overlay

REPOSITORY = Path(__file__).resolve().parent.parent
CONFIGS = REPOSITORY / "configs"

Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Sparsity = Annotated[float, Field(ge=0, lt=1)]
LearningRate = Annotated[float, Field(gt=0, le=1)]
Units = Annotated[tuple[Annotated[int, Field(ge=1, le=4096)], ...], Field(min_length=1)]
EmbeddingDim = Annotated[int, Field(ge=1, le=1024)]
Text = Annotated[str, Field(min_length=1)]
Metric = Literal["auc", "accuracy", "f1"]
Gap = Literal["tpr", "fpr", "selection_rate"]
EdgeVariant = Literal["student", "student_float16", "student_dynamic_int8", "student_int8"]


class Section(BaseModel):
    """Frozen; unknown keys and values of another type are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Data(Section):
    """Which raw data a run takes."""

    loader: Text | None
    folder: Text | None
    window: Count | None
    rows: Annotated[int, Field(ge=100)] | None
    eval_fraction: Annotated[float, Field(ge=0.01, le=0.9)]


class Group(Section):
    """A column derived from a numeric one: which of the intervals between `bounds` it is in."""

    column: Text
    bounds: Annotated[tuple[float, ...], Field(min_length=1)]


class Columns(Section):
    """The columns by kind, and the label."""

    label: Text
    positive: Text
    negative: Text
    numeric: tuple[Text, ...]
    categorical: tuple[Text, ...]
    groups: dict[Text, Group]


class Anomalies(Section):
    """What stops a run before it trains."""

    severity: Literal["WARNING", "ERROR"]
    accept: tuple[Text, ...]


class Labeling(Section):
    """Where labels come from."""

    mode: Literal["weak", "gold"]
    functions: Text | None
    gold_rows: Annotated[int, Field(ge=10)]
    gold_weight: Annotated[float, Field(ge=0, le=1e6)]
    uncovered: Literal["drop", "prior"]
    epochs: Count


class Features(Section):
    """Which columns the models see, and how."""

    select: bool
    min_presence: Share
    max_share: Annotated[float, Field(gt=0, le=1)]
    buckets: Annotated[int, Field(ge=2, le=1024)]


class Tuner(Section):
    """The search for hyperparameters."""

    enabled: bool
    trials: Count
    epochs: Count


class Trainer(Section):
    """The teacher: the server model."""

    epochs: Count
    patience: Count
    batch_size: Count
    learning_rate: LearningRate
    hidden_units: Units
    dropout: Annotated[float, Field(ge=0, lt=1)]
    embedding_dim: EmbeddingDim
    l2: Share
    sparsity: Sparsity
    pruning_epochs: Count


class Distiller(Section):
    """The student: the edge model."""

    epochs: Count
    hidden_units: Units
    embedding_dim: EmbeddingDim
    learning_rate: LearningRate
    temperature: Annotated[float, Field(gt=0, le=100)]
    label_share: Share
    sparsity: Sparsity
    pruning_epochs: Count


class Quantizer(Section):
    """The TFLite variants of the student."""

    variant: EdgeVariant
    calibration_rows: Count
    max_difference: Annotated[float, Field(gt=0, le=1)]


class Bounds(Section):
    """What a target's model has to keep to before it is pushed."""

    min: dict[Metric, Share]
    min_by_slice: dict[Metric, Share]
    max_drop: dict[Metric, Share]
    max_gap: dict[Text, dict[Gap, Share]]


class Evaluation(Section):
    """What is measured, on which slices, and bounded."""

    slices: tuple[Annotated[tuple[Text, ...], Field(min_length=1)], ...]
    min_slice_rows: Count
    server: Bounds
    edge: Bounds


class Beam(Section):
    """Options of the data work."""

    args: tuple[Annotated[str, Field(pattern="^--")], ...]


class Config(Section):
    """The whole configuration of a run."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]
    seed: Annotated[int, Field(ge=0, lt=2**31)]
    data: Data
    contract: Text = Field(alias="schema")  # `schema` is taken by pydantic
    columns: Columns
    anomalies: Anomalies
    labeling: Labeling
    features: Features
    tuner: Tuner
    trainer: Trainer
    distiller: Distiller
    quantizer: Quantizer
    evaluation: Evaluation
    beam: Beam

    @property
    def config_sha256(self) -> str:
        """SHA-256 of all values, in hexadecimal; keys are sorted first."""
        values = self.model_dump(mode="json", by_alias=True)
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()

    @property
    def schema_path(self) -> Path:
        """Absolute path of the schema contract."""
        return REPOSITORY / self.contract


def load(name_or_path: str, overrides: list[str] | None = None) -> Config:
    """Builds the configuration: base.yaml, the `extends` chain, the named file, `--set` values.

    Args:
        name_or_path: name of a file in `configs/` without its suffix, or a path to a YAML file.
        overrides: `key.path=value` texts; values are parsed as YAML.

    Raises:
        InputError: names the file or `--set`, the key, the value, and what is allowed there.
    """
    layers = overlay.read_chain(name_or_path, CONFIGS)
    base = overlay.read_chain("base", CONFIGS)
    if layers[0][0] != base[0][0]:
        layers = base + layers
    layers = [(_shown(source), values) for source, values in layers]
    merged = overlay.merge(layers, overrides or [], Config)
    try:
        config = Config.model_validate_json(json.dumps(merged.values, default=str))
    except ValidationError as error:
        problems = config_checks.describe_errors(error, merged, Config.model_json_schema())
        raise InputError("\n".join(problems)) from None
    if contradictions := config_checks.cross_check(config, REPOSITORY):
        raise InputError(
            "\n".join(f"{merged.source(at)}: {'.'.join(at)}: {why}" for at, why in contradictions)
        )
    return config


def _shown(source: str) -> str:
    """The path of a file, relative to the repository where it lies inside."""
    path = Path(source)
    return str(path.relative_to(REPOSITORY)) if path.is_relative_to(REPOSITORY) else source
