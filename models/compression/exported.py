"""What is left of pruning in a file: zeros and distinct weights, read back from what is deployed.

A TFLite file is read by its interpreter, a SavedModel by its variables; no Keras object is asked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

from models.compression.goals import follows_structure, is_pruned, share_of_zeros, tables_of


@dataclass(frozen=True)
class Stored:
    """A table as it is in a file.

    Attributes:
      values: [rows, columns]; integers without their zero point.
      channels: Axis of the values along which each has a scale of its own; None: all share one.
      scales: Of the integers; empty for floats.
    """

    values: np.ndarray
    channels: int | None = None
    scales: np.ndarray | None = None

    @property
    def numbers(self) -> np.ndarray:
        """The weights that are meant, float32 [rows, columns]."""
        numbers: np.ndarray = self.values.astype(np.float32)
        if self.scales is None:
            return numbers
        shape = [1, 1]
        shape[self.channels or 0] = -1
        return numbers * self.scales.reshape(shape)

    @property
    def distinct(self) -> int:
        """Number of distinct weights, of the channel with the most where each has its own scale."""
        if self.channels is None:
            return len(np.unique(self.values))
        return max(len(np.unique(each)) for each in np.moveaxis(self.values, self.channels, 0))

    def transposed(self) -> "Stored":
        """With rows and columns exchanged."""
        channels = None if self.channels is None else 1 - self.channels
        return Stored(self.values.T, channels, self.scales)


def in_tflite(content: bytes) -> list[Stored]:
    """The constants of a TFLite file that may be tables; kernels are [outputs, inputs] there."""
    kernels = tf.lite.experimental.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = tf.lite.Interpreter(
        model_content=content, experimental_op_resolver_type=kernels, num_threads=1
    )
    interpreter.allocate_tensors()
    operations = interpreter._get_ops_details()  # the only way to tell weights from activations
    read = {index for operation in operations for index in operation["inputs"]}
    made = {index for operation in operations for index in operation["outputs"]}
    given = {detail["index"] for detail in interpreter.get_input_details()}
    return [
        _stored(interpreter.get_tensor(detail["index"]), detail)
        for detail in interpreter.get_tensor_details()
        if detail["index"] in read - made - given and len(detail["shape"]) == 2
    ]


def _stored(values: np.ndarray, detail: Mapping[str, Any]) -> Stored:
    parameters = detail["quantization_parameters"]
    scales, zeros = parameters["scales"], parameters["zero_points"]
    if not len(scales):
        return Stored(values)
    axis = parameters["quantized_dimension"] if len(scales) > 1 else None
    shape = [1, 1]
    shape[axis or 0] = -1
    return Stored(values.astype(np.int32) - zeros.reshape(shape), axis, scales)


def in_saved_model(folder: Path, model: tf_keras.Model) -> dict[str, np.ndarray]:
    """The tables of a server model (models/export/export.py) by their layers.

    Each is float32 [inputs, outputs] or [ids, columns].

    Args:
      folder: The SavedModel.
      model: The network inside; only the names and the order of its variables are looked at.
    """
    reader = tf.train.load_checkpoint(str(folder / "variables" / "variables"))
    places = {id(variable): place for place, variable in enumerate(model.variables)}
    return {
        layer.name: reader.get_tensor(
            f"variables_of_network/{places[id(layer.weights[0])]}/.ATTRIBUTES/VARIABLE_VALUE"
        )
        for layer in model.layers
        if is_pruned(layer)
    }


def by_layer(
    stored: list[Stored], tables: Mapping[str, np.ndarray], file: str
) -> dict[str, Stored]:
    """Which stored table is which layer's, as [inputs, outputs] or [ids, columns].

    Files do not name them: a table is known by its shape, and of several of the same shape by its
    weights. Of tables that are equal a file may have one.

    Args:
      stored: Tables of a file, in any order.
      tables: Of the network, by layer.
      file: Its name, for the message.

    Raises:
      RuntimeError: A layer's table is not there.
    """
    found = {}
    for name, table in tables.items():
        alike = [
            (float(np.abs(each.numbers - table).mean()), each)
            for kept in stored
            for each in (kept, kept.transposed())
            if each.values.shape == table.shape
        ]
        if not alike:
            raise RuntimeError(f"{file}: the weights of {name}, {table.shape}, are not in the file")
        _, found[name] = min(alike, key=lambda candidate: candidate[0])
    return found


def facts(tables: Mapping[str, np.ndarray | Stored]) -> dict[str, Any]:
    """`sparsity`, 0 to 1, of all tables together, the largest number of `distinct_weights` of one,
    and `weights`: both by layer.

    Args:
      tables: [inputs, outputs] or [ids, columns], by layer.
    """
    stored = {n: t if isinstance(t, Stored) else Stored(t) for n, t in tables.items()}
    return {
        "sparsity": share_of_zeros([each.values for each in stored.values()]),
        "distinct_weights": max((each.distinct for each in stored.values()), default=0),
        "weights": {
            name: {"sparsity": share_of_zeros([each.values]), "distinct": each.distinct}
            for name, each in stored.items()
        },
    }


def verified(
    found: Mapping[str, np.ndarray | Stored], model: tf_keras.Model, file: str
) -> dict[str, Any]:
    """The `facts` of a file that has all that pruning made of a network.

    Args:
      found: Tables of the file by layer.
      model: The network that was exported.
      file: Its name, for the message.

    Raises:
      RuntimeError: A table has fewer zeros, more distinct weights or another structure than the
        network's.
    """
    expected = tables_of(model)
    told = facts(found)
    for name, table in expected.items():
        stored = found[name]
        values = stored.values if isinstance(stored, Stored) else stored
        seen, wanted = told["weights"][name], facts({name: table})["weights"][name]
        if seen["sparsity"] < wanted["sparsity"]:
            raise RuntimeError(
                f"{file}: {name} has sparsity {seen['sparsity']:.3f} instead of "
                f"{wanted['sparsity']:.3f}: export lost zeros"
            )
        if seen["distinct"] > wanted["distinct"]:
            raise RuntimeError(
                f"{file}: {name} has {seen['distinct']} distinct weights instead of "
                f"{wanted['distinct']}"
            )
        if follows_structure(table) and not follows_structure(values):
            raise RuntimeError(f"{file}: {name} lost structure 2:4")
    return told
