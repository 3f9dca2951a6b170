"""Selector on a tiny Transform run: what it writes for each target, and why."""

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from components.evaluation.selector import SelectorSettings, select
from core.errors import InputError
from models.export.server import load_server_model
from models.export.tflite import predict
from models.frontier.candidates import Given
from models.frontier.choice import SAME_BYTES
from models.network.network import answers_of
from models.network.preprocessing import model_inputs_of
from models.network.rows import Rows, load_rows
from tests.support.tiny_rows import write_records
from tests.support.tiny_transform import PREPROCESSING, ROWS, raw_example, raw_row, tiny_transform

GRAPH = str(tiny_transform() / "graph")
NO_LIMITS = dict.fromkeys(("max_auc_loss", "max_gap_growth", "max_bytes", "max_latency_us"))


def settings(variant: str = "auto", **limits: Any) -> SelectorSettings:
    return SelectorSettings.model_validate_json(
        json.dumps(
            {
                "preprocessing": PREPROCESSING.model_dump(mode="json"),
                "evaluation": {"slices": [["sex"]], "min_slice_rows": 10},
                "limits": {**NO_LIMITS, "prefer": "bytes", **limits},
                "variant": variant,
            }
        )
    )


@pytest.fixture(scope="module")
def rows() -> Rows:
    return load_rows([str(tiny_transform() / "rows.gz")], model_inputs_of(GRAPH, PREPROCESSING))


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory: pytest.TempPathFactory, rows: Rows) -> str:
    """The transformed rows with `sex` passed through; the last ten have no weight."""
    sexes = [raw_row(number)["sex"][0].decode() for number in range(ROWS)]
    rows.weight[-10:] = 0.0
    path = tmp_path_factory.mktemp("rows") / "rows.gz"
    return str(write_records(path, rows, {"sex": sexes}))


@pytest.fixture
def given(tiny_nodes: Path, tmp_path: Path) -> Given:
    with tf.io.TFRecordWriter(str(tmp_path / "raw")) as writer:
        for number in range(ROWS):
            writer.write(raw_example(number))
    (tmp_path / "scratch").mkdir()
    return Given(
        tiny_nodes / "model_run",
        PREPROCESSING,
        GRAPH,
        str(tmp_path / "raw"),
        tmp_path / "scratch",
        tiny_nodes / "model",
        tiny_nodes / "variants",
    )


@pytest.mark.parametrize(
    ("variant", "limits", "chosen"),
    [
        ("teacher_pruned", {}, "teacher_pruned"),
        ("teacher", {}, "teacher"),
        ("auto", {}, "the smallest"),
        ("auto", {"max_bytes": 1}, None),
    ],
)
def test_a_server_model_is_the_network_that_is_chosen(
    given: Given,
    tmp_path: Path,
    evaluation: str,
    variant: str,
    limits: dict[str, Any],
    chosen: str | None,
) -> None:
    folder = tmp_path / "model" / "Format-Serving"
    choice = select("server", given, evaluation, settings(variant, **limits), folder)
    lost = {each.measured.name: each.measured.auc_loss or 0.0 for each in choice.variants}
    bytes_of = {each.measured.name: each.measured.bytes for each in choice.variants}
    as_small = [n for n, size in bytes_of.items() if size <= min(bytes_of.values()) * SAME_BYTES]
    gzipped = {each.measured.name: each.measured.gzip_bytes for each in choice.variants}
    smallest = min(as_small, key=lambda name: gzipped[name])
    wanted = smallest if chosen == "the smallest" else chosen
    assert choice.variant == (wanted or min(lost, key=lambda name: lost[name]))
    assert choice.rows == ROWS - 10
    assert [each.measured.name for each in choice.variants] == ["teacher", "teacher_pruned"]
    assert choice.variants[0].measured.auc_loss == 0.0
    assert {*choice.variants[0].measured.latency_us} == {"batch_1", "batch_256"}
    assert choice.keeps_limits == ("max_bytes" not in limits)
    every = load_rows([str(tiny_transform() / "rows.gz")], model_inputs_of(GRAPH, PREPROCESSING))
    found = load_server_model(str(folder))([raw_example(number) for number in range(ROWS)])
    expected = answers_of(given.network(choice.variant), every)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert (folder.parent / "Format-WarmStart" / "weights.npz").is_file()


def test_a_bundle_holds_the_file_that_is_chosen(
    given: Given, tmp_path: Path, evaluation: str, rows: Rows
) -> None:
    folder = tmp_path / "model" / "Format-Serving"
    choice = select("edge", given, evaluation, settings(), folder)
    measured = {each.measured.name: each.measured for each in choice.variants}
    assert choice.variant == min(measured, key=lambda name: measured[name].bytes)
    assert {path.name for path in folder.iterdir()} == {
        "tflite",
        "preprocessing.json",
        "manifest.json",
    }
    assert given.variants is not None
    content = (given.variants / f"{choice.variant}.tflite").read_bytes()
    assert (folder / "tflite").read_bytes() == content
    assert json.loads((folder / "preprocessing.json").read_text())["variant"] == choice.variant
    counted = rows.take(rows.weight[:, 0] > 0)
    teacher = answers_of(given.network("teacher"), counted)
    lost = measured[choice.variant].auc_loss
    assert lost is not None
    labels = counted.codes

    def auc(answers: np.ndarray) -> float:
        ups, downs = answers[labels == 1], answers[labels == 0]
        return float((ups[:, None] > downs).mean() + 0.5 * (ups[:, None] == downs).mean())

    assert lost == pytest.approx(auc(teacher) - auc(predict(content, counted.features)), abs=1e-6)


def test_teachers_are_measured_as_they_were_before_they_saw_the_eval_rows(
    given: Given, tmp_path: Path, evaluation: str, rows: Rows
) -> None:
    run = tmp_path / "model_run"
    shutil.copytree(given.model_run, run)
    labels = rows.label[:, 0]
    np.savez(run / "eval_answers.npz", teacher=labels, teacher_pruned=1 - labels)
    moved = dataclasses.replace(given, model_run=run)
    choice = select("server", moved, evaluation, settings(), tmp_path / "model" / "Format-Serving")
    assert [each.measured.auc for each in choice.variants] == [1.0, 0.0]


def test_a_variant_that_there_is_not_writes_nothing(
    given: Given, tmp_path: Path, evaluation: str
) -> None:
    folder = tmp_path / "model" / "Format-Serving"
    with pytest.raises(InputError, match=r"quantizer\.variant=student_int4: there is no such"):
        select("edge", given, evaluation, settings("student_int4"), folder)
    assert not folder.exists()
