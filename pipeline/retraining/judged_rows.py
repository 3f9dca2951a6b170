"""Labelled rows of spans beside what the served model says of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.answers import decided


@dataclass(frozen=True)
class Judged:
    """Labelled rows.

    codes: true class by its code, int64 [rows].
    probabilities: the model's answers, float [rows] of two classes, [rows, K] of more.
    slices: which rows are in each slice, bool [rows] by name, as `slice_rows` gives them.
    """

    codes: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    slices: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Number of rows."""
        return len(self.codes)

    @property
    def agreement(self) -> float:
        """Share of rows whose label is the model's decision."""
        return float(np.mean(self.decisions == self.codes))

    @property
    def decisions(self) -> NDArray[np.int64]:
        """The class that the model takes each row for, by its code, int64 [rows]."""
        return decided(self.probabilities)


def together(parts: list[Judged]) -> Judged:
    """The rows of several spans."""
    parts = [part for part in parts if part.count]
    if not parts:
        return Judged(np.zeros(0, np.int64), np.zeros(0))
    names = sorted({name for part in parts for name in part.slices})
    return Judged(
        np.concatenate([part.codes for part in parts]),
        np.concatenate([part.probabilities for part in parts]),
        {
            name: np.concatenate([p.slices.get(name, np.zeros(p.count, bool)) for p in parts])
            for name in names
        },
    )
