"""A CSV file as somebody hands it over: cells, classes, the split."""

import pytest

from core import raw_table
from core.errors import InputError
from core.raw_table import DECIMAL_COMMA, NUMBER, Label
from tests.support.csv_source import SOURCE


@pytest.mark.parametrize(
    ("cell", "kind", "plain"),
    [
        ("12", NUMBER, "12"),
        ("-1.5e3", NUMBER, "-1.5e3"),
        ("1,234,567.5", NUMBER, "1234567.5"),
        ("$1,200", NUMBER, "1200"),
        ("-$5", NUMBER, "-5"),
        ("12.5 %", NUMBER, "12.5"),
        ("1,23", NUMBER, None),
        ("0,500", NUMBER, None),
        ("12 km", NUMBER, None),
        ("inf", NUMBER, None),
        ("1e999", NUMBER, None),
        ("3,5", DECIMAL_COMMA, "3.5"),
        ("1.234,5", DECIMAL_COMMA, "1234.5"),
        ("1 234 567,5", DECIMAL_COMMA, "1234567.5"),
        ("12,50 \u20ac", DECIMAL_COMMA, "12.50"),
        ("0,500", DECIMAL_COMMA, "0.500"),
        ("0.500", DECIMAL_COMMA, "0.500"),
    ],
)
def test_numbers(cell: str, kind: str, plain: str | None) -> None:
    assert raw_table.number(cell, kind) == plain


HEADER = ["City", "Paid by", "Fare"]


def test_columns_are_renamed_left_out_and_brought_into_one_form() -> None:
    rows = [[" Rome", "card ", "1,000"], ["NA", "cash", ""], ["Oslo", "NA", "2"]]
    assert raw_table.convert(SOURCE, HEADER, rows, "x.csv") == {
        "fare": ["1000", "", "2"],
        "city": ["Rome", "", "Oslo"],
        "paid_by": ["card", "not card", ""],
    }


@pytest.mark.parametrize(
    ("header", "row", "message"),
    [
        (HEADER, ["Rome", "card", "much"], "row 1, column 'Fare': 'much' is not a number"),
        (["City", "Paid by", "Price"], ["Rome", "card", "1"], "column 'Fare' is missing"),
    ],
)
def test_rows_that_do_not_fit_are_refused(header: list[str], row: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        raw_table.convert(SOURCE, header, [row], "x.csv")


def test_a_third_class_is_refused_unless_it_is_one_of_the_rest() -> None:
    two = Label("Paid by", "paid_by", "card", "cash", False)
    with pytest.raises(InputError, match="row 2, column 'Paid by': 'cheque' is neither 'card'"):
        raw_table.labels(["card", "cheque"], two, (), "x.csv")


def test_equal_rows_are_of_one_part_and_rows_without_a_label_are_for_training() -> None:
    rows = [[str(n % 100), "x"] for n in range(300)]
    classes = ["card"] * 200 + [""] * 100
    test = raw_table.in_test(rows, classes, 0.3, 1)
    assert test[:100] == test[100:200]
    assert not any(test[200:])
    assert 15 < sum(test[:100]) < 45
    assert test != raw_table.in_test(rows, classes, 0.3, 2)


def test_a_row_stays_in_its_part_when_others_come() -> None:
    rows = [[str(n), "x"] for n in range(50)]
    before = raw_table.in_test(rows[:20], ["card"] * 20, 0.3, 1)
    assert raw_table.in_test(rows, ["card"] * 50, 0.3, 1)[:20] == before
