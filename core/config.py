"""The whole configuration: typed and frozen.

The sections mirror `configs/base.yaml`, which lists every key with its default; they have no
defaults of their own.
"""

import hashlib
import json
from pathlib import Path
from typing import Annotated

from pydantic import Field

from core.files import REPOSITORY
from core.operation import OPERATION, Metadata, Metrics, Notify, Pusher, Retrain, Schedule
from core.sections import (
    Anomalies,
    Beam,
    Columns,
    Data,
    Distiller,
    Evaluation,
    Features,
    Labeling,
    Quantizer,
    Section,
    Text,
    Trainer,
    Tuner,
)


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
    retrain: Retrain
    pusher: Pusher
    beam: Beam
    schedule: Schedule
    notify: Notify
    metrics: Metrics
    metadata: Metadata

    @property
    def config_sha256(self) -> str:
        """SHA-256 of the values that runs and decisions to run follow from, in hexadecimal.

        Keys are sorted first. Who is told, or when to look, makes no other run: left out.
        """
        values = self.model_dump(mode="json", by_alias=True, exclude=set(OPERATION))
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()

    @property
    def schema_path(self) -> Path:
        """Absolute path of the schema contract."""
        return REPOSITORY / self.contract
