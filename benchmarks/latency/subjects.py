"""What is timed: a call for each model, form and batch. Inputs are ready before the time runs."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from core.names import DEFAULT_SIGNATURE, EXAMPLES_INPUT

Call = Callable[[], object]
Features = Mapping[str, np.ndarray]


def tflite(content: bytes, features: Features, threads: int) -> Call:
    """A TFLite file in its interpreter, with the kernels that the pipeline evaluates with."""
    interpreter = Interpreter(
        model_content=content,
        num_threads=threads,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    details = {_name(detail): detail for detail in interpreter.get_input_details()}
    for name, detail in details.items():
        interpreter.resize_tensor_input(detail["index"], features[name].shape)
    interpreter.allocate_tensors()
    for name, detail in details.items():
        values, dtype = features[name], detail["dtype"]
        if dtype == np.int8:
            scale, zero = detail["quantization"]
            values = np.clip(np.rint(values / scale) + zero, -128, 127)
        interpreter.set_tensor(detail["index"], values.astype(dtype))
    call: Call = interpreter.invoke
    return call


def _name(detail: Mapping[str, Any]) -> str:
    name: str = detail["name"]
    return name.removeprefix(f"{DEFAULT_SIGNATURE}_").partition(":")[0]


def network(path: Path, features: Features) -> Call:
    """A Keras network through TensorFlow: a concrete tf.function."""
    loaded = tf_keras.models.load_model(path, compile=False)
    tensors = {name: tf.constant(features[name]) for name in loaded.input}
    specs = {
        name: tf.TensorSpec([None, *value.shape[1:]], value.dtype, name)
        for name, value in tensors.items()
    }
    answer = tf.function(lambda inputs: loaded(inputs, training=False), autograph=False)
    concrete = answer.get_concrete_function(specs)
    return lambda: concrete(tensors).numpy()


def saved_model(folder: Path, examples: list[bytes]) -> Call:
    """The server model as it is served: serialized tf.Examples, preprocessing included."""
    answer = tf.saved_model.load(str(folder)).signatures[DEFAULT_SIGNATURE]
    requests = tf.constant(examples)
    return lambda: [value.numpy() for value in answer(**{EXAMPLES_INPUT: requests}).values()]
