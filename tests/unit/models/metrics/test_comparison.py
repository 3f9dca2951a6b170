"""Paired differences of two models: their size, their intervals, and when one is worse."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics

from models.metrics.comparison import Difference, compare
from models.metrics.gates import OVERALL
from models.metrics.registry import METRICS


def scores(rows: int, noise: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels, and probabilities that know them up to noise."""
    draw = np.random.RandomState(seed)
    labels = (draw.rand(rows) < 0.3).astype(float)
    return labels, np.clip(0.5 + 0.2 * (2 * labels - 1) + noise * draw.randn(rows), 0, 1)


def test_values_are_those_of_scikit_learn() -> None:
    labels, candidate = scores(400, 0.3, 1)
    live = np.round(scores(400, 0.2, 2)[1], 1)  # with ties
    found = {d.metric: d for d in compare(labels, candidate, live, {}, ["auc", "accuracy", "f1"])}
    auc = metrics.roc_auc_score
    assert found["auc"].value == pytest.approx(auc(labels, candidate) - auc(labels, live))
    for name, score in (("accuracy", metrics.accuracy_score), ("f1", metrics.f1_score)):
        expected = score(labels, candidate > 0.5) - score(labels, live > 0.5)
        assert found[name].value == pytest.approx(expected)


@pytest.mark.parametrize("metric", ["auc", "accuracy", "f1", "average_precision"])
def test_the_interval_is_as_wide_as_resampling_says(metric: str) -> None:
    labels, candidate = scores(600, 0.35, 3)
    live = np.clip(candidate + 0.25 * np.random.RandomState(4).randn(600), 0, 1)
    [found] = compare(labels, candidate, live, {}, [metric])
    draw = np.random.RandomState(5)
    resampled = []
    for _ in range(300):
        rows = draw.randint(0, 600, 600)
        [again] = compare(labels[rows], candidate[rows], live[rows], {}, [metric])
        resampled.append(again.value)
    assert found.high - found.low == pytest.approx(2 * 1.96 * np.std(resampled), rel=0.15)


def test_slices_share_the_confidence_and_those_of_one_class_have_no_auc() -> None:
    labels, candidate = scores(300, 0.3, 1)
    live = scores(300, 0.3, 2)[1]
    slices = {"all": np.ones(300, bool), "positive": labels == 1}
    found = compare(labels, candidate, live, slices, ["auc", "accuracy"])
    names = [(d.metric, d.slice) for d in found]
    assert ("auc", "positive") not in names
    assert ("accuracy", "positive") in names
    alone = compare(labels, candidate, live, {}, ["auc"])[0]
    together = next(d for d in found if (d.metric, d.slice) == ("auc", OVERALL))
    assert together.value == alone.value
    assert together.high - together.low > alone.high - alone.low


def test_the_same_model_is_not_worse() -> None:
    labels, candidate = scores(300, 0.3, 1)
    for found in compare(labels, candidate, candidate, {}, ["auc", "accuracy", "f1"]):
        assert (found.value, found.low, found.high) == (0.0, 0.0, 0.0)
        assert not found.is_worse(0.0)


@pytest.mark.parametrize(
    ("value", "low", "high", "worse"),
    [
        (-0.05, -0.07, -0.03, True),
        (-0.05, -0.12, 0.02, False),  # within chance
        (-0.005, -0.007, -0.003, False),  # within the tolerance
        (0.05, 0.03, 0.07, False),
    ],
)
def test_worse_is_beyond_tolerance_and_chance(
    value: float, low: float, high: float, worse: bool
) -> None:
    assert Difference("auc", OVERALL, 100, value, low, high, 0.01).is_worse(0.01) is worse


def test_a_metric_without_an_entry_is_an_error() -> None:
    labels, candidate = scores(300, 0.3, 1)
    with pytest.raises(KeyError, match="log_loss"):
        compare(labels, candidate, candidate, {}, ["log_loss"])


def test_where_less_is_better_more_is_worse(monkeypatch: pytest.MonkeyPatch) -> None:
    loss = replace(METRICS["accuracy"], name="loss", greater_is_better=False)
    monkeypatch.setitem(METRICS, "loss", loss)
    assert Difference("loss", OVERALL, 100, 0.05, 0.03, 0.07, 0.01).is_worse(0.01)
    assert not Difference("loss", OVERALL, 100, -0.05, -0.07, -0.03, 0.01).is_worse(0.01)
    assert not Difference("loss", OVERALL, 100, 0.05, -0.02, 0.12, 0.01).is_worse(0.01)
