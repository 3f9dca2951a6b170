"""The server model: both signatures answer what the network answers on transformed features."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from models.export.export import export_server_model
from models.export.server import measure_server_model
from models.network.network import build_network
from models.network.preprocessing import model_inputs_of
from models.network.rows import Rows, load_rows
from tests.support.tiny_rows import ARCHITECTURE
from tests.support.tiny_transform import PREPROCESSING, ROWS, raw_example, raw_row, tiny_transform


@pytest.fixture(scope="module")
def expected() -> np.ndarray:
    """The network's answers to the transformed rows."""
    return _network()(_rows().features).numpy()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = str(tmp_path_factory.mktemp("export") / "model")
    export_server_model(_network(), str(tiny_transform() / "graph"), PREPROCESSING, path)
    return path


def _rows() -> Rows:
    inputs = model_inputs_of(str(tiny_transform() / "graph"), PREPROCESSING)
    return load_rows([str(tiny_transform() / "rows.gz")], inputs)


def _network() -> tf_keras.Model:
    tf_keras.utils.set_random_seed(3)
    inputs = model_inputs_of(str(tiny_transform() / "graph"), PREPROCESSING)
    network = build_network(inputs, ARCHITECTURE, "network")
    for layer in ("wide", "wide_text_embedding"):
        embeddings = network.get_layer(layer).embeddings
        embeddings.assign(tf.random.normal(embeddings.shape))
    return network


def test_serialized_examples(folder: str, expected: np.ndarray) -> None:
    answer = tf.saved_model.load(folder).signatures["serving_default"]
    examples = tf.constant([raw_example(number) for number in range(ROWS)])
    np.testing.assert_allclose(answer(examples=examples)["probability"], expected, atol=1e-6)


def test_named_columns_with_missing_cells(folder: str, expected: np.ndarray) -> None:
    answer = tf.saved_model.load(folder).signatures["serving_columns"]
    rows = [raw_row(number) for number in range(ROWS)]
    columns = {
        "age": tf.constant([[float(row["age"][0])] for row in rows]),
        "capital-gain": tf.constant([row["capital-gain"] for row in rows]),
        "work": tf.constant([row["work"] or [b""] for row in rows]),
        "sex": tf.constant([row["sex"] for row in rows]),
        "note": tf.constant([row["note"] or [b""] for row in rows]),
        "title": tf.constant([row["title"] for row in rows]),
    }
    np.testing.assert_allclose(answer(**columns)["probability"], expected, atol=1e-6)


def test_a_missing_number_is_not_a_zero(folder: str) -> None:
    answer = tf.saved_model.load(folder).signatures["serving_columns"]
    columns = {"work": tf.constant([["Private"]]), "sex": tf.constant([["Male"]])}
    columns |= dict.fromkeys(("note", "title"), tf.constant([[""]]))

    def probability(age: float) -> float:
        numbers = {"age": tf.constant([[age]]), "capital-gain": tf.constant([[1.0]])}
        return float(answer(**columns, **numbers)["probability"])

    assert np.isfinite(probability(np.nan))
    assert probability(np.nan) != probability(0.0)


def test_the_columns_keep_their_names_and_labels_are_not_asked_for(folder: str) -> None:
    content = (Path(folder) / "saved_model.pb").read_bytes()
    signatures = SavedModel.FromString(content).meta_graphs[0].signature_def
    asked = {"age", "capital-gain", "work", "sex", "note", "title"}
    assert set(signatures["serving_columns"].inputs) == asked
    assert set(signatures["serving_default"].inputs) == {"examples"}


def test_the_server_model_is_measured(folder: str) -> None:
    path = Path(folder).parent / "requests"
    with tf.io.TFRecordWriter(str(path)) as writer:
        writer.write(raw_example(1))
    report = measure_server_model(folder, str(path))
    assert 0 < report["gzip_bytes"] < report["bytes"]
    assert set(report["latency_us"]) == {"batch_1", "batch_256"}


def test_a_request_that_is_no_example_is_an_error(folder: str) -> None:
    answer = tf.saved_model.load(folder).signatures["serving_default"]
    with pytest.raises(tf.errors.InvalidArgumentError, match="Could not parse example input"):
        answer(examples=tf.constant([b"{}"]))
