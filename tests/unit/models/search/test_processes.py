"""Trials side by side: the same results, and a process that dies takes one trial with it."""

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from models.network.training import Plan
from models.search import processes
from models.search.processes import TrialProcesses
from models.search.trials import SearchRows, TrialTask, run
from tests.support.search.searched import DEFAULTS, search, told_of
from tests.support.tiny_rows import INPUTS, make_rows

ROWS = SearchRows(INPUTS, make_rows(200), make_rows(100, seed=2))


def task(epochs: int, seed: int = 1, deadline: float | None = None) -> TrialTask:
    return TrialTask(DEFAULTS, Plan(epochs, 32, 0.02, seed), deadline=deadline, keeps_weights=True)


def test_side_by_side_gives_what_one_after_another_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    told: dict[str, Any] = {"search": "automl", "trials": 3, "seeds": 1}
    reports = [
        told_of(search(tmp_path / str(n), make_rows(300), processes=n, **told).report())
        for n in (1, 2)
    ]
    assert reports[0] == reports[1]
    assert reports[0]["comparison"] is not None


def test_a_process_that_is_killed_is_a_failed_trial() -> None:
    runner = TrialProcesses(ROWS, 1)
    killer = threading.Thread(target=kill_the_first_child)
    killer.start()
    try:
        killed, next_one = runner.run([task(epochs=10_000_000), task(epochs=1)])
    finally:
        killer.join()
        runner.close()
    assert killed.loss is None
    assert killed.message == "the process of the trial was ended by SIGKILL"
    assert next_one.loss == run(task(epochs=1), ROWS).loss


def trial_processes() -> list[psutil.Process]:
    children = psutil.Process().children()
    return [child for child in children if "spawn_main" in " ".join(child.cmdline())]


def kill_the_first_child() -> None:
    """Kills a child of this process that has trained for a while."""
    for _ in range(600):
        children = trial_processes()
        if children and children[0].cpu_times().user > 1:
            os.kill(children[0].pid, signal.SIGKILL)
            return
        time.sleep(0.1)


def test_a_process_whose_epoch_goes_on_after_the_deadline_is_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(processes, "_GRACE", 0.0)
    runner = TrialProcesses(ROWS, 1)
    try:
        soon = time.monotonic() + 0.2  # it has not loaded TensorFlow by then
        outcomes = runner.run([task(1, deadline=soon), task(1, deadline=soon)])
    finally:
        runner.close()
    assert [outcome.in_time for outcome in outcomes] == [False, False]
    assert "it was ended" in str(outcomes[0].message)
    assert "before it began" in str(outcomes[1].message)
    assert not trial_processes()
