"""Calls without a server, which what it takes is compared with, and single calls of one."""

import csv
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from benchmarks import measure
from core.names import COLUMNS_SIGNATURE
from core.targets import TARGETS
from core.version_record import version_folders
from models.export.lean_process import hide_unneeded
from models.export.predict_server import signature_inputs
from pipeline.serving.metrics import ServingMetrics

_CALLS = 1000


def requests(root: Path) -> list[dict[str, Any]]:
    """The test rows as a client sends them."""
    [path] = root.glob("smoke/staged/*/test/data.csv")
    model = max(version_folders(TARGETS["server"].served(root / "smoke", "smoke")).items())[1]
    types = signature_inputs(model, COLUMNS_SIGNATURE)
    with path.open(newline="", encoding="utf-8") as file:
        return [
            {
                name: row[name] if kind == tf.string.as_datatype_enum else int(row[name])
                for name, kind in types.items()
            }
            for row in csv.DictReader(file)
        ]


def body(rows: list[dict[str, Any]]) -> bytes:
    """A request for rows."""
    return json.dumps({"signature_name": COLUMNS_SIGNATURE, "instances": rows}).encode()


def calls_without_a_server(root: Path) -> dict[str, float]:
    """`in_process`, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.serving", "--in-process", str(root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise measure.MeasurementError(done.stderr[-2000:])
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def in_process(root: Path) -> dict[str, float]:
    """Calls of the live server model: milliseconds of a packed row, rows/s of the signature.

    The packed call is a ConcreteFunction over two tensors, numbers and texts, that takes them apart
    and calls `serving_columns`; the session is what the server asks.
    """
    from models.export.serve_server import load  # loads TensorFlow
    from pipeline.serving.versions import ask_columns  # loads TensorFlow

    hide_unneeded()
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    folder = max(version_folders(TARGETS["server"].served(root / "smoke", "smoke")).items())[1]
    loaded = tf.saved_model.load(str(folder))
    signature = loaded.signatures[COLUMNS_SIGNATURE]
    model = load(folder)
    columns = [(n, tf.float32) for n in model.numbers] + [(n, tf.string) for n in model.texts]
    width = len(model.numbers)

    @tf.function(
        autograph=False,
        input_signature=[
            tf.TensorSpec([None, width], tf.float32),
            tf.TensorSpec([None, len(model.texts)], tf.string),
        ],
    )
    def packed(numbers: tf.Tensor, texts: tf.Tensor) -> tf.Tensor:
        named = {n: numbers[:, at : at + 1] for at, n in enumerate(model.numbers)}
        named |= {n: texts[:, at : at + 1] for at, n in enumerate(model.texts)}
        return signature(**named)["probability"]

    call, rows = packed.get_concrete_function(), requests(root)[:100]
    items = [
        tuple(tuple(r[n] for n in names) for names in (model.numbers, model.texts)) for r in rows
    ]
    numbers, texts = [items[0][0]], [items[0][1]]
    tables = {name: [[row[name]] for row in rows] for name, _ in columns}
    ask = ask_columns(model)
    packed_ms = median_ms(
        lambda: call(tf.constant(numbers, tf.float32), tf.constant(texts, tf.string)).numpy()
    )
    hundred_ms = median_ms(
        lambda: signature(**{n: tf.constant(tables[n], kind) for n, kind in columns})[
            "probability"
        ].numpy()
    )
    return {
        "packed_ms": packed_ms,
        "session_ms": median_ms(lambda: ask(items[:1])),
        "signature_rows_per_second": 100 / hundred_ms * 1000,
    }


def median_ms(call: Callable[[], Any]) -> float:
    """Median milliseconds of a call, warm."""
    times = []
    for _ in range(_CALLS):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return statistics.median(times[_CALLS // 10 :]) * 1000


def metrics_ms() -> float:
    """Milliseconds that the figures take of a request."""
    metrics = ServingMetrics()

    def count() -> None:
        metrics.request("rest", "predict", "OK", 0.001)
        metrics.rows("server", 1, 1)
        metrics.batches.observe(1)

    return median_ms(count)


def grpc_median(address: str, row: dict[str, Any]) -> float:
    """Median milliseconds of a Predict of one row by the public stubs."""
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = "smoke", COLUMNS_SIGNATURE
    for name, value in row.items():
        kind = tf.string if isinstance(value, str) else tf.float32
        request.inputs[name].CopyFrom(tf.make_tensor_proto([[value]], kind))
    with grpc.insecure_channel(address) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        return median_ms(lambda: stub.Predict(request))
