"""The Trainer with a category of many values: in the end it learns from the eval rows too."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras
from tfx.components.trainer.fn_args_utils import FnArgs

from components.training.trainer import run_fn
from models.network.layout import HashedLayout, Preprocessing
from models.network.preprocessing import model_inputs_of
from models.network.rows import Rows
from models.network.warm_start import FOLDER, read_start
from tests.support.tiny_nodes import TRAINER
from tests.support.tiny_rows import write_records
from tests.support.tiny_transform import fit

CODES = 40
PREPROCESSING = Preprocessing(
    numeric=("age",),
    categorical=(),
    text=None,
    hashed=HashedLayout(("code",), vocabulary=100, buckets=4),
    passed_through=(),
    buckets=4,
    classes=("no", "yes"),
)
SPEC = {
    "age": tf.io.VarLenFeature(tf.float32),
    "code": tf.io.VarLenFeature(tf.string),
    "label": tf.io.VarLenFeature(tf.float32),
    "weight": tf.io.VarLenFeature(tf.float32),
}


def rows_of(first: int, codes: list[int], labels: list[float]) -> Rows:
    """Transformed rows; `first` is the id of the first value of the vocabulary."""
    column = np.array(labels, np.float32)[:, np.newaxis]
    ids = np.array([[4, first + code] for code in codes], np.int64)
    return Rows(np.full_like(column, 0.5), ids, column, np.ones_like(column))


def test_it_is_trained_once_more_on_all_rows(tmp_path: Path) -> None:
    raw: list[dict[str, list[Any]]] = [
        {"age": [], "code": [f"c{n % CODES}".encode()], "label": [1.0], "weight": [1.0]}
        for n in range(4 * CODES)
    ]
    fit(tmp_path, SPEC, PREPROCESSING, raw)
    inputs = model_inputs_of(str(tmp_path / "graph"), PREPROCESSING)
    assert inputs.learned == CODES
    first = inputs.ids - CODES
    # Of the last code there are eval rows alone, all positive; of the others either label.
    train = [code for code in range(CODES - 1) for _ in range(8)]
    evaluation = [code for code in range(CODES - 1) for _ in range(2)] + [CODES - 1] * 30
    write_records(tmp_path / "train.gz", rows_of(first, train, [c % 2 for c in train]))
    labels = [1.0 if code == CODES - 1 else code % 2 for code in evaluation]
    write_records(tmp_path / "eval.gz", rows_of(first, evaluation, labels))
    section = {**TRAINER, "epochs": 12, "embedding_dim": 4, "pruning_epochs": 4, "sparsity": 0.2}
    settings = {
        "preprocessing": PREPROCESSING.model_dump(mode="json"),
        "seed": 1,
        "trainer": section,
    }
    run_fn(
        FnArgs(
            custom_config={"settings": json.dumps(settings)},
            train_files=[str(tmp_path / "train.gz")],
            eval_files=[str(tmp_path / "eval.gz")],
            transform_graph_path=str(tmp_path / "graph"),
            serving_model_dir=str(tmp_path / "model" / "Format-Serving"),
            model_run_dir=str(tmp_path / "run"),
        )
    )
    asked = rows_of(first, [0, 1, CODES - 1], [0, 0, 0]).features
    for name in ("teacher", "teacher_pruned"):
        network = tf_keras.models.load_model(tmp_path / "run" / f"{name}.keras", compile=False)
        even, odd, of_eval = network(asked, training=False).numpy()[:, 0]
        assert even < 0.3 < 0.7 < odd
        assert of_eval > 0.7, "it has learned from the eval rows"
    start = read_start(tmp_path / "model" / FOLDER)
    assert start is not None
    assert start.weights["wide/0"][first + CODES - 1] == 0, "a later run starts without them"
    report = json.loads((tmp_path / "run" / "training.json").read_text())
    assert 0.19 <= report["sparsity"] < 0.4
