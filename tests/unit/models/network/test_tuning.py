"""The search for hyperparameters: the default first, seeded, and loud when nothing worked."""

import dataclasses
import os
from pathlib import Path

import numpy as np
import pytest

from core.sections import Hyperparameters
from models.network.rows import Rows
from models.network.tuning import NetworkTuner, of_trial
from tests.support.tiny_rows import INPUTS, make_rows

DEFAULTS = Hyperparameters(
    learning_rate=0.02, hidden_units=(6, 4), dropout=0.0, embedding_dim=2, l2=0.0
)


def search(folder: Path, rows: Rows, trials: int = 2) -> NetworkTuner:
    tuner = NetworkTuner(INPUTS, DEFAULTS, trials, seed=1, directory=str(folder))
    tuner.search(train=rows, evaluation=make_rows(60, seed=2), epochs=2, batch_size=32)
    return tuner


def test_the_first_trial_is_the_default(tmp_path: Path) -> None:
    tuner = search(tmp_path, make_rows(100))
    trials = list(tuner.oracle.trials.values())
    assert [trial.status for trial in trials] == ["COMPLETED", "COMPLETED"]
    assert of_trial(trials[0].hyperparameters.values) == DEFAULTS
    assert of_trial(trials[1].hyperparameters.values) != DEFAULTS
    best = tuner.get_best_hyperparameters()[0].values
    assert best == min(trials, key=lambda trial: trial.score).hyperparameters.values


def test_the_same_seed_gives_the_same_trials(tmp_path: Path) -> None:
    scores = [
        [trial.score for trial in search(tmp_path / name, make_rows(100)).oracle.trials.values()]
        for name in "ab"
    ]
    assert scores[0] == scores[1]


def test_nothing_is_left_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    search(tmp_path / "there", make_rows(40), trials=1)
    assert os.listdir(".") == []


@pytest.mark.parametrize("trials", [1, 4])
def test_a_search_without_a_completed_trial_is_an_error(tmp_path: Path, trials: int) -> None:
    rows = make_rows(40)
    broken = dataclasses.replace(rows, numeric=rows.numeric * np.float32(np.nan))
    with pytest.raises(RuntimeError, match=rf"(?s)all {trials} trials .* loss of trial is not fin"):
        search(tmp_path, broken, trials)
