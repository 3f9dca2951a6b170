"""Quality and fairness of binary decisions."""

import numpy as np
import pytest

from models.metrics.registry import all_slices, gap, overall_metrics, slice_metrics

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


def test_slice_of_one_class_has_no_auc_and_no_rate_of_the_other() -> None:
    metrics = slice_metrics(np.array([0, 0]), np.array([0.9, 0.1]))
    assert metrics["auc"] is None
    assert metrics["tpr"] is None
    assert metrics["fpr"] == 0.5
    assert metrics["selection_rate"] == 0.5


def test_slices_are_named_by_columns_and_values() -> None:
    by_slice = all_slices(LABELS, PROBABILITIES, {"sex": SEX}, [["sex"]])
    assert {name: row["examples"] for name, row in by_slice.items()} == {"sex=F": 3, "sex=M": 3}
    assert by_slice["sex=F"]["tpr"] == 0.5
    assert by_slice["sex=M"]["tpr"] == 1.0


def test_crossed_slices_sum_up_to_all_rows() -> None:
    columns = {"sex": SEX, "race": np.array(["A", "B", "A", "B", "A", "B"])}
    by_slice = all_slices(LABELS, PROBABILITIES, columns, [["sex", "race"]])
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
