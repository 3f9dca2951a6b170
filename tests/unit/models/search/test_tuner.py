"""The search: the default first, its budget, its choice, and loud when nothing worked."""

import dataclasses
import os
import time
from pathlib import Path

import numpy as np
import pytest

from models.search.values import of_trial
from tests.support.search.searched import DEFAULTS, search, told_of
from tests.support.tiny_rows import make_rows

POOR = DEFAULTS.model_copy(update={"learning_rate": 1e-5})


def test_the_first_trial_is_the_default(tmp_path: Path) -> None:
    tuner = search(tmp_path, make_rows(100))
    trials = list(tuner.oracle.trials.values())
    assert [trial.status for trial in trials] == ["COMPLETED", "COMPLETED"]
    assert of_trial(trials[0].hyperparameters.values) == DEFAULTS
    assert of_trial(trials[1].hyperparameters.values) != DEFAULTS
    assert tuner.oracle.get_best_trials()[0] is min(trials, key=lambda trial: trial.score)


@pytest.mark.parametrize("strategy", ["random", "hyperband", "bayesian", "automl"])
def test_every_strategy_begins_with_the_default_and_keeps_to_its_trials(
    strategy: str, tmp_path: Path
) -> None:
    report = search(tmp_path, make_rows(64), search=strategy, trials=5, epochs=3).report()
    trials = report["trials"]
    assert [trial["state"] for trial in trials] == ["completed"] * 5
    assert of_trial(trials[0]["values"]) == DEFAULTS
    assert report["default"] == trials[0]["trial"]
    assert len({str(trial["values"]) for trial in trials}) == (4 if strategy == "hyperband" else 5)
    architectures = {(t["values"]["numeric_embedding"], t["values"]["crosses"]) for t in trials}
    assert (len(architectures) > 1) == (strategy == "automl")


def test_hyperband_goes_on_from_the_weights_of_the_best(tmp_path: Path) -> None:
    report = search(tmp_path, make_rows(64), search="hyperband", trials=5, epochs=3).report()
    losses = {trial["trial"]: trial["loss"] for trial in report["trials"]}
    [longer] = [trial for trial in report["trials"] if trial["from"]]
    assert {trial["epochs"] for trial in report["trials"]} == {1, 3}
    assert longer["epochs"] == 3
    short = [loss for name, loss in losses.items() if name != longer["trial"]]
    assert losses[longer["from"]] == min(short[:3])
    assert longer["loss"] <= losses[longer["from"]]


def test_the_same_seed_gives_the_same_trials(tmp_path: Path) -> None:
    reports = [told_of(search(tmp_path / name, make_rows(100)).report()) for name in "ab"]
    assert reports[0] == reports[1]


def test_a_trial_stops_when_it_no_longer_improves(tmp_path: Path) -> None:
    noise = make_rows(100)
    noise.label[:] = np.random.RandomState(3).rand(*noise.label.shape)
    tuner = search(tmp_path, noise, trials=1, epochs=40, patience=1)
    [trial] = tuner.report()["trials"]
    assert trial["epochs"] < 40


def test_what_is_better_beyond_chance_is_taken(tmp_path: Path) -> None:
    tuner = search(tmp_path, make_rows(600), POOR, epochs=8, trials=4, seeds=2)
    report = tuner.report()
    assert report["taken"] == report["best"] != report["default"]
    assert report["reason"].startswith("better than the default beyond chance: evaluation loss -")
    assert [each["seed"] for each in report["comparison"]["seeds"]] == [1001, 2001]
    assert all(each["best"] < each["default"] for each in report["comparison"]["seeds"])
    [taken] = tuner.get_best_hyperparameters()
    [best] = [trial for trial in report["trials"] if trial["trial"] == report["best"]]
    assert of_trial(taken.values) == of_trial(best["values"])


def test_what_may_be_chance_leaves_the_default(tmp_path: Path) -> None:
    """Labels without a rule: one of the trials is the lowest, and it means nothing."""
    noise = make_rows(300)
    noise.label[:] = np.random.RandomState(3).randint(0, 2, noise.label.shape)
    rates = DEFAULTS.model_copy(update={"learning_rate": 0.001})
    tuner = search(tmp_path, noise, rates, trials=4)
    report = tuner.report()
    assert report["taken"] == report["default"]
    assert "default" in report["reason"]
    assert of_trial(tuner.get_best_hyperparameters()[0].values) == rates


@pytest.mark.parametrize("processes", [1, 2])
def test_the_default_is_tried_however_few_the_seconds(tmp_path: Path, processes: int) -> None:
    tuner = search(
        tmp_path, make_rows(200), POOR, epochs=50, trials=9, seconds=1e-6, processes=processes
    )
    states = [trial.status for trial in tuner.oracle.trials.values()]
    assert states[0] == "COMPLETED"
    assert set(states[1:]) <= {"FAILED"}
    assert of_trial(tuner.get_best_hyperparameters()[0].values) == POOR


def test_a_budget_of_seconds_ends_the_search(tmp_path: Path) -> None:
    started = time.monotonic()
    tuner = search(tmp_path, make_rows(200), POOR, epochs=10_000, trials=500, seconds=3.0)
    took = time.monotonic() - started
    report = tuner.report()
    assert took < 15  # a trial alone would take minutes
    assert 1 <= len(report["trials"]) < 500
    assert report["trials"][-1]["state"] == "out of time"
    assert report["trials"][-1]["loss"] is not None
    assert of_trial(tuner.get_best_hyperparameters()[0].values) == POOR


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
        search(tmp_path, broken, trials=trials)
