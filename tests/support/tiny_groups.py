"""Synthetic transformed rows of two groups, of which one is positive less often."""

import numpy as np

from models.network.rows import Rows
from tests.support.tiny_rows import INPUTS


def two_groups(count: int, seed: int, noise: float = 0.35) -> tuple[Rows, np.ndarray]:
    """Rows of "b" are positive less often for the same number; id 0 or 1 says the group."""
    draw = np.random.RandomState(seed)
    of_b = draw.rand(count) < 0.3
    numeric = draw.rand(count, 2).astype(np.float32)
    ids = draw.randint(2, INPUTS.ids, (count, INPUTS.categorical)).astype(np.int64)
    ids[:, 0] = of_b
    score = numeric[:, 0] - np.where(of_b, 0.65, 0.45) + draw.normal(0, noise, count)
    label = (score > 0).astype(np.float32)[:, None]
    return Rows(numeric, ids, label, np.ones((count, 1), np.float32)), np.where(of_b, "b", "a")
