"""A run killed at every boundary of its nodes, a store locked by others, a clock set back."""

import hashlib
import itertools
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core import lock
from pipeline.cli.main import main
from pipeline.config.load import load
from pipeline.ingestion.staging import stage
from pipeline.metadata import patience
from pipeline.metadata.connection import SQLITE
from pipeline.metadata.store import Metadata
from pipeline.run.recorder import new_run_id
from tests.support.fork_server import Forks
from tests.support.tiny_data import write_config, write_raw

NODES = ("Make", "Work", "Last")
MOMENTS = ("started", "prepared", "executed", "finished")
HOLD_STORE = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
"""
HOLD_LOCK = """
import sys
from pathlib import Path
from core import lock
with lock.wait(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    write_raw(tmp_path)
    return ["--config", write_config(tmp_path), "--root", str(tmp_path / "runs")]


def holding(code: str, path: Path) -> "subprocess.Popen[str]":
    """A process that holds something until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def digests(folder: Path) -> dict[str, list[str]]:
    """SHA-256 of the files of each output, by node and key."""
    found: dict[str, list[str]] = {}
    for path in sorted(folder.glob("artifacts/*/*/*/**/*")):
        node, key = path.relative_to(folder / "artifacts").parts[:2]
        if path.is_file() and not key.startswith("."):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            found.setdefault(f"{node} {key}", []).append(content)
    return found


def test_killed_at_every_boundary_then_resumed_to_the_same_result(
    arguments: list[str], tmp_path: Path, forks: Forks
) -> None:
    log = tmp_path / "log"
    undisturbed = ["--root", str(tmp_path / "undisturbed")]
    assert forks.run(["run", *arguments, *undisturbed], log, MINI_WORK="finish") == 0
    for node, moment in itertools.product(NODES, MOMENTS):
        at = {"KILL_AT": f"{moment} {node}", "MINI_WORK": "finish"}
        assert forks.run(["run", *arguments], log, **at) == -signal.SIGKILL, (moment, node)
    folder = tmp_path / "runs" / "tiny"
    assert forks.run(["run", *arguments], log, MINI_WORK="finish") == 0
    store = Metadata(folder)
    run_ids = store.run_ids()
    ran = [
        (execution.node, execution.state)
        for run_id in run_ids
        for execution in store.executions(run_id)
        if execution.state != "CACHED"
    ]
    # Each node was killed twice with its execution registered, ran once, and never again.
    states = ("CANCELED", "CANCELED", "COMPLETE")
    assert sorted(ran) == sorted((node, state) for node in NODES for state in states)
    assert digests(folder) == digests(tmp_path / "undisturbed" / "tiny")
    assert len(run_ids) == 1 + len(NODES) * len(MOMENTS)
    assert run_ids == sorted(set(run_ids))
    last = json.loads((folder / "reports" / run_ids[-1] / "summary.json").read_text())
    assert last["state"] == "COMPLETE"
    assert {ended["state"] for ended in last["nodes"].values()} == {"CACHED"}


@pytest.fixture
def holder(arguments: list[str], tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Another process that holds a transaction of the store open."""
    database = tmp_path / "runs" / "tiny" / SQLITE
    database.parent.mkdir(parents=True)
    Metadata(database.parent, writable=True)
    process = holding(HOLD_STORE, database)
    yield process
    process.communicate()


def test_a_store_that_stays_locked_names_who_holds_it(
    arguments: list[str],
    tmp_path: Path,
    holder: "subprocess.Popen[str]",
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(patience, "BUSY_WAITS", (0.01,))
    monkeypatch.setattr(patience, "SQLITE_WAIT", 0.1)
    store = tmp_path / "runs" / "tiny" / SQLITE
    assert [process.pid for process in patience.holders(store)] == [holder.pid]
    for verb in ("run", "runs"):
        assert main([verb, *arguments]) == 1
        said = " ".join(capsys.readouterr().err.split())
        assert f"{SQLITE} is locked by process {holder.pid} (" in said
        assert "nothing was lost. Let it finish, or end it" in said


def test_a_lock_that_is_let_go_of_only_delays(
    arguments: list[str], tmp_path: Path, holder: "subprocess.Popen[str]", forks: Forks
) -> None:
    run = forks.start(["run", *arguments], tmp_path / "log", MINI_WORK="finish")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        sqlite3.connect(tmp_path / "runs" / "tiny" / SQLITE, timeout=2).execute(
            "SELECT 1 FROM Type"
        )
    holder.communicate()
    assert forks.wait(run) == 0, (tmp_path / "log").read_text()


def test_what_ml_metadata_says_when_it_gave_up_waiting() -> None:
    said = "Failed to establish connection to Metadata storage: Concurrent writes aborted after"
    assert patience.is_locked_out(RuntimeError(said))
    assert not patience.is_locked_out(RuntimeError("its inputs could not be resolved"))


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ([], "20260102T030405Z"),
        (["20260102T030404Z"], "20260102T030405Z"),
        (["20260102T040000Z", "20250101T000000Z"], "20260102T040001Z"),
        (["20261231T235959Z"], "20270101T000000Z"),
    ],
)
def test_run_ids_ascend_when_the_clock_is_set_back(known: list[str], expected: str) -> None:
    assert new_run_id(known, lambda: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) == expected


def test_two_runs_of_one_second_have_two_ids() -> None:
    seconds = iter([5, 5, 6])
    found = new_run_id(
        ["20260102T030405Z"], lambda: datetime(2026, 1, 2, 3, 4, next(seconds), tzinfo=UTC)
    )
    assert found == "20260102T030406Z"


def test_staging_waits_for_another_stager(arguments: list[str], tmp_path: Path) -> None:
    staged = tmp_path / "run" / "staged"
    staged.mkdir(parents=True)
    process = holding(HOLD_LOCK, staged / lock.STAGED_FILE)
    child = os.fork()
    if child == 0:
        stage(load(arguments[1]), tmp_path / "run")
        os._exit(0)
    assert os.waitpid(child, os.WNOHANG) == (0, 0)
    assert not list(staged.glob("*.json"))
    process.kill()  # its input stays open in the child
    process.wait()
    assert os.waitpid(child, 0)[1] == 0
    assert len(list(staged.glob("*.json"))) == 1
