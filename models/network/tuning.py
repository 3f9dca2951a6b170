"""The search for hyperparameters with KerasTuner."""

from collections.abc import Mapping
from typing import Any

import keras_tuner
import tf_keras

from core.sections import Hyperparameters
from models.network.network import Architecture, build_network
from models.network.preprocessing import ModelInputs
from models.network.rows import Rows
from models.network.training import Plan, cross_entropy, fit

OBJECTIVE = "val_loss"
_HIDDEN_UNITS = ("32", "64-32", "128-64")
_EMBEDDING_DIMS = (4, 8, 16)
_DROPOUTS = (0.0, 0.1, 0.2, 0.3)
_L2S = (0.0, 1e-5, 1e-4)
_LEARNING_RATES = (5e-4, 5e-3)


def values_of(section: Hyperparameters) -> Hyperparameters:
    """The values alone, without what else a section holds."""
    return Hyperparameters(**section.model_dump(include=set(Hyperparameters.model_fields)))


def of_trial(values: Mapping[str, Any]) -> Hyperparameters:
    """The values of a trial, in which `hidden_units` is written as `64-32`."""
    units = tuple(int(width) for width in values["hidden_units"].split("-"))
    return Hyperparameters.model_validate({**values, "hidden_units": units})


def architecture_of(values: Hyperparameters) -> Architecture:
    """The network's part of the values."""
    return Architecture(values.hidden_units, values.embedding_dim, values.dropout, values.l2)


def space_around(values: Hyperparameters) -> keras_tuner.HyperParameters:
    """The space that is searched; the values are its default point."""
    hp = keras_tuner.HyperParameters()
    units = "-".join(str(width) for width in values.hidden_units)
    rates = (*_LEARNING_RATES, values.learning_rate)
    hp.Float("learning_rate", min(rates), max(rates), sampling="log", default=values.learning_rate)
    hp.Choice("hidden_units", _with(_HIDDEN_UNITS, units), default=units)
    hp.Choice("dropout", _with(_DROPOUTS, values.dropout), default=values.dropout)
    dims = _with(_EMBEDDING_DIMS, values.embedding_dim)
    hp.Choice("embedding_dim", dims, default=values.embedding_dim)
    hp.Choice("l2", _with(_L2S, values.l2), default=values.l2)
    return hp


def _with(values: tuple[Any, ...], default: Any) -> list[Any]:
    return sorted({*values, default})


class DefaultFirstOracle(keras_tuner.oracles.RandomSearchOracle):
    """Random search whose first trial is the default, so that few trials never do worse."""

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Returns the values of the next trial, in KerasTuner's form."""
        if self.trials:
            return super().populate_space(trial_id)
        space = self.get_space()
        return {
            "status": keras_tuner.engine.trial.TrialStatus.RUNNING,
            "values": {parameter.name: parameter.default for parameter in space.space},
        }


class NetworkTuner(keras_tuner.engine.base_tuner.BaseTuner):
    """Trains a network for each trial; the objective is its lowest weighted evaluation loss.

    A search in which no trial was completed fails: KerasTuner alone returns as if nothing had
    happened.
    """

    def __init__(
        self, inputs: ModelInputs, defaults: Hyperparameters, trials: int, seed: int, directory: str
    ) -> None:
        oracle = DefaultFirstOracle(
            objective=keras_tuner.Objective(OBJECTIVE, "min"),
            max_trials=trials,
            seed=seed,
            hyperparameters=space_around(defaults),
            tune_new_entries=False,
            allow_new_entries=False,
            max_consecutive_failed_trials=trials + 1,  # on_search_end says more
        )
        oracle.verbose = 0
        super().__init__(oracle, directory=directory, project_name="search", overwrite=True)
        self._inputs = inputs
        self._seed = seed

    def run_trial(
        self, trial: Any, train: Rows, evaluation: Rows, epochs: int, batch_size: int
    ) -> dict[str, float]:
        """Trains with the values of one trial."""
        values = of_trial(trial.hyperparameters.values)
        tf_keras.utils.set_random_seed(self._seed)
        model = build_network(self._inputs, architecture_of(values), "trial")
        plan = Plan(epochs, batch_size, values.learning_rate, self._seed)
        history = fit(model, train, evaluation, cross_entropy, plan)
        return {OBJECTIVE: min(history["val_loss"])}

    def on_search_end(self) -> None:
        """Raises RuntimeError when all trials failed."""
        trials = list(self.oracle.trials.values())
        if not any(trial.status == "COMPLETED" for trial in trials):
            message = next((t.message for t in reversed(trials) if t.message), "no message")
            raise RuntimeError(f"all {len(trials)} trials of the tuner failed; the last: {message}")

    def search_space_summary(self, extended: bool = False) -> None:
        """Prints nothing: the results are an artifact."""

    def results_summary(self, num_trials: int = 10) -> None:
        """Prints nothing: the results are an artifact."""
