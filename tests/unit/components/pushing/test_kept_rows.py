"""Which training rows are kept for explanations, and that they may not be."""

import json
from pathlib import Path

import tensorflow as tf

from components.pushing.kept_rows import KeptSettings, keep
from core.names import TRAINING_ROWS_FILE
from models.explain.training_rows import read_training_rows

TYPES = {"age": "INT", "gain": "FLOAT", "work": "BYTES", "class": "BYTES", "row_id": "BYTES"}


def settings(keep_rows: bool = True) -> KeptSettings:
    values = {
        "explain": {"background": 5, "keep_rows": keep_rows},
        "columns": ["age", "gain", "work"],
        "types": TYPES,
        "seed": 1,
    }
    return KeptSettings.model_validate_json(json.dumps(values))


def write(path: Path) -> str:
    with tf.io.TFRecordWriter(str(path)) as writer:
        for number in range(30):
            feature = (example := tf.train.Example()).features.feature
            feature["age"].int64_list.value.append(20 + number)
            if number % 2:
                feature["gain"].float_list.value.append(0.1)
                feature["work"].bytes_list.value.append("<b>Büro</b>".encode())
            for name in ("class", "row_id"):
                feature[name].bytes_list.value.append(b"secret")
            writer.write(example.SerializeToString())
    return str(path)


def test_the_columns_that_models_may_learn_from_and_no_other(tmp_path: Path) -> None:
    keep(write(tmp_path / "train"), tmp_path, settings())
    path = tmp_path / TRAINING_ROWS_FILE
    assert "secret" not in path.read_text(encoding="utf-8")
    kept = read_training_rows(path)
    assert kept is not None
    assert set(kept.background) == {"age", "gain", "work"}
    assert len(kept.background["age"]) == 5
    assert set(kept.background["gain"]) <= {0.1, None}
    assert kept.shares == {"work": {"<b>Büro</b>": 0.5}}


def test_none_where_none_are_to_be_kept(tmp_path: Path) -> None:
    keep(write(tmp_path / "train"), tmp_path, settings(keep_rows=False))
    assert not (tmp_path / TRAINING_ROWS_FILE).exists()
