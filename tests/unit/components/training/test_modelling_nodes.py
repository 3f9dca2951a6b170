"""Tuner, Trainer, Distiller and Quantizer on a tiny Transform run, one after another."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from tfx.components.trainer.fn_args_utils import FnArgs

from components.training.distiller import write_student
from components.training.quantizer import write_variants
from components.training.trainer import run_fn
from core.errors import InputError
from models.network.preprocessing import model_inputs_of
from models.network.pruning import measured_sparsity
from models.network.rows import load_rows
from tests.support.tiny_nodes import DISTILLER_SETTINGS, TRAINER, paths, quantizer_settings, told
from tests.support.tiny_rows import write_records
from tests.support.tiny_transform import PREPROCESSING, tiny_transform


@pytest.fixture
def folder(tiny_nodes: Path) -> Path:
    return tiny_nodes


def test_tuner_keeps_a_row_for_each_trial(folder: Path) -> None:
    results = json.loads((folder / "results" / "tuner_results.json").read_text())
    assert len(results) == 2
    assert {"score", "learning_rate", "hidden_units"} <= set(results[0])


def test_trainer_takes_the_tuners_values_and_prunes(folder: Path) -> None:
    report = json.loads((folder / "model_run" / "training.json").read_text())
    results = json.loads((folder / "results" / "tuner_results.json").read_text())
    best = min(results, key=lambda row: row["score"])
    assert report["hyperparameters"]["learning_rate"] == best["learning_rate"]
    assert report["sparsity"] == pytest.approx(0.5, abs=0.02)
    pruned = tf_keras.models.load_model(folder / "model_run" / "teacher_pruned.keras")
    assert measured_sparsity(pruned) == pytest.approx(report["sparsity"])
    teacher = tf_keras.models.load_model(folder / "model_run" / "teacher.keras")
    assert measured_sparsity(teacher) < 0.1
    assert (folder / "model" / "saved_model.pb").exists()


def test_trainer_without_a_tuner_takes_the_configured_values(tmp_path: Path) -> None:
    settings = told(trainer={**TRAINER, "epochs": 1, "pruning_epochs": 1})
    run_fn(
        FnArgs(
            custom_config=settings,
            serving_model_dir=str(tmp_path / "model"),
            model_run_dir=str(tmp_path / "run"),
            **paths(),
        )
    )
    report = json.loads((tmp_path / "run" / "training.json").read_text())
    assert report["hyperparameters"]["hidden_units"] == [8]


def test_trainer_writes_no_model_when_it_diverges(tmp_path: Path) -> None:
    rows = load_rows(
        paths()["train_files"], model_inputs_of(paths()["transform_graph_path"], PREPROCESSING)
    )
    rows.label[:] = 1e38
    damaged = [str(write_records(tmp_path / "rows", rows))]
    model = tmp_path / "model"
    arguments = FnArgs(
        custom_config=told(trainer=TRAINER),
        serving_model_dir=str(model),
        **{**paths(), "train_files": damaged},
    )
    with pytest.raises(FloatingPointError, match="lower the learning rate"):
        run_fn(arguments)
    assert not model.exists()


def test_distiller_names_a_truncated_file(folder: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "rows"
    damaged.write_bytes(gzip.decompress((tiny_transform() / "rows.gz").read_bytes())[:-20])
    with pytest.raises(InputError, match=f"{damaged}: truncated or damaged"):
        write_student(
            str(tmp_path),
            str(folder / "model_run" / "teacher.keras"),
            str(tiny_transform() / "graph"),
            str(damaged),
            str(damaged),
            DISTILLER_SETTINGS,
        )


def test_the_edge_bundle_says_how_it_is_run(folder: Path) -> None:
    bundle = folder / "edge" / "Format-Serving"
    assert (bundle / "tflite").read_bytes() == (
        folder / "variants" / "student_int8.tflite"
    ).read_bytes()
    document = json.loads((bundle / "preprocessing.json").read_text())
    assert document["threshold"] == 0.5
    assert [column["column"] for column in document["numeric"]] == list(PREPROCESSING.numeric)
    signature = document["signature"]
    runner = tf.lite.Interpreter(str(bundle / "tflite")).get_signature_runner(signature["name"])
    numbers, categories = len(document["numeric"]), len(document["categorical"])
    tokens = len(document["text"]["columns"]) * document["text"]["width"]
    output = runner(
        tokens=np.zeros((1, tokens), signature["inputs"]["tokens"]),
        numeric=np.full((1, numbers), 0.5, signature["inputs"]["numeric"]),
        categorical=np.zeros((1, numbers + categories), signature["inputs"]["categorical"]),
    )
    assert 0 <= float(output[signature["output"]][0, 0]) <= 1


def test_quantizer_reports_every_variant(folder: Path) -> None:
    report = json.loads((folder / "variants" / "quantization.json").read_text())
    for name, row in report.items():
        assert row["bytes"] == (folder / "variants" / f"{name}.tflite").stat().st_size
        assert row["sparsity"] == pytest.approx(0.5, abs=0.03)
    assert len(report) == 4


def test_quantizer_leaves_nothing_when_a_variant_differs(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"quantizer\.max_difference"):
        write_variants(
            str(tmp_path),
            str(folder / "student" / "student.keras"),
            str(tiny_transform() / "graph"),
            str(tiny_transform() / "rows.gz"),
            quantizer_settings(max_difference=1e-9),
        )
    assert not [*tmp_path.iterdir()]
