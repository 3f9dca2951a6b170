"""Quality and fairness of binary decisions."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from models.metrics.registry import (
    METRICS,
    RATES,
    gap,
    overall_metrics,
    slice_metrics,
    slice_rows,
)

LABELS = np.array([1, 1, 0, 0, 1, 0])
PROBABILITIES = np.array([0.9, 0.2, 0.6, 0.1, 0.8, 0.5])
SEX = np.array(["F", "F", "F", "M", "M", "M"])


def test_overall_metrics_of_six_rows() -> None:
    metrics = overall_metrics(LABELS, PROBABILITIES)
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
        "tpr": true_positive / (true_positive + false_negative),
        "fpr": false_positive / (false_positive + true_negative),
        "selection_rate": decisions.mean(),
    }
    assert expected.keys() == METRICS.keys() | RATES.keys()
    assert slice_metrics(labels, probabilities) == {
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
    with pytest.raises(ValueError, match="auc cannot be measured on 2 rows"):
        overall_metrics(np.array([0, 0]), np.array([0.9, 0.1]))


def test_a_fall_is_a_change_for_the_worse() -> None:
    loss = replace(METRICS["auc"], greater_is_better=False)
    assert METRICS["auc"].fall(0.9, 0.8) == pytest.approx(0.1)
    assert loss.fall(0.9, 0.8) == pytest.approx(-0.1)


def test_slice_of_one_class_has_no_auc_and_no_rate_of_the_other() -> None:
    metrics = slice_metrics(np.array([0, 0]), np.array([0.9, 0.1]))
    assert metrics["auc"] is None
    assert metrics["tpr"] is None
    assert metrics["fpr"] == 0.5
    assert metrics["selection_rate"] == 0.5


def metrics_by_slice(
    columns: dict[str, np.ndarray], keys: list[str]
) -> dict[str, dict[str, float | None]]:
    slices = slice_rows(columns, [keys])
    return {name: slice_metrics(LABELS[at], PROBABILITIES[at]) for name, at in slices.items()}


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


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ({"sex=F": (0.5, 400), "sex=M": (0.7, 400)}, pytest.approx(0.2)),
        ({"sex=F": (0.5, 10), "sex=M": (0.7, 400)}, None),
        ({"sex=F": (None, 400), "sex=M": (0.7, 400)}, None),
        ({"sex=F": (0.5, 400), "sex=M": (0.7, 400), "sex=F,race=B": (0, 400)}, pytest.approx(0.2)),
    ],
)
def test_gap(rows: dict[str, tuple[float | None, int]], expected: float | None) -> None:
    by_slice = {name: {"tpr": tpr, "examples": float(n)} for name, (tpr, n) in rows.items()}
    assert gap(by_slice, "sex", "tpr", min_slice_rows=300) == expected
