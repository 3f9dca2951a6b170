"""Answers of a model of three classes, and what was true."""

import numpy as np

Drawn = tuple[np.ndarray, dict[str, np.ndarray], np.ndarray]


def drawn(count: int, share: float, seed: int) -> Drawn:
    """Answers of a model that is too sure, and more so in group b: shares, groups, codes."""
    draw = np.random.default_rng(seed)
    group = np.where(draw.random(count) < share, "b", "a").astype(object)
    scores = draw.normal([0.5, 0.0, -0.5], 1.2, (count, 3))
    answers = np.exp(2 * scores)
    answers /= answers.sum(axis=1, keepdims=True)
    true = np.exp(np.where((group == "b")[:, None], 0.5, 1.2) * scores)
    true /= true.sum(axis=1, keepdims=True)
    codes = (draw.random((count, 1)) > true.cumsum(axis=1)).sum(axis=1)
    return answers, {"group": group}, codes
