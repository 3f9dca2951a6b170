"""Teacher, student and edge bundle with a mitigation, on the rows of a real Transform run."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tf_keras
from tfx.components.trainer.fn_args_utils import FnArgs

from components.training.distiller import DistillerSettings, write_student
from components.training.quantizer import write_variants
from components.training.trainer import run_fn
from core.errors import InputError
from models.export.device import features, interpreter, read_bundle
from models.export.server import load_server_model
from models.export.tflite import predict
from models.frontier.edge_candidates import write_bundle
from models.network.network import answers_of
from models.network.preprocessing import model_inputs_of
from models.network.rows import load_rows
from tests.support.tiny_nodes import BATCHES, COMMON, DISTILLER, TRAINER, quantizer_settings, told
from tests.support.tiny_rows import write_records
from tests.support.tiny_transform import PREPROCESSING, ROWS, raw_example, raw_row, tiny_transform

FAIRNESS = {
    "mitigation": "thresholds",
    "column": "sex",
    "rate": "selection_rate",
    "loss": "rate",
    "strength": "auto",
    "epochs": 2,
    "min_group_rows": 20,
}
GRAPH = str(tiny_transform() / "graph")


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The transformed rows with `sex` passed through."""
    path = tmp_path_factory.mktemp("rows") / "rows.gz"
    loaded = load_rows([str(tiny_transform() / "rows.gz")], model_inputs_of(GRAPH, PREPROCESSING))
    sexes = [raw_row(number)["sex"][0].decode() for number in range(ROWS)]
    return str(write_records(path, loaded, {"sex": sexes}))


def made(folder: Path, rows: str, **changes: Any) -> Path:
    """What Trainer, Distiller and Quantizer write."""
    fairness = {**FAIRNESS, **changes}
    run_fn(
        FnArgs(
            custom_config=told(trainer=TRAINER, fairness=fairness),
            serving_model_dir=str(folder / "model"),
            model_run_dir=str(folder / "run"),
            train_files=[rows],
            eval_files=[rows],
            transform_graph_path=GRAPH,
        )
    )
    for name in ("student", "variants"):
        (folder / name).mkdir()
    settings = {**COMMON, "trainer": BATCHES, "distiller": DISTILLER, "fairness": fairness}
    teacher, student = folder / "run" / "teacher.keras", folder / "student"
    of_distiller = DistillerSettings.model_validate_json(json.dumps(settings))
    write_student(str(student), str(teacher), GRAPH, rows, rows, of_distiller)
    write_variants(
        str(folder / "variants"),
        str(student / "student.keras"),
        GRAPH,
        rows,
        quantizer_settings(),
    )
    write_bundle(folder / "variants", "student_int8", folder / "edge")
    return folder


@pytest.fixture(scope="module")
def with_thresholds(tmp_path_factory: pytest.TempPathFactory, rows: str) -> Path:
    return made(tmp_path_factory.mktemp("thresholds"), rows)


def report_of(folder: Path, file: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / file).read_text())["mitigation"]
    return found


def test_thresholds_bring_the_rates_together(with_thresholds: Path) -> None:
    report = report_of(with_thresholds, "run/training.json")
    assert report["groups"] == {"Female": 240.0, "Male": 240.0}  # train and eval are the same rows
    rates = report["eval"]
    assert rates["before"]["gap"] > 0.2
    for name in ("teacher", "teacher_pruned"):
        assert rates[name]["gap"] < 0.05
    assert set(report["shifts"]) == {"teacher", "teacher_pruned"}
    student = report_of(with_thresholds, "student/distillation.json")
    assert student["eval"]["student"]["gap"] < 0.05


def test_the_server_model_answers_as_the_network_does(with_thresholds: Path, rows: str) -> None:
    network = tf_keras.models.load_model(
        with_thresholds / "run" / "teacher_pruned.keras", compile=False
    )
    expected = answers_of(network, load_rows([rows], model_inputs_of(GRAPH, PREPROCESSING)))
    server = load_server_model(str(with_thresholds / "model"))
    found = server([raw_example(number) for number in range(ROWS)])
    np.testing.assert_array_equal(found.astype(np.float32), expected)


def test_a_device_answers_as_the_pipeline_does_and_is_told_of_the_thresholds(
    with_thresholds: Path, rows: str
) -> None:
    content = (with_thresholds / "edge" / "tflite").read_bytes()
    loaded = load_rows([rows], model_inputs_of(GRAPH, PREPROCESSING))
    expected = predict(content, loaded.features)
    bundle = read_bundle(with_thresholds / "edge")
    raw = [raw_row(number) for number in range(ROWS)]
    numbers = {c: np.array([row[c][0] for row in raw], np.float32) for c in ("age", "capital-gain")}
    texts = {
        c: np.array([row[c][0].decode() if row[c] else "" for row in raw])
        for c in ("work", "sex", "note", "title")
    }
    runner = interpreter(content).get_signature_runner(bundle["signature"]["name"])
    found = runner(**features(bundle, {**numbers, **texts}))[bundle["signature"]["output"]][:, 0]
    np.testing.assert_array_equal(found, expected)
    shifts = report_of(with_thresholds, "student/distillation.json")["shifts"]["student"]
    assert bundle["threshold"] == 0.5
    assert bundle["thresholds"]["column"] == "sex"
    assert bundle["thresholds"]["shifts"] == shifts


def test_a_penalty_is_in_both_reports(tmp_path: Path, rows: str) -> None:
    folder = made(tmp_path, rows, mitigation="min_diff")
    teacher = report_of(folder, "run/training.json")
    student = report_of(folder, "student/distillation.json")
    assert teacher["eval"]["teacher"]["gap"] < teacher["eval"]["before"]["gap"]
    assert {"before", "teacher", "teacher_pruned"} == set(teacher["eval"])
    assert set(student["eval"]) == {"student"}
    assert teacher["shifts"] == student["shifts"] == {}
    assert "thresholds" not in read_bundle(folder / "edge")


def test_rates_of_positives_are_refused_where_a_group_has_none(tmp_path: Path, rows: str) -> None:
    with pytest.raises(InputError, match=r"Female 0\.0, Male"):
        made(tmp_path, rows, rate="tpr")
