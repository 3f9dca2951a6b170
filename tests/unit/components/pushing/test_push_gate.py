"""What a model has to show before it is served: alone, and against the live version."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from components.pushing.against_live import (
    BEFORE,
    NEWEST,
    PushSettings,
    RowSet,
    choose_rows,
    comparison_rows,
    in_words,
    left_out,
)
from components.pushing.fresh_process import Problem, Served, run
from components.pushing.push_checks import InPipeline, check, prediction_rows, rolled_back_row
from models.export.device import features, read_bundle
from models.export.fresh_predictions import FreshPredictions
from models.export.raw_rows import RawRows, load_raw_rows
from models.metrics.gates import Gate, PushChecks
from tests.support import tiny_transform
from tests.support.tiny_transform import raw_row

TYPES = {"age": "INT", "capital-gain": "FLOAT", "work": "BYTES", "sex": "BYTES", "note": "BYTES",
         "title": "BYTES", "class": "BYTES", "row_id": "BYTES"}  # fmt: skip
PUSHER = {
    "sample_rows": 20,
    "max_difference": 0.001,
    "max_latency_ms": 1000,
    "time_limit": 100,
    "min_rows": 50,
    "compare_on": ["newest", "before"],
    "max_regression": {"auc": 0.01, "accuracy": 0.01},
    "max_regression_by_slice": {"auc": 0.01, "accuracy": 0.01},
    "max_uncertainty": 0.05,
    "when_too_few": "keep",
}
ROWS = 240


def settings(label: str = "class", mode: str = "weak", **pusher: Any) -> PushSettings:
    return PushSettings.model_validate_json(
        json.dumps(
            {
                "pusher": PUSHER | pusher,
                "columns": {"label": label, "classes": ["no", "yes"], "positive": "yes"},
                "labeling": {"mode": mode},
                "evaluation": {"slices": [["sex"]], "min_slice_rows": 20},
                "types": TYPES,
            }
        )
    )


SETTINGS = settings()


@pytest.fixture(scope="module")
def patterns(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Labelled raw rows; of span 2 in eval every other row has its true label."""
    folder = tmp_path_factory.mktemp("raw")
    for split in ("eval", "test"):
        with tf.io.TFRecordWriter(str(folder / split)) as writer:
            for number in range(ROWS):
                example = tf.train.Example.FromString(tiny_transform.raw_example(number))
                feature = example.features.feature
                label = raw_row(number)["label"]
                feature["label"].float_list.value.extend(label)
                feature["weight"].float_list.value.append(1.0)
                span = f"span-{1 + number % 2}" if split == "eval" else "test"
                feature["row_id"].bytes_list.value.append(f"{span}:{number}".encode())
                if split == "test" or number % 4 == 1:
                    feature["class"].bytes_list.value.append(b"yes" if label[0] else b"no")
                writer.write(example.SerializeToString())
    return {split: str(folder / split) for split in ("eval", "test")}


def load(pattern: str) -> RawRows:
    types = {"INT": tf.int64, "FLOAT": tf.float32, "BYTES": tf.string}
    spec = {name: tf.io.VarLenFeature(types[kind]) for name, kind in TYPES.items()}
    added = {name: tf.io.VarLenFeature(tf.float32) for name in ("label", "weight")}
    return load_raw_rows([pattern], spec | added)


def checked(
    patterns: dict[str, str], target: str, model: Path, live: Path | None = None, **more: Any
) -> tuple[dict[str, Gate], PushChecks]:
    graph = str(tiny_transform.tiny_transform() / "graph")
    run_folder = str(model.parent / "model_run")
    rows, checks = check(
        target,
        patterns,
        graph,
        InPipeline(str(model), run_folder, "teacher_pruned"),
        str(live) if live else None,
        settings(**more),
    )
    return {f"{row.metric} {row.slice}": row for row in rows}, checks


def edge(tiny_nodes: Path) -> Path:
    return tiny_nodes / "edge" / "Format-Serving"


def versioned(bundle: Path, folder: Path, number: int = 17) -> Path:
    return Path(shutil.copytree(bundle, folder / str(number)))


def test_a_server_model_answers_in_a_fresh_process(
    tiny_nodes: Path, patterns: dict[str, str], tmp_path: Path
) -> None:
    live = versioned(tiny_nodes / "model", tmp_path)
    rows, checks = checked(patterns, "server", tiny_nodes / "model", live)
    assert rows["answers differ overall"].value == pytest.approx(0, abs=1e-5)
    assert checks.problem is None
    assert 0 < (checks.latency_ms or 0) < 1000
    assert (checks.sample_rows, checks.live_version) == (20, 17)
    assert checks.compared_on == (
        "60 labelled rows of span 2 in the eval split (newest) and "
        "on 240 rows of the test split (before)"
    )
    for name, slices in (
        ("newest", {"overall", "sex=Male"}),
        ("before", {"overall", "sex=Female", "sex=Male"}),
    ):
        against = [row for row in rows.values() if row.metric.endswith(f"against live, {name}")]
        assert {row.slice for row in against} == slices
        assert all(row.value == 0 and row.passed for row in against)


def test_an_edge_bundle_answers_without_tensorflow(
    tiny_nodes: Path, patterns: dict[str, str]
) -> None:
    rows, checks = checked(patterns, "edge", edge(tiny_nodes))
    assert set(rows) == {"answers differ overall", "latency ms overall"}
    assert all(row.passed for row in rows.values())
    assert checks.live_version is None
    assert checks.compared_on is None


def test_a_device_makes_the_inputs_that_transform_makes(
    tiny_nodes: Path, patterns: dict[str, str]
) -> None:
    rows = load(patterns["test"])
    inputs = features(read_bundle(edge(tiny_nodes)), rows.columns)
    graph = tf.saved_model.load(str(tiny_transform.tiny_transform() / "graph" / "transform_fn"))
    expected = graph.transform_fn(tf.io.parse_example(rows.examples, tiny_transform.SPEC))
    for name, values in inputs.items():
        np.testing.assert_array_equal(values, expected[name].numpy())


def test_a_live_bundle_of_other_inputs_is_compared_with(
    tiny_nodes: Path, patterns: dict[str, str], tmp_path: Path
) -> None:
    live = versioned(edge(tiny_nodes), tmp_path)
    document = json.loads((live / "preprocessing.json").read_text())
    sex = next(column for column in document["categorical"] if column["column"] == "sex")
    sex["values"].reverse()  # men are taken for women
    (live / "preprocessing.json").write_text(json.dumps(document))
    (live / "manifest.json").unlink()
    rows, checks = checked(patterns, "edge", edge(tiny_nodes), live, min_rows=61)
    assert rows["accuracy against live, before overall"].value != 0
    assert rows["accuracy against live, before overall"].passed
    assert checks.compared_on == (
        "240 rows of the test split (before); not on 60 labelled rows of span 2 in the eval split "
        "(newest): pusher.min_rows=61 are asked for"
    )


def test_a_slow_model_is_not_served(tiny_nodes: Path, patterns: dict[str, str]) -> None:
    rows, _ = checked(patterns, "edge", edge(tiny_nodes), max_latency_ms=1e-6)
    assert not rows["latency ms overall"].passed
    assert rows["latency ms overall"].key == "pusher.max_latency_ms"


def test_a_damaged_model_is_not_served(
    tiny_nodes: Path, patterns: dict[str, str], tmp_path: Path
) -> None:
    bundle = Path(shutil.copytree(edge(tiny_nodes), tmp_path / "bundle"))
    (bundle / "preprocessing.json").write_text("{ half")
    rows, checks = checked(patterns, "edge", bundle)
    [row] = rows.values()
    assert (row.metric, row.passed) == ("answers", False)
    assert row.why == checks.problem
    file = bundle / "preprocessing.json"
    said = f"the process failed with exit code 1: {file}: damaged: its SHA-256 is "
    assert str(row.why).startswith(said)


def test_a_live_version_that_cannot_answer_blocks_nothing(
    tiny_nodes: Path, patterns: dict[str, str], tmp_path: Path
) -> None:
    live = versioned(edge(tiny_nodes), tmp_path)
    (live / "preprocessing.json").unlink()
    rows, checks = checked(patterns, "edge", edge(tiny_nodes), live)
    assert set(rows) == {"answers differ overall", "latency ms overall"}
    assert all(row.passed for row in rows.values())
    assert "preprocessing.json: damaged: it is gone" in str(checks.problem)


@pytest.mark.parametrize(
    ("how", "problem"),
    [
        ("crash", "the process was ended by SIGSEGV"),
        ("kill", "the process was ended by SIGKILL"),
        ("hang", "the process gave no answer within 2 s and was ended"),
        ("raise", "exit code 1: .*ValueError: no such signature"),
        ("end", None),
    ],
)
def test_how_a_process_ended(how: str, problem: str | None) -> None:
    found = run("tests.support.faulty_process", [how], 2.0)
    if problem is None:
        assert found is None
    else:
        assert found is not None
        assert re.search(problem, found.text)
        assert found.cut_off is (how in ("hang", "kill"))


@pytest.mark.parametrize("answer", [float("nan"), 1.5, -0.1])
def test_answers_that_are_no_probabilities_fail(answer: float) -> None:
    wrong = np.array([0.5, answer])
    served = Served(FreshPredictions(wrong, wrong, 1.0), None, None)
    differ, _ = prediction_rows("server", served, np.array([0.5, 0.5]), SETTINGS, compared=False)
    assert not differ.passed
    assert differ.why == "2 of 4 answers are no probabilities"


def test_a_process_that_ends_badly_after_its_answers_fails() -> None:
    right = np.array([0.5])
    served = Served(
        FreshPredictions(right, right, 1.0), None, Problem("the process was ended by SIGABRT")
    )
    [row] = prediction_rows("server", served, right, SETTINGS, compared=False)
    assert not row.passed


def test_a_model_that_could_not_be_compared_in_time_is_not_served() -> None:
    right = np.array([0.5])
    cut_off = Problem("the process gave no answer within 2 s and was ended", cut_off=True)
    served = Served(FreshPredictions(right, right, 1.0), None, cut_off)
    [row] = prediction_rows("server", served, right, SETTINGS, compared=True)
    assert (row.metric, row.passed, row.key) == ("answers of live", False, "pusher.time_limit")
    assert row.why == cut_off.text


def test_a_model_worse_than_the_live_one_is_blocked(patterns: dict[str, str]) -> None:
    rows = load(patterns["test"])
    labels = rows.columns["label"]
    live = np.where(labels == 1, 0.9, 0.1)
    men = rows.columns["sex"] == "Male"
    candidate = np.where(men & (np.arange(ROWS) % 3 == 0), 1 - live, live)
    sets = [RowSet(BEFORE, rows, "rows")]
    found = comparison_rows("server", candidate, live, sets, SETTINGS)
    verdicts = {(row.metric, row.slice): row.passed for row in found}
    assert verdicts["accuracy against live, before", "overall"] is False
    assert verdicts["accuracy against live, before", "sex=Male"] is False
    assert verdicts["accuracy against live, before", "sex=Female"] is True
    worst = next(row for row in found if row.slice == "sex=Male")
    assert worst.interval is not None
    assert worst.interval[0] < (worst.value or 0) < worst.interval[1] < 0
    assert worst.rows == 120


def test_what_is_better_on_the_newest_rows_alone_is_blocked_for_those_of_before(
    patterns: dict[str, str],
) -> None:
    rows = load(patterns["test"])
    right = np.where(rows.columns["label"] == 1, 0.9, 0.1)
    poisoned = RawRows(rows.examples, rows.columns | {"label": 1 - rows.columns["label"]})
    sets = [RowSet(NEWEST, poisoned, "poisoned"), RowSet(BEFORE, rows, "clean")]
    live, candidate = np.tile(right, 2), np.tile(1 - right, 2)
    found = comparison_rows("server", candidate, live, sets, SETTINGS)
    failed = {row.metric for row in found if not row.passed}
    assert failed == {"accuracy against live, before", "auc against live, before"}
    changed = [replace(sets[0]), replace(sets[1], unused="left out by pusher.compare_on")]
    found = comparison_rows("server", candidate[:ROWS], live[:ROWS], changed, SETTINGS)
    assert all(row.passed for row in found)


def test_the_recall_of_each_class_is_compared(patterns: dict[str, str]) -> None:
    rows = load(patterns["test"])
    labels = rows.columns["label"] == 1
    live = np.where(labels, 0.9, 0.1)
    bounds = {"tpr": 0.05, "fpr": 0.05}
    told = settings(max_regression=bounds, max_regression_by_slice=bounds)
    for turned, metric in ((labels, "tpr"), (~labels, "fpr")):
        half = np.random.default_rng(0).random(ROWS) < 0.5
        candidate = np.where(turned & half, 1 - live, live)
        sets = [RowSet(BEFORE, rows, "rows")]
        found = comparison_rows("edge", candidate, live, sets, told)
        failed = {row.metric for row in found if not row.passed}
        assert failed == {f"{metric} against live, before"}


@pytest.mark.parametrize(("rule", "passed"), [("keep", False), ("push", True)])
def test_too_few_rows_to_tell_follow_the_rule(
    patterns: dict[str, str], rule: str, passed: bool
) -> None:
    few = load(patterns["test"]).take(np.arange(28))
    labels = few.columns["label"] == 1
    live = np.where(np.arange(28) % 4 == 0, 1 - labels, labels)
    candidate = np.where(np.arange(28) % 5 < 2, 1 - labels, labels)
    sets = [RowSet(BEFORE, few, "28 rows")]
    found = comparison_rows("edge", candidate, live, sets, settings(when_too_few=rule))
    [row] = [row for row in found if row.metric == "accuracy against live, uncertainty"]
    assert (row.passed, row.rows, row.key) == (passed, 28, "pusher.max_uncertainty")
    assert (row.value or 0) > 0.1
    assert f"pusher.when_too_few={rule}" in str(row.why)


def test_which_rows_have_a_true_label(patterns: dict[str, str]) -> None:
    rows, test = load(patterns["eval"]), load(patterns["test"])
    rows.columns["weight"][3] = 10.0  # people labelled it
    newest, before = choose_rows(rows, test, SETTINGS)
    assert (newest.rows.count, before.rows.count) == (61, 240)
    rows.columns["weight"][5] = 0.0
    newest, before = choose_rows(rows, test, settings(mode="gold"))
    assert newest.words == "119 labelled rows of span 2 in the eval split"
    assert before.words == (
        "240 rows of the test split and 120 labelled rows of earlier spans in the eval split"
    )
    newest, _ = choose_rows(rows, test, settings(label="label", min_rows=1))
    assert newest.rows.count == 1


def test_the_user_says_that_the_world_has_changed(patterns: dict[str, str]) -> None:
    sets = choose_rows(
        load(patterns["eval"]), load(patterns["test"]), settings(compare_on=["newest"])
    )
    assert [s.used for s in sets] == [True, False]
    assert left_out(sets) == (
        "not compared on 240 rows of the test split (before): left out by pusher.compare_on"
    )
    assert in_words(sets) == (
        "60 labelled rows of span 2 in the eval split (newest); "
        "not on 240 rows of the test split (before): left out by pusher.compare_on"
    )


def test_a_model_that_was_rolled_back_is_refused() -> None:
    rolled_back = [["17", "digest", "too slow"]]
    assert rolled_back_row("server", "another", rolled_back) == []
    [row] = rolled_back_row("server", "digest", rolled_back)
    assert (row.passed, row.key) == (False, "rollback server 17")
    assert row.why == "this model was rolled back as version 17 (too slow)"


def test_text_becomes_the_ids_that_docs_say() -> None:
    text = {
        "columns": ["note"],
        "steps": [["[0-9]", "0"], ["([!.])", r" \1 "]],
        "ngrams": 2,
        "width": 6,
        "padding": 0,
        "unknown": 1,
        "offset": 2,
        "vocabulary": ["win", "now", "win now", "0", "!"],
    }
    bundle = {"numeric": [], "categorical": [], "buckets": 4, "text": text}
    notes = np.array(["Win now! 7 gifts", "", "win now win now win now"], object)
    inputs = features(bundle, {"note": notes})
    assert inputs["tokens"].tolist() == [[2, 3, 6, 5, 1, 4], [0] * 6, [2, 3, 2, 3, 2, 3]]
    assert inputs["numeric"].tolist() == [[0.5]] * 3
    assert inputs["categorical"].tolist() == [[0]] * 3
