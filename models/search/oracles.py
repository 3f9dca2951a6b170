"""Strategies of search: each tries the default first, so that few trials never do worse.

An oracle is asked for a round of trials at a time, and told how they went when all have ended. How
many are asked for does not go by how many processes there are, so that these change no result.
"""

import copy
import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras_tuner
import numpy as np

from core.sections.training import Hyperparameters, TunerSection
from models.network.preprocessing import ModelInputs
from models.search.space import STARTS, automl_space, space_around

OBJECTIVE = "val_loss"
EPOCHS, BEFORE, FROM = "tuner/epochs", "tuner/initial_epoch", "tuner/trial_id"
"""What Hyperband notes beside the values: epochs of a trial in all, those of the trial that it goes
on from, and which that is."""

_ROUND = 4  # trials proposed by what is known of the trials before
_LARGE_ROUND = 32  # ... where nothing or little follows from it
_FOR_ZERO = 2**31  # KerasTuner takes a seed of 0 for none
_MUTATIONS = 200  # tried before the neighbourhood of the best counts as searched


class DefaultFirst(keras_tuner.Oracle):
    """What comes before a strategy: its first trial is the default."""

    def _random_values(self) -> dict[str, Any] | None:
        """The default values for the first trial, drawn ones for the others."""
        if self.trials:
            drawn: dict[str, Any] | None = super()._random_values()
            return drawn
        return {parameter.name: parameter.default for parameter in self.get_space().space}


class RandomOracle(DefaultFirst, keras_tuner.oracles.RandomSearchOracle):
    """Random search."""


class BanditOracle(DefaultFirst, keras_tuner.oracles.HyperbandOracle):
    """Hyperband (Li et al., 2018): many short trials, of which the best go on.

    KerasTuner's begins anew rather than wait for trials that run; this one waits.
    """

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Returns the values of the next trial, in KerasTuner's form."""
        names = ("_brackets", "_current_bracket", "_current_iteration", "_seed_state")
        before = {name: copy.deepcopy(getattr(self, name)) for name in names}
        response: dict[str, Any] = super().populate_space(trial_id)
        if self.ongoing_trials and self._current_bracket != before["_current_bracket"]:
            self.__dict__.update(before)
            return {"status": "IDLE"}
        return response


class BayesianOracle(DefaultFirst, keras_tuner.oracles.BayesianOptimizationOracle):
    """Bayesian optimisation with a Gaussian process (Snoek, Larochelle and Adams, 2012)."""


class GreedyOracle(DefaultFirst, keras_tuner.oracles.RandomSearchOracle):
    """Changes the best trial so far, after the default and a few other beginnings.

    So AutoKeras searches (Jin et al., AutoKeras: An AutoML Library for Deep Learning, JMLR 2023,
    its greedy tuner): one or two values of the best are drawn anew.
    """

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Returns the values of the next trial, in KerasTuner's form."""
        place = len(self.trials)
        default = {parameter.name: parameter.default for parameter in self.get_space().space}
        if place == 0:
            return _running(default)
        draw = np.random.RandomState([self.seed, place])
        starts = [{**default, **each} for each in STARTS if self._holds(each)]
        fresh = [values for values in starts if not self._is_tried(values)]
        done = [t for t in self.trials.values() if t.status == "COMPLETED"]
        if fresh and place <= len(starts):
            return _running(fresh[0])
        best = min(done, key=lambda t: t.score).hyperparameters.values if done else default
        for _ in range(_MUTATIONS):
            values = self._changed(best, draw)
            if not self._is_tried(values):
                return _running(values)
        return {"status": "STOPPED"}

    def _changed(self, values: Mapping[str, Any], draw: np.random.RandomState) -> dict[str, Any]:
        fixed = keras_tuner.engine.hyperparameters.Fixed
        free = [p for p in self.get_space().space if not isinstance(p, fixed)]
        chosen = draw.choice(len(free), size=min(len(free), draw.randint(1, 3)), replace=False)
        drawn = {free[at].name: free[at].random_sample(draw.randint(2**31)) for at in chosen}
        return {**values, **drawn}

    def _holds(self, values: Mapping[str, Any]) -> bool:
        """Whether the space has these values."""
        known = {p.name: p.values for p in self.get_space().space if hasattr(p, "values")}
        return all(value in known.get(name, ()) for name, value in values.items())

    def _is_tried(self, values: Mapping[str, Any]) -> bool:
        return any(t.hyperparameters.values == values for t in self.trials.values())


def _running(values: Mapping[str, Any]) -> dict[str, Any]:
    return {"status": "RUNNING", "values": dict(values)}


def oracle_of(
    section: TunerSection, defaults: Hyperparameters, inputs: ModelInputs, seed: int
) -> keras_tuner.Oracle:
    """The strategy that is asked for.

    Args:
      section: Which, and how many trials it may make.
      defaults: What is tried first.
      inputs: Widths of the features.
      seed: Of all draws.
    """
    automl = section.search == "automl"
    shared = {
        "objective": keras_tuner.Objective(OBJECTIVE, "min"),
        "seed": seed or _FOR_ZERO,
        "hyperparameters": automl_space(defaults, inputs) if automl else space_around(defaults),
        "tune_new_entries": False,
        "allow_new_entries": False,
        "max_consecutive_failed_trials": section.trials + 1,  # the search itself says more
    }
    if section.search == "hyperband":
        # The bound on trials ends it, not how often it has begun anew.
        oracle = BanditOracle(max_epochs=section.epochs, hyperband_iterations=10**6, **shared)
        oracle.max_trials = section.trials
    elif section.search == "bayesian":
        # By itself three times the number of parameters: most searches would be random.
        points = max(3, math.ceil(section.trials / 4))
        oracle = BayesianOracle(max_trials=section.trials, num_initial_points=points, **shared)
    else:
        kind = GreedyOracle if automl else RandomOracle
        oracle = kind(max_trials=section.trials, **shared)
    oracle.verbose = 0
    return oracle


def next_round(oracle: keras_tuner.Oracle) -> Sequence[Any]:
    """The trials that are to run now, in their order; none when the search has ended."""
    few = isinstance(oracle, BayesianOracle | GreedyOracle)
    trials: list[Any] = []
    for place in range(_ROUND if few else _LARGE_ROUND):
        trial = oracle.create_trial(f"place{place}")
        if trial.status != "RUNNING":  # it waits for those of this round, or has none left
            break
        trials.append(trial)
    return trials
