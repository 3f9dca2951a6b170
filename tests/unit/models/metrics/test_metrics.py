"""Quality and fairness of binary decisions."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from models.metrics.registry import METRICS, OF_TWO, RATES, slice_rows

LABELS = np.array([1, 1, 0, 0, 1, 0])
PROBABILITIES = np.array([0.9, 0.2, 0.6, 0.1, 0.8, 0.5])
SEX = np.array(["F", "F", "F", "M", "M", "M"])


def test_overall_metrics_of_six_rows() -> None:
    metrics = OF_TWO.overall(LABELS, PROBABILITIES)
    # Decisions 1 0 1 0 1 0 (0.5 itself is negative); of 9 pairs 7 are in the right order.
    assert metrics["accuracy"] == pytest.approx(4 / 6)
    assert metrics["f1"] == pytest.approx(2 * 2 / (2 * 2 + 1 + 1))
    assert metrics["auc"] == pytest.approx(7 / 9)
    assert metrics["examples"] == 6


@pytest.mark.parametrize("digits", [1, 6])  # with ties, and without
def test_values_are_those_of_scikit_learn(digits: int) -> None:
    draw = np.random.RandomState(digits)
    labels = (draw.rand(700) < 0.3).astype(int)
    probabilities = np.clip(0.4 + 0.2 * labels + 0.3 * draw.randn(700), 0, 1).round(digits)
    decisions = probabilities > 0.5
    [[true_negative, false_positive], [false_negative, true_positive]] = (
        sklearn_metrics.confusion_matrix(labels, decisions)
    )
    expected = {
        "auc": sklearn_metrics.roc_auc_score(labels, probabilities),
        "accuracy": sklearn_metrics.accuracy_score(labels, decisions),
        "f1": sklearn_metrics.f1_score(labels, decisions),
        "average_precision": sklearn_metrics.average_precision_score(labels, probabilities),
        "recall_at_precision": max(
            share
            for precision, share in zip(
                *sklearn_metrics.precision_recall_curve(labels, probabilities)[:2], strict=True
            )
            if precision >= 0.5
        ),
        "tpr": true_positive / (true_positive + false_negative),
        "fpr": false_positive / (false_positive + true_negative),
        "selection_rate": decisions.mean(),
    }
    assert expected.keys() == METRICS.keys() | RATES.keys()
    assert OF_TWO.of_slice(labels, probabilities) == {
        **{name: pytest.approx(value, abs=1e-12) for name, value in expected.items()},
        "examples": 700,
    }


def test_the_value_is_what_its_terms_vary_around() -> None:
    for name in ("auc", "accuracy"):
        value, groups = METRICS[name].terms(LABELS == 1, PROBABILITIES) or (None, [])
        assert all(group.mean() == pytest.approx(value) for group in groups)
    _, [linearised] = METRICS["f1"].terms(LABELS == 1, PROBABILITIES) or (None, [])
    assert linearised.mean() == pytest.approx(0)


def test_what_cannot_be_measured_is_no_figure() -> None:
    with pytest.raises(ValueError, match=r"auc, .* cannot be measured on 2 rows"):
        OF_TWO.overall(np.array([0, 0]), np.array([0.9, 0.1]))


def test_a_fall_is_a_change_for_the_worse() -> None:
    loss = replace(METRICS["auc"], greater_is_better=False)
    assert METRICS["auc"].fall(0.9, 0.8) == pytest.approx(0.1)
    assert loss.fall(0.9, 0.8) == pytest.approx(-0.1)


def test_slice_of_one_class_has_no_auc_and_no_rate_of_the_other() -> None:
    metrics = OF_TWO.of_slice(np.array([0, 0]), np.array([0.9, 0.1]))
    assert metrics["auc"] is None
    assert metrics["tpr"] is None
    assert metrics["fpr"] == 0.5
    assert metrics["selection_rate"] == 0.5


def metrics_by_slice(
    columns: dict[str, np.ndarray], keys: list[str]
) -> dict[str, dict[str, float | None]]:
    slices = slice_rows(columns, [keys])
    return {name: OF_TWO.of_slice(LABELS[at], PROBABILITIES[at]) for name, at in slices.items()}


def test_slices_are_named_by_columns_and_values() -> None:
    by_slice = metrics_by_slice({"sex": SEX}, ["sex"])
    assert {name: row["examples"] for name, row in by_slice.items()} == {"sex=F": 3, "sex=M": 3}
    assert by_slice["sex=F"]["tpr"] == 0.5
    assert by_slice["sex=M"]["tpr"] == 1.0


def test_crossed_slices_sum_up_to_all_rows() -> None:
    columns = {"sex": SEX, "race": np.array(["A", "B", "A", "B", "A", "B"])}
    by_slice = metrics_by_slice(columns, ["sex", "race"])
    assert sum(row["examples"] or 0 for row in by_slice.values()) == 6
    assert "sex=F,race=A" in by_slice


def resampled(name: str, labels: np.ndarray, probabilities: np.ndarray) -> float:
    """How wide the middle 95% of a metric's values on rows drawn anew are."""
    draw, values = np.random.RandomState(7), []
    for _ in range(400):
        rows = draw.randint(0, len(labels), len(labels))
        values.append({**METRICS, **RATES}[name].measure(labels[rows], probabilities[rows]))
    low, high = np.quantile([value for value in values if value is not None], [0.025, 0.975])
    return float(high - low)


@pytest.mark.parametrize("name", [*METRICS, *RATES])
def test_intervals_are_as_wide_as_resampling_says(name: str) -> None:
    draw = np.random.RandomState(3)
    labels = (draw.rand(800) < 0.25).astype(int)
    probabilities = np.clip(0.35 + 0.2 * labels + 0.2 * draw.randn(800), 0, 1)
    metric = {**METRICS, **RATES}[name]
    low, high = metric.interval(labels, probabilities) or (1.0, 0.0)
    assert low < (metric.measure(labels, probabilities) or 0.0) < high
    loose = name in ("average_precision", "recall_at_precision")  # approximations, see measures.py
    assert high - low == pytest.approx(
        resampled(name, labels, probabilities), rel=0.3 if loose else 0.15
    )


@pytest.mark.parametrize("name", METRICS)
def test_few_rows_that_are_all_right_prove_little(name: str) -> None:
    low, high = METRICS[name].interval(LABELS, LABELS.astype(float)) or (1.0, 0.0)
    assert low < 0.75
    assert high == pytest.approx(1)


def test_a_metric_without_an_interval_of_its_own_has_that_of_its_terms() -> None:
    plain = replace(METRICS["accuracy"], interval_of=None)
    low, high = plain.interval(LABELS, PROBABILITIES) or (0.0, 0.0)
    assert (low + high) / 2 == pytest.approx(4 / 6)
    assert plain.interval(LABELS[:0], PROBABILITIES[:0]) is None


def test_the_order_of_scores_below_every_bin_counts() -> None:
    draw = np.random.RandomState(1)
    labels = np.zeros(4000)
    labels[:20] = 1
    probabilities = 1e-4 * (1 + labels + draw.rand(4000))
    assert METRICS["auc"].measure(labels, probabilities) == 1.0
    assert METRICS["recall_at_precision"].measure(labels, np.zeros(4000)) == 0.0
    assert METRICS["average_precision"].measure(labels, np.zeros(4000)) == pytest.approx(0.005)
