"""TFMA answers for a file with int8 inputs as a device does: real files, real Beam."""

import pickle
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pytest
import tensorflow_model_analysis as tfma
import tf_keras
from tensorflow_model_analysis.extractors import tflite_predict_extractor
from tensorflow_model_analysis.proto import config_pb2

from components.beam.tflite_rounding import rounding
from models.export.tflite import INT8, INT8_INPUTS, convert_all, predict
from models.network.network import build_network
from models.network.rows import Rows
from models.network.training import Plan, cross_entropy, fit
from tests.support.tiny_rows import ARCHITECTURE, INPUTS, make_rows


@pytest.fixture(scope="module")
def contents() -> dict[str, bytes]:
    tf_keras.utils.set_random_seed(1)
    network = build_network(INPUTS, ARCHITECTURE, "student")
    plan = Plan(epochs=6, batch_size=32, learning_rate=0.02, seed=1)
    fit(network, make_rows(600), make_rows(100, seed=2), cross_entropy, plan)
    return convert_all(network, make_rows(100), [INT8, INT8_INPUTS])


def write(answers: Any, path: str) -> None:
    """Where the test finds it; Beam hands copies to its steps."""
    Path(path).write_bytes(pickle.dumps(answers))


def evaluated(content: bytes, rows: Rows, folder: Path, ours: bool) -> np.ndarray:
    """What TFMA's extractor makes of a file."""
    folder.mkdir()
    (folder / "tflite").write_bytes(content)
    config = config_pb2.EvalConfig(model_specs=[config_pb2.ModelSpec(model_type="tf_lite")])
    model = tfma.default_eval_shared_model(str(folder), eval_config=config, rubber_stamp=True)
    extractors = [tflite_predict_extractor.TFLitePredictExtractor(config, model)]
    if ours:
        extractors = rounding(extractors, config, model)
    [extractor] = extractors
    runner = beam.runners.portability.fn_api_runner.FnApiRunner()
    with beam.Pipeline(runner=runner) as pipeline:
        _ = (
            pipeline
            | beam.Create([{tfma.FEATURES_KEY: rows.features}])
            | extractor.ptransform
            | beam.Map(lambda extracts: extracts[tfma.PREDICTIONS_KEY])
            | beam.Map(write, str(folder / "answers"))
        )
    answers: np.ndarray = pickle.loads((folder / "answers").read_bytes())
    return answers[:, 0]


def test_integer_inputs_are_rounded_as_a_device_rounds_them(
    contents: dict[str, bytes], tmp_path: Path
) -> None:
    rows = make_rows(400, seed=3)
    expected = predict(contents[INT8_INPUTS], rows.features)
    found = evaluated(contents[INT8_INPUTS], rows, tmp_path / "ours", ours=True)
    np.testing.assert_array_equal(found, expected)
    stock = evaluated(contents[INT8_INPUTS], rows, tmp_path / "stock", ours=False)
    assert (stock != expected).any(), "TFMA rounds by itself: this module is no longer needed"


def test_files_with_float_inputs_are_evaluated_as_before(
    contents: dict[str, bytes], tmp_path: Path
) -> None:
    rows = make_rows(50, seed=3)
    found = evaluated(contents[INT8], rows, tmp_path / "float", ours=True)
    np.testing.assert_array_equal(found, predict(contents[INT8], rows.features))
    other = tfma.extractors.UnbatchExtractor()
    assert rounding([other], config_pb2.EvalConfig(), None) == [other]
