"""Tuner, Trainer, Distiller and Quantizer on a tiny Transform run, one after another."""

import dataclasses
import gzip
import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from tfx.components.trainer.fn_args_utils import FnArgs
from tfx.types.standard_artifacts import Examples

from components.artifacts import split_pattern
from components.training.distiller import write_student
from components.training.quantizer import write_variants
from components.training.trainer import run_fn
from core.errors import InputError
from core.sections.training import UNSTRUCTURED
from models.compression.goals import measured_sparsity
from models.export import predict_edge, serve_edge
from models.export.device import DeviceFeatures, read_bundle
from models.frontier.edge_candidates import write_bundle
from models.network.preprocessing import model_inputs_of
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
    search = json.loads((folder / "results" / "search.json").read_text())
    [taken] = [trial for trial in search["trials"] if trial["trial"] == search["taken"]]
    assert report["hyperparameters"]["learning_rate"] == taken["values"]["learning_rate"]
    assert report["hyperparameters"]["crosses"] == 0
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
        assert row["distinct_weights"] >= 8
        assert {"embedding", "wide", "hidden_0", "logit"} <= set(row["weights"])
    assert len(report) == 5


def quantize(student: Path, variant: str, folder: Path, train: Path) -> Path:
    """The Quantizer's bundle of one variant."""
    folder.mkdir()
    write_variants(
        str(folder),
        str(student / "student.keras"),
        str(tiny_transform() / "graph"),
        str(train),
        quantizer_settings(),
    )
    write_bundle(folder, variant, folder / "bundle")
    return folder / "bundle"


def test_a_device_is_told_how_to_make_its_integers(folder: Path, tmp_path: Path) -> None:
    rows = tiny_transform() / "rows.gz"
    integers = quantize(folder / "student", "student_int8_inputs", tmp_path / "int8", rows)
    document = read_bundle(integers)
    assert document["signature"]["inputs"]["numeric"] == "int8"
    [(name, told)] = document["signature"]["quantization"].items()
    assert name == "numeric"
    assert told["scale"] > 0
    assert -128 <= told["zero_point"] <= 127
    floats = folder / "edge" / "Format-Serving"
    assert "quantization" not in read_bundle(floats)["signature"]
    number = {"age": [20.0, 33.0, 64.0, np.nan], "capital-gain": [0.0, 150.0, 1e9, np.nan]}
    texts = {"work": "Private", "sex": "Male", "note": "call me", "title": "Sir"}
    columns = {
        **{name: np.array(values, np.float32) for name, values in number.items()},
        **{name: np.array([value] * 4) for name, value in texts.items()},
    }
    inputs = DeviceFeatures(document)(columns)
    assert inputs["numeric"].dtype == np.int8
    answers = [predict_edge.predict(each, columns, 4).probabilities for each in (floats, integers)]
    np.testing.assert_array_equal(answers[0], answers[1])
    served = serve_edge.load(integers)
    numbers = np.stack([columns[name] for name in served.numbers], axis=1)
    strings = np.stack([columns[name] for name in served.texts], axis=1)
    np.testing.assert_array_equal(served.answer(numbers, strings), answers[0])


def test_ranges_come_from_the_training_rows_alone(folder: Path, tmp_path: Path) -> None:
    inputs = model_inputs_of(str(tiny_transform() / "graph"), PREPROCESSING)
    rows = load_rows([str(tiny_transform() / "rows.gz")], inputs)
    far = dataclasses.replace(rows, numeric=rows.numeric + 100)
    bundles = []
    for name, other in (("alone", rows), ("beside", far)):
        (tmp_path / name / "Split-train").mkdir(parents=True)
        for split, content in (("train", rows), ("eval", other), ("test", other)):
            (tmp_path / name / f"Split-{split}").mkdir(exist_ok=True)
            write_records(tmp_path / name / f"Split-{split}" / "rows", content)
        examples = Examples()
        examples.uri, examples.split_names = str(tmp_path / name), '["train", "eval", "test"]'
        train = Path(split_pattern(examples, "train"))
        bundles.append(
            quantize(folder / "student", "student_int8", tmp_path / f"{name}-out", train)
        )
    alone, beside = ((bundle / "tflite").read_bytes() for bundle in bundles)
    assert alone == beside


def test_distiller_trains_with_the_numbers_of_int8_files(folder: Path, tmp_path: Path) -> None:
    distiller = DISTILLER_SETTINGS.distiller.model_copy(
        update={
            "quantization_aware": True,
            "pruning": UNSTRUCTURED.model_copy(update={"by_layer": {"Dense": 0.25}}),
        }
    )
    rows, graph = str(tiny_transform() / "rows.gz"), str(tiny_transform() / "graph")
    write_student(
        str(tmp_path),
        str(folder / "model_run" / "teacher.keras"),
        graph,
        rows,
        rows,
        DISTILLER_SETTINGS.model_copy(update={"distiller": distiller}),
    )
    report = json.loads((tmp_path / "distillation.json").read_text())
    assert len(report["quantization_history"]["val_loss"]) == distiller.pruning_epochs
    bundle = quantize(tmp_path, "student_int8", tmp_path / "quantized", Path(rows))
    found = json.loads((bundle.parent / "quantization.json").read_text())["student_int8"]["weights"]
    assert found["hidden_0"]["sparsity"] == pytest.approx(0.25, abs=0.05)
    assert found["embedding"]["sparsity"] == pytest.approx(0.5, abs=0.05)


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
