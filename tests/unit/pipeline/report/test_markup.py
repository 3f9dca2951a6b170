"""Hostile text is shown as text."""

import io

import pytest
from rich.console import Console

from pipeline.report.markup import escape, spreadsheet_cell


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x9b2J", "\\x9b2J"),
        ("over\rwritten\x08", "over\\rwritten\\x08"),
        ("[bold]not styled[/]", "[bold]not styled[/]"),
        ("a\u202eb", "a\\u202eb"),
        ("\udcff.csv", "\\udcff.csv"),
        ("caf\u00e9 \u4f60\u597d\ntwo", "caf\u00e9 \u4f60\u597d\ntwo"),
    ],
)
def test_nothing_in_a_text_steers_a_terminal(text: str, shown: str) -> None:
    out = io.StringIO()
    Console(file=out, width=100, force_terminal=True, color_system=None).print(escape(text), end="")
    assert out.getvalue() == shown


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ('=HYPERLINK("http://x","y")', '\'=HYPERLINK("http://x","y")'),
        ("+1+1", "'+1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-5.25", "-5.25"),
        ("+49", "+49"),
        ("- a dash", "'- a dash"),
        ("plain", "plain"),
        ("", ""),
    ],
)
def test_nothing_in_a_cell_is_a_formula(cell: str, written: str) -> None:
    assert spreadsheet_cell(cell) == written
