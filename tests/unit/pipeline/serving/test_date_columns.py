"""Requests with dates: as the contract and `columns.dates` have them."""

from pathlib import Path

import pytest

from core.sections.columns import DateFormat
from pipeline.serving.contract import read_columns
from pipeline.serving.errors import CellError
from pipeline.serving.rows import RowChecker

CONTRACT = """
feature { name: "seen" type: BYTES presence { min_fraction: 1.0 } }
feature { name: "code" type: BYTES }
"""


def checker(folder: Path, refuse: bool) -> RowChecker:
    (folder / "schema.pbtxt").write_text(CONTRACT)
    formats = {"seen": DateFormat(format="%Y-%m-%d")}
    contract = read_columns(folder / "schema.pbtxt", formats)
    assert [contract[name].is_bounded for name in ("seen", "code")] == [True, False]
    return RowChecker(contract, (), ("seen", "code"), refuse, 10)


def rows(seen: str) -> dict[str, list[str]]:
    return {"seen": ["2024-02-29", seen], "code": ["a", "never seen"]}


def test_another_format_is_answered_or_refused_with_row_and_column(tmp_path: Path) -> None:
    checked = checker(tmp_path, refuse=False).of_columns(rows("29.02.2024"))
    assert checked.texts == [("2024-02-29", "a"), ("29.02.2024", "never seen")]
    with pytest.raises(CellError, match=r"\"29.02.2024\" is not of the format %Y-%m-%d") as error:
        checker(tmp_path, refuse=True).of_columns(rows("29.02.2024"))
    assert (error.value.row, error.value.column) == (1, "seen")
    assert checker(tmp_path, refuse=True).of_columns(rows("2024-03-01")).count == 2


def test_a_date_that_the_contract_asks_for_is_not_left_out(tmp_path: Path) -> None:
    with pytest.raises(CellError, match="asks for a value in every row"):
        checker(tmp_path, refuse=False).of_columns(rows(""))
