"""What counts as a number in a cell, wherever cells are read, and the one form it is written in.

Digits are ASCII's: Python's own `int` and `float` also take `1_000`, `١٢`, `nan` and `inf`, which
no other reader of CSV does. Models see numbers as 32-bit floats, so larger ones are none.
"""

import math
import re

PLAIN = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
_INT64 = range(-(2**63), 2**63)
_INT64_DIGITS = 19  # longer ones, leading zeros aside, are outside, and dear to read
_INFINITE = 2.0**128 - 2.0**103  # from here on a 32-bit float is infinite
_WHOLE_FLOATS = 2.0**53  # beyond, 64-bit floats leave whole numbers out


def is_float(cell: str) -> bool:
    """Whether a cell, without blanks around it, is a number that a 32-bit float can hold."""
    return PLAIN.fullmatch(cell) is not None and abs(float(cell)) < _INFINITE


def read_float(cell: str) -> str | None:
    """`3.0` for 3; None when it is no number that a 32-bit float can hold.

    Args:
      cell: Not empty, without blanks around it.
    """
    return repr(float(cell)) if is_float(cell) else None


def read_integer(cell: str) -> str | None:
    """`3` for 3, +3 and 3.0; None when it is no 64-bit whole number.

    Args:
      cell: Not empty, without blanks around it.
    """
    if _WHOLE.fullmatch(cell):
        small = len(cell.lstrip("+-0")) <= _INT64_DIGITS
        return str(int(cell)) if small and int(cell) in _INT64 else None
    if not PLAIN.fullmatch(cell) or not math.isfinite(value := float(cell)):
        return None
    return str(int(value)) if value.is_integer() and abs(value) <= _WHOLE_FLOATS else None


def is_too_large(cell: str, whole: bool) -> bool:
    """Whether a cell is written as a number, and its size alone is at fault."""
    if not PLAIN.fullmatch(cell):
        return False
    return abs(float(cell)) > _WHOLE_FLOATS if whole else not abs(float(cell)) < _INFINITE
