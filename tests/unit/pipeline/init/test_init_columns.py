"""What `init` makes of each kind of column, and of names."""

import itertools
import shlex
from collections import Counter
from pathlib import Path

import pytest

from core.errors import InputError
from core.files import REPOSITORY
from core.raw_table import CATEGORY, DATE, DECIMAL_COMMA, MANY_VALUED, NUMBER, TEXT
from pipeline.init import columns, header_words, look_alikes, names
from pipeline.init.kinds import seen as kinds_seen
from pipeline.init.kinds.seen import LEFT_OUT


@pytest.mark.parametrize(
    ("header", "cells", "kind", "why"),
    [
        ("fare", ["1.5", "2", "", "4"], NUMBER, "numbers, 1.5 to 4"),
        ("fare", ["1,200.5", "2", "3"], NUMBER, "'1,200.5' is read as 1200.5"),
        ("preis", ["1,5", "2,25", "3"], DECIMAL_COMMA, "'1,5' is read as 1.5"),
        ("rooms", ["1", "2", "3", "4"], NUMBER, "whole numbers, 1 to 4, 4 different"),
        ("paid", ["yes", "no", "yes", "no"], CATEGORY, "2 different texts"),
        ("paid", ["TRUE", "FALSE", "TRUE", "FALSE"], CATEGORY, "2 different texts"),
        ("paid", ["0", "1", "1", "0"], CATEGORY, "two values: 0 and 1"),
        ("city", ["Rome", "Oslo", ""] * 4, CATEGORY, "2 different texts"),
        ("size", ["1", "2", "3", "4+"] * 5, CATEGORY, "4 different texts"),
        ("", ["a", "b"], LEFT_OUT, "it has no name"),
        ("note", ["", "?", "NA"], LEFT_OUT, "empty in every row"),
        ("note", ["x", *[""] * 199], LEFT_OUT, "empty in 99.50% of the rows"),
        ("unit", ["kg", "kg", ""], LEFT_OUT, "constant: always 'kg'"),
        ("unit", ["7"] * 5, LEFT_OUT, "constant: always '7'"),
        ("row", [str(n) for n in range(40)], LEFT_OUT, "an id: whole numbers, 0 to 39"),
        ("trip_id", [str(n**3) for n in range(40)], LEFT_OUT, "an id: whole numbers"),
        ("income", [str(n**3) for n in range(40)], NUMBER, "whole numbers, 0 to 59319"),
        ("name", [f"N{n}" for n in range(40)], LEFT_OUT, "40 different texts in 40 rows: an id"),
        (
            "said",
            [f"it was the {n}th time" for n in range(40)],
            TEXT,
            "free text, 5 words on",
        ),
        ("when", ["01.02.2024", "3/4/24 10:30"], LEFT_OUT, "dates or times of several forms, e.g."),
        (
            "paid_at",
            [str(1400269500000 + n) for n in range(9)],
            LEFT_OUT,
            "milliseconds since 1970",
        ),
        ("price", [*map(str, range(60)), "n.n."], LEFT_OUT, "1 cells are none, e.g. 'n.n.'"),
        ("price", [*map(str, range(60)), "inf"], LEFT_OUT, "1 cells are none, e.g. 'inf'"),
        (
            "price",
            [*map(str, range(60)), "1.5e39"],
            LEFT_OUT,
            "numbers, but 1 cells are too large "
            "for 32-bit floats, as models see numbers, e.g. '1.5e39' (1 different)",
        ),
        (
            "price",
            [*map(str, range(60))] * 5 + ["1.5e39", "2e39", "-3e39", "4e39"],
            LEFT_OUT,
            "numbers, but 4 cells are too large for 32-bit floats",
        ),
        ("big", [str(2**70 + 2**60 * n) for n in (1, 2, 3)] * 9, NUMBER, "whole numbers, 1.18"),
        ("tiny", ["1e-300", "2e-300", "3e-300"], LEFT_OUT, "one number as a 32-bit float"),
        ("share", ["1.5%", "2%", "3%"], NUMBER, "'1.5%' is read as 1.5"),
        ("zip", ["00057", "10115", "20095"] * 20, CATEGORY, "3 codes with zeros in front"),
        ("zip", [f"{n:05d}" for n in range(400)], LEFT_OUT, "400 codes with zeros in front, e.g."),
        ("share", ["0.5", "0", "0.25"], NUMBER, "numbers, 0 to 0.5"),
        ("", [str(n) for n in range(30)], LEFT_OUT, "row numbers without a name, as pandas writes"),
        ("", [str(n) for n in range(1, 31)], LEFT_OUT, "row numbers without a name"),
    ],
)
def test_the_kind_of_a_column(header: str, cells: list[str], kind: str, why: str) -> None:
    seen = columns.describe(header, Counter(cells), columns.unknown_texts([cells], ()))
    assert seen.kind == kind
    assert why in seen.why


def repeated(values: list[str], times: int) -> list[str]:
    return [value for value in values for _ in range(times)]


POSTCODES = [str(10000 + n * 89999 // 999) for n in range(1000)]
TITLES = [
    " ".join(words)
    for words in itertools.product(
        ["Senior", "Junior", "Lead", "Chief"],
        ["Data", "Sales", "Web", "Test"],
        ["Engineer", "Clerk"],
    )
]


@pytest.mark.parametrize(
    ("header", "cells", "kind", "why"),
    [
        ("product", repeated([f"P{n}x" for n in range(3000)], 6), MANY_VALUED, "3000 different te"),
        ("product", [f"P{n}x" for n in range(3000)], LEFT_OUT, "each too rare to learn from"),
        ("charge", repeated([f"Theft of thing{n}" for n in range(300)], 9), MANY_VALUED, "300 dif"),
        ("postcode", repeated(POSTCODES, 6), MANY_VALUED, "1000 codes by their name"),
        ("zip", repeated(POSTCODES[:150], 6), CATEGORY, "150 codes by their name"),
        ("area_code", ["408", "415", "510"] * 20, CATEGORY, "3 codes by their name"),
        ("where", repeated(POSTCODES, 6), MANY_VALUED, "1000 codes of 5 digits each"),
        ("where", ["01067", *repeated(POSTCODES, 6)], MANY_VALUED, "codes with zeros in front"),
        ("product_id", repeated([str(n) for n in range(7, 307)], 9), MANY_VALUED, "300 ids, which"),
        ("icd9", repeated([f"{n}.{n % 9}" for n in range(250, 500)], 6), MANY_VALUED, "by their"),
        (
            "diag_1",
            repeated([*(f"{n}" for n in range(250, 500)), *(f"V{n}" for n in range(30, 60))], 6),
            MANY_VALUED,
            "280 codes, some with letters, e.g. 'V30'",
        ),
        ("salary", repeated([str(n) for n in range(10000, 99999, 1000)], 6), NUMBER, "whole num"),
        ("year", repeated([str(n) for n in range(1960, 2024)], 9), NUMBER, "whole numbers"),
        ("price", repeated([str(n * 37) for n in range(1, 900)], 6), NUMBER, "whole numbers"),
        ("title", TITLES * 6, CATEGORY, "32 different texts"),
        ("title", [*TITLES, *TITLES[:5]], TEXT, "short texts that share"),
        ("name", [f"Kunde {n}" for n in range(400)], LEFT_OUT, "each too rare to learn from"),
        ("mail", [f"a{n}@example.org" for n in range(400)], LEFT_OUT, "400 different texts in 4"),
    ],
)
def test_categories_of_many_values_codes_and_short_texts(
    header: str, cells: list[str], kind: str, why: str
) -> None:
    seen = columns.describe(header, Counter(cells), ())
    assert (seen.kind, why in seen.why) == (kind, True), seen
    assert seen.advice or seen.kind in (MANY_VALUED, CATEGORY, NUMBER, TEXT), "a way to keep it"
    assert bool(seen.values) == (kind == CATEGORY)


@pytest.mark.parametrize(
    ("header", "cells", "written", "advice"),
    [
        ("when", ["2024-05-01", "2024-05-02", ""], "%Y-%m-%d", ""),
        ("when", ["5/31/2024", "6/1/2024"], "%m/%d/%Y", ""),
        ("when", ["31/5/2024", "1/6/2024"], "%d/%m/%Y", ""),
        ("when", ["5/6/2024", "1/6/2024"], "%m/%d/%Y", "%d/%m/%Y fits as well: if day and month"),
        ("when", ["05-06-24", "01-06-24"], "%d-%m-%y", "%m-%d-%y fits as well"),
        ("when", ["13-06-24", "01-06-24"], "%d-%m-%y", ""),
        ("when", ["1.2.2024", "13.2.2024"], "%d.%m.%Y", ""),
        ("when", ["2024-05-01 10:30:00", "2024-05-02 23:59:59"], "%Y-%m-%d %H:%M:%S", ""),
        ("when", ["2024-05-01T10:30:00Z", "2024-05-02T01:00:00+0200"], "%Y-%m-%dT%H:%M:%S%z", ""),
        ("when", ["2024-05-01 10:30:00.25", "2024-05-02 01:00:00.5"], "%Y-%m-%d %H:%M:%S.%f", ""),
        ("when", ["5/31/2024 9:15 PM", "6/1/2024 12:00 AM"], "%m/%d/%Y %I:%M %p", ""),
        ("when", ["3 Mar 2024", "14 Dec 2023"], "%d %b %Y", ""),
        ("when", ["March 3, 2024", "December 14, 2023"], "%B %d, %Y", ""),
        ("when", ["Mon, 04 Mar 2024 10:00:00 +0000"] * 2 + ["Tue, 05 Mar 2024 10:00:00 +0000"],
         "%a, %d %b %Y %H:%M:%S %z", ""),
        ("start", ["10:30", "9:15"], "%H:%M", ""),
        ("start", ["10:30 AM", "9:15 PM"], "%I:%M %p", ""),
        ("month", ["2024-05", "2023-12"], "%Y-%m", ""),
        ("month", ["202405", "202312", "202401"], "%Y%m", ""),
        ("day", ["20240531", "20231201", "20240115"], "%Y%m%d", ""),
        ("timestamp", ["1400269500", "1362683700"], "%s", ""),
        ("when", [*(f"2024-05-{n:02d}" for n in range(1, 31)), *["2024-06-01"] * 90, "soon"],
         "%Y-%m-%d", "1 cells are none, e.g. 'soon' (1 different), and count as missing"),
    ],
)  # fmt: skip
def test_dates_and_their_format(header: str, cells: list[str], written: str, advice: str) -> None:
    seen = columns.describe(header, Counter(cells), ())
    assert (seen.kind, seen.format) == (DATE, written)
    assert seen.advice.startswith(advice) if advice else not seen.advice
    assert f", {written}: '" in seen.why


@pytest.mark.parametrize(
    "cells", [["1.5", "2.25"], ["10.0.0.1", "10.0.0.2"], ["20240531", "99999999", "20240601"],
              ["May", "June"], ["A-1-2", "B-3-4"], ["1-2", "3-4"]],
)  # fmt: skip
def test_what_is_no_date(cells: list[str]) -> None:
    assert columns.describe("x", Counter(cells * 9), ()).kind in (NUMBER, CATEGORY)


def test_a_format_that_the_owner_gives() -> None:
    cells = Counter(["5/6/2024", "1/6/2024"])
    assert columns.describe("d", cells, (), "date:%d/%m/%Y").format == "%d/%m/%Y"
    assert columns.describe("d", cells, (), "date:").format == "%m/%d/%Y"
    seen = columns.describe("d", cells, (), "date:%Y-%m-%d")
    assert (seen.kind, "2 cells are none" in seen.why) == (LEFT_OUT, True)
    with pytest.raises(InputError, match="--kind d=date:%Q: '%Q' is not among"):
        columns.describe("d", cells, (), "date:%Q")
    with pytest.raises(InputError, match="--kind d=date:%d/%m: it is ambiguous without a year"):
        columns.describe("d", cells, (), "date:%d/%m")


def test_digits_that_the_file_holds_as_texts_are_names() -> None:
    cells = Counter(repeated([str(n) for n in range(1, 60)], 9))
    assert columns.describe("branch", cells, ()).kind == NUMBER
    assert columns.describe("branch", cells, (), is_text=True).kind == CATEGORY


def test_codes_that_have_no_name_are_hinted_at() -> None:
    cells = Counter(repeated([str(10007 + 13 * n) for n in range(300)], 9))
    seen = columns.describe("where", cells, ())
    assert (seen.kind, seen.advice) == (NUMBER, "a code? --kind where=category")
    assert columns.describe("where", cells, (), CATEGORY).kind == MANY_VALUED


@pytest.mark.parametrize(
    ("cells", "wanted", "kind", "why"),
    [
        (["1", "2", "3"], CATEGORY, CATEGORY, "as --kind says: 3 values"),
        ([str(n) for n in range(40)], NUMBER, NUMBER, "as --kind says"),
        (["1", "2"], LEFT_OUT, LEFT_OUT, "as --kind says"),
        (["so it is", "no"], TEXT, TEXT, "as --kind says"),
        (["1", "x"], NUMBER, LEFT_OUT, "as --kind says a number, but 1 cells are none, e.g. 'x'"),
    ],
)
def test_the_owner_knows_better(cells: list[str], wanted: str, kind: str, why: str) -> None:
    seen = columns.describe("a", Counter(cells), (), wanted)
    assert seen.kind == kind
    assert why in seen.why


def test_a_text_that_its_owner_calls_unknown_is() -> None:
    cells = [*map(str, range(0, 420, 7)), "n.n."]
    missing = columns.unknown_texts([cells], ["n.n.", "elsewhere"])
    assert missing == ("n.n.",)
    assert columns.describe("price", Counter(cells), missing).kind == NUMBER


def test_names_that_a_model_can_take_stay_and_others_are_like_them() -> None:
    headers = [
        "age", "hours-per-week", "Trip Miles", "trip_miles", "Gr\u00f6\u00dfe (m\u00b2)", "class",
        "weight", "\u540d\u524d", "Age", "label", "a.b", "a-b", " _x", "%",
    ]  # fmt: skip
    assert list(names.safe_names(headers).values()) == [
        "age", "hours-per-week", "trip_miles", "trip_miles_2", "grosse_m2", "class_",
        "weight_", "column_8", "Age_2", "label_", "a.b", "a-b_2", "x", "percent",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["Taxi", "1taxi", "my-taxi", "../x", "class", "", "t\u00e4xi"])
def test_a_data_set_is_named_like_a_module(name: str) -> None:
    with pytest.raises(InputError, match="write small letters a-z"):
        names.check_data_set(name, REPOSITORY)


@pytest.mark.parametrize(
    ("name", "there"),
    [("census", "configs/census.yaml"), ("base", "configs/base"), ("csv_spans", "data/csv_spans")],
)
def test_a_name_that_is_taken_is_refused(name: str, there: str) -> None:
    with pytest.raises(InputError, match=f"{there}.* is there already"):
        names.check_data_set(name, REPOSITORY)


def test_a_new_name_is_accepted(tmp_path: Path) -> None:
    names.check_data_set("taxi_2", tmp_path)
    assert list(tmp_path.iterdir()) == [], "a check makes nothing"


def test_a_column_without_a_name_is_left_out() -> None:
    seen = columns.describe("", Counter("ab"), ())
    assert (seen.kind, seen.why) == (LEFT_OUT, "it has no name")


@pytest.mark.parametrize(
    ("cells", "advice"),
    [
        ([*range(18, 68), *[-999] * 20], "-999 (29% of its rows): probably 'unknown', --missing="),
        ([*range(18, 68), *[999] * 20], "999 (29% of its rows): probably 'unknown'"),
        ([*range(18, 68), *[-9] * 9, *[-99] * 9], "-9 and -99 (26% of its rows): probably"),
        ([*range(18, 68), *[-1] * 20], "-1 (29% of its rows): probably"),
        ([*range(-20, 30)] * 2, ""),
        ([*range(50)] * 2, ""),
        ([*range(50), 5000], ""),
        ([0, 1, 2, 3, 4, 5] * 10, ""),
    ],
)
def test_a_number_that_means_unknown_is_named(cells: list[int], advice: str) -> None:
    seen = columns.describe("income", Counter(map(str, cells)), ())
    assert seen.kind == NUMBER
    assert seen.advice.startswith(advice) if advice else not seen.advice


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("community_area", True), ("trip_start_month", True), ("store", True), ("status", True),
        ("age", False), ("age_cat", False), ("rooms", False), ("num_children", False),
        ("hours-per-week", False), ("days", False),
    ],
)  # fmt: skip
def test_ages_and_counts_are_no_codes(header: str, code: bool) -> None:
    advice = columns.describe(header, Counter(["1", "2", "3"] * 10), ()).advice
    assert (f"a code? --kind {header}=category" == advice) == code


def test_the_flag_of_an_advice_can_be_typed() -> None:
    header = "it's $5"
    [_, given] = shlex.split(kinds_seen.otherwise(header, "category"))
    assert given == "it's $5=category"


@pytest.mark.parametrize(
    ("header", "sensitive"),
    [
        ("sex", True), ("Gender", True), ("age_cat", True), ("age_group", True), ("colour", True),
        ("foreign_worker", True), ("personal_status", True), ("race", True), ("ethnicity", True),
        ("religion", True), ("disability", True), ("marital-status", True), ("nationality", True),
        ("native-country", True), ("ForeignWorker", True), ("checking_status", False),
        ("savings_status", False), ("trace", False), ("package", False), ("essex", False),
        ("mileage", False), ("class", False),
    ],
)  # fmt: skip
def test_what_is_about_who_people_are(header: str, sensitive: bool) -> None:
    assert header_words.is_sensitive(header) == sensitive


def test_texts_that_are_alike() -> None:
    texts = ["Yes", "yes", "YES ", "no", "caf\u00e9", "cafe\u0301", "1", "1.0", "2"]
    assert look_alikes.groups(texts) == [
        ["YES ", "Yes", "yes"],
        ["cafe\u0301", "caf\u00e9"],
        ["1", "1.0"],
    ]
    assert look_alikes.told(["cafe\u0301", "caf\u00e9"]) == "'cafe\\u0301', 'caf\u00e9'"
    seen = columns.describe("city", Counter(["Rome", "rome", "Oslo"] * 4), ())
    assert seen.kind == CATEGORY
    assert seen.advice == "'Rome', 'rome' count as different: write them alike if they are not"
