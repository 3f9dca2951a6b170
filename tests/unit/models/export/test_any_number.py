"""Server, by both signatures, and device answer the same to every number that can be written."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from models.export.device import features
from models.export.export import export_server_model
from models.network.description import describe
from models.network.layout import Preprocessing
from models.network.network import build_network
from models.network.preprocessing import model_inputs_of
from tests.support.tiny_rows import ARCHITECTURE
from tests.support.tiny_transform import fit

# By column: values that the boundaries are fitted to, in turn.
FITTED: dict[str, list[float]] = {
    "age": list(range(20, 70)),
    "wide": [-3e38, -2e38, -1.0, 1.0, 2e38, 3e38],
    "close": [1e-30 * (1 + n * 2.0**-22) for n in range(40)],
    "constant": [7.0],
    "zero": [0.0],
    "tiny": [1e-45, -1e-40, 1e-38],
    "empty": [],
    "huge": [2**62, -(2**62), 2**63 - 1, -(2**63), 5, 2**53 + 1],
}
WHOLE = ("age", "huge")
PREPROCESSING = Preprocessing(
    numeric=tuple(FITTED),
    categorical=(),
    text=None,
    passed_through=(),
    buckets=8,
    classes=("no", "yes"),
)
SPEC = {name: tf.io.VarLenFeature(tf.int64 if name in WHOLE else tf.float32) for name in FITTED} | {
    name: tf.io.VarLenFeature(tf.float32) for name in ("label", "weight")
}
REALS = [
    0.0, -0.0, 25.0, 25.9, -25.9, 0.5, 24.999999, 6.9999995, 16777217.0, 1 + 2.0**-24,
    1e-45, -1e-45, 1e-40, 1.2e-38, 1e-30, 1.0000001e-30, -1e-30, 7.8e-31, 7.9e-31,
    9.2e18, 9.3e18, -9.3e18, 1e19, 2.0**63, -(2.0**63), 1.5e38, -2.5e38, 3.4e38, -3.4e38,
    3.4028235e38, 1e39, 1e300, -1e300, np.inf, -np.inf, np.nan,
]  # fmt: skip
INTEGERS = [0, 1, -1, 25, 2**24 + 1, 2**53 + 1, 2**62, 2**63 - 1, -(2**63), -(2**62) - 1]


def row_of(number: int) -> dict[str, list[Any]]:
    row: dict[str, list[Any]] = {
        name: [values[number % len(values)]] if values else [] for name, values in FITTED.items()
    }
    return row | {"label": [1.0], "weight": [1.0]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Transform graph, `graph`, and a SavedModel with it, `model`."""
    path = tmp_path_factory.mktemp("any")
    fit(path, SPEC, PREPROCESSING, [row_of(number) for number in range(200)])
    network = build_network(model_inputs_of(str(path / "graph"), PREPROCESSING), ARCHITECTURE, "n")
    wide = network.get_layer("wide").embeddings
    wide.assign(tf.random.stateless_normal(wide.shape, (1, 2)))
    network.save(path / "network.keras")
    export_server_model(network, str(path / "graph"), PREPROCESSING, str(path / "model"))
    return path


def answers_of_a_device(folder: Path, columns: dict[str, np.ndarray]) -> np.ndarray:
    network = tf_keras.models.load_model(folder / "network.keras", compile=False)
    document = describe(str(folder / "graph"), PREPROCESSING).document()
    answers: np.ndarray = network(features(document, columns), training=False).numpy()
    return answers


def test_columns_without_a_number_have_boundaries_of_zero(folder: Path) -> None:
    description = describe(str(folder / "graph"), PREPROCESSING)
    boundaries = dict(zip(FITTED, description.numbers[:, :-2], strict=True))
    assert not any(boundaries[name].any() for name in ("zero", "tiny", "empty"))
    assert set(boundaries["constant"]) == {np.float32(7.0)}
    assert np.isfinite(description.numbers).all()
    assert all(len(set(boundaries[name])) > 3 for name in ("age", "wide", "close", "huge"))


@pytest.mark.parametrize("column", FITTED)
def test_by_named_columns_and_on_a_device(folder: Path, column: str) -> None:
    answer = tf.saved_model.load(str(folder / "model")).signatures["serving_columns"]
    with np.errstate(over="ignore"):
        of_32_bits = np.array(REALS).astype(np.float32)
    for sent in (np.array(REALS), of_32_bits, np.array(INTEGERS)):
        columns = {name: np.full(len(sent), np.nan) for name in FITTED} | {column: sent}
        with np.errstate(over="ignore"):
            named = {
                name: tf.constant(values.astype(np.float32)[:, np.newaxis])
                for name, values in columns.items()
            }
        served = answer(**named)["probability"].numpy()
        assert np.isfinite(served).all()
        np.testing.assert_allclose(served, answers_of_a_device(folder, columns), atol=1e-6)


@pytest.mark.parametrize("column", FITTED)
def test_by_examples_and_on_a_device(folder: Path, column: str) -> None:
    answer = tf.saved_model.load(str(folder / "model")).signatures["serving_default"]
    examples = []
    sent: list[Any] = INTEGERS if column in WHOLE else [x for x in REALS if abs(x) < 3.5e38]
    for number in sent:
        example = tf.train.Example()
        feature = example.features.feature[column]
        (feature.int64_list if column in WHOLE else feature.float_list).value.append(number)
        examples.append(example.SerializeToString())
    columns = {name: np.full(len(sent), np.nan) for name in FITTED} | {column: np.array(sent)}
    served = answer(examples=tf.constant(examples))["probability"].numpy()
    np.testing.assert_allclose(served, answers_of_a_device(folder, columns), atol=1e-6)


def test_the_highest_number_is_of_the_highest_bucket_and_fractions_count(folder: Path) -> None:
    document = describe(str(folder / "graph"), PREPROCESSING).document()
    missing = {name: np.full(5, np.nan) for name in FITTED}
    ages = np.array([9.3e18, np.inf, -np.inf, 35.0, 35.9])
    inputs = features(document, missing | {"age": ages})
    assert inputs["categorical"][:3, 0].tolist() == [7, 7, 0]
    assert inputs["numeric"][3, 0] < inputs["numeric"][4, 0]
