"""Rows that are found again, where rows differ and where they are equal by nature."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import pandas as pd
import pytest

from pipeline.ingestion.repeats import Judgement, judge, keys_of

COLUMNS = ["a", "b", "c", "d"]
Table: TypeAlias = pd.DataFrame


def table(rows: int, seed: int, values: int = 1000) -> Table:
    """Cells drawn from as many values; few make equal rows by nature."""
    draw = np.random.default_rng(seed)
    return Table({c: draw.integers(0, values, rows).astype(str) for c in COLUMNS}, dtype=object)


def judged(span: Table, earlier: Table, test: Table) -> Judgement:
    spans = {"span-1": keys_of(earlier, COLUMNS), "span-2": keys_of(span, COLUMNS)}
    found = judge(spans, keys_of(test, COLUMNS))
    assert found["span-1"].message is None
    return found["span-2"]


@pytest.mark.parametrize("values", [2, 3, 5, 10, 100, 1000])
@pytest.mark.parametrize(("rows", "test_rows"), [(500, 2000), (3000, 300), (2000, 2000)])
def test_rows_that_are_equal_by_chance_are_kept(values: int, rows: int, test_rows: int) -> None:
    for seed in range(5):
        span, earlier, test = (
            table(n, 10 * seed + k, values) for k, n in enumerate((rows, 2000, test_rows))
        )
        found = judged(span, earlier, test)
        assert (found.message, found.excess) == (None, 0.0)
        assert not found.again.any()


def with_rows(rows: Table, span: Table) -> Table:
    return pd.concat([rows, span[len(rows) :]], ignore_index=True)


def older(rows: Table) -> Table:
    return rows.assign(b=[str(int(cell) + 1) for cell in rows["b"]])


@pytest.mark.parametrize(
    ("copied", "place"),
    [
        (lambda earlier, test: test[:200], "200 of 2000 rows are rows of the test part"),
        (lambda earlier, test: older(test[:200]), "are, but for one cell, rows of the test part"),
        (lambda earlier, test: earlier[:200], "200 of 2000 rows are rows of earlier spans"),
    ],
)
def test_copied_rows_are_found(copied: Callable[[Table, Table], Table], place: str) -> None:
    span, earlier, test = table(2000, 1), table(2000, 2), table(2000, 3)
    found = judged(with_rows(copied(earlier, test), span), earlier, test)
    assert place in str(found.message)
    assert found.again[:200].all()
    assert found.again.sum() < 220
    assert found.excess == pytest.approx(0.1, abs=0.01)


def test_a_row_that_comes_again_is_kept_once() -> None:
    span = table(2000, 1)
    doubled = pd.concat([span[:1000], span[:1000]], ignore_index=True)
    found = judged(doubled, table(2000, 2), table(500, 3))
    assert "1000 of 2000 rows are repeated rows of the span itself (0.0% by chance)" in str(
        found.message
    )
    assert not found.again[:1000].any()
    assert found.again[1000:].all()


def test_one_row_a_thousand_times_in_a_table_of_few_values() -> None:
    span, earlier, test = (table(3000, seed, 12) for seed in (1, 2, 3))
    again = pd.concat([span[:2000], span[:1].loc[[0] * 1000]], ignore_index=True)
    found = judged(again, earlier, test)
    assert found.excess > 0.02
    assert found.again[2000:].all()


def test_a_small_test_part_says_nothing() -> None:
    test = table(20, 3)
    assert judged(with_rows(test, table(300, 1)), table(300, 2), test).message is None


def test_cells_in_each_others_place_are_another_row() -> None:
    span, test = table(500, 1), table(500, 3)
    swapped = test.rename(columns={"a": "b", "b": "a"})
    assert judged(swapped, span, test).message is None
