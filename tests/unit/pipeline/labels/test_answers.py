"""Answers of people: what an import checks, what it keeps, what a run takes from it."""

import csv
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.config import Config
from core.errors import InputError
from pipeline.config.load import load
from pipeline.ingestion.contract import raw_columns
from pipeline.ingestion.staging import stage
from pipeline.labels import answers, file_columns
from pipeline.labels.importing import NEEDED, ImportOutcome, import_file
from tests.support.tiny_data import HEADER, ROWS, cells, table, write_config, write_raw

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
Lines = list[dict[str, str]]
FEATURES = HEADER.split(",")[:-1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The tiny data; nobody has labelled span-2."""
    write_config(tmp_path)
    raw = write_raw(tmp_path)
    rows = [",".join([*cells(n)[:-1], ""]) for n in range(ROWS, 2 * ROWS)]
    (raw / "span-2" / "data.csv").write_text("\n".join([HEADER, *rows]))
    return tmp_path


def configure(folder: Path, *overrides: str) -> Config:
    return load(str(folder / "tiny.yaml"), list(overrides))


def line(
    number: int, answer: str = "yes", annotator: str = "ann", **changes: str
) -> dict[str, str]:
    """Row `number` of span-2, as to-label writes it and a person fills it in."""
    content = dict(zip(FEATURES, cells(ROWS + number - 1)[:-1], strict=True))
    content["hours"] = repr(float(content["hours"]))
    return {
        "row_id": f"span-2:{number}",
        **content,
        "answer": answer,
        "annotator": annotator,
        "selection": "random" if number % 2 else "informative",
        "inclusion_probability": "0.25",
        "row_sha256": answers.content_sha256(content, FEATURES),
        **changes,
    }


def write(path: Path, lines: Lines, delimiter: str = ",") -> Path:
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(lines[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(lines)
    return path


def give(
    folder: Path, lines: Lines, annotator: str | None = None, name: str = "a.csv"
) -> ImportOutcome:
    path = write(folder / name, lines)
    return import_file(configure(folder), folder / "run", path, annotator, NOW)


def kept(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "run" / "answers").glob("*"))


def test_an_import_keeps_answers_with_where_they_come_from(folder: Path) -> None:
    done = give(folder, [line(3), line(4, "no", ""), line(5, "")], annotator="bob")
    assert done.new is not None
    assert (done.skipped, done.twice) == (1, 0)
    assert kept(folder) == [f"{done.new.id}.json"]
    stored = json.loads((folder / "run" / "answers" / kept(folder)[0]).read_text())
    assert stored["imported"].startswith("2026-01-02T03:04:05")
    assert (stored["file"], len(stored["file_sha256"]), stored["config"]) == ("a.csv", 64, "tiny")
    assert [
        (a["row_id"], a["answer"], a["annotators"], a["selection"], a["inclusion_probability"])
        for a in stored["answers"]
    ] == [
        ("span-2:3", "yes", ["ann"], "random", 0.25),
        ("span-2:4", "no", ["bob"], "informative", 0.25),
    ]
    assert set(raw_columns(configure(folder)).kinds) == {*stored["columns"], "class"}


def test_the_same_file_again_is_nothing_new(folder: Path) -> None:
    first = give(folder, [line(3)])
    before = kept(folder)
    again = give(folder, [line(3)], name="copy.csv")
    assert first.new is not None
    assert (again.new, again.known) == (None, first.new.id)
    assert kept(folder) == before


def test_people_who_agree_are_one_answer(folder: Path) -> None:
    done = give(folder, [line(3), line(4), line(3, annotator="bob")])
    assert done.new is not None
    assert [a.annotators for a in done.new.answers] == [["ann", "bob"], ["ann"]]
    assert done.twice == 1


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_what_spreadsheets_write_is_read(folder: Path, delimiter: str) -> None:
    """Other delimiters, a byte order mark, empty lines."""
    path = write(folder / "a.csv", [line(3)], delimiter)
    path.write_text("\ufeff" + path.read_text() + "\n\n")
    done = import_file(configure(folder), folder / "run", path, None, NOW)
    assert done.new is not None
    assert [a.row_id for a in done.new.answers] == ["span-2:3"]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([line(3, "maybe")], r"row 1 \(span-2:3\), column 'answer': 'maybe' is neither 'yes' nor"),
        ([line(3, annotator="")], r"row 1 \(span-2:3\), column 'annotator': empty; say who"),
        ([line(3, row_id="span-9:3")], r"row 1 \(span-9:3\): the data has no such row"),
        ([line(3, row_id="test:3")], r"row 1 \(test:3\): of the test part"),
        ([line(3), line(4, row_sha256="0" * 64)], r"row 2 \(span-2:4\): not the row that was"),
        ([line(3, row_id="span-2:4")], r"row 1 \(span-2:4\): not the row that was written out"),
        ([line(3, selection="best")], r"column 'selection': 'best' was not written by to-label"),
        ([line(3, inclusion_probability="")], r"column 'inclusion_probability': '' is no number"),
        (
            [line(3), line(4), line(3, "no", "bob")],
            r"span-2:3: answers contradict each other: row 1 by ann says 'yes', row 3 by bob says "
            r"'no'; settle it",
        ),
        ([line(3, ""), line(4, " ")], "column 'answer' is empty in all 3 rows"),
    ],
)
def test_faults_are_named_and_nothing_is_kept(folder: Path, lines: Lines, message: str) -> None:
    with pytest.raises(InputError, match=message):
        give(folder, [*lines, line(7, "")])
    assert kept(folder) == []


@pytest.mark.parametrize("column", NEEDED)
def test_a_missing_column_is_named(folder: Path, column: str) -> None:
    lines = [{k: v for k, v in line(3).items() if k != column}]
    with pytest.raises(InputError, match=f"column '{column}' is missing; take a file that"):
        give(folder, lines)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace(",ann,", ',"ann,'), "line 2 is not valid CSV: .* its quotes"),
        (lambda text: text.replace("selection", "answer"), "2 columns are called 'answer'; keep"),
        (lambda text: text[: text.index("0.25")], "row 1 has .* cells, the header has"),
        (lambda text: "", "the file is empty"),
    ],
)
def test_a_damaged_file_is_refused(
    folder: Path, change: Callable[[str], str], message: str
) -> None:
    path = write(folder / "a.csv", [line(3)])
    path.write_text(change(path.read_text()))
    with pytest.raises(InputError, match=message):
        import_file(configure(folder), folder / "run", path, None, NOW)
    assert kept(folder) == []


def test_a_folder_is_no_file_of_answers(folder: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: Is a directory; name a file"):
        import_file(configure(folder), folder / "run", folder, None, NOW)


def test_an_answer_against_the_data_is_refused(folder: Path) -> None:
    raw = folder / "raw" / "span-2" / "data.csv"
    raw.write_text(raw.read_text().replace("n202,", "n202,no", 1))
    with pytest.raises(
        InputError, match=r"\(span-2:3\), column 'answer': 'yes' is not what column 'class' of"
    ):
        give(folder, [line(3)])


def refused(folder: Path, lines: Lines) -> list[str]:
    """What is said of each cell at fault."""
    with pytest.raises(InputError) as error:
        give(folder, lines)
    *faults, last = str(error.value).splitlines()
    assert last == "nothing was imported"
    assert kept(folder) == []
    return [fault.partition(": ")[2] for fault in faults]


def test_a_cell_at_fault_is_named_once_and_tells_no_label(folder: Path) -> None:
    """Of rows with a label of the data: wrong words, two people who disagree, the test part."""
    span = {"row_id": "span-1:4", **dict(zip(FEATURES, cells(3)[:-1], strict=True)), "hours": "3.0"}
    content = {column: span[column] for column in FEATURES}
    labelled = {**line(3), **span, "row_sha256": answers.content_sha256(content, FEATURES)}
    assert cells(3)[-1] == "no"
    [fault] = refused(folder, [{**labelled, "answer": "maybe"}])
    assert fault == (
        "row 1 (span-1:4), column 'answer': 'maybe' is neither 'yes' nor 'no'; an empty cell skips "
        "the row"
    )
    [fault] = refused(folder, [{**labelled, "answer": "yes"}])
    assert fault.endswith("'yes' is not what column 'class' of the data says; correct one of them")
    [fault] = refused(folder, [{**labelled, "answer": "yes"}, {**labelled, "answer": "no"}])
    assert fault.startswith("span-1:4: answers contradict each other: row 1 by ann says 'yes'")
    faults = refused(folder, [{**labelled, "row_id": "test:4", "answer": "maybe", "annotator": ""}])
    assert [fault.split("'")[1] for fault in faults] == ["answer", "annotator"]


def test_a_column_that_was_sorted_by_itself_is_seen(folder: Path) -> None:
    """The answers stand beside other rows than those that were asked, whatever the digest says."""
    lines = [line(n) for n in range(1, 9)]
    notes = sorted((each["note"] for each in lines), reverse=True)
    mixed = [{**each, "note": note} for each, note in zip(lines, notes, strict=True)]
    faults = refused(folder, mixed)
    assert len(faults) == 8
    assert faults[0].startswith(
        "row 1 (span-2:1), column 'note': 'n207' was 'n200' when the file was written: was a column"
    )
    without = [{k: v for k, v in line(3).items() if k != "note"}]
    with pytest.raises(InputError, match="column 'note' is missing; take a file that to-label"):
        give(folder, without)


@pytest.mark.parametrize(
    ("written", "cell", "same"),
    [
        ("3.0", "3", True),
        ("3.5", "3,5", True),
        ("0.333333333333", "0.333333333", True),
        ("1234567890123", "1.23457E+12", True),
        ("123456", "123457", False),
        ("3.0", "4", False),
        ("007", "7", True),
        ("2024-05-01", "01.05.2024", True),
        ("2024-05-01", "5/1/24", True),
        ("2024-05-01 10:30:00", "01.05.2024 10:30", True),
        ("2024-05-01 10:30:00", "01.05.2024 11:30", False),
        ("2024-05-01", "02.05.2024", False),
        ("true", "TRUE", True),
        ("=1+1", "'=1+1", True),
        ("=1+1", "=1+1", True),
        ("two\nlines", "two\r\nlines", True),
        ("cafe\u0301", "caf\u00e9", True),
        ("", "", True),
        ("", "n", False),
        ("n", "", False),
        ("1e5", "12", False),
    ],
)
def test_what_a_spreadsheet_makes_of_a_cell_is_the_same_cell(
    written: str, cell: str, same: bool
) -> None:
    assert file_columns.is_same(cell, written) == same


def test_a_file_that_went_through_a_spreadsheet_is_taken(folder: Path) -> None:
    whole = [{**line(n), "hours": str(int(float(line(n)["hours"])))} for n in range(1, 5)]
    lines = [
        {**each, "answer": "YES ", "inclusion_probability": "0,25", "selection": " random"}
        for each in whole
    ]
    done = give(folder, lines)
    assert done.new is not None
    assert {(a.answer, a.inclusion_probability) for a in done.new.answers} == {("yes", 0.25)}


def test_an_answer_against_an_earlier_one_is_refused_until_that_is_removed(folder: Path) -> None:
    first = give(folder, [line(3), line(4)])
    assert first.new is not None
    with pytest.raises(InputError, match=rf"but import {first.new.id} by ann says 'yes'; settle"):
        give(folder, [line(3, "no", "bob")], name="b.csv")
    where = folder / "run" / "answers"
    answers.remove(first.new.id, where)
    assert kept(folder) == [f"{first.new.id}.json.removed"]
    second = give(folder, [line(3, "no", "bob")], name="b.csv")
    assert second.new is not None
    assert [one.id for one in answers.read_all(where)] == [second.new.id]
    with pytest.raises(InputError, match="there is no import nonsense; there are: 2026"):
        answers.remove("nonsense", where)


def staged_answers(folder: Path, *overrides: str) -> tuple[Path, dict[str, object]]:
    config = configure(folder, *overrides)
    path = answers.stage_answers(config, stage(config, folder / "run"), folder / "run")
    return path, json.loads(path.read_text())


def test_a_run_takes_the_answers_of_its_window(folder: Path) -> None:
    empty, content = staged_answers(folder)
    assert content == {"format": 1, "imports": [], "answers": {}}
    done = give(folder, [line(3), line(4, "no")])
    assert done.new is not None
    path, content = staged_answers(folder)
    assert content["answers"] == {
        "span-2:3": {"label": 1, "random": True},
        "span-2:4": {"label": 0, "random": False},
    }
    assert content["imports"] == [{"id": done.new.id, "file_sha256": done.new.file_sha256}]
    assert path != empty
    assert staged_answers(folder)[0] == path
    (folder / "raw" / "span-3").mkdir()
    (folder / "raw" / "span-3" / "data.csv").write_text(table(ROWS, 3 * ROWS))
    assert staged_answers(folder, "data.window=1")[0] == empty


def changed_row(raw: Path) -> None:
    raw.write_text(raw.read_text().replace("n202", "other", 1))


def labeled_otherwise(raw: Path) -> None:
    raw.write_text(raw.read_text().replace("n202,", "n202,no", 1))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (changed_row, r"row span-2:3 is not the row that was answered in import 2026.*remove 2026"),
        (labeled_otherwise, r"row span-2:3, column 'class': the data says 'no', import 2026"),
    ],
)
def test_answers_to_rows_that_were_changed_stop_a_run(
    folder: Path, change: Callable[[Path], None], message: str
) -> None:
    give(folder, [line(3)])
    change(folder / "raw" / "span-2" / "data.csv")
    with pytest.raises(InputError, match=message):
        staged_answers(folder)


def test_a_damaged_import_is_named(folder: Path) -> None:
    give(folder, [line(3)])
    path = folder / "run" / "answers" / kept(folder)[0]
    path.write_text(path.read_text()[:100])
    with pytest.raises(InputError, match=rf"{path}: damaged"):
        staged_answers(folder)


def test_answers_are_kept_where_the_configuration_says(folder: Path) -> None:
    config = configure(folder, f"data.answers={folder / 'people'}")
    import_file(config, folder / "run", write(folder / "a.csv", [line(3)]), None, NOW)
    assert len(list((folder / "people").glob("*.json"))) == 1
    assert kept(folder) == []
