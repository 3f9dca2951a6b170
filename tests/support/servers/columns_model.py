"""A model of three columns that says what it was asked, and the contract of these columns."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline.serving.contract import ServedColumn
from pipeline.serving.rows import RowChecker

CONTRACT = {
    "age": ServedColumn("age", "INT", True, None, 17, 90),
    "gain": ServedColumn("gain", "FLOAT", False, None, 0.0, 1000.0),
    "work": ServedColumn("work", "BYTES", False, ("Private", "Public")),
    "sex": ServedColumn("sex", "BYTES", True, ("Female", "Male")),
}

THREE_CLASSES = ("ride", 'carry, "a" bag', "other")


class ColumnsModel:
    """Answers age / 100, and .5 where it is missing; keeps the batches it was asked."""

    numbers: tuple[str, ...] = ("age", "gain")
    texts: tuple[str, ...] = ("sex", "work")
    takes_examples = False
    classes: tuple[str, ...] | None = None

    def __init__(self, add: float = 0.0) -> None:
        self.signatures: dict[str, Any] = {}
        self.batches: list[int] = []
        self._add = add

    def answer(self, numbers: np.ndarray, texts: np.ndarray) -> np.ndarray:
        assert texts.shape == (len(numbers), 2)
        self.batches.append(len(numbers))
        if (numbers[:, 0] == 66).any():
            raise ValueError("no answer for 66")
        ages = np.nan_to_num(numbers[:, 0], nan=50.0)
        return (ages / 100 + self._add).astype(np.float32)

    def answer_examples(self, examples: Sequence[bytes]) -> np.ndarray:
        raise NotImplementedError


class ThreeClassModel(ColumnsModel):
    """Answers shares: age / 100, and two thirds and one third of the rest."""

    classes: tuple[str, ...] | None = THREE_CLASSES

    def answer(self, numbers: np.ndarray, texts: np.ndarray) -> np.ndarray:
        first = super().answer(numbers, texts)
        rest = 1 - first
        return np.stack([first, rest * 2 / 3, rest / 3], axis=1).astype(np.float32)


def checker(refuse: bool = False, max_rows: int = 100) -> RowChecker:
    return RowChecker(CONTRACT, ColumnsModel.numbers, ColumnsModel.texts, refuse, max_rows)


def row(**changes: Any) -> dict[str, Any]:
    """A row that is as it should be, but for the changes."""
    return {"age": 39, "gain": 1.5, "work": "Private", "sex": "Male", **changes}
