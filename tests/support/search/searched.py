"""Searches on the rows of tests/support/tiny_rows.py."""

from pathlib import Path
from typing import Any

from core.sections.training import Hyperparameters, TunerSection
from models.network.rows import Rows
from models.network.training import Plan
from models.search.tuner import NetworkTuner
from tests.support.tiny_rows import INPUTS, make_rows

DEFAULTS = Hyperparameters(
    learning_rate=0.02, hidden_units=(6, 4), dropout=0.0, embedding_dim=2, l2=0.0
)


def search(
    folder: Path, rows: Rows, defaults: Hyperparameters = DEFAULTS, epochs: int = 2, **told: Any
) -> NetworkTuner:
    """A search that has ended; `told` are keys of the section."""
    section = TunerSection(**{"enabled": True, "trials": 2, "epochs": epochs, "seeds": 1} | told)
    full = Plan(epochs, 32, defaults.learning_rate, seed=1, patience=2)
    tuner = NetworkTuner(INPUTS, defaults, section, full, str(folder))
    tuner.search(train=rows, evaluation=make_rows(200, seed=2))
    return tuner


def told_of(report: dict[str, Any]) -> dict[str, Any]:
    """A report without what the clock says."""
    trials = [{**trial, "seconds": 0} for trial in report["trials"]]
    return {**report, "seconds": 0, "trials": trials}
