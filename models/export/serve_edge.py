"""An edge bundle as a server asks it: NumPy and LiteRT, without TensorFlow."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import meta_graph_pb2

from core.answers import by_row
from core.names import COLUMNS_SIGNATURE, DEFAULT_SIGNATURE, EXAMPLES_INPUT
from models.export.device import DeviceFeatures, load_interpreter, read_bundle

_METHOD = "tensorflow/serving/predict"


class BundleModel:
    """An edge bundle; see `ServedModel`. One thread at a time may ask it.

    Its signatures have the names, inputs and outputs of the server model's, so that a client need
    not know which target answers.
    """

    takes_examples = False

    def __init__(self, folder: Path) -> None:
        bundle = read_bundle(folder)
        text = bundle.get("text") or {"columns": []}
        self.numbers = tuple(column["column"] for column in bundle["numeric"])
        hashed = bundle.get("hashed") or {"columns": ()}
        others = (*bundle["categorical"], *bundle.get("dates", ()), *hashed["columns"])
        self.texts = (*(column["column"] for column in others), *text["columns"])
        self._features = DeviceFeatures(bundle)
        self._output = bundle["signature"]["output"]
        classes = tuple(bundle.get("classes", ()))
        self.classes = classes if len(classes) > 2 else None
        self._interpreter = load_interpreter(folder)
        self._runner = self._interpreter.get_signature_runner(bundle["signature"]["name"])
        columns = dict.fromkeys(self.numbers, types_pb2.DT_FLOAT)
        columns |= dict.fromkeys(self.texts, types_pb2.DT_STRING)
        self.signatures: dict[str, Any] = {
            COLUMNS_SIGNATURE: self._signature({n: _tensor(t, n, 2) for n, t in columns.items()}),
            DEFAULT_SIGNATURE: self._signature(
                {EXAMPLES_INPUT: _tensor(types_pb2.DT_STRING, EXAMPLES_INPUT, 1)}
            ),
        }

    def _signature(
        self, inputs: dict[str, meta_graph_pb2.TensorInfo]
    ) -> meta_graph_pb2.SignatureDef:
        outputs = {"probability": _tensor(types_pb2.DT_FLOAT, "probability", 2)}
        if self.classes is not None:
            kinds = {"probabilities": types_pb2.DT_FLOAT, "classes": types_pb2.DT_STRING}
            outputs = {n: _tensor(t, n, 2, len(self.classes)) for n, t in kinds.items()}
            outputs["class"] = _tensor(types_pb2.DT_STRING, "class", 2)
        return meta_graph_pb2.SignatureDef(inputs=inputs, outputs=outputs, method_name=_METHOD)

    def answer(self, numbers: np.ndarray, texts: np.ndarray) -> np.ndarray:
        """See `ServedModel`."""
        columns = dict(zip(self.texts, texts.T.tolist(), strict=True))
        inputs = self._features.of_numbers(numbers.astype(np.float32), columns)
        answers: np.ndarray = self._runner(**inputs)[self._output]
        return by_row(answers)

    def answer_examples(self, examples: Sequence[bytes]) -> np.ndarray:
        """A bundle takes columns."""
        raise NotImplementedError


def load(folder: Path) -> BundleModel:
    """Loads a version of the edge target."""
    return BundleModel(folder)


def _tensor(dtype: int, name: str, rank: int, width: int = 1) -> meta_graph_pb2.TensorInfo:
    tensor = meta_graph_pb2.TensorInfo(name=f"{name}:0", dtype=dtype)
    for size in (-1, width)[:rank]:
        tensor.tensor_shape.dim.add(size=size)
    return tensor
