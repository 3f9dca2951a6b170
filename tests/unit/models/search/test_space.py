"""What is searched: values are written and read alike, and every architecture of automl works."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import tf_keras

from core.sections.training import Hyperparameters
from models.compression.goals import measured_sparsity
from models.compression.pruning import prune
from models.export.tflite import DYNAMIC_INT8, FLOAT32, INT8, convert_all, predict
from models.network.network import build_network
from models.network.training import Plan, cross_entropy, fit
from models.search.oracles import GreedyOracle
from models.search.space import STARTS, automl_space, space_around
from models.search.values import architecture_of, as_trial, of_trial
from tests.support.search.searched import DEFAULTS
from tests.support.tiny_rows import INPUTS, make_rows

EVERYTHING = DEFAULTS.model_copy(
    update={
        "numeric_embedding": "periodic",
        "numeric_dim": 3,
        "normalization": "layer",
        "residual": True,
        "crosses": 2,
    }
)


@pytest.mark.parametrize("values", [DEFAULTS, EVERYTHING])
def test_values_are_read_as_they_were_written(values: Hyperparameters) -> None:
    assert of_trial({**as_trial(values), "tuner/epochs": 3}) == values


def test_values_of_a_trial_of_before_are_read() -> None:
    before = {"learning_rate": 0.02, "hidden_units": "6-4", "dropout": 0.0}
    assert of_trial({**before, "embedding_dim": 2, "l2": 0.0}) == DEFAULTS


@pytest.mark.parametrize("values", [DEFAULTS, EVERYTHING])
def test_the_values_are_the_default_point_of_both_spaces(values: Hyperparameters) -> None:
    for space in (space_around(values), automl_space(values, INPUTS)):
        assert of_trial({p.name: p.default for p in space.space}) == values


def test_of_many_numbers_the_embeddings_are_short() -> None:
    wide = dataclasses.replace(INPUTS, numeric=500)
    space = {p.name: p for p in automl_space(DEFAULTS, wide).space}
    assert set(space["numeric_embedding"].values) == {"none", "relu-4", "periodic-4"}


def test_automl_begins_with_what_the_space_has() -> None:
    space = {p.name: p for p in automl_space(DEFAULTS, INPUTS).space}
    for start in STARTS:
        assert all(value in space[name].values for name, value in start.items())


def drawn(count: int) -> list[Hyperparameters]:
    """Points of the space in which each value of each kind occurs: starts, and one change each."""
    found = []
    for parameter in automl_space(DEFAULTS, INPUTS).space:
        for value in getattr(parameter, "values", ()):
            found.append(of_trial({**as_trial(DEFAULTS), parameter.name: value}))
    oracle = GreedyOracle(
        objective="val_loss", max_trials=9, seed=1, hyperparameters=automl_space(DEFAULTS, INPUTS)
    )
    oracle.trials = {"0": None}  # what is drawn is not the default
    return found + [of_trial(oracle._random_values() or {}) for _ in range(count)]


def test_every_architecture_of_automl_is_built_and_learns_by_all_its_weights() -> None:
    rows = make_rows(5)
    for values in drawn(12):
        network = build_network(INPUTS, architecture_of(values), "network")
        answer = network(rows.features)
        assert answer.shape == (5, 1)
        assert np.isfinite(answer).all()


KINDS = {
    "all": EVERYTHING,
    "relu and batch": EVERYTHING.model_copy(
        update={"numeric_embedding": "relu", "normalization": "batch", "hidden_units": (6, 6, 4)}
    ),
}


@pytest.mark.parametrize("values", KINDS.values(), ids=KINDS)
def test_an_architecture_trains_prunes_is_saved_and_runs_on_a_device(
    values: Hyperparameters, tmp_path: Path
) -> None:
    train, evaluation = make_rows(400), make_rows(200, seed=2)
    tf_keras.utils.set_random_seed(1)
    network = build_network(INPUTS, architecture_of(values), "network")
    plan = Plan(epochs=6, batch_size=32, learning_rate=0.02, seed=1)
    history = fit(network, train, evaluation, cross_entropy, plan)
    assert history["val_loss"][-1] < 0.6 * history["val_loss"][0]
    pruned, _ = prune(network, train, evaluation, cross_entropy, plan, 0.5)
    assert measured_sparsity(pruned) == pytest.approx(0.5, abs=0.02)
    pruned.save(tmp_path / "network.keras")
    loaded = tf_keras.models.load_model(tmp_path / "network.keras", compile=False)
    expected = pruned(evaluation.features, training=False).numpy()[:, 0]
    answers = loaded(evaluation.features, training=False).numpy()[:, 0]
    np.testing.assert_allclose(answers, expected, atol=1e-6)
    contents = convert_all(loaded, train, (FLOAT32, DYNAMIC_INT8, INT8))
    for variant, within in ((FLOAT32, 1e-5), (DYNAMIC_INT8, 0.1), (INT8, 0.1)):
        difference = np.abs(predict(contents[variant], evaluation.features) - expected)
        assert difference.mean() < within, variant
