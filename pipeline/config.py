"""The configuration: typed, frozen, built in one place.

The models below mirror `configs/base.yaml`, which lists every key with its default; they have no
defaults of their own. `load` lays a named file over it, then `--set` values.
"""

import hashlib
import json
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from models.errors import InputError
from pipeline import config_checks, overlay
from pipeline.config_operations import (
    OPERATION,
    Metadata,
    Metrics,
    Notify,
    Pusher,
    Retrain,
    Schedule,
)
from pipeline.config_sections import (
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

REPOSITORY = Path(__file__).resolve().parent.parent
CONFIGS = REPOSITORY / "configs"
SMOKE = CONFIGS / "overlays" / "smoke.yaml"


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


def load(name_or_path: str, overrides: list[str] | None = None, smoke: bool = False) -> Config:
    """Builds the configuration: base.yaml, the `extends` chain, the named file, `--set` values.

    Args:
        name_or_path: name of a file in `configs/` without its suffix, or a path to a YAML file.
        overrides: `key.path=value` texts; values are parsed as YAML.
        smoke: lays overlays/smoke.yaml over the named file; the name gets `-smoke` at its end, so
            that nothing of a small run is taken for one of the real ones.

    Raises:
        InputError: names the file or `--set`, the key, the value, and what is allowed there.
    """
    layers = overlay.read_chain(name_or_path, CONFIGS)
    base = overlay.read_chain("base", CONFIGS)
    if layers[0][0] != base[0][0]:
        layers = base + layers
    if smoke:
        layers.append(_smoke(layers))
    layers = [(_shown(source), values) for source, values in layers]
    merged = overlay.merge(layers, overrides or [], Config)
    try:
        config = Config.model_validate_json(json.dumps(merged.values, default=str))
    except ValidationError as error:
        problems = config_checks.describe_errors(error, merged, Config.model_json_schema())
        raise InputError("\n".join(problems)) from None
    if contradictions := config_checks.cross_check(config, REPOSITORY):
        raise InputError(
            "\n".join(
                f"{_layer(merged.source(at))}: {'.'.join(at)}: {why}" for at, why in contradictions
            )
        )
    return config


def _smoke(layers: list[overlay.Layer]) -> overlay.Layer:
    below = overlay.merge(layers, [], Config).values
    [(source, values)] = overlay.read_chain(str(SMOKE), CONFIGS)
    if below.get("name"):
        values["name"] = f"{below['name']}-smoke"
    return source, overlay.no_more_rows(values, below)


def _layer(source: str) -> str:
    """A layer's name; of an address given by --set only the key, as it may hold a password."""
    return source.partition("=")[0] if "metadata.connection=" in source else source


def _shown(source: str) -> str:
    """The path of a file, relative to the repository where it lies inside."""
    path = Path(source)
    return str(path.relative_to(REPOSITORY)) if path.is_relative_to(REPOSITORY) else source
