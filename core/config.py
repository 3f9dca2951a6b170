"""The whole configuration: typed and frozen.

The sections mirror `configs/base.yaml`, which lists every key with its default; they have no
defaults of their own.
"""

import functools
import hashlib
import json
from pathlib import Path
from typing import Annotated

from pydantic import Field

from core.files import REPOSITORY
from core.operation import (
    OPERATION,
    MetadataSection,
    MetricsSection,
    MonitorSection,
    NotifySection,
    PusherSection,
    RetrainSection,
    ScheduleSection,
    ServingSection,
)
from core.sections.columns import ColumnsSection
from core.sections.data import AnomaliesSection, BeamSection, DataSection
from core.sections.evaluation import EvaluationSection
from core.sections.explaining import CardsSection, ExplainSection
from core.sections.fairness import FairnessSection
from core.sections.features import FeaturesSection
from core.sections.labeling import LabelingSection
from core.sections.section import Section, Text
from core.sections.training import DistillerSection, ReferenceSection, TrainerSection, TunerSection
from core.sections.variants import QuantizerSection, SelectionSection
from core.targets import TARGETS


class Config(Section):
    """The whole configuration of a run."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$")]
    seed: Annotated[int, Field(ge=0, lt=2**31)]
    data: DataSection
    contract: Text = Field(alias="schema")  # `schema` is taken by pydantic
    columns: ColumnsSection
    anomalies: AnomaliesSection
    labeling: LabelingSection
    features: FeaturesSection
    tuner: TunerSection
    reference: ReferenceSection
    trainer: TrainerSection
    distiller: DistillerSection
    quantizer: QuantizerSection
    selection: SelectionSection
    fairness: FairnessSection
    evaluation: EvaluationSection
    explain: ExplainSection
    cards: CardsSection
    retrain: RetrainSection
    pusher: PusherSection
    beam: BeamSection
    serving: ServingSection
    monitor: MonitorSection
    schedule: ScheduleSection
    notify: NotifySection
    metrics: MetricsSection
    metadata: MetadataSection

    @property
    def config_sha256(self) -> str:
        """SHA-256 of the values that runs and decisions to run follow from, in hexadecimal.

        Keys are sorted first. Who is told, or when to look, makes no other run: left out.
        """
        values = self.model_dump(mode="json", by_alias=True, exclude=set(OPERATION))
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()

    def variant_of(self, target: str) -> str:
        """The variant that a target is to ship, or "auto": its Selector chooses."""
        path = TARGETS[target].variant_key.split(".")
        return str(functools.reduce(getattr, path, self))

    @property
    def schema_path(self) -> Path:
        """Absolute path of the schema contract."""
        return REPOSITORY / self.contract
