"""Transformed rows: what is read is what was written, and damaged files are named."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from core.errors import InputError
from models.network import rows as read_rows
from models.network.preprocessing import ModelInputs
from models.network.rows import load_columns, load_records, load_rows, sample_records
from tests.support.tiny_rows import INPUTS, WITH_TEXT, make_rows, write_records


@pytest.mark.parametrize(
    ("name", "inputs"),
    [("part-0", INPUTS), ("part-0.gz", INPUTS), ("part-0.gz", WITH_TEXT)],
)
def test_rows_are_read_as_they_were_written(tmp_path: Path, name: str, inputs: ModelInputs) -> None:
    rows = make_rows(20, inputs=inputs)
    write_records(tmp_path / name, rows)
    read = load_rows([f"{tmp_path}/*"], inputs)
    assert set(read.features) == set(rows.features)
    for expected, column in zip(dataclasses.astuple(rows), dataclasses.astuple(read), strict=True):
        np.testing.assert_array_equal(column, expected)
        assert column is None or column.dtype == expected.dtype


def test_rows_are_taken_with_their_tokens() -> None:
    rows = make_rows(5, inputs=WITH_TEXT)
    taken = rows.take(np.array([3]))
    np.testing.assert_array_equal(taken.features["tokens"], rows.features["tokens"][3:4])


def test_columns_and_records_come_in_the_order_of_the_rows(tmp_path: Path) -> None:
    write_records(tmp_path / "part-0.gz", make_rows(3))
    columns = load_columns([f"{tmp_path}/*"], ["group"])
    assert columns["group"].tolist() == ["group 0", "group 1", "group 0"]
    assert len(load_records([f"{tmp_path}/*"], 2)) == 2


def test_truncated_file_is_named(tmp_path: Path) -> None:
    path = write_records(tmp_path / "part-0", make_rows(200))
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match=f"{path}: truncated or damaged"):
        load_rows([f"{tmp_path}/*"], INPUTS)


def test_missing_and_empty_files_are_errors(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        load_rows([f"{tmp_path}/*"], INPUTS)
    write_records(tmp_path / "part-0", make_rows(0))
    with pytest.raises(InputError, match="there are no rows"):
        load_rows([f"{tmp_path}/*"], INPUTS)


def test_rows_without_any_weight_are_an_error(tmp_path: Path) -> None:
    rows = make_rows(5)
    write_records(tmp_path / "part-0", dataclasses.replace(rows, weight=0 * rows.weight))
    with pytest.raises(InputError, match="no row has a weight above 0"):
        load_rows([f"{tmp_path}/*"], INPUTS)


def test_weighted_rows_have_a_mean_weight_of_one() -> None:
    weight = np.array([[0.0], [1.0], [3.0]], np.float32)
    rows = dataclasses.replace(make_rows(3), weight=weight).weighted()
    assert rows.weight.tolist() == [[0.5], [1.5]]


def test_a_sample_is_drawn_by_its_seed() -> None:
    rows = make_rows(50)
    first, again, other = (rows.sample(10, seed).numeric for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_a_draw_of_records_over_several_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_rows, "_PARSE_ROWS", 16)
    everything = [f"{n}".encode() for n in range(100)]
    for part in range(2):
        with tf.io.TFRecordWriter(str(tmp_path / f"part-{part}")) as writer:
            for record in everything[50 * part : 50 * part + 50]:
                writer.write(record)
    pattern = [str(tmp_path / "part-*")]
    drawn = sample_records(pattern, 30, 1)
    assert len({*drawn}) == 30
    assert {*drawn} <= {*everything}
    assert drawn != sorted(drawn)
    assert 3 < sum(int(record) >= 50 for record in drawn) < 27
    assert sample_records(pattern, 30, 1) == drawn != sample_records(pattern, 30, 2)
    assert sorted(sample_records(pattern, 1000, 1)) == sorted(everything)
