"""The student as TensorFlow Lite files: float32, float16, dynamic-range and full int8.

All but one keep the student's inputs, `numeric` float32, `categorical` and with text columns
`tokens` int64, and all its float32 output, so that whoever runs them need not know how they were
quantized. `student_int8_inputs` takes `numeric` as int8, and its bundle says how to make it
(models/bundle/quantized.py); it answers what `student_int8` does.
"""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

from core.answers import by_row
from core.names import DEFAULT_SIGNATURE, EDGE_MODEL_FILE
from models.bundle.quantized import as_taken
from models.compression.exported import by_layer, in_tflite, verified
from models.compression.goals import tables_of
from models.export.measurement import median_latency_us, sizes
from models.network.network import answers_of
from models.network.preprocessing import answer_name
from models.network.rows import Rows

FLOAT32 = "student"
FLOAT16 = "student_float16"
DYNAMIC_INT8 = "student_dynamic_int8"
INT8 = "student_int8"
INT8_INPUTS = "student_int8_inputs"
VARIANTS = (FLOAT32, FLOAT16, DYNAMIC_INT8, INT8, INT8_INPUTS)

_LATENCY_REPEATS = 300


def convert_all(
    student: tf_keras.Model, calibration: Rows, variants: Sequence[str] = VARIANTS
) -> dict[str, bytes]:
    """Returns the TFLite file of each variant.

    Args:
      student: Network on transformed features.
      calibration: Rows whose activations set the ranges of the full-integer variants.
      variants: Some of VARIANTS.
    """
    module = tf.Module()
    module.variables_of_network = student.variables

    specs = {
        name: tf.TensorSpec([None, column.shape[1]], column.dtype, name)
        for name, column in calibration.features.items()
    }

    output = answer_name(student.output.shape[1])

    @tf.function(autograph=False)
    def answer(**inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        return {output: student(inputs, training=False)}

    with tempfile.TemporaryDirectory() as folder:
        # Traced and saved once: from_keras_model would do it again for each variant.
        signatures = {DEFAULT_SIGNATURE: answer.get_concrete_function(**specs)}
        tf.saved_model.save(module, folder, signatures)
        with _quiet_standard_error():
            return {variant: _convert(folder, variant, calibration) for variant in variants}


@contextlib.contextmanager
def _quiet_standard_error() -> Iterator[None]:
    """Keeps what the converter's C++ prints for the case that it fails; no log level stops it."""
    sys.stderr.flush()
    before = os.dup(2)
    with tempfile.TemporaryFile() as kept:
        os.dup2(kept.fileno(), 2)
        try:
            yield
        except BaseException:
            kept.seek(0)
            os.write(before, kept.read())
            raise
        finally:
            os.dup2(before, 2)
            os.close(before)


def _convert(folder: str, variant: str, calibration: Rows) -> bytes:
    converter = tf.lite.TFLiteConverter.from_saved_model(folder)
    if variant != FLOAT32:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if variant == FLOAT16:
        converter.target_spec.supported_types = [tf.float16]
    if variant in (INT8, INT8_INPUTS):
        converter.representative_dataset = lambda: (
            calibration.take(np.array([row])).features for row in range(calibration.count)
        )
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    if variant == INT8_INPUTS:
        converter.inference_input_type = tf.int8
    return bytes(converter.convert())


def predict(content: bytes, features: Mapping[str, Any]) -> np.ndarray:
    """Returns a variant's answers, float32 [rows] for two classes, [rows, K] for more.

    Features that it does not take are ignored; numbers that it takes as int8 are rounded first.
    """
    runner = _interpreter(content).get_signature_runner(DEFAULT_SIGNATURE)
    details = runner.get_input_details()
    inputs = {name: np.asarray(features[name]) for name in details}
    [answers] = runner(**as_taken(inputs, _quantization(details))).values()
    return by_row(answers)


def input_quantization(content: bytes) -> dict[str, dict[str, Any]]:
    """`scale` and `zero_point` of the inputs that a variant takes as int8, by name."""
    runner = _interpreter(content).get_signature_runner(DEFAULT_SIGNATURE)
    return _quantization(runner.get_input_details())


def _quantization(details: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    return {
        name: {"scale": float(scale), "zero_point": int(zero_point)}
        for name, detail in details.items()
        if detail["dtype"] == np.int8
        for scale, zero_point in [detail["quantization"]]
    }


def predict_in_pipeline(
    features: Mapping[str, tf.Tensor], model: Path, model_run: Path, variant: str
) -> np.ndarray:
    """What an edge bundle's model answers as the pipeline runs it: see `predict`.

    Args:
      features: Transformed features.
      model: The edge bundle.
      model_run: The Trainer's `model_run`, which is not read.
      variant: Which of the student's it is: the one in the bundle.
    """
    del model_run, variant
    return predict((model / EDGE_MODEL_FILE).read_bytes(), features)


def _interpreter(content: bytes) -> tf.lite.Interpreter:
    # The kernels of TensorFlow Model Analysis: XNNPACK's, the default, round integers otherwise,
    # and the predictions would not be the evaluated ones.
    kernels = tf.lite.experimental.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    return tf.lite.Interpreter(
        model_content=content, num_threads=1, experimental_op_resolver_type=kernels
    )


def measure(
    student: tf_keras.Model, contents: dict[str, bytes], sample: Rows, max_difference: float
) -> dict[str, dict[str, Any]]:
    """Compares each variant with the student and measures it.

    Args:
      student: The network that was converted.
      contents: TFLite file by variant.
      sample: Rows to compare on.
      max_difference: Largest mean absolute difference of the probabilities, over all outputs.

    Returns:
      By variant: `bytes`, `gzip_bytes`, `latency_us` (`batch_1`: median on one row, one thread)
      and `difference` (mean absolute difference from the student's probability); `sparsity`,
      `distinct_weights` and `weights` as they are in the file (models/compression/exported.py).

    Raises:
      RuntimeError: A variant's predictions are not finite or differ by more than
        `max_difference`, or its file is less sparse than the student.
    """
    expected, tables = answers_of(student, sample), tables_of(student)
    report = {}
    for variant, content in contents.items():
        difference = float(np.abs(predict(content, sample.features) - expected).mean())
        if not difference <= max_difference:  # also true for NaN
            raise RuntimeError(
                f"{variant}: mean absolute difference from the student {difference:.4f}, bound "
                f"<= {max_difference} (quantizer.max_difference)"
            )
        report[variant] = {
            **sizes([content]),
            "latency_us": {"batch_1": single_row_latency_us(content, sample)},
            "difference": difference,
            **verified(by_layer(in_tflite(content), tables, variant), student, variant),
        }
    return report


def single_row_latency_us(content: bytes, rows: Rows) -> float:
    """Returns the median time of one row in microseconds, one thread."""
    interpreter = _interpreter(content)
    interpreter.allocate_tensors()
    details = {
        detail["name"].removeprefix(f"{DEFAULT_SIGNATURE}_").partition(":")[0]: detail
        for detail in interpreter.get_input_details()
    }
    first = as_taken({name: rows.features[name][:1] for name in details}, _quantization(details))
    for name, detail in details.items():
        interpreter.set_tensor(detail["index"], first[name])
    return median_latency_us(interpreter.invoke, _LATENCY_REPEATS)
