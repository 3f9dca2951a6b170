"""Runs that stop: at a gate, at damaged files, on a full disk, and a killed one that is resumed."""

import json
import subprocess
import sys
import time
from pathlib import Path

from core.files import REPOSITORY
from data.census.spans import lay_out
from tests.support.e2e.runs import Ran, Record, pipeline, run_smoke, summary, versions


def test_labels_that_miss_a_bound_stop_the_run_before_training(root: Path, cold: str) -> None:
    passed = [gate for gate in summary(root, cold)["gates"] if gate["target"] == "labels"]
    assert {"coverage", "conflict", "gap sex coverage"} <= {gate["metric"] for gate in passed}
    ran = run_smoke(root, "--set", "labeling.gates.max_conflict=0.01")
    assert ran.finished.returncode == 2, ran.finished.stdout
    for part in ("LabelGate failed", "conflict, overall", "--set labeling.gates.max_conflict="):
        assert part in ran.finished.stdout, ran.finished.stdout
    states = Record(root).states(ran.run_id)
    assert (states["SnorkelLabeler"], states["LabelGate"]) == ("CACHED", "FAILED")
    assert "Transform" not in states
    gates = summary(root, ran.run_id)["gates"]
    assert len(gates) == len(passed)
    [missed] = [gate for gate in gates if not gate["passed"]]
    assert (missed["key"], missed["bound"]) == ("labeling.gates.max_conflict", "<= 0.01")


def test_unknown_category_stops_the_run_before_training(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
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


def test_full_disk_is_named_and_nothing_is_served(small_disk: Path) -> None:
    finished = pipeline("run", "--config", "smoke", "--root", str(small_disk))
    assert finished.returncode == 2, finished.stdout
    assert str(small_disk) in finished.stdout
    assert "full" in finished.stdout
    assert not list(small_disk.glob("smoke/serving/*/*"))


def test_truncated_examples_are_named_and_made_anew(root: Path, gold: Ran) -> None:
    folder = Record(root).output(gold.run_id, "SnorkelLabeler", "labeled_examples")
    [file] = (folder / "Split-train").glob("*")
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    changes = ("--set", "labeling.mode=gold", "--set", "features.buckets=16")
    ran = run_smoke(root, *changes)
    assert ran.finished.returncode == 0, ran.finished.stdout
    assert f"{file} is damaged; it is made anew" in ran.finished.stdout
    states = Record(root).states(ran.run_id)
    assert states["SnorkelLabeler"] == states["Transform"] == "COMPLETE"
    before = ran.served_before["serving"]
    assert ran.served["serving"][: len(before)] == before
