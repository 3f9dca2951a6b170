"""Labels of two classes moved towards as many errors of one kind as of the other."""

import numpy as np
import pytest

from models.labels.additive.coding import AdditiveCoding
from models.labels.additive.decisions import FARTHEST, even_shift, moved
from models.labels.additive.model import ColumnScores
from models.labels.additive.sample import Sample
from models.labels.by_group.shifts import shifted
from models.labels.label_model import Fitted
from models.labels.rows import coded
from models.labels.votes import ABSTAIN, Floats, Gold

VECTORS = np.array([[ABSTAIN], [0], [1]], dtype=np.int8)
COUNTS = np.array([1000, 60, 40])
GOLD = Gold(np.array([[0], [1], [1], [0]], dtype=np.int8), np.array([0, 1, 1, 1], dtype=np.int8))


def fitted(probability: Floats, columns: ColumnScores | None = None) -> Fitted:
    held_out = np.array([0.2, 0.45, 0.48, 0.3])
    nothing = np.zeros(0)
    return Fitted(probability, nothing, nothing, held_out, 0.25, "combiner", "why", {}, [], columns)


def sample(numbers: list[float]) -> Sample:
    rows = len(numbers)
    votes = np.array([[1]] * rows, dtype=np.int8)
    ids = [str(n) for n in range(rows)]
    order = np.arange(rows).astype(np.uint64)
    labels = np.full(rows, -1, dtype=np.int8)
    return Sample(order, ids, labels, votes, {"number": coded(list(numbers))}, {})


@pytest.mark.parametrize("weights", [np.ones(1000), np.linspace(0.5, 1.5, 1000)])
def test_as_many_are_above_the_threshold_as_are_expected(weights: Floats) -> None:
    probability = np.random.default_rng(1).beta(1, 3, size=1000)
    after = shifted(probability, even_shift(probability, weights))
    assert weights[probability > 0.5].sum() < 0.8 * (probability @ weights)
    assert weights[after > 0.5].sum() == pytest.approx(probability @ weights, abs=3)


def test_the_way_is_bounded_where_nothing_lies_between_the_classes() -> None:
    probability = np.repeat([0.01, 0.95], [80, 20])
    assert abs(even_shift(probability, np.ones(100))) <= FARTHEST


def test_labels_of_votes_are_moved_by_a_share_of_the_way() -> None:
    before = fitted(np.array([0.24, 0.3, 0.45]))
    half = moved(before, 0.5, VECTORS, COUNTS, GOLD, sample([1.0]))
    whole = moved(before, 1.0, VECTORS, COUNTS, GOLD, sample([1.0]))
    # 36 of the 100 rows with a vote are expected to be positive: the 40 of the last vector.
    assert whole.probability[2] == pytest.approx(0.5)
    np.testing.assert_allclose(
        np.log(half.probability / (1 - half.probability)),
        (np.log(before.probability / (1 - before.probability)) + _log_odds(whole.probability)) / 2,
    )
    np.testing.assert_allclose(whole.held_out, shifted(before.held_out, -_log_odds(0.45)))
    assert whole.accuracy_on_gold == 0.75  # .48 is now above the threshold, .45 on it
    assert whole.reason == "why; moved by +0.20 in log-odds (labeling.even_errors=1)"


def test_what_columns_add_is_seen_on_the_sample() -> None:
    numbers = np.linspace(-2, 2, 200).tolist()
    coding = AdditiveCoding.of({"number": coded(numbers)})
    weights = np.zeros((coding.width, 2))
    weights[0, 1] = 1.0
    before = fitted(np.array([0.2, 0.2, 0.2]), ColumnScores(coding, weights))
    after = moved(before, 1.0, VECTORS, COUNTS, GOLD, sample(numbers))
    rows = sample(numbers)
    labels = [each.answers(np.full(200, 2), rows.columns) for each in (before, after)]
    assert (labels[0] > 0.5).sum() < labels[0].sum() - 3
    assert (labels[1] > 0.5).sum() == pytest.approx(labels[0].sum(), abs=1.5)


def test_without_a_share_and_of_more_classes_labels_are_as_they_were() -> None:
    two, three = fitted(np.array([0.2, 0.3, 0.4])), fitted(np.full((3, 3), 1 / 3))
    assert moved(two, 0.0, VECTORS, COUNTS, GOLD, sample([1.0])) is two
    assert moved(three, 1.0, VECTORS, COUNTS, GOLD, sample([1.0])) is three


def _log_odds(probability: Floats | float) -> Floats | float:
    odds: Floats | float = np.log(np.asarray(probability) / (1 - np.asarray(probability)))
    return odds
