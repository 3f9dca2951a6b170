"""Size and latency of the server model, asked as TensorFlow Serving asks it."""

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

from core.answers import PROBABILITIES, PROBABILITY, by_row
from core.names import DEFAULT_SIGNATURE, EXAMPLES_INPUT, NETWORK_FILES
from models.export.measurement import median_latency_us, sizes
from models.network.rows import load_records

_REPEATS = {1: 100, 256: 20}
_BATCH = 1024


def measure_server_model(folder: str, requests: str) -> dict[str, Any]:
    """Measures a SavedModel.

    Args:
      folder: The SavedModel.
      requests: File pattern of TFRecords of raw tf.Examples.

    Returns:
      `bytes` and `gzip_bytes` of all files in the folder, and `latency_us`: median time for
      `batch_1` and `batch_256` of serialized examples, preprocessing included.
    """
    loaded = tf.saved_model.load(folder)
    answer = loaded.signatures[DEFAULT_SIGNATURE]
    latency = {}
    for batch, repeats in _REPEATS.items():
        examples = tf.constant(load_records([requests], batch))
        call = functools.partial(answer, **{EXAMPLES_INPUT: examples})
        latency[f"batch_{batch}"] = median_latency_us(call, repeats)
    files = (path for path in sorted(Path(folder).rglob("*")) if path.is_file())
    return {**sizes(path.read_bytes() for path in files), "latency_us": latency}


def predict_in_pipeline(
    features: Mapping[str, tf.Tensor], model: Path, model_run: Path, variant: str
) -> np.ndarray:
    """What the network inside a SavedModel answers as the pipeline has it.

    float32 [rows] for two classes, [rows, K] for more.

    Args:
      features: Transformed features.
      model: The SavedModel, which is not read.
      model_run: The Trainer's `model_run`.
      variant: Which of its networks it is.
    """
    del model
    network = tf_keras.models.load_model(model_run / NETWORK_FILES[variant], compile=False)
    inputs = {name: features[name] for name in network.input}
    return by_row(network(inputs, training=False).numpy())


def load_server_model(folder: str) -> Callable[[Sequence[bytes]], np.ndarray]:
    """Loads a SavedModel.

    Args:
      folder: The SavedModel.

    Returns:
      A function from serialized tf.Examples of raw columns to the probability of the positive
      class, float64 [rows], or to the shares of more than two classes, [rows, K].
    """
    answer = tf.saved_model.load(folder).signatures[DEFAULT_SIGNATURE]
    [output] = {PROBABILITY, PROBABILITIES}.intersection(answer.structured_outputs)

    def probabilities(examples: Sequence[bytes]) -> np.ndarray:
        batches = (examples[at : at + _BATCH] for at in range(0, len(examples), _BATCH))
        found = [
            answer(**{EXAMPLES_INPUT: tf.constant(batch)})[output].numpy() for batch in batches
        ]
        return by_row(np.concatenate(found)).astype(np.float64) if found else np.zeros(0)

    return probabilities
