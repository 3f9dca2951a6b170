"""Requests that TensorFlow Serving answers when it has loaded a version, before it is live.

It looks for them in `assets.extra/tf_serving_warmup_requests`: TFRecords of `PredictionLog`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from core.names import COLUMNS_SIGNATURE, DEFAULT_SIGNATURE, EXAMPLES_INPUT, WARM_UP_FILE

_MISSING = {tf.string: b"", tf.float32: float("nan")}


def write_warm_up_requests(model: Path, name: str, examples: Sequence[bytes]) -> None:
    """Writes requests for both signatures: each row by itself, then all rows at once.

    Args:
      model: A SavedModel.
      name: Of the model, as it is served.
      examples: Serialized tf.Examples of raw columns; what the model does not take, labels among
        it, is left out.
    """
    content = (model / "saved_model.pb").read_bytes()
    signatures = saved_model_pb2.SavedModel.FromString(content).meta_graphs[0].signature_def
    types = {
        column: tf.as_dtype(tensor.dtype)
        for column, tensor in signatures[COLUMNS_SIGNATURE].inputs.items()
    }
    rows = [_stripped(example, types) for example in examples]
    batches = [*([row] for row in rows), rows] if len(rows) > 1 else [rows]
    path = model / WARM_UP_FILE
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for batch in batches:
            serialized = [row.SerializeToString() for row in batch]
            by_examples = {EXAMPLES_INPUT: tf.make_tensor_proto(serialized, tf.string)}
            by_columns = {
                column: tf.make_tensor_proto([[_cell(row, column, kind)] for row in batch], kind)
                for column, kind in types.items()
            }
            for signature, inputs in (
                (DEFAULT_SIGNATURE, by_examples),
                (COLUMNS_SIGNATURE, by_columns),
            ):
                request = predict_pb2.PredictRequest(inputs=inputs)
                request.model_spec.name = name
                request.model_spec.signature_name = signature
                log = prediction_log_pb2.PredictLog(request=request)
                record = prediction_log_pb2.PredictionLog(predict_log=log)
                writer.write(record.SerializeToString())


def _stripped(example: bytes, columns: dict[str, tf.DType]) -> tf.train.Example:
    """A row with the columns that the model takes, in one order."""
    features = tf.train.Example.FromString(example).features.feature
    row = tf.train.Example()
    for column in sorted(columns):
        if column in features:
            row.features.feature[column].CopyFrom(features[column])
    return row


def _cell(row: tf.train.Example, column: str, kind: tf.DType) -> Any:
    feature = row.features.feature.get(column)
    which = feature.WhichOneof("kind") if feature is not None else None
    values: Sequence[Any] = getattr(feature, which).value if which else ()
    return values[0] if len(values) else _MISSING[kind]
