"""Made tables: it is known what is to be found in them."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from benchmarks.tables.table import LABEL, StudyTable


def wide(seed: int) -> StudyTable:
    """400 columns of noise but for two, which carry the label; 4,000 rows."""
    draw = np.random.default_rng(seed)
    cells = draw.normal(size=(4000, 400))
    score = 3 * cells[:, 17] + 3 * np.abs(cells[:, 251]) - 2.4
    frame = {f"n{column}": cells[:, column] for column in range(400)}
    return _table(frame, draw.random(4000) < _chance(2 * score))


def linear(seed: int) -> StudyTable:
    """20 columns, a sum of all of them; one has a few values far out. 3,000 rows."""
    draw = np.random.default_rng(seed)
    cells = draw.normal(size=(3000, 20))
    cells[:, 0] = draw.standard_t(2, size=3000)
    score = cells @ draw.normal(size=20)
    frame = {f"n{column}": cells[:, column] for column in range(20)}
    return _table(frame, draw.random(3000) < _chance(score))


def xor(seed: int) -> StudyTable:
    """The product of the signs of two columns, among ten; 6,000 rows."""
    draw = np.random.default_rng(seed)
    cells = draw.normal(size=(6000, 10))
    score = 4.0 * np.sign(cells[:, 2] * cells[:, 7])
    frame = {f"n{column}": cells[:, column] for column in range(10)}
    return _table(frame, draw.random(6000) < _chance(score))


def places(seed: int) -> StudyTable:
    """One category of 1,500 values, each with a chance of its own; 30,000 rows."""
    draw = np.random.default_rng(seed)
    code = draw.integers(1500, size=30_000)
    chance = _chance(draw.normal(size=1500) * 1.5)[code]
    frame = {"place": [f"p{n}" for n in code], "amount": draw.normal(100, 20, 30_000)}
    return _table(frame, draw.random(30_000) < chance)


def rare(seed: int) -> StudyTable:
    """One row in a hundred is positive, by four columns of eight; 20,000 rows."""
    draw = np.random.default_rng(seed)
    cells = draw.normal(size=(20_000, 8))
    score = cells[:, :4].sum(axis=1) - 6.2
    frame = {f"n{column}": cells[:, column] for column in range(8)}
    return _table(frame, draw.random(20_000) < _chance(score))


def crossed(seed: int) -> StudyTable:
    """A product of two numbers and a category, 20 columns; 10,000 rows."""
    draw = np.random.default_rng(seed)
    cells = draw.normal(size=(10_000, 18))
    kind = draw.integers(12, size=10_000)
    effect = draw.normal(size=12)
    score = 1.5 * cells[:, 0] * cells[:, 1] + effect[kind] + 0.5 * cells[:, 2]
    frame: dict[str, object] = {f"n{column}": cells[:, column] for column in range(18)}
    frame["kind"] = [f"k{n}" for n in kind]
    frame["other"] = [f"o{n}" for n in draw.integers(30, size=10_000)]
    return _table(frame, draw.random(10_000) < _chance(score))


def _chance(score: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-score))


def _table(columns: Mapping[str, object], positive: np.ndarray) -> StudyTable:
    frame = pd.DataFrame(columns).round(4)
    frame[LABEL] = np.where(positive, "yes", "no")
    return StudyTable(frame, "yes")
