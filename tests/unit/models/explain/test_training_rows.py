"""What is kept of training rows, and how it is read."""

from pathlib import Path

import numpy as np
import pytest

from core.errors import InputError
from models.explain.coding import cells_of
from models.explain.training_rows import describe, read_training_rows, write_training_rows
from tests.support.servers.made_model import JOBS, NUMBERS, SCRIPT, TEXTS, cells


def test_what_is_kept_comes_back_as_it_was(tmp_path: Path) -> None:
    kept = describe(cells(), 12, 1)
    path = tmp_path / "training_rows.json"
    write_training_rows(path, kept)
    assert read_training_rows(path) == kept
    back = kept.rows_for(NUMBERS, TEXTS)
    assert back.count == 12
    at_first = {tuple(map(str, (*n, *t))) for n, t in zip(back.numbers, back.texts, strict=True)}
    rows = cells()
    of = {tuple(map(str, (*n, *t))) for n, t in zip(rows.numbers, rows.texts, strict=True)}
    assert at_first <= of
    assert kept.shares == {"job": {"clerk": 0.25, SCRIPT: 0.25, JOBS[2]: 0.25}}, "no note"


def test_fewer_rows_than_are_asked_for() -> None:
    assert describe(cells(), 1000, 1).rows_for(NUMBERS, TEXTS).count == 40


def test_numbers_are_as_far_apart_as_rows_lie_between_them() -> None:
    kept = describe(cells(), 5, 1)
    low, high, missing = kept.rank("age", np.array([20.0, 59.0, np.nan]))
    assert low < 0.1
    assert high > 0.9
    assert np.isnan(missing)


def test_of_many_categories_the_most_frequent_are_kept() -> None:
    rows = cells_of((), ("code",), {"code": [f"c{min(n % 150, n % 7)}" for n in range(2000)]})
    assert max(describe(rows, 5, 1).shares["code"]) == "c6"
    many = cells_of((), ("code",), {"code": [f"c{n % 150}" for n in range(2000)]})
    assert len(describe(many, 5, 1).shares["code"]) == 50


def test_columns_that_say_the_same_are_linked() -> None:
    years = {"clerk": 9.0, SCRIPT: 12.0, JOBS[2]: 16.0, "": 1.0}
    jobs = [JOBS[n % 4] for n in range(40)]
    kept = describe(cells(hours=[years[job] for job in jobs]), 5, 1)
    [linked] = kept.linked
    assert linked.columns == ("hours", "job")
    assert (9, "clerk") in linked.values
    assert (1, None) in linked.values


def test_columns_that_nearly_say_the_same_and_columns_of_one_value_are_not() -> None:
    jobs = [JOBS[n % 4] for n in range(40)]
    hours = [float(JOBS.index(job)) for job in jobs]
    assert describe(cells(hours=[*hours[:-1], 0.0]), 5, 1).linked == ()
    assert describe(cells(hours=[1.0] * 40, job=["x"] * 40), 5, 1).linked == ()


def test_a_column_without_a_single_value() -> None:
    kept = describe(cells(age=[None] * 40, job=[""] * 40), 5, 1)
    assert kept.quantiles["age"] == ()
    assert kept.shares == {}
    assert kept.background["age"] == (None,) * 5


def test_no_file_a_damaged_one_and_one_without_a_column(tmp_path: Path) -> None:
    path = tmp_path / "training_rows.json"
    assert read_training_rows(path) is None
    path.write_text('{"format": 1}')
    with pytest.raises(InputError, match="not training rows that were kept: background"):
        read_training_rows(path)
    with pytest.raises(InputError, match="lack column 'income'"):
        describe(cells(), 5, 1).rows_for(("income",), ())
