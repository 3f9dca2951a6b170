"""A CSV file as somebody hands it over: cells, classes, the split."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest

from core import raw_table
from core.errors import InputError
from core.raw_table import CATEGORY, DECIMAL_COMMA, NUMBER, Column, Label
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


def by_column(header: Sequence[str], rows: Sequence[Sequence[str]]) -> dict[str, Sequence[str]]:
    return dict(zip(header, zip(*rows, strict=True), strict=True))


def test_columns_are_renamed_left_out_and_brought_into_one_form() -> None:
    rows = [[" Rome", "card ", "1,000"], ["NA", "cash", ""], ["Oslo", "NA", "2"]]
    assert raw_table.convert(SOURCE, by_column(HEADER, rows), "x.csv") == {
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
        raw_table.convert(SOURCE, by_column(header, [row]), "x.csv")


def test_a_third_class_is_refused_unless_it_is_one_of_the_rest() -> None:
    two = Label("Paid by", "paid_by", "card", "cash", False)
    with pytest.raises(
        InputError, match="row 2, column 'Paid by': 'cheque' is none of the classes"
    ):
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


def test_rows_that_are_equal_but_for_their_class_are_of_one_part() -> None:
    contents = [[str(n % 150)] for n in range(300)]
    classes = ["card" if n < 150 else "cash" for n in range(300)]
    test = raw_table.in_test(contents, classes, 0.3, 1)
    assert test[:150] == test[150:]
    assert test == raw_table.in_test(contents, classes[::-1], 0.3, 1)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("contents", [1, 2, 4, 60])
def test_rows_of_few_contents_are_drawn_one_by_one_in_equal_shares(
    contents: int, seed: int
) -> None:
    rows = [[str(n % contents), "x"] for n in range(1000)]
    classes = ["card" if n % 10 < 3 else "cash" for n in range(1000)]
    test = raw_table.in_test(rows, classes, 0.2, seed)
    drawn = [name for name, side in zip(classes, test, strict=True) if side]
    assert abs(drawn.count("card") - 60) <= 1
    assert abs(drawn.count("cash") - 140) <= 1
    if contents <= 4:
        assert {row[0] for row, side in zip(rows, test, strict=True) if side} == {
            row[0] for row in rows
        }


def test_the_parts_know_the_same_shops_and_days() -> None:
    """A class that depends on the shop alone must not seem to depend on the day."""
    source = replace(
        SOURCE, columns=(Column("shop", "shop", CATEGORY), Column("day", "day", CATEGORY))
    )
    source = replace(source, label=Label("bought", "bought", "yes", "no", False), test_fraction=0.2)
    rows = [["AB"[n % 2], ("mon", "tue")[n // 2 % 2], ("yes", "no")[n % 2]] for n in range(1000)]
    parts = dict(raw_table.parts(source, by_column(["shop", "day", "bought"], rows), "x.csv"))
    for part, size in (("span-1", 800), ("test", 200)):
        counts = Counter(zip(*parts[part].values(), strict=True))
        assert len(counts) == 4
        assert all(abs(count - size / 4) <= 1 for count in counts.values())


def test_one_row_in_another_spelling_has_the_same_content() -> None:
    rows = [[f"Rome{n}", "card", "1,000"] for n in range(40)]
    rows += [[f"Rome{n} ", "cash", "1000"] for n in range(40)]
    parts = dict(
        raw_table.parts(replace(SOURCE, test_fraction=0.4), by_column(HEADER, rows), "x.csv")
    )
    assert not set(parts["test"]["city"]) & set(parts["span-1"]["city"])


def test_parts_of_different_classes_are_said() -> None:
    classes = ["yes"] * 40 + ["no"] * 60 + [""] * 10
    even = [n % 5 == 0 for n in range(110)]
    assert raw_table.uneven(classes, even, ["yes"]) is None
    found = raw_table.uneven(classes, [n < 20 for n in range(110)], ["yes"])
    assert found is not None
    assert "'yes' is the class of 100.0% of the test part's labelled rows and of 25.0%" in found
    assert raw_table.uneven([""] * 4, [True, False] * 2, ["yes"]) is None
