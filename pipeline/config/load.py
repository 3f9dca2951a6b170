"""Builds the configuration: a named file over `configs/base.yaml`, then `--set` values."""

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from core.config import Config
from core.errors import InputError
from core.files import REPOSITORY
from pipeline.config import checks as config_checks
from pipeline.config import overlay

CONFIGS = REPOSITORY / "configs"
SMOKE = CONFIGS / "overlays" / "smoke.yaml"
MANY_CLASSES = CONFIGS / "overlays" / "many_classes.yaml"


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
    merged = _merged(layers, overrides or [])
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


def _merged(layers: list[overlay.Layer], overrides: list[str]) -> overlay.Merged:
    """The layers; with more than two classes there are other metrics in the lowest."""
    merged = overlay.merge(layers, overrides, Config)
    _name_classes(merged.values)
    classes = (merged.values.get("columns") or {}).get("classes")
    if isinstance(classes, list) and len(classes) > 2:
        between = overlay.read_chain(str(MANY_CLASSES), CONFIGS)
        merged = overlay.merge([*layers[:1], *between, *layers[1:]], overrides, Config)
        _name_classes(merged.values)
    return merged


def _name_classes(values: dict[str, Any]) -> None:
    """Reads `positive` and `negative`, by which two classes may be named, too.

    The file that does so replaces the classes of the file that it extends.
    """
    columns = values.get("columns")
    if isinstance(columns, dict) and isinstance(columns.get("negative"), str):
        columns["classes"] = [columns.pop("negative"), columns.get("positive")]


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
