"""CSV files as text: encodings, delimiters, line ends."""

import pytest

from core import csv_text
from core.errors import InputError


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("a,b\n1,2\n", ","),
        ("a;b\n1,5;2,5\n3,5;4,5\n", ";"),
        ("a\tb\n1, 2\tx\n", "\t"),
        ("a|b\n1|2\n", "|"),
        ('a;b\n"one, two, three";2\n"four";3\n', ";"),
        ("only\n1\n2\n", ","),
    ],
)
def test_the_delimiter_is_the_one_that_fits_the_header(text: str, delimiter: str) -> None:
    assert csv_text.find_delimiter(text) == delimiter


def test_quoted_line_ends_and_a_byte_order_mark() -> None:
    text = csv_text.decode('\ufeffa,b\r\n"two\nlines",2\r\n\r\n'.encode(), "x.csv")
    assert csv_text.parse(text, "x.csv") == (["a", "b"], [["two\nlines", "2"]])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b\n1,2\nK\u00f6ln,3\n".encode("latin-1"), "x.csv: row 2 is not UTF-8"),
        ("a,b\n1,2\n".encode("utf-16"), "x.csv: it is UTF-16, not text in UTF-8; save it as CSV"),
        (b" \n", "x.csv: the file is empty"),
    ],
)
def test_a_file_that_is_no_text_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        csv_text.decode(content, "x.csv")


def test_a_cell_may_be_long() -> None:
    assert csv_text.parse(f"a\n{'x' * 200_000}\n", "x.csv")[1] == [["x" * 200_000]]


def test_a_row_is_counted_as_rows_are_even_where_it_has_line_ends_in_it() -> None:
    content = b'a,b\n"1\n\n2",x\n\n"3\n4",y\xff\n'
    with pytest.raises(InputError, match=r"x\.csv: row 2 is not UTF-8"):
        csv_text.decode(content, "x.csv")


@pytest.mark.parametrize(
    ("content", "what"), [(b"\x1f\x8b\x08", "compressed"), (b"PK\x03\x04\xff", "a spreadsheet")]
)
def test_another_format_is_named(content: bytes, what: str) -> None:
    with pytest.raises(InputError, match=f"x.csv: it is {what}"):
        csv_text.decode(content + b"\xff", "x.csv")


def test_blank_lines_are_left_out_wherever_a_row_has_several_cells() -> None:
    assert csv_text.parse(" \na, b\n\n1,2\n  \n,\n \n", "x.csv") == (
        ["a", "b"],
        [["1", "2"], ["", ""]],
    )
    assert csv_text.parse('a\n" "\n\n1\n', "x.csv") == (["a"], [[" "], ["1"]])


def test_what_is_written_is_read_again() -> None:
    rows = [["a", "b"], ["one\rtwo", "three\r\nfour\n"], ["\0\u2028\x85\ufeff", '", ;'], ["", ""]]
    text = "".join(csv_text.to_lines(rows))
    assert csv_text.parse(text, "x.csv") == (rows[0], rows[1:])
    assert text.startswith('a,b\n"one\rtwo",')


def test_a_cell_in_a_message_is_short_and_without_control_characters() -> None:
    assert csv_text.shown("\x1b[31m" + "x" * 100) == "\\x1b[31m" + "x" * 55 + "…"
