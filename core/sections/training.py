"""The networks, the search for their hyperparameters, and what they are compared with."""

from typing import Annotated, Literal

from pydantic import Field

from core.sections.section import Count, LearningRate, Section, Share, Text

Sparsity = Annotated[float, Field(ge=0, lt=1)]
Units = Annotated[tuple[Annotated[int, Field(ge=1, le=4096)], ...], Field(min_length=1)]
EmbeddingDim = Annotated[int, Field(ge=1, le=1024)]


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
    decay: bool


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
