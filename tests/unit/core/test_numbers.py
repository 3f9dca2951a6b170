"""One convention for what a number is."""

import numpy as np
import pytest

from core.numbers import read_float, read_integer
from core.raw_table import DECIMAL_COMMA, NUMBER, number

OTHER_DIGITS = ["\u0661\u0662", "\uff11\uff12"]
NO_NUMBERS = ["1_000", "0x10", "nan", "inf", "-inf", "1e400", "1.5e39", "--1", "1 2", "."]


@pytest.mark.parametrize("cell", [*NO_NUMBERS, *OTHER_DIGITS, "9" * 5000])
def test_what_only_python_takes_for_a_number_is_none_anywhere(cell: str) -> None:
    assert read_float(cell) is None
    assert read_integer(cell) is None
    assert number(cell, NUMBER) is None
    assert number(cell, DECIMAL_COMMA) is None


@pytest.mark.parametrize(
    ("cell", "whole", "real"),
    [
        ("+5", "5", "5.0"),
        ("-0", "0", "-0.0"),
        ("007", "7", "7.0"),
        ("3.0", "3", "3.0"),
        ("1e3", "1000", "1000.0"),
        ("9223372036854775807", "9223372036854775807", "9.223372036854776e+18"),
        ("9223372036854775808", None, "9.223372036854776e+18"),
        ("-9223372036854775808", "-9223372036854775808", "-9.223372036854776e+18"),
        ("25.9", None, "25.9"),
        ("1e-400", "0", "0.0"),
        ("3.4028235e38", None, "3.4028235e+38"),
        ("3.4028236e38", None, None),
    ],
)
def test_a_number_has_one_form_for_each_type(
    cell: str, whole: str | None, real: str | None
) -> None:
    assert (read_integer(cell), read_float(cell)) == (whole, real)
    assert number(cell, NUMBER) == (cell if real else None)


def test_what_is_taken_is_finite_as_a_model_sees_it() -> None:
    with np.errstate(over="ignore"):
        for exponent in range(-60, 45):
            for digits in ("1", "3.4028235", "3.4028236", "9.99"):
                cell = f"{digits}e{exponent}"
                assert (read_float(cell) is not None) == bool(np.isfinite(np.float32(cell)))
