"""Runs a module in a process of its own that knows nothing of this one, and says how it ended."""

import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import tensorflow as tf

from core.files import REPOSITORY
from models.export import lean_process
from models.export.fresh_predictions import (
    EXAMPLES_FILE,
    FreshPredictions,
    Task,
    read_predictions,
    write_task,
)
from models.export.raw_rows import RawRows

_LAST_LINES = 3


@dataclass(frozen=True)
class Problem:
    """How a process ended that did not end well.

    Attributes:
      text: In words.
      cut_off: Whether it was ended from outside: its time was up, or SIGKILL (memory was short).
    """

    text: str
    cut_off: bool = False


@dataclass(frozen=True)
class Served:
    """What a fresh process predicted.

    Attributes:
      candidate: Predictions of the candidate; None when the process did not come so far.
      live: Predictions of the live version; None without one, or when the process ended before.
      problem: How the process ended when it did not end well, else None.
    """

    candidate: FreshPredictions | None
    live: FreshPredictions | None
    problem: Problem | None


def serve(module: str, folder: Path, task: Task, rows: RawRows, time_limit: float) -> Served:
    """Has a fresh process predict rows, candidate first, then live version.

    Args:
      module: `models.export.predict_server` or `models.export.predict_edge`.
      folder: An empty folder for what goes in and comes out.
      task: Which models.
      rows: The requests.
      time_limit: Seconds after which the process is killed.
    """
    write_task(folder, task, rows.columns)
    with tf.io.TFRecordWriter(str(folder / EXAMPLES_FILE)) as writer:
        for example in rows.examples:
            writer.write(example)
    problem = run(module, [str(folder)], time_limit)
    return Served(read_predictions(folder, "candidate"), read_predictions(folder, "live"), problem)


def run(module: str, arguments: list[str], time_limit: float) -> Problem | None:
    """Runs `python -m module arguments`; how it ended when that was not well, else None."""
    try:
        ended = subprocess.run(
            [sys.executable, "-m", lean_process.__name__, module, *arguments],
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=time_limit,
            check=False,
        )
    except subprocess.TimeoutExpired:
        text = f"the process gave no answer within {time_limit:g} s and was ended"
        return Problem(text, cut_off=True)
    if ended.returncode == 0:
        return None
    lines = ended.stderr.decode("utf-8", "replace").strip().splitlines()
    said = " / ".join(line.strip() for line in lines[-_LAST_LINES:] if line.strip())
    if ended.returncode < 0:
        how = f"the process was ended by {signal.Signals(-ended.returncode).name}"
    else:
        how = f"the process failed with exit code {ended.returncode}"
    killed = ended.returncode == -signal.SIGKILL
    return Problem(f"{how}: {said}" if said else how, cut_off=killed)
