"""Rows that are made of real ones."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from models.distillation.augmentation import rows_to_make, swapped
from models.distillation.columns import ColumnPlaces
from models.network.rows import Rows
from tests.support.tiny_rows import WITH_TEXT, make_rows

COLUMNS = (ColumnPlaces((0, 1), (0,)), ColumnPlaces(categorical=(1,)))


def numbered(count: int) -> Rows:
    """Rows in which every value is the number of its row."""
    number = np.arange(count)[:, None]
    return Rows(
        np.repeat(number, 2, axis=1).astype(np.float32),
        np.repeat(number, 2, axis=1).astype(np.int64),
        np.ones((count, 1), np.float32),
        np.ones((count, 1), np.float32),
        counted=np.ones((count, 2), np.float32),
    )


def test_the_values_of_a_column_move_together_and_columns_alone() -> None:
    made = swapped(numbered(50), COLUMNS, 120, 0.5, seed=1)
    assert made.count == 120
    np.testing.assert_array_equal(made.numeric[:, 0], made.numeric[:, 1])
    np.testing.assert_array_equal(made.numeric[:, 0], made.categorical[:, 0])
    apart = made.categorical[:, 0] != made.categorical[:, 1]
    assert 0.4 < apart.mean() < 0.9


def test_made_rows_weigh_nothing_and_count_for_no_group() -> None:
    made = swapped(numbered(50), COLUMNS, 10, 0.5, seed=1)
    assert made.counted is not None
    assert not made.weight.any()
    assert not made.counted.any()


def test_real_rows_are_left_as_they_are() -> None:
    rows = numbered(20)
    swapped(rows, COLUMNS, 40, 0.9, seed=1)
    np.testing.assert_array_equal(rows.numeric, numbered(20).numeric)


def test_each_row_is_made_of_another_one() -> None:
    made = swapped(numbered(30), COLUMNS, 60, 1e-9, seed=1)
    assert np.bincount(made.categorical[:, 0], minlength=30).tolist() == [2] * 30


def test_texts_move_whole() -> None:
    rows = dataclasses.replace(make_rows(40, inputs=WITH_TEXT))
    columns = (
        *(ColumnPlaces(categorical=(n,)) for n in range(3)),
        ColumnPlaces(tokens=tuple(range(5))),
        ColumnPlaces(tokens=tuple(range(5, 10))),
    )
    made = swapped(rows, columns, 40, 0.5, seed=1)
    assert rows.tokens is not None
    assert made.tokens is not None
    for text in (slice(5), slice(5, 10)):
        texts = {tuple(each) for each in rows.tokens[:, text]}
        assert {tuple(each) for each in made.tokens[:, text]} <= texts
    assert (made.tokens != rows.tokens).any()


@pytest.mark.parametrize(
    ("augmentation", "rows", "columns", "expected"),
    [
        ("auto", 100, 5, 1000),
        ("auto", 4000, 5, 6000),
        ("auto", 26_000, 5, 0),
        ("auto", 100, 1, 0),
        (0.0, 100, 5, 0),
        (0.5, 100, 5, 50),
        (3.0, 26_000, 5, 78_000),
        (3.0, 100, 1, 0),
    ],
)
def test_how_many_rows_are_made(augmentation: Any, rows: int, columns: int, expected: int) -> None:
    assert rows_to_make(augmentation, rows, columns) == expected
