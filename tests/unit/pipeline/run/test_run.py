"""Whole runs of a three-node pipeline: caching, failures, damage, disk full, kills, the lock."""

import gzip
import json
import os
import signal
from pathlib import Path

import pytest

from core import lock
from pipeline.cli.main import main
from pipeline.metadata.store import Metadata
from tests.support.fork_server import Forks
from tests.support.mini_run import build
from tests.support.mini_runs import Runs, printed


def test_cold_then_cached_then_one_change(runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    assert runs.run() == 0
    assert runs.states() == {"Make": "RAN", "Work": "RAN", "Last": "RAN"}
    cold = runs.summary()
    assert runs.run() == 0
    assert runs.states() == {"Make": "CACHED", "Work": "CACHED", "Last": "CACHED"}
    assert runs.run("finish", "--set", "seed=2") == 0
    assert runs.states() == {"Make": "CACHED", "Work": "RAN", "Last": "RAN"}
    assert len(list(runs.folder.glob("artifacts/Work/model/*"))) == 2
    assert "Make RAN" in printed(capsys.readouterr().out)
    assert cold["state"] == "COMPLETE"
    assert cold["cpu_seconds"] > 0
    assert cold["peak_rss_mb"] > 50
    cpu = [node["cpu_seconds"] for node in cold["nodes"].values()]
    assert all(seconds > 0 for seconds in cpu)
    assert sum(cpu) < cold["cpu_seconds"]
    store = Metadata(runs.folder)
    assert cold["run_id"] == store.run_ids()[0]
    assert [e.node for e in store.executions(cold["run_id"])] == ["Make", "Work", "Last"]


def test_a_failed_node_is_explained_and_the_run_resumes(
    runs: Runs, capsys: pytest.CaptureFixture[str]
) -> None:
    told, textfile = runs.root.parent / "told", runs.root.parent / "tiny.prom"
    hooks = ("--set", f'notify.command=["sh", "-c", "cat >{told}; exit 5"]')
    perfect = ("--set", "evaluation.edge.min.auc=1.0")
    assert runs.run("user code", *hooks, *perfect, "--set", f"metrics.textfile={textfile}") == 1
    assert runs.states() == {"Make": "RAN", "Work": "FAILED", "Last": "SKIPPED"}
    failed = runs.summary()
    assert (failed["state"], failed["failure"]["node"]) == ("FAILED", "Work")
    assert failed["nodes"]["Work"]["cpu_seconds"] > 0
    assert failed["nodes"]["Last"]["cpu_seconds"] == 0
    assert failed["failure"]["cause"] == "IndexError: list index out of range"
    assert failed["failure"]["code"].startswith("data/census/spans.py:")
    assert failed["failure"]["code"].endswith(" in split_rows")
    assert "python -m pipeline run" in failed["failure"]["resume"]
    assert not list(runs.folder.glob("artifacts/Work/model/*")), "half a model was left"
    out = printed(capsys.readouterr().out)
    assert "Work failed: IndexError" in out
    doubt = "warning: evaluation.edge.min.auc: 1 is kept to only by a model without any error"
    assert doubt in out.partition("Make RAN")[0], "said before the first node"
    assert "warning: notification of 'failure' by notify.command: sh ended with 5" in out
    notice = json.loads(told.read_text())
    assert (notice["event"], notice["run_id"]) == ("failure", failed["run_id"])
    assert Path(notice["summary"]).is_file()
    assert 'tfx_pipeline_run_state{pipeline="tiny",state="FAILED"} 1.0' in textfile.read_text()
    assert runs.run() == 0
    assert runs.states() == {"Make": "CACHED", "Work": "RAN", "Last": "RAN"}


@pytest.mark.parametrize(
    ("work", "cause"),
    [
        ("input error", "age: row 3 is wrong"),
        ("beam", "column 'age': 3 is\nnot allowed"),
    ],
)
def test_an_input_error_in_a_node_exits_with_2(runs: Runs, work: str, cause: str) -> None:
    assert runs.run(work) == 2
    assert runs.summary()["failure"]["cause"] == cause
    assert runs.summary()["failure"]["node"] == "Work"


@pytest.mark.parametrize("work", ["disk full", "tensorflow disk full"])
def test_a_full_disk_is_named_with_the_root(runs: Runs, work: str) -> None:
    assert runs.run(work) == 2
    cause = runs.summary()["failure"]["cause"]
    assert cause.startswith(f"the disk of {runs.root} is full (")


def test_a_disk_that_fills_up(runs: Runs, small_disk: Path) -> None:
    runs.root = small_disk / "runs"
    assert runs.run("fill") == 2
    assert runs.summary()["state"] == "FAILED"
    assert f"the disk of {runs.root} is full" in runs.summary()["failure"]["cause"]
    assert not list(runs.folder.glob("artifacts/Work/model/*")), "half a model was left"
    assert runs.run() == 0
    assert runs.states() == {"Make": "CACHED", "Work": "RAN", "Last": "RAN"}


@pytest.mark.parametrize("free", [0, 16, 64])
def test_a_disk_that_is_full_before_the_run(
    runs: Runs, small_disk: Path, capsys: pytest.CaptureFixture[str], free: int
) -> None:
    with open(small_disk / "ballast", "wb") as file:
        file.write(b"\0" * (4 * 2**20 - free * 2**10))
    runs.root = small_disk / "runs"
    assert runs.run() == 2
    out, err = capsys.readouterr()
    assert f"the disk of {runs.root} is full" in printed(out + err)
    (small_disk / "ballast").unlink()
    assert runs.run() == 0


@pytest.mark.parametrize("damage", ["truncated", "flipped", "emptied", "removed"])
def test_damaged_examples_are_found_named_and_made_anew(
    runs: Runs, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert runs.run() == 0
    [file] = runs.folder.glob("artifacts/Make/examples/*/Split-train/*.gz")
    content = file.read_bytes()
    if damage == "removed":
        file.unlink()
    else:
        half = len(content) // 2
        flipped = content[:half] + bytes([content[half] ^ 255]) + content[half + 1 :]
        file.write_bytes({"truncated": content[:half], "flipped": flipped}.get(damage, b""))
    assert runs.run("finish", "--set", "seed=2") == 0
    what = "gone" if damage == "removed" else "damaged"
    [told] = runs.summary()["damaged"]
    assert told == f"{file} is {what}; it is made anew"
    assert f"warning: {told}" in printed(capsys.readouterr().out)
    assert runs.states() == {"Make": "RAN", "Work": "RAN", "Last": "RAN"}
    [made] = set(runs.folder.glob("artifacts/Make/examples/*/Split-train/*.gz")) - {file}
    assert gzip.decompress(made.read_bytes())


def test_an_unwritable_root_is_named(runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    for root in ("/proc/runs", str(Path(runs.config) / "runs")):
        runs.root = Path(root)
        assert runs.run() == 2
        assert f"--root {root}: cannot be written" in printed(capsys.readouterr().err)


@pytest.mark.parametrize("name", ["runs [old]", "runs*", "what?"])
def test_a_root_that_tfx_would_take_for_a_pattern_is_named(
    runs: Runs, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    runs.root = runs.root / name
    assert runs.run() == 2
    assert "for a pattern of files" in printed(capsys.readouterr().err)
    assert not runs.root.exists()


def test_bad_data_stops_before_anything_is_written(
    runs: Runs, capsys: pytest.CaptureFixture[str]
) -> None:
    (Path(runs.config).parent / "raw" / "span-1" / "data.csv").write_text("")
    assert runs.run() == 2
    assert "span-1/data.csv: the file is empty" in printed(capsys.readouterr().err)
    assert {path.name for path in runs.folder.iterdir()} == {lock.FILE, "staged"}
    assert [path.name for path in (runs.folder / "staged").iterdir()] == [lock.STAGED_FILE]


def test_blessing_can_be_required(runs: Runs) -> None:
    assert runs.run("finish", "--require-blessing") == 3


def test_a_killed_run_is_seen_as_interrupted_and_resumes(
    runs: Runs, forks: Forks, capsys: pytest.CaptureFixture[str]
) -> None:
    process = runs.start(forks, "sleep")
    assert runs.summary()["state"] == "RUNNING"
    os.kill(process, signal.SIGKILL)
    assert forks.wait(process) == -signal.SIGKILL
    assert list(runs.folder.glob("artifacts/Work/model/*/model.txt")), "nothing half-written"
    assert main(runs.arguments("show", "--json"), build) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["state"], shown["nodes"]["Make"]["state"]) == ("INTERRUPTED", "RAN")
    assert runs.run() == 0
    assert runs.states() == {"Make": "CACHED", "Work": "RAN", "Last": "RAN"}
    store = Metadata(runs.folder)
    assert [e.state for e in store.executions(shown["run_id"])] == ["COMPLETE", "CANCELED"]
    models = [path.read_text() for path in runs.folder.glob("artifacts/Work/model/*/model.txt")]
    assert models == ["whole"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(
    ("work", "state", "again"),
    [("make an error of a signal", "FAILED", "RAN"), ("swallow a signal", "RAN", "CACHED")],
)
def test_a_signal_interrupts_whatever_a_node_makes_of_it(
    runs: Runs, forks: Forks, number: int, work: str, state: str, again: str
) -> None:
    process = runs.start(forks, work)
    os.kill(process, number)
    assert forks.wait(process) == 128 + number, runs.log.read_text()
    assert runs.summary()["state"] == "INTERRUPTED"
    assert runs.summary()["failure"] is None
    assert runs.states()["Work"] == state
    assert runs.run() == 0
    assert runs.states() == {"Make": "CACHED", "Work": again, "Last": "RAN"}


def test_while_a_run_goes_on_a_second_is_refused_and_readers_read(
    runs: Runs, forks: Forks, capsys: pytest.CaptureFixture[str]
) -> None:
    process = runs.start(forks, "sleep")
    assert runs.run() == 1
    refused = printed(capsys.readouterr().err)
    assert f"process {process} on " in refused
    assert ", since 20" in refused
    assert main(runs.arguments("runs", "--json"), build) == 0
    assert [row["state"] for row in json.loads(capsys.readouterr().out)] == ["RUNNING"]
    os.kill(process, signal.SIGTERM)
    assert forks.wait(process) == 128 + signal.SIGTERM, runs.log.read_text()
    assert "to go on, run the same command again" in printed(runs.log.read_text())
    assert runs.summary()["state"] == "INTERRUPTED"
    assert runs.states() == {"Make": "RAN", "Work": "FAILED", "Last": "SKIPPED"}
    assert not list(runs.folder.glob("artifacts/Work/model/*")), "half a model was left"
    assert runs.run() == 0
    assert runs.states() == {"Make": "CACHED", "Work": "RAN", "Last": "RAN"}
