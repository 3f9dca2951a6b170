"""A SavedModel in a TensorFlow session, as TensorFlow Serving runs it.

`serving_columns` takes a tensor a column; making a dozen of them costs more than the answer does.
So the graph is loaded with its inputs replaced by slices of two packed placeholders: a session asks
for the answer in half the time of a call of the signature, and gives the same bits.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from core.names import COLUMNS_SIGNATURE, DEFAULT_SIGNATURE, EXAMPLES_INPUT

_PROBABILITY, _PROBABILITIES = "probability", "probabilities"
_TAGS = ["serve"]
# The graph is small: a step runs in the thread that asks for it.
_SESSION = {"intra_op_parallelism_threads": 1, "inter_op_parallelism_threads": -1}


class SessionModel:
    """A SavedModel; see `ServedModel`."""

    takes_examples = True

    def __init__(self, folder: Path) -> None:
        content = (folder / "saved_model.pb").read_bytes()
        meta_graph = saved_model_pb2.SavedModel.FromString(content).meta_graphs[0]
        self.signatures: dict[str, Any] = dict(meta_graph.signature_def)
        inputs = self.signatures[COLUMNS_SIGNATURE].inputs
        self.texts = tuple(
            sorted(n for n in inputs if inputs[n].dtype == tf.string.as_datatype_enum)
        )
        self.numbers = tuple(sorted(n for n in inputs if n not in self.texts))
        graph = tf.Graph()
        with graph.as_default():
            numbers = tf.compat.v1.placeholder(tf.float64, [None, len(self.numbers)])
            texts = tf.compat.v1.placeholder(tf.string, [None, len(self.texts)])
            packed = {
                inputs[name].name: tf.cast(numbers[:, at : at + 1], inputs[name].dtype)
                for at, name in enumerate(self.numbers)
            }
            packed |= {inputs[n].name: texts[:, at : at + 1] for at, n in enumerate(self.texts)}
            config = tf.compat.v1.ConfigProto(**_SESSION)
            self._session = tf.compat.v1.Session(graph=graph, config=config)
            tf.compat.v1.saved_model.load(self._session, _TAGS, str(folder), input_map={**packed})
        by_examples = self.signatures[DEFAULT_SIGNATURE]
        outputs = self.signatures[COLUMNS_SIGNATURE].outputs
        self._output = _PROBABILITY if _PROBABILITY in outputs else _PROBABILITIES
        self.classes: tuple[str, ...] | None = None
        if self._output == _PROBABILITIES:
            one = {numbers: np.full((1, len(self.numbers)), np.nan)}
            one |= {texts: np.full((1, len(self.texts)), "", object)}
            [names] = self._session.run(outputs["classes"].name, {**one})
            self.classes = tuple(name.decode() for name in names)
        self._by_columns = self._call(COLUMNS_SIGNATURE, [numbers, texts])
        self._by_examples = self._call(
            DEFAULT_SIGNATURE, [graph.get_tensor_by_name(by_examples.inputs[EXAMPLES_INPUT].name)]
        )
        graph.finalize()

    def _call(self, signature: str, feeds: list[Any]) -> Any:
        output = self.signatures[signature].outputs[self._output].name
        return self._session.make_callable(
            self._session.graph.get_tensor_by_name(output), feed_list=feeds
        )

    def answer(self, numbers: np.ndarray, texts: np.ndarray) -> np.ndarray:
        """See `ServedModel`."""
        answers: np.ndarray = self._by_columns(numbers, texts)
        return answers[:, 0] if self.classes is None else answers

    def answer_examples(self, examples: Sequence[bytes]) -> np.ndarray:
        """See `ServedModel`."""
        answers: np.ndarray = self._by_examples(np.array(examples, object))
        return answers[:, 0] if self.classes is None else answers


def load(folder: Path) -> SessionModel:
    """Loads a version of the server target, tables and weights included."""
    return SessionModel(folder)
