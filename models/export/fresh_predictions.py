"""What goes into a fresh process that serves a model, and what comes out; needs NumPy alone.

A folder holds it: `task.json`, `columns.npz`, `examples.tfrecord`; then, from the process,
`candidate.npz` and, when there is a live version, `live.npz`.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

EXAMPLES_FILE = "examples.tfrecord"
_TASK_FILE = "task.json"
_COLUMNS_FILE = "columns.npz"


@dataclass(frozen=True)
class Task:
    """What the process does.

    Attributes:
      candidate: Folder of the model to be served.
      live: Folder of the version that is live; None when there is none.
      sample: The first rows, which are predicted by both signatures and timed.
      columns: Names of the raw columns.
    """

    candidate: str
    live: str | None
    sample: int
    columns: tuple[str, ...]


@dataclass(frozen=True)
class FreshPredictions:
    """What a model predicted.

    Attributes:
      probabilities: [rows], or [rows, K] for K > 2 classes, of serialized examples; at the edge, of
        raw columns.
      by_column: [sample] or [sample, K], of named columns; at the edge the first `probabilities`.
      latency_ms: Median time of single requests, after a warm-up.
      classes: In the order of the answers, where the model names them; a server model of two does
        not.
    """

    probabilities: np.ndarray
    by_column: np.ndarray
    latency_ms: float
    classes: tuple[str, ...] = ()


def write_task(folder: Path, task: Task, columns: Mapping[str, np.ndarray]) -> None:
    """Writes what the process needs besides `EXAMPLES_FILE`."""
    arrays = [columns[name] for name in task.columns]
    numbered = {
        f"c{n}": values.astype(str) if values.dtype == object else values
        for n, values in enumerate(arrays)
    }
    np.savez(folder / _COLUMNS_FILE, **numbered)
    (folder / _TASK_FILE).write_text(json.dumps(asdict(task)), encoding="utf-8")


def read_task(folder: Path) -> tuple[Task, dict[str, np.ndarray]]:
    """The task, and its raw columns by name."""
    values = json.loads((folder / _TASK_FILE).read_text("utf-8"))
    task = Task(**{**values, "columns": tuple(values["columns"])})
    with np.load(folder / _COLUMNS_FILE) as arrays:
        return task, {name: arrays[f"c{n}"] for n, name in enumerate(task.columns)}


def write_predictions(folder: Path, name: str, predictions: FreshPredictions) -> None:
    """Writes what the model `name` (candidate or live) predicted, whole or not at all."""
    scratch = folder / f".{name}.npz"
    values = asdict(predictions) | {"classes": np.array(predictions.classes, str)}
    np.savez(scratch, **values)
    scratch.rename(folder / f"{name}.npz")


def read_predictions(folder: Path, name: str) -> FreshPredictions | None:
    """What the model `name` predicted; None when the process did not come so far."""
    if not (folder / f"{name}.npz").is_file():
        return None
    with np.load(folder / f"{name}.npz") as arrays:
        latency = float(arrays["latency_ms"])
        classes = tuple(arrays["classes"].tolist())
        return FreshPredictions(arrays["probabilities"], arrays["by_column"], latency, classes)
