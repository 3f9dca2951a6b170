"""The TFLite variants: same inputs and output, close to the student, and checked."""

import dataclasses
import os

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from models.export.tflite import (
    FLOAT32,
    INT8,
    INT8_INPUTS,
    VARIANTS,
    _quiet_standard_error,
    convert_all,
    input_quantization,
    measure,
    predict,
)
from models.network.network import LOGIT, build_network
from models.network.training import Plan, cross_entropy, fit
from tests.support.tiny_rows import ARCHITECTURE, INPUTS, WITH_TEXT, make_rows


@pytest.fixture(scope="module")
def student() -> tf_keras.Model:
    tf_keras.utils.set_random_seed(1)
    network = build_network(INPUTS, ARCHITECTURE, "student")
    plan = Plan(epochs=6, batch_size=32, learning_rate=0.02, seed=1)
    fit(network, make_rows(600), make_rows(100, seed=2), cross_entropy, plan)
    return network


@pytest.fixture(scope="module")
def contents(student: tf_keras.Model) -> dict[str, bytes]:
    return convert_all(student, make_rows(100))


@pytest.mark.parametrize("variant", VARIANTS)
def test_inputs_and_output_stay_as_they_are(contents: dict[str, bytes], variant: str) -> None:
    runner = tf.lite.Interpreter(model_content=contents[variant]).get_signature_runner(
        "serving_default"
    )
    inputs = {name: detail["dtype"] for name, detail in runner.get_input_details().items()}
    outputs = {name: detail["dtype"] for name, detail in runner.get_output_details().items()}
    numbers = np.int8 if variant == INT8_INPUTS else np.float32
    assert inputs == {"numeric": numbers, "categorical": np.int64}
    assert outputs == {"probability": np.float32}


@pytest.fixture(scope="module")
def reader() -> tf_keras.Model:
    """A student of texts."""
    tf_keras.utils.set_random_seed(1)
    network = build_network(WITH_TEXT, ARCHITECTURE, "student")
    plan = Plan(epochs=6, batch_size=32, learning_rate=0.02, seed=1)
    train, evaluation = (make_rows(n, seed=n, inputs=WITH_TEXT) for n in (600, 100))
    fit(network, train, evaluation, cross_entropy, plan)
    return network


def test_texts_are_read_by_every_variant_as_by_the_student(reader: tf_keras.Model) -> None:
    rows = make_rows(200, seed=3, inputs=WITH_TEXT)
    empty = dataclasses.replace(rows.take(np.arange(1)), tokens=np.zeros((1, 10), np.int64))
    contents = convert_all(reader, make_rows(100, inputs=WITH_TEXT))
    report = measure(reader, contents, rows, max_difference=0.02)
    assert report[FLOAT32]["difference"] < 1e-6
    for variant in VARIANTS:
        assert report[variant]["latency_us"]["batch_1"] > 0
        expected = reader(empty.features).numpy()[:, 0]
        np.testing.assert_allclose(predict(contents[variant], empty.features), expected, atol=0.05)


def test_all_integer_kernels_in_the_full_int8_variant(contents: dict[str, bytes]) -> None:
    interpreter = tf.lite.Interpreter(model_content=contents[INT8])
    ends = [*interpreter.get_input_details(), *interpreter.get_output_details()]
    outside = {detail["index"] for detail in ends}
    within = [d for d in interpreter.get_tensor_details() if d["index"] not in outside]
    assert any("MatMul" in detail["name"] for detail in within)
    assert not [d["name"] for d in within if not np.issubdtype(d["dtype"], np.integer)]
    # Weights and what is multiplied by them; biases and shapes are one-dimensional.
    assert all(d["dtype"] == np.int8 for d in within if len(d["shape"]) == 2)


def test_numbers_as_integers_give_the_answers_of_numbers_as_floats(
    contents: dict[str, bytes],
) -> None:
    rows = make_rows(3000, seed=5)
    beyond = dataclasses.replace(rows, numeric=rows.numeric * 3 - 1)  # out of what calibrated, too
    told = input_quantization(contents[INT8_INPUTS])
    assert list(told) == ["numeric"]
    ties = (np.arange(-128, 128) + 0.5 - told["numeric"]["zero_point"]) * told["numeric"]["scale"]
    beyond.numeric[: len(ties), 0] = ties  # in which two ways of rounding differ
    answers = [predict(contents[variant], beyond.features) for variant in (INT8, INT8_INPUTS)]
    np.testing.assert_array_equal(answers[0], answers[1])
    assert input_quantization(contents[INT8]) == {}


def test_variants_are_measured(student: tf_keras.Model, contents: dict[str, bytes]) -> None:
    report = measure(student, contents, make_rows(200, seed=3), max_difference=0.05)
    assert list(report) == list(VARIANTS)
    assert report[FLOAT32]["difference"] < 1e-5
    for row in report.values():
        assert 0 < row["gzip_bytes"] < row["bytes"]
        assert row["latency_us"]["batch_1"] > 0
        assert set(row["weights"]) == {"embedding", "wide", "hidden_0", "wide_numbers", "logit"}
        assert row["sparsity"] < 0.2
        assert row["distinct_weights"] > 8


def test_too_large_a_difference_is_an_error(
    student: tf_keras.Model, contents: dict[str, bytes]
) -> None:
    with pytest.raises(RuntimeError, match=r"student_int8: .* bound <= 1e-07"):
        measure(student, {INT8: contents[INT8]}, make_rows(200), max_difference=1e-7)


def test_answers_that_are_not_numbers_are_an_error(contents: dict[str, bytes]) -> None:
    broken = build_network(INPUTS, ARCHITECTURE, "student")
    broken.get_layer(LOGIT).bias.assign([np.nan])
    with pytest.raises(RuntimeError, match=r"student: .* nan"):
        measure(broken, {FLOAT32: contents[FLOAT32]}, make_rows(20), max_difference=0.1)


def test_predictions_are_of_the_students_rows(
    student: tf_keras.Model, contents: dict[str, bytes]
) -> None:
    rows = make_rows(9, seed=4)
    expected = student(rows.features).numpy()[:, 0]
    np.testing.assert_allclose(predict(contents[FLOAT32], rows.features), expected, atol=1e-5)


def test_what_the_converter_prints_is_kept_for_failures_only(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with _quiet_standard_error():
        os.write(2, b"chatter")
    assert capfd.readouterr().err == ""

    @_quiet_standard_error()
    def fail() -> None:
        os.write(2, b"the reason")
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fail()
    assert capfd.readouterr().err == "the reason"
