"""Rows of the table that is chosen from, of answers."""

import numpy as np
import pytest

from core.sections.evaluation import Slicing
from models.frontier.candidates import Costs, table_of

ROWS = 400
COSTS = Costs(100, 50, {"batch_1": 1.0})
CLASSES = ("no", "yes")


def drawn() -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Labels, the teacher's answers, and a column of two groups."""
    draw = np.random.RandomState(3)
    labels = draw.randint(0, 2, ROWS)
    teacher = np.clip(labels * 0.4 + draw.rand(ROWS) * 0.6, 0, 1)
    return labels, teacher, {"sex": np.where(np.arange(ROWS) % 2, "a", "b")}


def test_each_is_compared_with_the_teacher_and_with_each_other() -> None:
    labels, teacher, columns = drawn()
    biased = np.where(columns["sex"] == "a", teacher * 0.7, teacher)
    answers = {"same": teacher, "near": teacher + 1e-9, "biased": biased}
    told = Slicing(slices=(("sex",),), min_slice_rows=50)
    table = table_of(
        labels, answers, dict.fromkeys(answers, COSTS), teacher, columns, told, CLASSES
    )
    same, near, worse = table
    assert (same.auc_loss, same.loss_interval, same.gap_growth) == (0.0, (0.0, 0.0), 0.0)
    assert str(same.auc_loss) == "0.0"
    assert same.tied == ["near"]
    assert near.tied == ["same"]
    assert worse.auc_loss is not None
    assert worse.auc_loss > 0.01
    assert worse.loss_interval is not None
    assert worse.loss_interval[0] < worse.auc_loss < worse.loss_interval[1]
    assert worse.tied == []
    assert worse.gap_growth is not None
    assert worse.gap_growth > 0.2
    assert worse.gap in ("sex tpr", "sex selection_rate")
    assert (worse.bytes, worse.gzip_bytes, worse.row_us) == (100, 50, 1.0)


@pytest.mark.parametrize("slices", [(), (("sex",),)])
def test_groups_that_are_too_small_have_no_gap(slices: tuple[tuple[str, ...], ...]) -> None:
    labels, teacher, columns = drawn()
    told = Slicing(slices=slices, min_slice_rows=ROWS)
    answers = {"one": teacher}
    [found] = table_of(labels, answers, {"one": COSTS}, teacher, columns, told, CLASSES)
    assert (found.gap_growth, found.gap) == (None, None)


def test_rows_of_one_class_measure_no_quality() -> None:
    _, teacher, columns = drawn()
    told = Slicing(slices=(), min_slice_rows=1)
    [found] = table_of(
        np.zeros(ROWS, int), {"one": teacher}, {"one": COSTS}, teacher, columns, told, CLASSES
    )
    assert (found.auc, found.auc_loss, found.loss_interval) == (None, None, None)


def test_with_more_classes_the_auc_is_that_of_all() -> None:
    draw = np.random.RandomState(5)
    labels = draw.randint(0, 3, ROWS)
    teacher = draw.dirichlet((1, 1, 1), ROWS) * 0.5 + np.eye(3)[labels] * 0.5
    worse = draw.dirichlet((1, 1, 1), ROWS)
    told = Slicing(slices=(), min_slice_rows=1)
    answers = {"teacher": teacher, "worse": worse}
    costs = dict.fromkeys(answers, COSTS)
    first, second = table_of(labels, answers, costs, teacher, {}, told, ("x", "y", "z"))
    assert first.auc_loss == 0.0
    assert second.auc_loss is not None
    assert second.auc_loss > 0.2
