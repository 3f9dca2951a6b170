"""Zeros and distinct weights, read back from real files."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from core.sections.training import UNSTRUCTURED
from models.compression.exported import Stored, by_layer, facts, in_tflite, verified
from models.compression.goals import measured_sparsity, tables_of
from models.compression.pruning import prune
from models.export.tflite import FLOAT16, FLOAT32, VARIANTS, convert_all
from models.network.network import Architecture, build_network
from models.network.training import Plan, cross_entropy, fit
from tests.support.tiny_rows import INPUTS, WITH_TEXT, make_rows

PLAN = Plan(epochs=2, batch_size=32, learning_rate=0.02, seed=1)
ARCHITECTURE = Architecture(hidden_units=(16, 16), embedding_dim=4)


def network(name: str = "student") -> tf_keras.Model:
    tf_keras.utils.set_random_seed(1)
    built = build_network(INPUTS, ARCHITECTURE, name)
    fit(built, make_rows(300), make_rows(100, seed=2), cross_entropy, PLAN)
    return built


@pytest.fixture(scope="module")
def small() -> tf_keras.Model:
    """Half of the weights are zero, the others have eight values at most."""
    options = UNSTRUCTURED.model_copy(update={"clusters": 8})
    rows = make_rows(300), make_rows(100, seed=2)
    found, _ = prune(network(), *rows, cross_entropy, PLAN, 0.5, options=options)
    return found


@pytest.fixture(scope="module")
def contents(small: tf_keras.Model) -> dict[str, bytes]:
    return convert_all(small, make_rows(100))


@pytest.mark.parametrize("variant", VARIANTS)
def test_each_file_has_the_zeros_and_the_few_weights(
    small: tf_keras.Model, contents: dict[str, bytes], variant: str
) -> None:
    tables = tables_of(small)
    found = by_layer(in_tflite(contents[variant]), tables, variant)
    told = verified(found, small, variant)
    assert told["sparsity"] >= measured_sparsity(small) > 0.45
    assert told["distinct_weights"] <= 8
    for name, table in tables.items():
        stored, largest = found[name], np.abs(table).max()
        error = np.abs(stored.numbers - table).max()
        if stored.scales is None:
            assert error <= (largest * 2**-11 if variant == FLOAT16 else 0)
        else:
            assert error <= 0.501 * stored.scales.max()
            # A kernel has 127 steps on either side. TFLite wants one scale of all that is joined:
            # an embedding has that of what it is joined with, which can be coarser.
            if not name.startswith(("embedding", "wide")) or name == "wide_numbers":
                assert stored.scales.max() == pytest.approx(largest / 127)
        assert told["weights"][name]["distinct"] <= 8


def test_a_table_is_known_by_its_weights_where_shapes_are_equal(
    small: tf_keras.Model, contents: dict[str, bytes]
) -> None:
    tables = tables_of(small)
    shapes = [table.shape for table in tables.values()]
    assert shapes.count((16, 16)) == 1
    twins = {"first": tables["hidden_1"], "second": tables["hidden_1"].T + 1}
    stored = [Stored(twins["second"].T), Stored(twins["first"].T)]
    found = by_layer(stored, twins, "file")
    np.testing.assert_array_equal(found["first"].values, twins["first"])
    np.testing.assert_array_equal(found["second"].values, twins["second"])
    assert len(in_tflite(contents[FLOAT32])) == len(tables)


def test_texts_have_their_tables_in_the_file(contents: dict[str, bytes]) -> None:
    del contents
    tf_keras.utils.set_random_seed(1)
    reader = build_network(WITH_TEXT, ARCHITECTURE, "student")
    rows = make_rows(60, inputs=WITH_TEXT)
    for variant, content in convert_all(reader, rows).items():
        found = by_layer(in_tflite(content), tables_of(reader), variant)
        assert "wide_text_embedding" in verified(found, reader, variant)["weights"]


def test_a_file_that_lost_zeros_is_an_error(
    small: tf_keras.Model, contents: dict[str, bytes]
) -> None:
    dense = network()
    [content] = convert_all(dense, make_rows(50), [FLOAT32]).values()
    found = by_layer(in_tflite(content), tables_of(small), "student")
    with pytest.raises(RuntimeError, match=r"student: embedding has sparsity 0\.\d+ instead of 0"):
        verified(found, small, "student")
    kept = by_layer(in_tflite(contents[FLOAT32]), tables_of(small), "student")
    more = kept["hidden_0"].values * np.linspace(1, 2, 16)
    with pytest.raises(RuntimeError, match=r"hidden_0 has \d+ distinct weights instead of \d"):
        verified({**kept, "hidden_0": Stored(more)}, small, "student")


def test_a_layer_that_is_not_in_the_file_is_an_error(contents: dict[str, bytes]) -> None:
    with pytest.raises(RuntimeError, match=r"student: the weights of other, \(3, 7\), are not in"):
        by_layer(in_tflite(contents[FLOAT32]), {"other": np.zeros((3, 7))}, "student")


def test_channels_with_a_scale_of_their_own_are_counted_one_by_one() -> None:
    stored = Stored(np.array([[1, 2, 0], [3, 4, 0]]), 0, np.array([0.5, 2.0], np.float32))
    assert stored.distinct == stored.transposed().distinct == 3
    np.testing.assert_array_equal(stored.numbers, np.array([[0.5, 1, 0], [6, 8, 0]]))
    np.testing.assert_array_equal(stored.transposed().numbers, stored.numbers.T)
    assert facts({"t": stored})["sparsity"] == pytest.approx(1 / 3)
    assert dataclasses.replace(stored, channels=None).distinct == 5


def test_the_zero_point_is_a_zero() -> None:
    assert tf.version.VERSION, "the interpreter is TensorFlow's"
    stored = Stored(np.array([[5, 3], [5, 5]], np.int32) - 5)
    assert facts({"t": stored})["sparsity"] == pytest.approx(0.75)
