"""Parquet files in spans: the same rows as of CSV, and every fault of a file."""

import hashlib
import io
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.config import Config
from core.errors import InputError
from pipeline.config.load import load
from pipeline.ingestion.staging import Staged, stage
from pipeline.ingestion.tables import CHUNK_ROWS
from pipeline.retraining.span_rows import read_files
from tests.support.tiny_data import table


def configure(folder: Path, *overrides: str) -> Config:
    return load(str(folder.parent / "tiny.yaml"), list(overrides))


def run(folder: Path, *overrides: str) -> Staged:
    return stage(configure(folder, *overrides), folder.parent / "run")


def typed(text: str) -> pa.Table:
    """CSV text as a table with types; empty cells are null."""
    return pa.Table.from_pandas(pd.read_csv(io.StringIO(text)), preserve_index=False)


def convert(folder: Path, *parts: str) -> None:
    """Replaces the CSV files of parts by Parquet files of the same rows."""
    for part in parts:
        path = folder / part / "data.csv"
        pq.write_table(typed(path.read_text()), path.with_suffix(".parquet"), row_group_size=70)
        path.unlink()


def test_the_same_rows_are_staged_alike(folder: Path) -> None:
    csv, config = run(folder), configure(folder)
    of_csv = read_files(csv.files, config).table
    convert(folder, "span-1", "test")
    parquet = run(folder)
    assert (parquet.digest, parquet.rows) == (csv.digest, csv.rows)
    assert {file.name for file in parquet.files} == {
        "span-1/data.parquet", "span-2/data.csv", "test/data.parquet",
    }  # fmt: skip
    assert read_files(parquet.files, config).table.equals(of_csv)
    convert(folder, "span-2")
    assert run(folder).digest == csv.digest


def test_both_formats_may_lie_in_one_span(folder: Path) -> None:
    csv = run(folder)
    lines = (folder / "span-1" / "data.csv").read_text().splitlines(keepends=True)
    (folder / "span-1" / "data.csv").unlink()
    (folder / "span-1" / "a.csv").write_text("".join(lines[:100]))
    pq.write_table(typed("".join([lines[0], *lines[100:]])), folder / "span-1" / "b.parquet")
    assert run(folder).digest == csv.digest


def test_columns_come_in_any_order_and_as_any_type_that_holds_their_values(folder: Path) -> None:
    csv = run(folder)
    convert(folder, "span-1")
    path = folder / "span-1" / "data.parquet"
    content = pq.read_table(path)
    ages, hours, jobs = (content.column(name) for name in ("age", "hours", "job"))
    forms: list[dict[str, pa.ChunkedArray]] = [
        {"age": ages.cast(pa.float64()), "hours": hours.cast(pa.decimal128(25, 2))},
        {"age": ages.cast(pa.string()), "hours": hours.cast(pa.float32())},
        {"age": ages.cast(pa.uint8()), "job": jobs.dictionary_encode()},
        {"age": ages.cast(pa.int8()), "job": jobs.cast(pa.binary())},
    ]
    for form in forms:
        names = sorted(content.column_names)
        columns = {name: form.get(name, content.column(name)) for name in names}
        pq.write_table(pa.table(columns), path)
        assert run(folder).digest == csv.digest, form.keys()


def test_a_label_column_may_be_left_out_or_be_all_null(folder: Path) -> None:
    convert(folder, "span-1")
    path = folder / "span-1" / "data.parquet"
    content = pq.read_table(path)
    pq.write_table(content.drop(["class"]), path)
    without = run(folder)
    pq.write_table(content.set_column(4, "class", pa.nulls(len(content))), path)
    assert run(folder).digest == without.digest


def test_repeated_rows_are_found_across_formats(folder: Path) -> None:
    config = configure(folder, "data.max_repeated=0.02")
    (folder / "span-2" / "data.csv").write_text((folder / "test" / "data.csv").read_text())
    convert(folder, "span-2")
    staged = stage(config, folder.parent / "run")
    assert staged.spans == (1,)
    assert [finding.kind for finding in staged.held_back] == ["repeated rows"]


def test_a_copy_of_a_file_counts_once_and_checksums_are_looked_at(folder: Path) -> None:
    convert(folder, "span-1", "span-2")
    path = folder / "span-1" / "data.parquet"
    (folder / "span-1" / "again.parquet").write_bytes(path.read_bytes())
    assert [finding.kind for finding in run(folder).reported] == ["duplicate file"]
    (folder / "span-1" / "again.parquet").unlink()
    sums = folder / "span-1" / "SHA256SUMS"
    sums.write_text(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  data.parquet\n")
    assert run(folder).spans == (1, 2)
    sums.write_text(f"{'0' * 64}  data.parquet\n")
    held = run(folder).held_back
    assert [(finding.span, finding.kind) for finding in held] == [(1, "damaged")]


GOOD = typed(table(5))


def replaced(column: str, values: object) -> pa.Table:
    """The first five rows with other values in a column."""
    at = GOOD.column_names.index(column)
    return GOOD.set_column(at, column, pa.array(values))


BAD_TABLES = {
    "no rows": (GOOD.slice(0, 0), "no rows"),
    "missing column": (GOOD.drop(["hours"]), "column 'hours' is missing"),
    "extra column": (GOOD.append_column("zip", GOOD["age"]), "column 'zip' is not expected"),
    "renamed column": (
        GOOD.rename_columns(["age", "hour", "job", "note", "class"]),
        "column 'hour' is not expected; rename it to 'hours'",
    ),
    "text in a number column": (
        replaced("age", ["20", "21", "twenty", "23", "24"]),
        "row 3, column 'age': 'twenty' is not a whole number",
    ),
    "a fraction": (replaced("age", [20, 21, 22.5, 23, 24]), "row 3, column 'age': '22.5' is not"),
    "a boolean": (replaced("age", [True] * 5), "row 1, column 'age': 'True' is not a whole number"),
    "a date": (replaced("hours", [datetime(2024, 1, 1)] * 5), "'2024-01-01 00:00:00' is not a num"),
    "infinity": (replaced("hours", [1, 2, np.inf, 3, 4]), "row 3, column 'hours': 'inf' is not a"),
    "beyond 64 bits": (
        replaced("age", np.array([20, 21, 2**64 - 1, 23, 24], np.uint64)),
        "row 3, column 'age': '18446744073709551615' is not a whole number of 64 bits",
    ),
    "unknown label": (
        replaced("class", ["yes", "no", "maybe", "no", "yes"]),
        "row 3, column 'class': 'maybe' is none of columns.classes: 'no', 'yes'",
    ),
    "nested": (replaced("note", [[1]] * 5), "column 'note' is nested (list<item: int64>)"),
    "nested and nobody's": (
        GOOD.append_column("tags", pa.array([{"a": 1}] * 5)),
        "column 'tags' is nested (struct<a: int64>)",
    ),
    "no text": (
        replaced("note", [b"a", b"b", b"\xff", b"c", b"d"]),
        "row 3, column 'note': not text",
    ),
    "columns of one name": (
        pa.Table.from_arrays([*GOOD.columns, GOOD["hours"]], names=[*GOOD.column_names, "age"]),
        "2 columns are called 'age' and differ: row 1 has '20' in column 1 and '0' in column 6",
    ),
}


@pytest.mark.parametrize("kind", BAD_TABLES)
@pytest.mark.parametrize("part", ["span-2", "test"])
def test_a_bad_table_is_named_with_its_fault(folder: Path, kind: str, part: str) -> None:
    content, message = BAD_TABLES[kind]
    (folder / part / "data.csv").unlink()
    path = folder / part / "data.parquet"
    pq.write_table(content, path)
    with pytest.raises(InputError) as error:
        run(folder)
    assert f"{path}: " in str(error.value)
    assert message in str(error.value)
    assert not list((folder.parent / "run").rglob("*.csv")), "something was staged"


def test_a_damaged_file_is_named(folder: Path) -> None:
    convert(folder, "span-2")
    path = folder / "span-2" / "data.parquet"
    content = path.read_bytes()
    for bad in (content[: len(content) // 2], content[:-4] + b"????", b"age,hours\n1,2\n"):
        path.write_bytes(bad)
        with pytest.raises(InputError, match=f"{path}: no Parquet file, or a damaged one"):
            run(folder)
    path.rename(path.with_suffix(".csv"))
    path.with_suffix(".csv").write_bytes(content)
    with pytest.raises(InputError, match=r"it is Parquet, not text in UTF-8; give it the ending"):
        run(folder)
    assert not list((folder.parent / "run" / "staged").glob(".writing*")), "a part was left"


def test_a_folder_in_a_files_place_is_named(folder: Path) -> None:
    (folder / "span-2" / "part.parquet").mkdir()
    with pytest.raises(InputError, match=r"part\.parquet: a folder, not a file"):
        run(folder)


def test_a_fault_far_into_a_file_is_named_with_its_row(folder: Path) -> None:
    many = 3 * CHUNK_ROWS
    content = typed(table(many))
    hours = [*content["hours"].to_pylist()[:-2], float("-inf"), 1.0]
    (folder / "span-2" / "data.csv").unlink()
    path = folder / "span-2" / "data.parquet"
    pq.write_table(content.set_column(1, "hours", pa.array(hours)), path, row_group_size=10_000)
    with pytest.raises(InputError, match=f"row {many - 1}, column 'hours': '-inf' is not a number"):
        run(folder)
