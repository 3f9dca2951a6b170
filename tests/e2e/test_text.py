"""A run on messages: the second data set, by description only, and clients that send raw text."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import tf_keras

from models.network.preprocessing import model_inputs_of
from models.network.rows import load_rows
from pipeline.config import load as config
from pipeline.settings import preprocessing_for
from tests.support.e2e.clients import EDGE, SERVER, fresh, row_order
from tests.support.e2e.runs import NODES, RESOLVERS, Record, pipeline, summary

CONFIG = "sms_spam"
NAME = "sms_spam-smoke"
SETTINGS = ["--smoke", "--set", "data.rows=1500"]
SETTINGS += ["--set", "tuner.search=automl", "--set", "tuner.trials=2"]
COLUMNS = ("text", "length", "has_link", "has_digits")
ODD_TEXTS = (
    "",
    " \t\u00a0",
    "call now " * 200,
    "\u4f60\u597d! \u00c9t\u00e9 \u0130stanbul \u20ac5 \U0001f600\U0001f600",
    'quoted "text", with commas\nand lines',
)


@pytest.fixture(scope="module")
def messages(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The root of the run, and its id."""
    root = tmp_path_factory.mktemp("messages")
    finished = pipeline("run", "--config", CONFIG, "--root", str(root), *SETTINGS)
    assert finished.returncode == 0, finished.stdout
    [run_id] = Record(root, NAME).runs()
    return root, run_id


def staged_rows(root: Path) -> tuple[Path, list[dict[str, str]]]:
    [path] = root.glob(f"{NAME}/staged/*/test/data.csv")
    with path.open(newline="") as file:
        return path, list(csv.DictReader(file))


def test_every_node_runs_on_text_and_a_second_run_none(messages: tuple[Path, str]) -> None:
    root, run_id = messages
    record = Record(root, NAME)
    assert record.states(run_id) == dict.fromkeys(NODES, "COMPLETE")
    written = summary(root, run_id, NAME)
    assert all(written["pushed"][target]["version"] for target in ("server", "edge"))
    assert set(written["labels"]["functions"]) >= {"campaign_phrases", "number_of_a_company"}
    slices = written["models"]["student_int8"]["slices"]
    assert {"has_link=no", "has_digits=yes", "length_group=<40"} <= set(slices)
    for model in written["models"].values():
        assert model["metrics"]["f1"] > 0.6
    finished = pipeline("run", "--config", CONFIG, "--root", str(root), *SETTINGS)
    assert finished.returncode == 0, finished.stdout
    states = record.states(record.runs()[-1])
    assert {node for node, state in states.items() if state != "CACHED"} == RESOLVERS


def test_edge_bundle_reads_raw_text_as_the_pipeline_did(messages: tuple[Path, str]) -> None:
    root, run_id = messages
    path, rows = staged_rows(root)
    bundle = root / NAME / summary(root, run_id, NAME)["pushed"]["edge"]["path"]
    on_device, numeric, categorical, tokens = map(np.array, fresh(EDGE, str(bundle), str(path)))

    record = Record(root, NAME)
    graph = record.output(run_id, "Transform", "transform_graph")
    transformed = record.output(run_id, "Transform", "transformed_examples")
    settings = preprocessing_for(config.load(CONFIG))
    test = load_rows([str(transformed / "Split-test" / "*")], model_inputs_of(str(graph), settings))
    assert test.tokens is not None
    assert (test.tokens > 1).sum() > 10 * test.count, "words that are known"
    features = np.hstack([np.float32(numeric), categorical, tokens])
    in_pipeline = np.hstack([test.numeric, test.categorical, test.tokens])
    assert sorted(map(tuple, features)) == sorted(map(tuple, in_pipeline))

    student = tf_keras.models.load_model(
        record.output(run_id, "Distiller", "model") / "student.keras", compile=False
    )
    on_rows = {"numeric": np.float32(numeric), "categorical": categorical, "tokens": tokens}
    expected = student(on_rows, training=False).numpy()[:, 0]
    assert np.abs(on_device - expected).mean() < 0.02
    spam = np.array([row["label"] == "spam" for row in rows])
    metrics = summary(root, run_id, NAME)["models"]["student_int8"]["metrics"]
    accuracy = np.mean((on_device > 0.5) == spam)
    assert accuracy == pytest.approx(metrics["accuracy"], abs=2 / len(rows))


def test_server_model_answers_raw_text_of_any_kind(messages: tuple[Path, str]) -> None:
    root, run_id = messages
    _, rows = staged_rows(root)
    examples = Record(root, NAME).output(run_id, "SnorkelLabeler", "labeled_examples")
    files = sorted(str(path) for path in (examples / "Split-test").glob("*"))
    columns: dict[str, list] = {name: [row[name] for row in rows] for name in COLUMNS}
    columns["length"] = [float(length) for length in columns["length"]]
    for text in ODD_TEXTS:
        for name, value in zip(COLUMNS, (text, float(len(text)), "no", "no"), strict=True):
            columns[name].append(value)
    folder = root / NAME / summary(root, run_id, NAME)["pushed"]["server"]["path"]
    by_examples, by_columns = map(np.array, fresh(SERVER, str(folder), json.dumps(columns), *files))
    np.testing.assert_allclose(
        by_examples[row_order(files, rows)], by_columns[: len(rows)], atol=1e-6
    )
    assert np.isfinite(by_columns).all()
    assert by_columns[len(rows)] == pytest.approx(by_columns[len(rows) + 1], abs=0.02), (
        "a text of spaces has no words either"
    )
