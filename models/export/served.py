"""A model as a server asks it, whatever the target: raw columns in two arrays."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np


class ServedModel(Protocol):
    """A version that is loaded. `core/targets.py` names the module that loads it.

    Attributes:
      numbers: Names of the columns that hold numbers, in the order of `answer`.
      texts: Names of the columns that hold texts, in the order of `answer`.
      takes_examples: Whether it takes serialized tf.Examples, too.
      classes: With more than two, their names in the order of the answers; None with two.
      signatures: TensorFlow's `SignatureDef` by name, as TensorFlow Serving tells them.
    """

    numbers: tuple[str, ...]
    texts: tuple[str, ...]
    takes_examples: bool
    classes: tuple[str, ...] | None
    signatures: dict[str, Any]

    def answer(self, numbers: np.ndarray, texts: np.ndarray) -> np.ndarray:
        """Probabilities of the positive class, float32 [rows]; of K > 2 classes, [rows, K].

        Args:
          numbers: float64 [rows, numbers]; NaN where the value is missing.
          texts: object [rows, texts] of str; "" where the value is missing.
        """

    def answer_examples(self, examples: Sequence[bytes]) -> np.ndarray:
        """The same from serialized tf.Examples, where they are taken."""
