"""Labelled rows of spans beside what the served model says of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.metrics.registry import THRESHOLD


@dataclass(frozen=True)
class Judged:
    """Labelled rows.

    positive: true class, bool [rows].
    probabilities: the model's, float [rows].
    slices: which rows are in each slice, bool [rows] by name, as `slice_rows` gives them.
    """

    positive: NDArray[np.bool_]
    probabilities: NDArray[np.float64]
    slices: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Number of rows."""
        return len(self.positive)

    @property
    def agreement(self) -> float:
        """Share of rows whose label is the model's decision."""
        return float(np.mean(self.decisions == self.positive))

    @property
    def decisions(self) -> NDArray[np.bool_]:
        """Which rows the model takes for positive, bool [rows]."""
        return self.probabilities > THRESHOLD


def together(parts: list[Judged]) -> Judged:
    """The rows of several spans."""
    names = sorted({name for part in parts for name in part.slices})
    none = np.zeros(0, bool)
    return Judged(
        np.concatenate([none, *(part.positive for part in parts)]),
        np.concatenate([np.zeros(0), *(part.probabilities for part in parts)]),
        {
            name: np.concatenate([p.slices.get(name, np.zeros(p.count, bool)) for p in parts])
            for name in names
        },
    )
