"""Columns that tell groups apart."""

import numpy as np
import pytest

from models.explain.stand_ins import best_predicted, warnings_of

DRAW = np.random.default_rng(3)
ROWS = 2000
SEX = np.where(DRAW.random(ROWS) < 0.4, "Female", "Männlich")
FEMALE = SEX == "Female"
HEIGHT = DRAW.normal(np.where(FEMALE, 165.0, 178.0), 7.0)
COLUMNS = {
    "height": np.where(DRAW.random(ROWS) < 0.1, np.nan, HEIGHT),
    "title": np.where(FEMALE, "Mrs", "Mr").astype(object),
    "coin": DRAW.integers(0, 2, ROWS).astype(float),
    "note": np.array([f"note {n}" for n in range(ROWS)], object),
    "constant": np.ones(ROWS),
    "nothing": np.full(ROWS, np.nan),
}


def test_what_tells_a_group_and_what_does_not() -> None:
    found = best_predicted(COLUMNS, {"sex": SEX})["sex"]
    assert found["title"].auc == pytest.approx(1.0)
    assert 0.8 < found["height"].auc < 0.97
    for name in ("coin", "note", "constant", "nothing"):
        assert 0.45 < found[name].auc < 0.55, name


def test_a_group_of_few_rows_or_of_all_says_nothing() -> None:
    assert best_predicted(COLUMNS, {"all": np.full(ROWS, "x")}) == {}
    rare = np.where(np.arange(ROWS) < 5, "rare", "usual")
    assert best_predicted(COLUMNS, {"rare": rare}) == {}


def test_the_slice_column_itself_and_what_stands_in_for_it_are_told_together() -> None:
    predicted = best_predicted(COLUMNS, {"sex": SEX})
    shares = {"title": 0.06, "height": 0.05, "coin": 0.8, "sex": 0.04, "note": 0.05}
    [warning] = warnings_of(shares, predicted, ("sex",), {})
    assert warning.startswith("15% of the attribution is on columns that tell sex: title 6% (tells")
    assert "sex 4%" in warning
    assert "coin" not in warning
    assert warnings_of({**shares, "title": 0.0}, predicted, ("sex",), {}) == []


def test_a_slice_column_that_is_made_from_another() -> None:
    [warning] = warnings_of({"age": 0.3}, {}, ("age_group",), {"age_group": "age"})
    assert warning == (
        "30% of the attribution is on columns that tell age_group: age 30% (age_group is made "
        "from it)"
    )
