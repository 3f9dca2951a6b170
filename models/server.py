"""Size and latency of the server model, asked as TensorFlow Serving asks it."""

import functools
from typing import Any

import tensorflow as tf

from models.export import DEFAULT_SIGNATURE, EXAMPLES
from models.measurement import folder_contents, median_latency_us, sizes
from models.rows import load_records

_REPEATS = {1: 100, 256: 20}


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
        call = functools.partial(answer, **{EXAMPLES: examples})
        latency[f"batch_{batch}"] = median_latency_us(call, repeats)
    return {**sizes(folder_contents(folder)), "latency_us": latency}
