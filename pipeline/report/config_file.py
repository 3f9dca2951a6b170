"""`config.yaml` beside a run's summary: the configuration that it ran with, every value of it."""

import io
from pathlib import Path

from ruamel.yaml import YAML

from core.config import Config
from core.files import write_atomically
from pipeline.report import summary

FILE = "config.yaml"


def path_of(run_folder: Path, run_id: str) -> Path:
    """<root>/<name>/reports/<run id>/config.yaml."""
    return summary.path_of(run_folder, run_id).with_name(FILE)


def write(config: Config, path: Path) -> None:
    """Writes a configuration so that `--config PATH` reads it again.

    There is nothing secret in one: passwords are named by the variable or file that holds them.
    """
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.allow_unicode = True
    text = io.StringIO()
    yaml.dump(config.model_dump(mode="json", by_alias=True), text)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, text.getvalue())
