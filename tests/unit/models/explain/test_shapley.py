"""Attributions: exact where that can be had, and SHAP's."""

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest

from models.explain.shapley import Ask, Attributions, by_permutations, by_shap

WEIGHTS = np.array([2.0, -1.0, 0.5, 0.0])
DRAW = np.random.default_rng(5)
ROWS = DRAW.integers(0, 4, (6, 4)).astype(float)
BACKGROUND = DRAW.integers(0, 4, (9, 4)).astype(float)


def linear(codes: np.ndarray) -> np.ndarray:
    return (codes @ WEIGHTS)[:, np.newaxis]


def pairs(codes: np.ndarray) -> np.ndarray:
    """Two outputs; columns act by themselves and in pairs."""
    first = codes @ WEIGHTS + 0.3 * codes[:, 0] * codes[:, 1]
    return np.stack([first, codes[:, 2] * codes[:, 3] - codes[:, 0]], axis=1)


def triples(codes: np.ndarray) -> np.ndarray:
    return np.prod(codes[:, :3], axis=1)[:, np.newaxis]


def exact(ask: Ask, row: np.ndarray) -> np.ndarray:
    """Shapley's own formula, over all sets of columns: [columns, outputs]."""
    width = len(row)

    def value(known: tuple[int, ...]) -> np.ndarray:
        mixed = BACKGROUND.copy()
        mixed[:, list(known)] = row[list(known)]
        return ask(mixed).mean(axis=0)

    found = []
    for column in range(width):
        others = [c for c in range(width) if c != column]
        total = np.zeros(ask(row[np.newaxis]).shape[1])
        for size in range(width):
            weight = 1 / (width * math.comb(width - 1, size))
            for known in itertools.combinations(others, size):
                total += weight * (value((*known, column)) - value(known))
        found.append(total)
    return np.stack(found)


def one_permutation(ask: Ask, rows: np.ndarray, background: np.ndarray) -> Attributions:
    return by_permutations(ask, rows, background, 1, 3)


def shap(ask: Ask, rows: np.ndarray, background: np.ndarray) -> Attributions:
    return by_shap(ask, rows, background, 3)


both = pytest.mark.parametrize("explain", [one_permutation, shap])
Explain = Callable[[Ask, np.ndarray, np.ndarray], Attributions]


@both
def test_of_a_linear_model_each_column_adds_its_weight_times_the_distance(explain: Explain) -> None:
    found = explain(linear, ROWS, BACKGROUND)
    expected = WEIGHTS * (ROWS - BACKGROUND.mean(axis=0))
    np.testing.assert_allclose(found.values[:, :, 0], expected, atol=1e-12)
    np.testing.assert_allclose(found.base, BACKGROUND.mean(axis=0) @ WEIGHTS)


@both
def test_one_permutation_is_exact_where_columns_act_in_pairs(explain: Explain) -> None:
    found = explain(pairs, ROWS, BACKGROUND)
    assert found.values.shape == (6, 4, 2)
    for row, values in zip(ROWS, found.values, strict=True):
        np.testing.assert_allclose(values, exact(pairs, row), atol=1e-12)


@both
@pytest.mark.parametrize("ask", [linear, pairs, triples])
def test_base_value_and_columns_add_up_to_the_answer(explain: Explain, ask: Ask) -> None:
    assert explain(ask, ROWS, BACKGROUND).error < 1e-12


def test_more_permutations_come_nearer_where_three_columns_act_together() -> None:
    expected = np.stack([exact(triples, row) for row in ROWS])
    errors = [
        np.abs(by_permutations(triples, ROWS, BACKGROUND, count, 1).values - expected).mean()
        for count in (1, 50)
    ]
    assert errors[1] < errors[0] / 3


def test_a_row_is_explained_alike_whoever_is_beside_it() -> None:
    together = by_permutations(triples, ROWS, BACKGROUND, 2, 1)
    alone = by_permutations(triples, ROWS[3:4], BACKGROUND, 2, 1)
    np.testing.assert_allclose(together.values[3], alone.values[0], atol=1e-12)


@both
@pytest.mark.parametrize("rows", [1, 3])
def test_one_column_and_rows_that_are_the_background(explain: Explain, rows: int) -> None:
    def double(codes: np.ndarray) -> np.ndarray:
        return 2 * codes

    one = explain(double, np.full((rows, 1), 3.0), np.array([[1.0]]))
    assert one.values.tolist() == [[[4.0]]] * rows
    same = explain(linear, np.repeat(BACKGROUND[:1], rows, axis=0), BACKGROUND[:1])
    np.testing.assert_allclose(same.values, 0)


def test_shap_leaves_the_state_of_numpy_as_it_was() -> None:
    np.random.seed(1)
    before = np.random.get_state()[1].copy()  # type: ignore[index]
    shap(linear, ROWS, BACKGROUND)
    assert (np.random.get_state()[1] == before).all()  # type: ignore[index]
