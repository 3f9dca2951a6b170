"""A fresh process that serves a SavedModel as TensorFlow Serving does: `python -m ... FOLDER`.

Imports TensorFlow and nothing of how the model was made. FOLDER: see
`models/export/fresh_predictions.py`.
"""

import sys
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2

from core.answers import by_row
from core.names import COLUMNS_SIGNATURE, DEFAULT_SIGNATURE
from models.export.fresh_predictions import (
    EXAMPLES_FILE,
    FreshPredictions,
    read_task,
    write_predictions,
)
from models.export.measurement import median_latency_us

_REPEATS = 50
_BATCH_ROWS = 4096


def predict(folder: str, examples: list[bytes], columns: dict[str, np.ndarray]) -> FreshPredictions:
    """Predicts from examples by one signature, from the first by columns too, and takes the time.

    Args:
      folder: The SavedModel.
      examples: Serialized tf.Examples.
      columns: Raw columns of the first rows.
    """
    signatures = tf.saved_model.load(folder).signatures
    by_example, by_column = signatures[DEFAULT_SIGNATURE], signatures[COLUMNS_SIGNATURE]
    [output] = {"probability", "probabilities"}.intersection(by_example.structured_outputs)
    probabilities = [
        by_example(examples=tf.constant(examples[first : first + _BATCH_ROWS]))[output]
        for first in range(0, len(examples), _BATCH_ROWS)
    ]
    named = {
        name: tf.constant(columns[name][:, np.newaxis], dtype)
        for name, dtype in signature_inputs(Path(folder), COLUMNS_SIGNATURE).items()
    }
    one = tf.constant(examples[:1])
    answers = by_column(**named)
    return FreshPredictions(
        by_row(tf.concat(probabilities, axis=0).numpy()),
        by_row(answers[output].numpy()),
        median_latency_us(lambda: by_example(examples=one), _REPEATS) / 1000.0,
        tuple(n.decode() for n in answers["classes"].numpy()[0]) if "classes" in answers else (),
    )


def signature_inputs(folder: Path, signature: str) -> dict[str, int]:
    """Names and types (of `types.proto`) of a signature's inputs, as a server reads them.

    A loaded signature would say them with `-` and spaces replaced.
    """
    inputs = _signature(folder, signature).inputs
    return {name: tensor.dtype for name, tensor in inputs.items()}


def signature_outputs(folder: Path, signature: str) -> dict[str, list[int]]:
    """Names and shapes of a signature's outputs; -1 is the number of rows."""
    outputs = _signature(folder, signature).outputs
    return {n: [d.size for d in tensor.tensor_shape.dim] for n, tensor in outputs.items()}


def _signature(folder: Path, signature: str) -> meta_graph_pb2.SignatureDef:
    content = (folder / "saved_model.pb").read_bytes()
    graph = saved_model_pb2.SavedModel.FromString(content).meta_graphs[0]
    return graph.signature_def[signature]


def main(folder: Path) -> None:
    """Predicts with the candidate, then with the live version."""
    task, columns = read_task(folder)
    records = tf.data.TFRecordDataset(str(folder / EXAMPLES_FILE))
    examples = list(records.as_numpy_iterator())
    sample = {name: values[: task.sample] for name, values in columns.items()}
    for name, model in (("candidate", task.candidate), ("live", task.live)):
        if model is not None:
            write_predictions(folder, name, predict(model, examples, sample))


if __name__ == "__main__":
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    main(Path(sys.argv[1]))
