"""The scheduler with the real `retrain`: looks once, finds no reason, remembers the slot."""

import json
import subprocess
import sys
from pathlib import Path

from core.files import REPOSITORY


def schedule(root: Path, *arguments: str) -> tuple[int, list[dict]]:
    """Exit code and log of `schedule --once`; every line of standard output has to be JSON."""
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "schedule", "--once", "--config", "smoke",
         "--root", str(root), *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def test_a_slot_is_looked_at_once(root: Path, cold: str) -> None:
    code, log = schedule(root)
    assert code == 0, log
    said = [line["message"] for line in log if line["logger"] == "retrain"]
    assert "decision: nothing" in said
    assert (log[-1]["message"], log[-1]["exit_code"]) == ("ended", 0)
    state = json.loads((root / "smoke" / "schedule.json").read_text())
    assert state["last"]["slot"] == state["last_slot"] == log[0]["slot"].replace("+00:00", "Z")
    assert schedule(root) == (0, [])


def test_bad_input_is_told_by_the_child_alone(tmp_path: Path) -> None:
    told = tmp_path / "told"
    hook = f'notify.command=["sh", "-c", "cat >>{told}; echo >>{told}"]'
    nowhere = f"data.folder={tmp_path}/nowhere"
    code, log = schedule(tmp_path, "--set", hook, "--set", nowhere)
    assert code == 2, log
    assert log[-1]["failures"] == 1
    [notice] = [json.loads(line) for line in told.read_text().splitlines() if line]
    assert notice["event"] == "failure"
    assert str(tmp_path / "nowhere") in notice["failure"]["cause"]
    assert "retrain" in notice["failure"]["resume"]
