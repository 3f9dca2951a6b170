"""Requests beside training rows: unknown dates, and categories that no training row has."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.config import Config
from pipeline.config.load import load
from pipeline.monitoring import inputs
from pipeline.monitoring.records import BoundCheck
from pipeline.retraining.span_rows import SpanRows
from tests.support.tiny_data import write_config, write_raw

KINDS = {"age": "INT", "hours": "FLOAT", "job": "BYTES", "note": "BYTES"}


@pytest.fixture
def config(tmp_path: Path) -> Config:
    write_raw(tmp_path)
    return load(write_config(tmp_path), ["columns.dates={note: {format: '%Y-%m-%d'}}"])


def asked(jobs: list[str], note: str = "2024-01-01") -> SpanRows:
    table = pd.DataFrame({"age": "30", "hours": "1.0", "job": jobs, "note": note}, dtype=object)
    return SpanRows(table, KINDS)


def staged(folder: Path, usual: float) -> Path:
    """Staged rows: test rows have that share of jobs that no training row has."""
    jobs = {"train": ["cook"] * 500, "test": ["new"] * int(1000 * usual) + ["cook"] * 1000}
    for split, cells in jobs.items():
        (folder / split).mkdir()
        pd.DataFrame({"job": cells}).to_csv(folder / split / "data.csv", index=False)
    return folder / "test" / "data.csv"


@pytest.mark.parametrize(
    ("share", "usual", "exceeded"),
    [(0.0, 0.0, False), (0.3, 0.0, True), (0.3, 0.4, False), (0.02, 0.01, False), (1.0, 0.1, True)],
)
def test_categories_that_no_training_row_has(
    tmp_path: Path, config: Config, share: float, usual: float, exceeded: bool
) -> None:
    jobs = np.where(np.arange(1000) < 1000 * share, "new", "cook").tolist()
    [found] = inputs.unseen(asked(jobs), staged(tmp_path, usual), config)
    assert isinstance(found, BoundCheck)
    assert (found.kind, found.of, found.exceeded) == ("unknown values", "job", exceeded)


def test_a_date_of_another_format_is_unknown(config: Config) -> None:
    def unknown(note: str) -> dict[str, float]:
        found = inputs.values(asked(["cook"] * 4, note), None, config)
        return {f.of: f.value for f in found if isinstance(f, BoundCheck)}

    assert unknown("2024-02-29") == {"age": 0.0, "hours": 0.0, "note": 0.0}
    assert unknown("29.02.2024")["note"] == unknown("2023-02-29")["note"] == 1.0
    assert unknown("")["note"] == 0.0
