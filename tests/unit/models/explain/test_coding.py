"""Rows as codes and back, and a model that is asked with them."""

import numpy as np
import pytest

from models.explain.coding import CodedModel, Coding, cells_of, chunks, missing_is_none
from tests.support.servers.made_model import NUMBERS, TEXTS, MadeModel, cells, old_clerks


def test_codes_become_the_cells_that_they_were() -> None:
    rows = cells()
    coding = Coding([rows])
    codes = coding.encode(rows)
    assert codes.dtype == np.float64
    assert np.isfinite(codes).all()
    back = coding.decode(codes)
    np.testing.assert_array_equal(back.numbers, rows.numbers)
    assert back.texts.tolist() == rows.texts.tolist()


def test_values_of_several_tables_and_more_are_known() -> None:
    first, second = cells(), cells(job=["smith"] * 40)
    coding = Coding([first, second], {"job": ["nurse"], "age": [7.5]})
    assert coding.decode(coding.encode(second)).texts[0, 0] == "smith"
    at = coding.names.index("job")
    assert coding.values[at][int(coding.code(at, ["nurse"])[0])] == "nurse"
    assert coding.values[0][int(coding.code(0, [7.5])[0])] == 7.5


def test_rows_that_are_alike_are_asked_once() -> None:
    rows, model = cells(), MadeModel(old_clerks)
    coding = Coding([rows])
    ask = CodedModel(model, coding)
    codes = np.repeat(coding.encode(rows)[:3], 50, axis=0)
    answers = ask(codes)
    assert model.asked == 3
    expected = model.answer(rows.numbers[:3], rows.texts[:3])
    np.testing.assert_array_equal(answers[:, 0], np.repeat(expected, 50))


def test_so_many_columns_that_their_combinations_have_no_number() -> None:
    names = tuple(f"n{at}" for at in range(40))
    made = np.random.default_rng(1).normal(size=(30, 40))
    rows = cells_of(names, (), {name: made[:, at].tolist() for at, name in enumerate(names)})

    model = MadeModel(lambda row: sum(row.values()))
    model.numbers, model.texts = names, ()
    coding = Coding([rows])
    ask = CodedModel(model, coding)
    codes = np.concatenate([coding.encode(rows)] * 2)
    expected = np.tile(made.sum(axis=1), 2)
    np.testing.assert_allclose(ask(codes)[:, 0], expected, rtol=1e-4, atol=1e-5)


def test_an_answer_that_is_no_number_is_an_error() -> None:
    rows = cells()
    coding = Coding([rows])
    ask = CodedModel(MadeModel(lambda row: float("nan")), coding)
    with pytest.raises(ValueError, match="40 answers are not numbers"):
        ask(coding.encode(rows))


def test_a_column_that_is_not_there_is_named() -> None:
    with pytest.raises(KeyError, match="hours"):
        cells_of(NUMBERS, TEXTS, {"age": [1.0]})


@pytest.mark.parametrize(
    ("value", "told"),
    [(float("nan"), None), ("", None), (3.0, 3), (0.0, 0), (0.1, 0.1), ("x", "x"), (1e300, 1e300)],
)
def test_cells_for_json(value: object, told: object) -> None:
    assert missing_is_none(value) == told


def test_chunks_hold_every_place_once() -> None:
    assert [*chunks(5, 2)] == [range(2), range(2, 4), range(4, 5)]
    assert chunks(0, 3) == []
    assert len(chunks(3, 0)) == 3
