"""What there is of a run, gathered for its report."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from core.config import Config
from core.errors import InputError
from pipeline.config.overlay import parse_yaml
from pipeline.metadata.executions import Execution, find
from pipeline.metadata.store import Metadata, open_store
from pipeline.report import config_file
from pipeline.report import summary as summaries
from pipeline.report.history import read_run, run_ids
from pipeline.report.page.part import RunRecord
from pipeline.report.summary import Summary

_STATISTICS = ("StatisticsGen", "ExampleStatistics")
_LOOKED_BACK = 30  # runs, for one that read other data


def read_record(folder: Path, run_id: str | None) -> RunRecord:
    """The record of a run, or of the last one, with what it is compared with.

    Args:
      folder: <root>/<name>.
      run_id: The run; None: the last one.

    Raises:
      InputError: There is no such run.
    """
    return of_summary(read_run(folder, run_id), folder)


def of_summary(summary: Summary, folder: Path) -> RunRecord:
    """The record of a run whose summary is there, with what it is compared with."""
    store = open_store(folder)
    earlier = [run_id for run_id in run_ids(folder) if run_id < summary.run_id]
    before: RunRecord | None = None
    other_data: RunRecord | None = None
    for run_id in reversed(earlier[-_LOOKED_BACK:]):
        try:
            other = summaries.read(summaries.path_of(folder, run_id))
        except InputError:
            continue
        if before is None:
            before = _bare(other, folder, store)
        if not same_data(other, summary):
            record = before if before.summary is other else _bare(other, folder, store)
            if find(record.executions, *_STATISTICS):
                other_data = record
                break
    found = _bare(summary, folder, store)
    return RunRecord(
        found.summary, found.executions, folder, found.config, found.settings, before, other_data
    )


def same_data(one: Summary, other: Summary) -> bool:
    """Whether two runs read the same rows of the same files."""
    return (one.data.files, one.data.rows) == (other.data.files, other.data.rows)


def _bare(summary: Summary, folder: Path, store: Metadata | None) -> RunRecord:
    """A record without what it is compared with."""
    executions: Sequence[Execution] = store.executions(summary.run_id) if store else []
    settings = _settings(config_file.path_of(folder, summary.run_id))
    return RunRecord(summary, executions, folder, _config(settings), settings)


def _settings(path: Path) -> Mapping[str, Any] | None:
    """The values in a configuration file; None where there is none that can be read."""
    try:
        values = parse_yaml(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError, InputError):
        return None
    return values if isinstance(values, dict) else None


def _config(settings: Mapping[str, Any] | None) -> Config | None:
    if settings is None:
        return None
    try:
        return Config.model_validate_json(json.dumps(settings, default=str))
    except ValidationError:
        return None
