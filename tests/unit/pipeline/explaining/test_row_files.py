"""Rows to explain, from files, staged data and the log of requests."""

import json
from pathlib import Path
from typing import Any

import pytest

from core.errors import InputError
from pipeline.explaining import row_files
from tests.support.servers.columns_model import CONTRACT, checker, row

HEADER = "age,gain,work,sex"
KNOWN = {**CONTRACT}


def written(tmp_path: Path, name: str, content: str) -> Path:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    return path


def cells(found: row_files.NamedRows, refuse: bool = False) -> list[tuple[Any, ...]]:
    rows = row_files.checked(found, checker(refuse), KNOWN, ("row_id", "label"))
    return [(*n, *t) for n, t in zip(rows.numbers, rows.texts, strict=True)]


def test_csv_and_json_are_the_same_rows(tmp_path: Path) -> None:
    text = f"\ufeff{HEADER}\n39, 1.5 ,Zürich <b>,Male\n20,,,Female\n"
    [first, second] = cells(row_files.read_file(written(tmp_path, "rows.csv", text)))
    assert first == (39, 1.5, "Male", "Zürich <b>")
    assert second[0] == 20
    assert second[1] != second[1]
    assert second[2:] == ("Female", "")
    rows = [row(work="Zürich <b>"), row(age=20, gain=None, work=None, sex="Female")]
    for content in (rows, {"instances": rows}):
        path = written(tmp_path, "rows.json", json.dumps(content))
        assert str(cells(row_files.read_file(path))) == str([first, second])
    path = written(tmp_path, "one.json", json.dumps(rows[0]))
    assert cells(row_files.read_file(path)) == [first]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("rows.csv", f"{HEADER},incme\n39,1,x,Male,2\n", "column 'incme' is not in the contract"),
        ("rows.csv", f"{HEADER},sexx\n39,1,x,Male,2\n", "the nearest is 'sex'"),
        ("rows.csv", "age,gain,work\n39,1,x\n", "row 1 lacks column 'sex'; the model takes age,"),
        ("rows.csv", f"{HEADER}\n39,1,x,Male\nold,1,x,Male\n", "row 2, column 'age': 'old' is not"),
        ("rows.csv", f"{HEADER}\n,1,x,Male\n", "row 1, column 'age': the contract asks for a"),
        ("rows.csv", f"{HEADER}\n39,1,x\n", "row 1 has 3 cells, the header has 4"),
        ("rows.csv", f"{HEADER}\n", "no rows below the header"),
        ("rows.csv", "", "the file is empty"),
        ("rows.csv", f"{HEADER}\n" + "39,1,x,Male\n" * 21, "more than 20 rows"),
        ("rows.json", "{", "not JSON"),
        ("rows.json", "[]", "no rows"),
        ("rows.json", "[3]", "row 1 is no object"),
        ("rows.json", '{"age": 39}', "row 1 lacks column 'gain'"),
        ("rows.json", json.dumps(row(age="39")), "column 'age': JSON Value: \"39\" Type: String"),
        ("rows.json", json.dumps({**row(), "<b>": 1}), "column '<b>' is not in the contract"),
        ("rows.txt", "x", "end in .csv or .json"),
    ],
)
def test_a_file_that_is_at_fault_is_named_with_row_and_column(
    tmp_path: Path, name: str, content: str, words: str
) -> None:
    path = written(tmp_path, name, content)
    with pytest.raises(InputError) as error:
        cells(row_files.read_file(path))
    assert words in str(error.value)
    assert str(path) in str(error.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for name in ("rows.csv", "rows.json"):
        with pytest.raises(InputError, match="there is no such file"):
            row_files.read_file(tmp_path / name)


def test_columns_of_the_contract_that_the_model_does_not_take_are_left_alone(
    tmp_path: Path,
) -> None:
    path = written(tmp_path, "rows.csv", f"row_id,{HEADER},label\ntest:1,39,1.5,x,Male,yes\n")
    assert cells(row_files.read_file(path)) == [(39, 1.5, "Male", "x")]


def test_outside_the_domain_as_in_serve(tmp_path: Path) -> None:
    path = written(tmp_path, "rows.csv", f"{HEADER}\n39,1,Mars,Male\n")
    found = row_files.read_file(path)
    assert cells(found)[0][3] == "Mars"
    with pytest.raises(InputError, match="row 1, column 'work': \"Mars\" is not one of"):
        cells(found, refuse=True)


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    for split, first in (("train", 1), ("test", 1)):
        folder = tmp_path / "staged" / "abc" / split
        folder.mkdir(parents=True)
        part = "test" if split == "test" else "span-1"
        lines = [f"{part}:{n},{30 + n},1.5,Private,Male" for n in range(first, 4)]
        (folder / "data.csv").write_text("\n".join([f"row_id,{HEADER}", *lines, ""]))
    requests = tmp_path / "requests"
    requests.mkdir()
    entries = [{"request": "r-1", "row": n, "columns": row(age=60 + n, work=None)} for n in (0, 1)]
    text = "".join(json.dumps(entry) + "\n" for entry in entries)
    (requests / "20260101.jsonl").write_text(f"half a line\n{text}")
    return tmp_path


@pytest.mark.parametrize(
    ("row_id", "age", "work"),
    [
        ("test:2", 32, "Private"), ("span-1:3", 33, "Private"), ("r-1", 60, ""), ("r-1:1", 61, ""),
    ],
)  # fmt: skip
def test_a_row_by_its_id(run_folder: Path, row_id: str, age: int, work: str) -> None:
    found = row_files.find_row(run_folder, row_id)
    assert found.names == (row_id,)
    [only] = cells(found)
    assert (only[0], only[3]) == (age, work)


def test_an_id_that_no_row_has(run_folder: Path, tmp_path: Path) -> None:
    for folder, row_id in ((run_folder, "test:9"), (run_folder, "r-1:2"), (tmp_path / "x", "a")):
        with pytest.raises(InputError, match=f"--row-id {row_id}: no such row in"):
            row_files.find_row(folder, row_id)
