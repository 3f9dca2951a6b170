"""A model on raw columns whose answers can be reckoned, and rows to explain."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from models.explain.coding import Cells, cells_of

NUMBERS, TEXTS = ("age", "hours"), ("job", "note")
SCRIPT = '<script>alert("x")</script>'
JOBS = ("clerk", SCRIPT, "Köchin", "")


class MadeModel:
    """Answers what a function says of one row: a number, or shares of classes."""

    numbers: tuple[str, ...] = NUMBERS
    texts: tuple[str, ...] = TEXTS
    takes_examples = False

    def __init__(
        self, of_row: Callable[[dict[str, Any]], Any], classes: tuple[str, ...] | None = None
    ) -> None:
        self.classes = classes
        self.signatures: dict[str, Any] = {}
        self.asked = 0
        self._of_row = of_row

    def answer(self, numbers: np.ndarray, texts: np.ndarray) -> np.ndarray:
        self.asked += len(numbers)
        names = (*self.numbers, *self.texts)
        rows = [
            dict(zip(names, (*n, *t), strict=True)) for n, t in zip(numbers, texts, strict=True)
        ]
        return np.array([self._of_row(row) for row in rows], np.float32)

    def answer_examples(self, examples: Sequence[bytes]) -> np.ndarray:
        raise NotImplementedError


def cells(**changes: Sequence[object]) -> Cells:
    """Forty rows; some have no age, some no job; no two notes are alike."""
    columns: dict[str, Sequence[object]] = {
        "age": [None if n % 13 == 5 else 20 + n for n in range(40)],
        "hours": [10 * (n % 5) + 0.1 for n in range(40)],
        "job": [JOBS[n % 4] for n in range(40)],
        "note": [f"note {n} <b>" for n in range(40)],
        **changes,
    }
    return cells_of(NUMBERS, TEXTS, columns)


def old_clerks(row: dict[str, Any]) -> float:
    """More than half for clerks above 40 alone; a missing age counts as 0."""
    age = 0.0 if np.isnan(row["age"]) else min(row["age"], 100) / 200
    return float(age + (0.3 if row["job"] == "clerk" else 0.0))
