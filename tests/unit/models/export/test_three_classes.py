"""What is exported of three classes answers shares, their names and the chosen one."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from components.training.quantizer import bundle_document
from core.names import EDGE_MODEL_FILE, PREPROCESSING_FILE
from models.export import serve_edge, serve_server
from models.export.export import export_server_model
from models.export.server import load_server_model
from models.export.tflite import VARIANTS, convert_all, measure, predict
from models.network.description import describe
from models.network.network import answers_of, build_network
from models.network.preprocessing import model_inputs_of
from models.network.rows import Rows, load_rows
from tests.support.tiny_rows import ARCHITECTURE
from tests.support.tiny_transform import PREPROCESSING, ROWS, raw_example, raw_row, tiny_transform

CLASSES = ("ride", "carry a bag", "o=th,er")
PREPROCESSING_3 = PREPROCESSING.model_copy(update={"classes": CLASSES})


@pytest.fixture(scope="module")
def graph() -> str:
    return str(tiny_transform() / "graph")


@pytest.fixture(scope="module")
def rows(graph: str) -> Rows:
    """The transformed rows, with shares of three classes as labels."""
    found = load_rows([str(tiny_transform() / "rows.gz")], model_inputs_of(graph, PREPROCESSING))
    shares = np.random.RandomState(1).dirichlet(np.ones(3), found.count).astype(np.float32)
    return dataclasses.replace(found, label=shares)


@pytest.fixture(scope="module")
def network(graph: str) -> tf_keras.Model:
    tf_keras.utils.set_random_seed(3)
    made = build_network(model_inputs_of(graph, PREPROCESSING_3), ARCHITECTURE, "network")
    wide = made.get_layer("wide").embeddings
    wide.assign(tf.random.normal(wide.shape))
    return made


@pytest.fixture(scope="module")
def saved_model(
    graph: str, network: tf_keras.Model, tmp_path_factory: pytest.TempPathFactory
) -> str:
    path = str(tmp_path_factory.mktemp("export") / "model")
    export_server_model(network, graph, PREPROCESSING_3, path)
    return path


def columns() -> tuple[np.ndarray, np.ndarray]:
    """Numbers and texts as a server gives them, for the names in ascending order."""
    raw = [raw_row(number) for number in range(ROWS)]
    numbers = np.array([[row["age"][0], row["capital-gain"][0]] for row in raw], np.float64)
    texts = np.empty((ROWS, 4), object)
    for at, row in enumerate(raw):
        texts[at] = [(row[name] or [b""])[0].decode() for name in ("note", "sex", "title", "work")]
    return numbers, texts


def test_both_signatures_answer_all_three(
    saved_model: str, network: tf_keras.Model, rows: Rows
) -> None:
    expected = answers_of(network, rows)
    examples = [raw_example(number) for number in range(ROWS)]
    answer = tf.saved_model.load(saved_model).signatures["serving_default"]
    found = answer(examples=tf.constant(examples))
    np.testing.assert_allclose(found["probabilities"], expected, atol=1e-6)
    assert {tuple(row) for row in found["classes"].numpy().tolist()} == {
        tuple(name.encode() for name in CLASSES)
    }
    chosen = [CLASSES[code].encode() for code in expected.argmax(axis=1)]
    assert found["class"].numpy()[:, 0].tolist() == chosen
    np.testing.assert_allclose(load_server_model(saved_model)(examples), expected, atol=1e-6)


def test_a_session_answers_the_same(saved_model: str, network: tf_keras.Model, rows: Rows) -> None:
    served = serve_server.load(Path(saved_model))
    assert served.classes == CLASSES
    numbers, texts = columns()
    assert served.texts == ("note", "sex", "title", "work")
    np.testing.assert_allclose(served.answer(numbers, texts), answers_of(network, rows), atol=1e-6)
    examples = [raw_example(number) for number in range(ROWS)]
    np.testing.assert_allclose(
        served.answer_examples(examples), answers_of(network, rows), atol=1e-6
    )


def test_every_variant_answers_near_the_student(network: tf_keras.Model, rows: Rows) -> None:
    contents = convert_all(network, rows.sample(100, 1))
    report = measure(network, contents, rows, 0.02)
    expected = answers_of(network, rows)
    for variant in VARIANTS:
        found = predict(contents[variant], rows.features)
        assert found.shape == (rows.count, 3)
        difference = float(np.abs(found - expected).mean())
        assert report[variant]["difference"] == pytest.approx(difference)
    assert report["student"]["difference"] < 1e-6 < report["student_int8"]["difference"]
    with pytest.raises(RuntimeError, match=r"student_int8: mean absolute difference"):
        measure(network, {"student_int8": contents["student_int8"]}, rows, 1e-7)


def test_a_bundle_answers_as_its_file_in_the_pipeline(
    graph: str, network: tf_keras.Model, rows: Rows, tmp_path: Path
) -> None:
    content = convert_all(network, rows.sample(100, 1))["student_int8"]
    document = bundle_document(describe(graph, PREPROCESSING_3), CLASSES, "student_int8")
    assert (document["classes"], "threshold" in document) == (list(CLASSES), False)
    (tmp_path / EDGE_MODEL_FILE).write_bytes(content)
    (tmp_path / PREPROCESSING_FILE).write_text(json.dumps(document))
    served = serve_edge.load(tmp_path)
    assert (served.classes, served.texts) == (CLASSES, ("work", "sex", "note", "title"))
    numbers, texts = columns()
    found = served.answer(numbers, texts[:, [3, 1, 0, 2]])
    np.testing.assert_array_equal(found, predict(content, rows.features))
    outputs = served.signatures["serving_columns"].outputs
    assert {n: t.tensor_shape.dim[1].size for n, t in outputs.items()} == {
        "probabilities": 3,
        "classes": 3,
        "class": 1,
    }
