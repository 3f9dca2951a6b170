"""Files of rows in, files of answers out."""

from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tensorflow as tf

from core.errors import InputError
from pipeline.config.load import load
from pipeline.prediction import batch_files
from pipeline.prediction.predict import PredictRequest, predict


def test_rows_are_numbered_over_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_files, "CHUNK_ROWS", 2)
    path = tmp_path / "rows.csv"
    path.write_text('\ufeffa,b\n1,"x\ny"\n2,\n\n3\n', encoding="utf-8")
    chunks = list(batch_files.read(path, ()))
    assert [(chunk.first, list(chunk.rows)) for chunk in chunks] == [
        (1, [["1", "x\ny"], ["2", ""]]),
        (3, [["3"]]),
    ]
    assert chunks[0].columns == ("a", "b")


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"a": [1, None], "b": ["x", None]}), path)
    [chunk] = batch_files.read(path, ("a", "b"))
    assert chunk.rows == [["1", "x"], ["", ""]]
    assert chunk.table is not None
    batch_files.write_table(tmp_path / "out.csv", ["a", "b"], iter([chunk.table]))
    assert (tmp_path / "out.csv").read_text() == "a,b\n1,x\n,\n"
    batch_files.write_table(tmp_path / "out.parquet", ["a", "b"], iter([chunk.table] * 2))
    assert pq.read_table(tmp_path / "out.parquet").num_rows == 4


def test_values_are_asked_for_as_staging_writes_them(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    days, seen = [datetime(2024, 1, 31), None], [True, None]
    columns = {
        "when": days,
        "seen": seen,
        "half": np.array([0.1, np.nan], np.float32),
        "tags": [[1], []],
    }
    pq.write_table(pa.table(columns), path)
    [chunk] = batch_files.read(path, ("when", "seen", "half"))
    assert chunk.rows == [["2024-01-31 00:00:00", "True", "0.1", ""], ["", "", "", ""]]
    assert chunk.table is not None
    assert chunk.table.schema.names == list(columns), "what is not asked for is handed on"
    with pytest.raises(InputError, match=r"rows.parquet: column 'tags' is nested \(list"):
        list(batch_files.read(path, ("when", "tags")))


def test_a_column_that_is_there_twice_is_taken_once(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("a,b,a\n1,2,1\n")
    [chunk] = batch_files.read(path, ("a",))
    assert (chunk.columns, chunk.rows) == (("a", "b"), [["1", "2"]])
    path = tmp_path / "rows.parquet"
    names = ["a", "b", "a"]
    pq.write_table(pa.Table.from_arrays([pa.array([n]) for n in (1, 2, 1)], names), path)
    [chunk] = batch_files.read(path, ("a", "b"))
    assert (chunk.columns, chunk.rows) == (("a", "b"), [["1", "2"]])
    pq.write_table(pa.Table.from_arrays([pa.array([n]) for n in (1, 2, 3)], names), path)
    with pytest.raises(InputError, match="2 columns are called 'a' and differ"):
        list(batch_files.read(path, ()))


def test_tfrecords_are_read_whole_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.gz"
    with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
        for number in range(1000):
            writer.write(f"record {number}".encode() * 20)
    [chunk] = batch_files.read(path, ())
    assert (chunk.first, chunk.columns, len(chunk.rows)) == (1, None, 1000)
    content = path.read_bytes()
    for cut in (len(content) // 2, len(content) - 4):
        path.write_bytes(content[:cut])
        with pytest.raises(InputError, match=r"rows.gz: truncated or damaged"):
            list(batch_files.read(path, ()))
    plain = tmp_path / "rows.tfrecord"
    with tf.io.TFRecordWriter(str(plain)) as writer:
        writer.write(b"one record")
    plain.write_bytes(plain.read_bytes()[:-3])
    with pytest.raises(InputError, match=r"rows.tfrecord: no TFRecords, or truncated"):
        list(batch_files.read(plain, ()))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("rows.txt", b"a\n1\n", "rows are read from files that end in .csv, .parquet"),
        ("none.csv", None, "none.csv: there is no such file"),
        ("rows.csv", b"", "the file is empty"),
        ("rows.csv", b"\n \n", "the file is empty"),
        ("rows.csv", b"a,b\n", "no rows below the header"),
        ("rows.csv", b"a,a\n1,2\n", "2 columns are called 'a' and differ: row 1 has '1' in"),
        ("rows.csv", b"a,a\n1\n", "row 1 has 1 cells, the header has 2"),
        ("rows.csv", b"a,b\n1,\xff\n", "row 1"),
        ("rows.parquet", b"no parquet", "no Parquet file"),
    ],
)
def test_a_file_that_is_none_is_named(
    tmp_path: Path, name: str, content: bytes | None, said: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=said):
        list(batch_files.read(path, ()))


@pytest.mark.parametrize(
    ("output", "bad", "said"),
    [
        ("out.txt", "bad.csv", "that end in .csv or .parquet"),
        ("none/out.csv", "bad.csv", "there is no folder .*none; make it first"),
        ("rows.csv", "bad.csv", "have to be three files"),
        ("out.csv", "out.csv", "have to be three files"),
    ],
)
def test_where_answers_go_is_checked_first(
    tmp_path: Path, output: str, bad: str, said: str
) -> None:
    (tmp_path / "census" / "edge" / "census" / "7").mkdir(parents=True)
    source = tmp_path / "rows.csv"
    source.write_text("a\n1\n")
    request = PredictRequest(
        load("census"), tmp_path / "census", "edge", None, source, tmp_path / output, tmp_path / bad
    )
    with pytest.raises(InputError, match=said):
        predict(request, print)
    assert source.read_text() == "a\n1\n"


def test_a_version_that_is_not_there_is_named(tmp_path: Path) -> None:
    paths = (tmp_path / "a.csv", tmp_path / "b.csv", tmp_path / "c.csv")
    request = PredictRequest(load("census"), tmp_path, "server", 5, *paths)
    with pytest.raises(InputError, match="server: no version 5 under"):
        predict(request, print)
