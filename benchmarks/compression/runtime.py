"""Whether TFLite's kernels are faster with zeros: dense layers of one width, by kind of zeros.

The latency does not depend on what the weights are, so nothing is trained here.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from models.compression.goals import GROUP
from models.export.measurement import median_latency_us, sizes

WIDTH, LAYERS = 512, 2
KINDS = ("none", "half", "nine tenths", "2:4", "nine tenths in blocks of four inputs")
_REPEATS = 400


@dataclass(frozen=True)
class Timed:
    """One file: how it is written, how long a row takes by kernels, µs, and its bytes."""

    zeros: str
    numbers: str
    encoded: bool
    builtin_us: float
    xnnpack_us: float
    bytes: int
    gzip_bytes: int


def timed() -> Iterator[Timed]:
    """Every kind of zeros as float32 and as full int8, stored densely and as sparse tensors."""
    for kind in KINDS:
        model = _network(kind)
        for numbers in ("float32", "int8"):
            for encoded in (False, True):
                content = _convert(model, numbers, encoded)
                yield Timed(
                    kind,
                    numbers,
                    encoded,
                    _latency(content, xnnpack=False),
                    _latency(content, xnnpack=True),
                    **sizes([content]),
                )


def _network(kind: str) -> tf.Module:
    draw = np.random.default_rng(1)
    module = tf.Module()
    module.kernels = [
        tf.Variable(_zeroed(draw.normal(size=(WIDTH, WIDTH)), kind, draw).astype(np.float32))
        for _ in range(LAYERS)
    ]
    return module


def _zeroed(kernel: np.ndarray, kind: str, draw: np.random.Generator) -> np.ndarray:
    """A kernel [inputs, outputs] with zeros where the kind has them."""
    kernel = kernel / np.sqrt(WIDTH)
    groups = np.abs(kernel).reshape(-1, GROUP, WIDTH)
    if kind == "2:4":
        order = groups.argsort(axis=1).argsort(axis=1)
        return kernel * (order >= GROUP // 2).reshape(kernel.shape)
    if kind.endswith("inputs"):
        kept = draw.random((len(groups), 1, WIDTH)) < 0.1
        return kernel * np.repeat(kept, GROUP, axis=1).reshape(kernel.shape)
    share = {"none": 0.0, "half": 0.5, "nine tenths": 0.9}[kind]
    return kernel * (np.abs(kernel) >= np.quantile(np.abs(kernel), share))


def _convert(model: tf.Module, numbers: str, encoded: bool) -> bytes:
    @tf.function(autograph=False, input_signature=[tf.TensorSpec([1, WIDTH], tf.float32)])
    def answer(values: tf.Tensor) -> tf.Tensor:
        for kernel in model.kernels:
            values = tf.nn.relu(values @ kernel)
        return values

    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(model, folder, answer.get_concrete_function())
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.optimizations = [tf.lite.Optimize.DEFAULT] if numbers == "int8" else []
        if encoded:
            converter.optimizations.append(tf.lite.Optimize.EXPERIMENTAL_SPARSITY)
        if numbers == "int8":
            rows = np.random.default_rng(2).normal(size=(20, 1, WIDTH)).astype(np.float32)
            converter.representative_dataset = lambda: ([row] for row in rows)
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        return bytes(converter.convert())


def _latency(content: bytes, xnnpack: bool) -> float:
    kinds = tf.lite.experimental.OpResolverType
    kernels = kinds.BUILTIN if xnnpack else kinds.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = tf.lite.Interpreter(
        model_content=content, num_threads=1, experimental_op_resolver_type=kernels
    )
    interpreter.allocate_tensors()
    [detail] = interpreter.get_input_details()
    row = np.random.default_rng(3).normal(size=(1, WIDTH)).astype(np.float32)
    interpreter.set_tensor(detail["index"], row)
    return median_latency_us(interpreter.invoke, _REPEATS)
