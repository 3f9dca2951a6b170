"""Numbers for a model that takes them as 8-bit integers; NumPy alone is needed."""

from collections.abc import Mapping
from typing import Any

import numpy as np


def quantized(values: np.ndarray, scale: float, zero_point: int) -> np.ndarray:
    """Numbers as int8 of the same shape, as TFLite's own optimized QUANTIZE kernel makes them.

    They are multiplied by the inverse of the scale in float32 and rounded to the nearest integer,
    halves to the even one. What is out of range is cut off. (TFLite's reference kernel divides, and
    rounds halves away from zero; only ties and their neighbours come out otherwise.)

    Args:
      values: float32, of any shape.
      scale: What 1 of the integers stands for.
      zero_point: The integer that stands for 0.
    """
    rounded = np.rint(values.astype(np.float32) * (np.float32(1) / np.float32(scale)))
    cut: np.ndarray = np.clip(rounded + np.float32(zero_point), -128, 127).astype(np.int8)
    return cut


def as_taken(
    inputs: Mapping[str, np.ndarray], parameters: Mapping[str, Mapping[str, Any]]
) -> dict[str, np.ndarray]:
    """A model's inputs as it takes them: int8 where it asks for that, of the same shapes.

    Args:
      inputs: By name, numbers as float32 [rows, numbers], ids as integers.
      parameters: `scale` and `zero_point` of those that it takes as int8, by name.
    """
    return {
        name: (
            quantized(values, parameters[name]["scale"], parameters[name]["zero_point"])
            if name in parameters
            else values
        )
        for name, values in inputs.items()
    }
