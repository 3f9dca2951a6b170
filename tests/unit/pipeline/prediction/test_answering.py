"""Chunks of rows, answered: which columns are added, and how often a model is loaded."""

import csv
import json
import pickle
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from core.csv_text import decode, parse
from pipeline.prediction import answering, batch_files
from pipeline.prediction.answering import AnswerChunks, Asked, added
from pipeline.prediction.batch_files import Chunk
from tests.support.servers.columns_model import THREE_CLASSES, ColumnsModel, ThreeClassModel

CONTRACT = """
feature { name: "age" type: INT presence { min_fraction: 1.0 } }
feature { name: "gain" type: FLOAT }
feature { name: "work" type: BYTES }
feature { name: "sex" type: BYTES }
"""
COLUMNS = ("age", "gain", "sex", "work")
ROWS = [["20", "1", "Male", ""], ["x", "1", "Male", ""], ["80", "", "Female", "Private"]]


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Folders that were loaded: `two` or `three` holds a model of as many classes."""
    found: list[str] = []

    def load(target: str, folder: str) -> ColumnsModel:
        found.append(folder)
        return ThreeClassModel() if folder == "three" else ColumnsModel()

    monkeypatch.setattr(answering, "_load", load)
    return found


def answered(tmp_path: Path, folder: str, classes: tuple[str, ...]) -> Path:
    """The path of a chunk that was answered."""
    (tmp_path / "schema.pbtxt").write_text(CONTRACT)
    asked = Asked("edge", 7, folder, str(tmp_path / "schema.pbtxt"), classes, False)
    path = tmp_path / folder
    path.write_bytes(pickle.dumps(Chunk(1, COLUMNS, ROWS)))
    chunks = AnswerChunks(asked)
    chunks.setup()
    assert [*chunks.process(str(path))] == [(2, 1)]
    return path


def test_two_classes_get_a_probability_and_a_prediction(tmp_path: Path, loads: list[str]) -> None:
    path = answered(tmp_path, "two", ("<=50K", ">50K"))
    first, second = pq.read_table(f"{path}.parquet").to_pylist()
    assert [*first] == [*COLUMNS, "probability", "prediction", "version"]
    assert (first["probability"], first["prediction"]) == (pytest.approx(0.2), "<=50K")
    assert (second["probability"], second["prediction"]) == (pytest.approx(0.8), ">50K")
    assert json.loads(Path(f"{path}.json").read_text())[0][:2] == [2, "age"]


def test_three_classes_get_the_probability_of_each_and_the_class(
    tmp_path: Path, loads: list[str]
) -> None:
    path = answered(tmp_path, "three", THREE_CLASSES)
    table = pq.read_table(f"{path}.parquet")
    names = [f"probability[{name}]" for name in THREE_CLASSES]
    assert table.column_names == [*COLUMNS, *names, "class", "version"]
    assert tuple(table.column_names[4:]) == added(THREE_CLASSES)
    first, second = table.to_pylist()
    assert [first[name] for name in names] == pytest.approx([0.2, 1.6 / 3, 0.8 / 3])
    assert (first["class"], second["class"], first["version"]) == (THREE_CLASSES[1], "ride", 7)
    batch_files.write_table(tmp_path / "out.csv", table.column_names, iter([table]))
    with open(tmp_path / "out.csv", newline="") as file:
        [_, row] = csv.DictReader(file)
    assert float(row[names[1]]) == second[names[1]]
    text = decode((tmp_path / "out.csv").read_bytes(), "out.csv")
    assert parse(text, "out.csv", ",")[0] == table.column_names, "as the pipeline reads it"


def test_a_model_that_was_loaded_ahead_is_taken_once(tmp_path: Path, loads: list[str]) -> None:
    answering.load_ahead("edge", "three")
    answered(tmp_path, "three", THREE_CLASSES)
    assert loads == ["three"]
    answered(tmp_path, "three", THREE_CLASSES)
    assert loads == ["three", "three"], "one thread asks a model"


def test_rows_that_are_all_refused_are_a_table_without_rows(
    tmp_path: Path, loads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "schema.pbtxt").write_text(CONTRACT)
    asked = Asked("edge", 7, "three", str(tmp_path / "schema.pbtxt"), THREE_CLASSES, False)
    path = tmp_path / "chunk"
    path.write_bytes(pickle.dumps(Chunk(1, COLUMNS, ROWS[1:2])))
    chunks = AnswerChunks(asked)
    chunks.setup()
    assert [*chunks.process(str(path))] == [(0, 1)]
    assert pq.read_table(f"{path}.parquet").column_names[4:] == [*added(THREE_CLASSES)]
