"""When the best trial counts as better than the default."""

import numpy as np
import pytest

from models.search.choice import Pair, compared
from models.search.trials import TrialAnswers

ROWS = 400
CODES = np.arange(ROWS) % 2
WEIGHT = np.ones(ROWS)


def answers(right: float, noise: int = 0) -> TrialAnswers:
    """Says the true class with this probability, more or less."""
    draw = np.random.RandomState(noise)
    p = np.clip(right + 0.2 * draw.rand(ROWS) - 0.1, 0.01, 0.99)
    return TrialAnswers(np.where(CODES == 1, p, 1 - p), -np.log(p))


def test_a_lower_loss_in_each_training_and_beyond_chance_is_better() -> None:
    pairs = [Pair(seed, answers(0.8, seed), answers(0.7, seed + 9)) for seed in (1, 2)]
    found = compared(pairs, WEIGHT, CODES, candidates=10)
    assert found.in_every_seed
    assert found.is_better
    assert found.low < found.difference < found.high < 0
    assert found.rows == ROWS
    assert {each["metric"] for each in found.metrics} == {"auc", "accuracy"}


def test_more_trials_to_choose_from_widen_the_interval() -> None:
    pairs = [Pair(1, answers(0.71, 1), answers(0.7, 2))]
    few, many = (compared(pairs, WEIGHT, CODES, candidates=n) for n in (1, 1000))
    assert few.is_better
    assert not many.is_better
    assert few.difference == many.difference


def test_one_training_in_which_it_is_worse_is_enough() -> None:
    pairs = [Pair(1, answers(0.9, 1), answers(0.7, 2)), Pair(2, answers(0.69, 1), answers(0.7, 2))]
    found = compared(pairs, WEIGHT, CODES, candidates=1)
    assert found.high < 0
    assert not found.is_better


def test_rows_count_by_their_weight() -> None:
    weight = np.where(np.arange(ROWS) < ROWS / 2, 1.0, 0.0)
    best, default = answers(0.8), answers(0.7)
    best.losses[ROWS // 2 :] = 100.0
    found = compared([Pair(1, best, default)], weight, CODES, candidates=1)
    assert found.difference == pytest.approx((best.losses - default.losses)[: ROWS // 2].mean())
