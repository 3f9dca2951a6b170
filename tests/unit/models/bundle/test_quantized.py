"""Numbers as int8: rounded, not cut off, within the range, as TFLite's own kernel does it."""

import numpy as np

from models.bundle.quantized import as_taken, quantized


def test_numbers_are_rounded_halves_to_even_and_cut_at_the_ends() -> None:
    values = np.array([0.0, 0.26, 0.25, -0.25, -0.26, 0.75, 1e9, -1e9], np.float32)
    assert quantized(values, 0.5, 3).tolist() == [3, 4, 3, 3, 2, 5, 127, -128]
    assert quantized(values, 0.5, 3).dtype == np.int8


def test_what_is_just_below_a_half_is_not_rounded_up() -> None:
    below = np.nextafter(np.float32(0.5), np.float32(0))
    assert quantized(np.array([below]), 1.0, 0).tolist() == [0]


def test_only_named_inputs_are_changed() -> None:
    inputs = {"numeric": np.array([[0.5]], np.float32), "categorical": np.array([[7]])}
    taken = as_taken(inputs, {"numeric": {"scale": 0.25, "zero_point": -1}})
    assert taken["numeric"].tolist() == [[1]]
    assert taken["categorical"] is inputs["categorical"]
    assert as_taken(inputs, {})["numeric"] is inputs["numeric"]
