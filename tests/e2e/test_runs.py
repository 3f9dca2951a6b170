"""A cold run, a cached one, one with a changed key, stopped ones and a killed one."""

import csv
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from pipeline.cli.main import main
from pipeline.report.summary import Summary
from tests.e2e.conftest import REPOSITORY, Record, Run, pipeline, versions

NODES = {
    "CsvExampleGen", "StatisticsGen", "SchemaGen", "ImportSchemaGen", "ExampleValidator",
    "AnomalyGate", "AnswerImporter", "SnorkelLabeler", "LabelGate", "FeatureSelector", "Transform",
    "Tuner", "Trainer", "Distiller", "Quantizer", "VariantEvaluator", "Baseline.server",
    "Evaluator.server",
    "FairnessGate.server", "LiveModel.server", "PushGate.server", "Pusher.server", "Baseline.edge",
    "Evaluator.edge", "FairnessGate.edge", "LiveModel.edge", "PushGate.edge",
    "Pusher.edge",
}  # fmt: skip
# Always asked, never cached.
RESOLVERS = {"Baseline.server", "Baseline.edge", "LiveModel.server", "LiveModel.edge"}


def summary(root: Path, run_id: str) -> dict:
    return json.loads((root / "smoke" / "reports" / run_id / "summary.json").read_text())


def test_cold_run_runs_every_node_and_pushes_both_targets(root: Path, cold: str) -> None:
    assert Record(root).states(cold) == dict.fromkeys(NODES, "COMPLETE")
    written = summary(root, cold)
    Summary.model_validate(written)
    assert written["state"] == "COMPLETE"
    assert sum(written["data"]["rows"].values()) == 2000
    assert set(written["models"]) == {
        "teacher", "teacher_pruned", "student", "student_float16", "student_dynamic_int8",
        "student_int8",
    }  # fmt: skip
    for target, folder in (("server", "serving"), ("edge", "edge")):
        assert [str(written["pushed"][target]["version"])] == versions(root / "smoke", folder)
    assert all(gate["passed"] for gate in written["gates"])


def test_cached_run_makes_nothing_new(root: Path, cold: str, smoke: Run) -> None:
    models = len(Record(root).artifacts("Model"))
    pushed = versions(root / "smoke", "serving"), versions(root / "smoke", "edge")
    finished = smoke()
    assert finished.returncode == 0, finished.stdout
    states = Record(root).states(Record(root).runs()[-1])
    assert {node for node, state in states.items() if state != "CACHED"} == RESOLVERS
    assert set(states) == NODES
    assert len(Record(root).artifacts("Model")) == models
    assert (versions(root / "smoke", "serving"), versions(root / "smoke", "edge")) == pushed


@pytest.fixture(scope="module")
def changed(root: Path, cold: str, smoke: Run) -> str:
    """Id of a run with another student."""
    finished = smoke("--set", "distiller.temperature=3.0")
    assert finished.returncode == 0, finished.stdout
    return Record(root).runs()[-1]


def test_changed_key_runs_only_what_depends_on_it(root: Path, cold: str, changed: str) -> None:
    states = Record(root).states(changed)
    ran = {node for node, state in states.items() if state == "COMPLETE"}
    assert ran - RESOLVERS == {
        "Distiller", "Quantizer", "VariantEvaluator", "Evaluator.edge", "FairnessGate.edge",
        "PushGate.edge", "Pusher.edge",
    }  # fmt: skip
    assert len(versions(root / "smoke", "serving")) == 1
    written = summary(root, changed)
    before, now = versions(root / "smoke", "edge")
    assert written["push_checks"]["edge"]["live_version"] == int(before)
    against = {gate["metric"] for gate in written["gates"] if gate.get("interval")}
    assert against == {"auc against live", "accuracy against live"}
    assert written["pushed"]["edge"]["version"] == int(now)


def test_version_that_was_rolled_back_is_not_pushed_again(
    root: Path, changed: str, smoke: Run
) -> None:
    before, now = versions(root / "smoke", "edge")
    where = ("--config", "smoke", "--root", str(root))
    finished = pipeline("rollback", "edge", *where, "--reason", "drains the battery")
    assert finished.returncode == 0, finished.stdout
    assert versions(root / "smoke", "edge") == [before]
    finished = smoke("--set", "distiller.temperature=3.0")
    assert finished.returncode == 0, finished.stdout
    run_id = Record(root).runs()[-1]
    ran = {node for node, state in Record(root).states(run_id).items() if state == "COMPLETE"}
    assert ran - RESOLVERS == {"PushGate.edge", "Pusher.edge"}
    why = f"this model was rolled back as version {now} (drains the battery)"
    assert summary(root, run_id)["pushed"]["edge"] == {
        "version": None, "path": None, "why": why, "already_live": False,
    }  # fmt: skip
    assert versions(root / "smoke", "edge") == [before]
    finished = pipeline("rollback", "edge", now, *where)
    assert finished.returncode == 0, finished.stdout
    assert versions(root / "smoke", "edge") == [before, now]


def test_labels_beyond_the_gold_budget_are_absent(root: Path, cold: str) -> None:
    import tensorflow as tf

    folder = Record(root).output(cold, "SnorkelLabeler", "labeled_examples")
    with_truth = {}
    for split in ("train", "eval", "test"):
        files = [str(path) for path in (folder / f"Split-{split}").glob("*")]
        records = tf.data.TFRecordDataset(files, "GZIP").as_numpy_iterator()
        examples = [tf.train.Example.FromString(record).features.feature for record in records]
        with_truth[split] = sum(bool(e["income-per-year"].bytes_list.value) for e in examples)
    assert with_truth["train"] + with_truth["eval"] == 100
    assert with_truth["test"] == summary(root, cold)["data"]["rows"]["test"]


def test_model_that_fails_a_gate_is_not_pushed(root: Path, cold: str, smoke: Run) -> None:
    before = versions(root / "smoke", "edge")
    finished = smoke("--set", "evaluation.edge.min.auc=0.999", "--require-blessing")
    assert finished.returncode == 3, finished.stdout
    assert versions(root / "smoke", "edge") == before
    written = summary(root, Record(root).runs()[-1])
    assert written["pushed"]["edge"]["version"] is None
    assert "auc" in written["pushed"]["edge"]["why"]
    [failed] = [gate for gate in written["gates"] if not gate["passed"]]
    assert (failed["target"], failed["metric"], failed["bound"]) == ("edge", "auc", ">= 0.999")


def test_gold_mode_trains_on_all_labels(root: Path, cold: str, smoke: Run) -> None:
    finished = smoke("--set", "labeling.mode=gold")
    assert finished.returncode == 0, finished.stdout
    written = summary(root, Record(root).runs()[-1])
    assert written["labels"]["mode"] == "gold"
    assert {gate["target"] for gate in written["gates"]} == {"server", "edge"}
    weak = summary(root, cold)["models"]["teacher_pruned"]["metrics"]["examples"]
    assert written["models"]["teacher_pruned"]["metrics"]["examples"] == weak


def test_labels_that_miss_a_bound_stop_the_run_before_training(
    root: Path, cold: str, smoke: Run
) -> None:
    passed = [gate for gate in summary(root, cold)["gates"] if gate["target"] == "labels"]
    assert {"coverage", "conflict", "gap sex coverage"} <= {gate["metric"] for gate in passed}
    finished = smoke("--set", "labeling.gates.max_conflict=0.01")
    assert finished.returncode == 2, finished.stdout
    for part in ("LabelGate failed", "conflict, overall", "--set labeling.gates.max_conflict="):
        assert part in finished.stdout, finished.stdout
    run_id = Record(root).runs()[-1]
    states = Record(root).states(run_id)
    assert (states["SnorkelLabeler"], states["LabelGate"]) == ("CACHED", "FAILED")
    assert "Transform" not in states
    gates = summary(root, run_id)["gates"]
    assert len(gates) == len(passed)
    [missed] = [gate for gate in gates if not gate["passed"]]
    assert (missed["key"], missed["bound"]) == ("labeling.gates.max_conflict", "<= 0.01")


def test_unknown_category_stops_the_run_before_training(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    from data.census.spans import lay_out

    lay_out(str(raw))
    span = raw / "span-3" / "data.csv"
    lines = span.read_text().splitlines(keepends=True)
    for number in range(1, len(lines), 2):
        lines[number] = lines[number].replace("Private", "Robot")
    span.write_text("".join(lines))
    finished = pipeline(
        "run", "--config", "smoke", "--root", str(tmp_path), "--set", f"data.folder={raw}"
    )
    assert finished.returncode == 2, finished.stdout
    for part in ("AnomalyGate", "workclass", "Robot", "rows", "schema/census/schema.pbtxt",
                 "anomalies.accept=[workclass]"):  # fmt: skip
        assert part in finished.stdout, finished.stdout
    record = Record(tmp_path)
    states = record.states(record.runs()[-1])
    assert states["AnomalyGate"] == "FAILED"
    assert "SnorkelLabeler" not in states
    assert not (tmp_path / "smoke" / "serving").exists()


def test_killed_in_trainer_then_resumed_to_the_same_models(
    tmp_path: Path, root: Path, cold: str
) -> None:
    arguments = ["run", "--config", "smoke", "--root", str(tmp_path)]
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline", *arguments],
        cwd=REPOSITORY, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("Tuner "):
            break
    record = Record(tmp_path)
    deadline = time.monotonic() + 120
    try:
        while record.states(record.runs()[0]).get("Trainer") != "RUNNING":
            assert time.monotonic() < deadline
            time.sleep(0.1)
        time.sleep(0.5)  # in the midst of it: it takes some seconds
    finally:
        process.kill()
        process.wait()
    assert record.states(record.runs()[0])["Trainer"] == "RUNNING"
    assert not record.artifacts("ModelRun")

    finished = pipeline(*arguments)
    assert finished.returncode == 0, finished.stdout
    states = record.states(record.runs()[-1])
    assert states["Tuner"] == states["Transform"] == "CACHED"
    assert states["Trainer"] == states["Pusher.edge"] == "COMPLETE"
    resumed, undisturbed = summary(tmp_path, record.runs()[-1]), summary(root, cold)
    for gates in (resumed["gates"], undisturbed["gates"]):
        gates[:] = [gate for gate in gates if "latency" not in gate["metric"]]  # it is measured
    assert resumed["gates"] == undisturbed["gates"]
    for name, model in undisturbed["models"].items():
        # Not bytes: TensorFlow numbers a SavedModel's functions as the process comes to them.
        same = {key: model[key] for key in ("metrics", "slices", "gaps", "sparsity")}
        assert {key: resumed["models"][name][key] for key in same} == same
    for target, folder in (("server", "serving"), ("edge", "edge")):
        [version] = versions(tmp_path / "smoke", folder)
        first = str(undisturbed["pushed"][target]["version"])
        digests = [
            json.loads((path / "version.json").read_text())["model_sha256"]
            for path in (tmp_path / "smoke" / folder / "smoke" / version,
                         root / "smoke" / folder / "smoke" / first)
        ]  # fmt: skip
        assert digests[0] == digests[1]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 3 MB; needs the right to mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    options = ["-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)]
    if mount is None or subprocess.run([mount, *options], check=False).returncode != 0:
        pytest.skip("a tmpfs cannot be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_full_disk_is_named_and_nothing_is_served(small_disk: Path) -> None:
    finished = pipeline("run", "--config", "smoke", "--root", str(small_disk))
    assert finished.returncode == 2, finished.stdout
    assert str(small_disk) in finished.stdout
    assert "full" in finished.stdout
    assert not list(small_disk.glob("smoke/serving/*/*"))


@dataclass(frozen=True)
class Answered:
    """A run after an import of answers: label by row id."""

    run_id: str
    import_id: str
    answers: dict[str, str]


@pytest.fixture(scope="module")
def answered(
    root: Path, cold: str, smoke: Run, tmp_path_factory: pytest.TempPathFactory
) -> Answered:
    """A run on other inputs with 40 answers more; the answers are taken out again after it."""
    path = tmp_path_factory.mktemp("answers") / "batch.csv"
    flags = ["--config", "smoke", "--root", str(root)]
    assert main(["to-label", "--n", "40", "--out", str(path), *flags]) == 0
    with open(path, newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    truth = {row["row_id"]: row["income-per-year"] for row in staged_rows(root)}
    answers = {line["row_id"]: truth[line["row_id"]] for line in lines}
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows({**line, "answer": answers[line["row_id"]]} for line in lines)
    assert main(["labels", "import", str(path), "--annotator", "ann", *flags]) == 0
    finished = smoke("--set", "features.buckets=64")
    assert finished.returncode == 0, finished.stdout
    [kept] = (root / "smoke" / "answers").glob("*.json")
    assert main(["labels", "remove", kept.stem, *flags]) == 0
    return Answered(Record(root).runs()[-1], kept.stem, answers)


def staged_rows(root: Path) -> Iterator[dict[str, str]]:
    """Rows of train and eval as the cold run read them."""
    [staged] = (root / "smoke" / "staged").glob("*/train")
    for split in ("train", "eval"):
        with open(staged.parent / split / "data.csv", newline="", encoding="utf-8") as file:
            yield from csv.DictReader(file)


def test_answers_of_people_are_gold_rows(root: Path, cold: str, answered: Answered) -> None:
    import tensorflow as tf

    record = Record(root)
    states = record.states(answered.run_id)
    assert states["CsvExampleGen"] == states["AnomalyGate"] == "CACHED"
    assert states["AnswerImporter"] == states["SnorkelLabeler"] == states["Trainer"] == "COMPLETE"
    before, after = summary(root, cold)["labels"], summary(root, answered.run_id)["labels"]
    assert (before["gold_rows"], before["gold_rows_answered"]) == (100, 0)
    assert (after["gold_rows"], after["gold_rows_answered"]) == (140, 40)
    assert after["gold_rows_random"] == 112
    folder = record.output(answered.run_id, "SnorkelLabeler", "labeled_examples")
    files = [str(path) for split in ("train", "eval") for path in folder.glob(f"Split-{split}/*")]
    found = {}
    for content in tf.data.TFRecordDataset(files, "GZIP").as_numpy_iterator():
        features = tf.train.Example.FromString(content).features.feature
        row_id = features["row_id"].bytes_list.value[0].decode()
        found[row_id] = (
            features["label"].float_list.value[0],
            features["weight"].float_list.value[0],
        )
    expected = {i: (float(answer == ">50K"), 10.0) for i, answer in answered.answers.items()}
    assert {row_id: found[row_id] for row_id in answered.answers} == expected
    [imported] = record.artifacts("Answers")[1:]
    [origin] = json.loads(imported.custom_properties["imports"].string_value)
    assert origin["id"] == answered.import_id


def test_edge_model_of_other_inputs_is_no_baseline(root: Path, answered: Answered) -> None:
    run_id = answered.run_id
    assert Record(root).states(run_id)["Evaluator.edge"] == "COMPLETE"
    drops = {
        gate["target"] for gate in summary(root, run_id)["gates"] if gate["metric"] == "auc drop"
    }
    assert drops == {"server"}


def test_truncated_examples_are_named_and_made_anew(root: Path, cold: str, smoke: Run) -> None:
    folder = Record(root).output(cold, "SnorkelLabeler", "labeled_examples")
    [file] = (folder / "Split-train").glob("*")
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    changed = ("--set", "features.buckets=16")
    finished = smoke(*changed)
    assert finished.returncode == 2, finished.stdout
    assert file.name in finished.stdout
    served = versions(root / "smoke", "serving")
    finished = smoke(*changed)
    assert finished.returncode == 0, finished.stdout
    states = Record(root).states(Record(root).runs()[-1])
    assert states["SnorkelLabeler"] == states["Transform"] == "COMPLETE"
    assert versions(root / "smoke", "serving")[: len(served)] == served


def test_evaluator_and_variant_evaluator_agree(root: Path, cold: str) -> None:
    written = summary(root, cold)
    for target, variant in (("server", "teacher_pruned"), ("edge", "student_int8")):
        gates = {g["metric"]: g["value"] for g in written["gates"]
                 if g["target"] == target and g["slice"] == "overall"}  # fmt: skip
        model = written["models"][variant]
        assert gates["accuracy"] == pytest.approx(model["metrics"]["accuracy"], abs=1e-9)
        assert gates["auc"] == pytest.approx(model["metrics"]["auc"], abs=1e-3)
        assert gates["gap sex tpr"] == pytest.approx(model["gaps"]["sex"]["tpr"], abs=1e-9)
        assert np.isfinite(model["latency_us"]["batch_1"])
