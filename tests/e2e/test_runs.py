"""A cold run, a cached one, one with a changed key, ones that are not pushed, one with answers."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from pipeline.cli.main import main
from pipeline.report.summary import Summary
from tests.support.e2e.runs import (
    NODES,
    RESOLVERS,
    Ran,
    Record,
    RolledBack,
    run_smoke,
    summary,
)


def test_cold_run_runs_every_node_and_pushes_both_targets(
    root: Path, first: Ran, cold: str
) -> None:
    assert Record(root).states(cold) == dict.fromkeys(NODES, "COMPLETE")
    written = summary(root, cold)
    Summary.model_validate(written)
    assert written["state"] == "COMPLETE"
    assert sum(written["data"]["rows"].values()) == 2000
    assert set(written["models"]) == {
        "teacher", "teacher_pruned", "student", "student_float16", "student_dynamic_int8",
        "student_int8", "student_int8_inputs",
    }  # fmt: skip
    for target, folder in (("server", "serving"), ("edge", "edge")):
        assert [str(written["pushed"][target]["version"])] == first.served[folder]
    assert all(gate["passed"] for gate in written["gates"])


def test_cached_run_makes_nothing_new(root: Path, cached: Ran) -> None:
    states = Record(root).states(cached.run_id)
    assert {node for node, state in states.items() if state != "CACHED"} == RESOLVERS
    assert set(states) == NODES
    assert cached.models == cached.models_before
    assert cached.served == cached.served_before


def test_changed_key_runs_only_what_depends_on_it(root: Path, changed: Ran) -> None:
    states = Record(root).states(changed.run_id)
    ran = {node for node, state in states.items() if state == "COMPLETE"}
    assert ran - RESOLVERS == {
        "Distiller", "Quantizer", "Selector.edge", "VariantEvaluator", "Evaluator.edge",
        "FairnessGate.edge",
        "PushGate.edge", "ModelCard.edge", "Pusher.edge",
        # what the server model loses against its teacher is measured with all other variants
        "FairnessGate.server", "PushGate.server", "ModelCard.server", "Pusher.server",
    }  # fmt: skip
    assert len(changed.served["serving"]) == 1
    written = summary(root, changed.run_id)
    before, now = changed.served["edge"]
    assert written["push_checks"]["edge"]["live_version"] == int(before)
    against = {gate["metric"] for gate in written["gates"] if "against live, " in gate["metric"]}
    compared = {f"{name} against live, before" for name in ("auc", "accuracy", "tpr", "fpr")}
    uncertain = {f"{name} against live, uncertainty" for name in ("auc", "accuracy")}
    assert against == compared | uncertain
    assert written["pushed"]["edge"]["version"] == int(now)


def test_version_that_was_rolled_back_is_not_pushed_again(
    root: Path, changed: Ran, rolled_back: RolledBack
) -> None:
    before, now = changed.served["edge"]
    assert rolled_back.edge == [before]
    run_id = rolled_back.again.run_id
    ran = {node for node, state in Record(root).states(run_id).items() if state == "COMPLETE"}
    assert ran - RESOLVERS == {"PushGate.edge", "ModelCard.edge", "Pusher.edge"}
    why = f"this model was rolled back as version {now} (drains the battery)"
    assert summary(root, run_id)["pushed"]["edge"] == {
        "version": None, "path": None, "why": why, "already_live": False,
    }  # fmt: skip
    assert rolled_back.again.served["edge"] == [before]
    assert rolled_back.restored == [before, now]


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


def test_model_that_fails_a_gate_is_not_pushed(root: Path, blocked: Ran) -> None:
    assert blocked.finished.returncode == 3, blocked.finished.stdout
    assert blocked.served["edge"] == blocked.served_before["edge"]
    written = summary(root, blocked.run_id)
    assert written["pushed"]["edge"]["version"] is None
    assert "auc" in written["pushed"]["edge"]["why"]
    [failed] = [gate for gate in written["gates"] if not gate["passed"]]
    assert (failed["target"], failed["metric"], failed["bound"]) == ("edge", "auc", ">= 0.999")


def test_gold_mode_trains_on_all_labels(root: Path, cold: str, gold: Ran) -> None:
    written = summary(root, gold.run_id)
    assert written["labels"]["mode"] == "gold"
    assert {gate["target"] for gate in written["gates"]} == {"server", "edge"}
    weak = summary(root, cold)["models"]["teacher_pruned"]["metrics"]["examples"]
    assert written["models"]["teacher_pruned"]["metrics"]["examples"] == weak


@dataclass(frozen=True)
class Answered:
    """A run after an import of answers: label by row id."""

    run_id: str
    import_id: str
    answers: dict[str, str]


@pytest.fixture(scope="module")
def answered(root: Path, blocked: Ran, tmp_path_factory: pytest.TempPathFactory) -> Answered:
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
    ran = run_smoke(root, "--set", "features.buckets=64")
    assert ran.finished.returncode == 0, ran.finished.stdout
    [kept] = (root / "smoke" / "answers").glob("*.json")
    assert main(["labels", "remove", kept.stem, *flags]) == 0
    return Answered(ran.run_id, kept.stem, answers)


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
    assert after["gold_rows_random"] == 120, "half of those who were asked for"
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
