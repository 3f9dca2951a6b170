"""What each column adds to an answer: Shapley values by antithetic permutations.

A column that is unknown has the value of a background row, and the answer is the mean over them
(Lundberg and Lee, 2017). A permutation makes the columns known one after the other and unknown
again in the same order, so that values are exact where no more than two columns act together, and
sum up to answer minus base value in any case (Castro et al., 2009; SHAP's `PermutationExplainer`).

`by_shap` is that explainer, for many rows; `by_permutations` does the same with NumPy alone, for a
server, whose memory is bounded and which starts in a second. Unit tests hold each to the other.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.explain.coding import chunks

Ask = Callable[[np.ndarray], np.ndarray]
"""From codes, float64 [rows, columns], to answers, float64 [rows, outputs]."""

_MOST_ROWS = 65_536  # that are made at once


@dataclass(frozen=True)
class Attributions:
    """What each column adds.

    Attributes:
      values: float64 [rows, columns, outputs].
      base: The mean answer to the background, float64 [outputs].
      answers: float64 [rows, outputs].
    """

    values: np.ndarray
    base: np.ndarray
    answers: np.ndarray

    @property
    def error(self) -> float:
        """The largest distance of base value plus values from the answer."""
        return float(np.abs(self.base + self.values.sum(axis=1) - self.answers).max(initial=0.0))


def by_permutations(
    ask: Ask, rows: np.ndarray, background: np.ndarray, permutations: int, seed: int
) -> Attributions:
    """Attributions of rows.

    Args:
      ask: The model.
      rows: Codes, float64 [rows, columns].
      background: Codes of the rows that stand for what is unknown, float64 [background, columns].
      permutations: How many; each takes 2 * columns * background answers.
      seed: Of the permutations.
    """
    draw = np.random.default_rng(seed)
    count, width = rows.shape
    base = ask(background).mean(axis=0)
    values = np.zeros((count, width, len(base)))
    for _ in range(permutations):
        order = draw.permutation(width)  # one for all rows: no row's values go by its neighbours
        for part in chunks(count, _MOST_ROWS // (2 * width * len(background))):
            at = np.arange(part.start, part.stop)
            values[at] += _one_permutation(ask, rows[at], background, order)
    return Attributions(values / permutations, base, ask(rows))


def _one_permutation(
    ask: Ask, rows: np.ndarray, background: np.ndarray, order: np.ndarray
) -> np.ndarray:
    """float64 [rows, columns, outputs]; the columns become known in this order."""
    count, width = rows.shape
    place = np.argsort(order)
    known = place < np.arange(width)[:, np.newaxis]  # [steps, columns]: the first `step` are known
    known = np.concatenate([known, ~known])  # then all of them, and the first ones unknown again
    mixed = np.where(known[:, np.newaxis], rows[:, np.newaxis, np.newaxis], background)
    means = ask(mixed.reshape(-1, width)).reshape(count, 2 * width, len(background), -1)
    means = means.mean(axis=2)
    there, back = means[:, :width], means[:, width:]
    there = np.concatenate([there, back[:, :1]], axis=1)
    back = np.concatenate([back, there[:, :1]], axis=1)
    by_step = (there[:, 1:] - there[:, :-1] + back[:, :-1] - back[:, 1:]) / 2
    by_column: np.ndarray = by_step[:, place]
    return by_column


def by_shap(ask: Ask, rows: np.ndarray, background: np.ndarray, seed: int) -> Attributions:
    """Attributions of rows by SHAP, with a permutation for each; arguments as above."""
    import numba  # loads SHAP

    # Compiling takes longer than what it speeds up: 4 s of 5 for 200 rows.
    setattr(numba.config, "DISABLE_JIT", True)  # noqa: B010 - mypy knows no such attribute
    import shap  # loads SHAP

    class Permutation(shap.explainers.Permutation):
        """Without main effects, which nobody asks for: SHAP finds them from the second row on."""

        def explain_row(self, *row: Any, **told: Any) -> Any:
            return super().explain_row(*row, **{**told, "main_effects": False})

    masker = shap.maskers.Independent(background, max_samples=len(background))
    state = np.random.get_state()  # SHAP draws from NumPy's own
    try:
        explainer = Permutation(ask, masker, seed=seed)
        found = explainer(rows, max_evals=2 * rows.shape[1] + 1, silent=True)
    finally:
        np.random.set_state(state)
    base, answers = ask(background).mean(axis=0), ask(rows)
    return Attributions(np.reshape(found.values, (*rows.shape, -1)), base, answers)
