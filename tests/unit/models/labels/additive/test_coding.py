"""Columns as numbers: what is coded, and that weighing needs no row by row numbers."""

import numpy as np
import pytest

from models.labels.additive.coding import AdditiveCoding, CategoryCoding, NumberCoding
from models.labels.rows import coded

ROWS = 120
COLUMNS = {
    "age": coded([20.0, 30.0, None, 41.0, 50.0, 64.0] * 20),
    "job": coded(["cook", "nurse", None, "cook", "cook", "nurse"] * 20),
    "note": coded([f"text {n}" for n in range(ROWS)]),
    "empty": coded([None] * ROWS),
    "constant": coded([7.0] * ROWS),
}


def test_numbers_and_categories_are_coded_and_texts_are_not() -> None:
    coding = AdditiveCoding.of(COLUMNS)
    assert isinstance(coding.columns["age"], NumberCoding)
    assert coding.columns["job"] == CategoryCoding((None, "cook", "nurse"))
    assert "note" not in coding.columns
    assert coding.encode(COLUMNS).shape == (ROWS, coding.width)


def test_a_number_is_centred_and_far_values_count_no_more_than_four_deviations() -> None:
    values = np.concatenate([np.random.default_rng(1).normal(40, 10, 2000), [1e9]])
    coding = NumberCoding.of(values)
    block = coding.encode(values.tolist())
    assert np.abs(block[:, :2].mean(axis=0)).max() < 0.05
    assert block[:, 0].max() <= 4
    assert (block[:, 2:].sum(axis=1) == 1).all()


def test_a_missing_number_has_an_indicator_of_its_own() -> None:
    block = NumberCoding.of(np.array([1.0, 2.0, 3.0, np.nan])).encode([None, 2.0])
    assert (block[0, :2] == 0).all()
    assert block[0, -1] == 1
    assert block[1, -1] == 0


def test_a_column_that_never_changes_says_nothing() -> None:
    block = AdditiveCoding.of({"constant": COLUMNS["constant"]}).encode(COLUMNS)
    assert np.unique(block, axis=0).shape[0] == 1


def test_values_that_were_not_in_the_sample_are_none_of_the_kinds() -> None:
    assert (CategoryCoding(("cook", "nurse")).encode(["smith"]) == 0).all()


def test_weighing_is_the_product_with_the_numbers_of_each_row() -> None:
    coding = AdditiveCoding.of(COLUMNS)
    weights = np.random.default_rng(2).normal(size=(coding.width, 3))
    expected = coding.encode(COLUMNS) @ weights
    np.testing.assert_allclose(coding.weighed(COLUMNS, weights), expected, atol=1e-12)


def test_no_columns_and_no_rows() -> None:
    assert AdditiveCoding.of({}).width == 0
    assert AdditiveCoding.of({"job": coded([])}).width == 0
    none = AdditiveCoding.of({"note": COLUMNS["note"]})
    assert none.encode(COLUMNS).shape == (ROWS, 0)
    assert none.weighed(COLUMNS, np.zeros((0, 2))) == pytest.approx(np.zeros((ROWS, 2)))
