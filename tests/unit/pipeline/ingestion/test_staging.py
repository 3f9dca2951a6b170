"""Staging: splits, ids, groups, content addressing, and every kind of bad file."""

import csv
import os
import shutil
import tracemalloc
from pathlib import Path

import pytest

from core.config import Config
from core.names import SPLITS
from pipeline.config.load import load
from pipeline.ingestion import tables
from pipeline.ingestion.contract import stage_contract
from pipeline.ingestion.staged_rows import read_cells
from pipeline.ingestion.staging import Staged, stage
from pipeline.ingestion.tables import CHUNK_ROWS
from tests.support.tiny_data import CONTRACT, HEADER, ROWS, cells, table


def configure(folder: Path, *overrides: str) -> Config:
    return load(str(folder.parent / "tiny.yaml"), list(overrides))


def run(folder: Path, *overrides: str) -> Staged:
    return stage(configure(folder, *overrides), folder.parent / "run")


def read(staged: Staged, split: str) -> list[dict[str, str]]:
    with open(Path(staged.path) / split / "data.csv", newline="") as file:
        return list(csv.DictReader(file))


def test_every_row_is_staged_once_with_id_and_group(folder: Path) -> None:
    staged = run(folder)
    assert staged.spans == (1, 2)
    rows = {split: read(staged, split) for split in SPLITS}
    assert {split: len(found) for split, found in rows.items()} == staged.rows
    training = {row["row_id"]: row for row in rows["train"] + rows["eval"]}
    assert len(training) == 2 * ROWS
    assert list(training["span-2:1"]) == ["row_id", *HEADER.split(","), "age_group"]
    assert training["span-2:1"]["note"] == f"n{ROWS}"
    assert [row["row_id"] for row in rows["test"]] == [f"test:{n}" for n in range(1, ROWS + 1)]
    assert 0.1 < staged.rows["eval"] / (2 * ROWS) < 0.3


def test_groups_are_named_after_their_bounds(folder: Path) -> None:
    groups = {int(row["age"]): row["age_group"] for row in read(run(folder), "test")}
    expected = {24: "<25", 25: "25-39", 39: "25-39", 40: "40-64", 64: "40-64", 65: "65+"}
    assert {age: groups[age] for age in expected} == expected


def test_numbers_have_the_type_of_the_contract_in_every_split(folder: Path) -> None:
    (folder / "test" / "data.csv").write_text(
        HEADER + "\n" + "31.0,,cook,,yes\n +40 ,2,cook,,no\n,1e1,clerk,,no\n"
    )
    rows = read(run(folder), "test")
    assert [row["age"] for row in rows] == ["31", "40", ""]
    assert [row["hours"] for row in rows] == ["", "2.0", "10.0"]
    assert rows[2]["age_group"] == ""
    assert all("." in row["hours"] for row in read(run(folder), "train") if row["hours"])


def test_a_new_span_moves_no_row_between_train_and_eval(folder: Path) -> None:
    before = {row["row_id"] for row in read(run(folder, "data.window=1"), "eval")}
    after = {row["row_id"] for row in read(run(folder), "eval")}
    assert before == {i for i in after if i.startswith("span-2:")}


def test_the_window_takes_the_newest_spans(folder: Path) -> None:
    staged = run(folder, "data.window=1")
    assert staged.spans == (2,)
    assert staged.rows["train"] + staged.rows["eval"] == ROWS


def test_a_draw_keeps_the_share_of_the_test_part_and_follows_the_seed(folder: Path) -> None:
    one, again, two = (run(folder, "data.rows=120", f"seed={seed}") for seed in (1, 1, 2))
    assert (sum(one.rows.values()), one.rows["test"]) == (120, 40)
    assert one == again
    assert one.digest != two.digest


def test_a_draw_of_more_rows_than_there_are_is_all_of_them(folder: Path) -> None:
    assert run(folder, "data.rows=5000").rows == run(folder).rows


def test_staged_content_is_reused_untouched(folder: Path) -> None:
    first = run(folder)
    path = Path(first.path) / "train" / "data.csv"
    before = os.stat(path)
    assert run(folder) == first
    after = os.stat(path)
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_equal_content_has_equal_path_and_times_even_when_made_anew(folder: Path) -> None:
    first = run(folder)
    path = Path(first.path) / "train" / "data.csv"
    before = os.stat(path)
    path.write_text("damaged")
    assert run(folder) == first
    assert os.stat(path).st_mtime == before.st_mtime
    assert run(folder, "labeling.gold_rows=11").path == first.path


def test_an_edited_file_is_staged_anew(folder: Path) -> None:
    first = run(folder)
    (folder / "span-1" / "data.csv").write_text(table(ROWS).replace("cook", "baker"))
    assert run(folder).digest != first.digest


def test_an_edited_contract_has_another_path(folder: Path) -> None:
    config, where = configure(folder), folder.parent / "run"
    first, staged = stage_contract(config, where), run(folder)
    assert stage_contract(config, where) == first
    (folder.parent / "schema.pbtxt").write_text("# looked over\n" + CONTRACT)
    second = stage_contract(config, where)
    assert second != first
    assert second.read_text().startswith("# looked over")
    assert run(folder).path == staged.path


def test_labels_may_be_missing_in_weak_mode(folder: Path) -> None:
    rows = [",".join([*cells(n)[:-1], ""]) for n in range(ROWS)]
    (folder / "span-1" / "data.csv").write_text("\n".join([HEADER, *rows]))
    (folder / "span-2" / "data.csv").write_text(table(ROWS, ROWS))
    labels = [row["class"] for row in read(run(folder), "train")]
    assert labels.count("") > 0.3 * len(labels)
    without = "\n".join(row.rpartition(",")[0] for row in [HEADER, *rows])
    (folder / "span-1" / "data.csv").write_text(without)
    assert [row["class"] for row in read(run(folder), "train")] == labels


def test_a_byte_order_mark_and_quoted_cells_are_read(folder: Path) -> None:
    lines = ['\ufeff"age",hours,job,note,class', '31,1,"cook, head","said ""hm""",yes', "32,1,,,no"]
    (folder / "test" / "data.csv").write_text("\r\n".join(lines), newline="")
    first = read(run(folder), "test")[0]
    assert (first["job"], first["note"]) == ("cook, head", 'said "hm"')


def test_line_ends_and_odd_characters_in_a_cell_are_staged_as_they_are(folder: Path) -> None:
    odd = ["one\rtwo", "one\r\ntwo\n", "\0", "a\u2028b\x85c", "\ufeffx", " ", "x" * 140_000]
    lines = [f'31,1,"cook","{cell}",{("yes", "no")[n % 2]}' for n, cell in enumerate(odd)]
    (folder / "test" / "data.csv").write_text("\n".join([HEADER, *lines]), newline="")
    staged = run(folder)
    assert [row["note"] for row in read(staged, "test")] == odd
    assert [row["note"] for row in read_cells(staged, {"test:1"}, ("test",))] == odd[:1]


def test_files_larger_than_what_is_read_at_a_time_are_staged_in_order(folder: Path) -> None:
    many = 2 * CHUNK_ROWS + 7
    (folder / "span-1" / "data.csv").write_text(table(many))
    (folder / "span-1" / "more.csv").write_text(table(5, many))
    rows = [row for split in ("train", "eval") for row in read(run(folder), split)]
    of_span = {row["row_id"]: row["note"] for row in rows if row["row_id"].startswith("span-1:")}
    assert of_span == {f"span-1:{n + 1}": f"n{n}" for n in range(many + 5)}


def test_a_draw_takes_the_same_rows_whatever_is_read_at_a_time(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run(folder, "data.rows=120")
    monkeypatch.setattr(tables, "CHUNK_ROWS", 9)
    shutil.rmtree(folder.parent / "run")
    assert run(folder, "data.rows=120") == first


def test_memory_does_not_grow_with_rows(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "CHUNK_ROWS", 1000)
    (folder / "span-1" / "data.csv").write_text(table(8000))
    config, run_folder = configure(folder), folder.parent / "run"
    run(folder)
    shutil.rmtree(run_folder)
    tracemalloc.start()
    stage(config, run_folder)
    few = tracemalloc.get_traced_memory()[1]
    (folder / "span-1" / "data.csv").write_text(table(16000))
    tracemalloc.reset_peak()
    stage(config, run_folder)
    many = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert many < 1.1 * few
