"""Visual relations, three classes, end to end: on a made set in the format of the published one."""

import csv
from pathlib import Path

import numpy as np
import pytest

from models.export.device import features, interpreter, read_bundle
from tests.support.data_sets import visual_relations as made
from tests.support.e2e.runs import NODES, RESOLVERS, Record, pipeline, summary

CONFIG = "visual_relations"
NAME = "visual_relations-smoke"
CLASSES = ["ride", "carry", "other"]


def settings(source: Path) -> list[str]:
    """Arguments of a run; in the made set nothing but persons ever rides, so no gap is bounded."""
    no_gaps = [f"evaluation.{target}.max_gap={{}}" for target in ("server", "edge")]
    overrides = [f"data.source={source}", *no_gaps]
    return ["--config", CONFIG, "--smoke", *(part for o in overrides for part in ("--set", o))]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made.write(tmp_path_factory.mktemp("vrd") / "source")


@pytest.fixture(scope="module")
def relations(source: Path) -> tuple[Path, str]:
    """The root of the run, and its id."""
    root = source.with_name("root")
    finished = pipeline("run", "--root", str(root), *settings(source))
    assert finished.returncode == 0, finished.stdout
    [run_id] = Record(root, NAME).runs()
    return root, run_id


def test_every_node_runs_on_three_classes_and_a_second_run_none(
    relations: tuple[Path, str], source: Path
) -> None:
    root, run_id = relations
    record = Record(root, NAME)
    assert record.states(run_id) == dict.fromkeys(NODES - {"Tuner"}, "COMPLETE")
    written = summary(root, run_id, NAME)
    assert all(written["pushed"][target]["version"] for target in ("server", "edge"))
    assert not [f for f in written["labels"]["findings"] if f["severity"] == "error"]
    assert {"subject_kind=person", "subject_kind=other"} <= set(
        written["models"]["student_int8"]["slices"]
    )
    for model in written["models"].values():
        assert model["metrics"]["accuracy"] > 0.8
        assert model["metrics"]["macro_f1"] > 0.75
    finished = pipeline("run", "--root", str(root), *settings(source))
    assert finished.returncode == 0, finished.stdout
    states = record.states(record.runs()[-1])
    assert {node for node, state in states.items() if state != "CACHED"} == RESOLVERS


def test_edge_bundle_answers_as_the_evaluator_saw(relations: tuple[Path, str]) -> None:
    root, run_id = relations
    [path] = root.glob(f"{NAME}/staged/*/test/data.csv")
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    written = summary(root, run_id, NAME)
    folder = root / NAME / written["pushed"]["edge"]["path"]
    bundle = read_bundle(folder)
    assert bundle["classes"] == CLASSES
    numbers = {column["column"] for column in bundle["numeric"]}
    columns = {
        name: np.array([float(r[name]) if name in numbers else r[name] for r in rows])
        for name in rows[0]
    }
    runner = interpreter((folder / "tflite").read_bytes()).get_signature_runner(
        bundle["signature"]["name"]
    )
    inputs = features(bundle, columns)
    answers = np.concatenate(
        [
            runner(**{name: column[[n]] for name, column in inputs.items()})[
                bundle["signature"]["output"]
            ]
            for n in range(len(rows))
        ]
    )
    assert answers.shape == (len(rows), len(CLASSES))
    assert np.abs(answers.sum(axis=1) - 1).max() < 0.02
    chosen = np.array(CLASSES)[answers.argmax(axis=1)]
    accuracy = np.mean(chosen == [row["relation"] for row in rows])
    measured = written["models"]["student_int8"]["metrics"]["accuracy"]
    assert accuracy == pytest.approx(measured, abs=1e-6)


def test_without_the_files_a_run_says_where_they_are(tmp_path: Path) -> None:
    finished = pipeline("run", "--root", str(tmp_path / "root"), *settings(tmp_path / "nowhere"))
    assert finished.returncode == 2
    assert f"data.source: there is no folder {tmp_path / 'nowhere'}" in finished.stdout
    assert "cs.stanford.edu" in finished.stdout
    assert "Traceback" not in finished.stdout
