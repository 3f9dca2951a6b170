"""What references answer to rows, kept by row id: two nodes may read the rows in another order."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from core.names import ROW_ID

ANSWERS_FILE = "answers.npz"


def write_answers(folder: Path, row_ids: np.ndarray, answers: Mapping[str, np.ndarray]) -> None:
    """Writes answers, each [rows] or [rows, K], of rows with these ids, str [rows]."""
    ids = np.array(row_ids.tolist(), str)
    np.savez_compressed(folder / ANSWERS_FILE, **{ROW_ID: ids}, **answers)


def read_answers(folder: Path, row_ids: np.ndarray) -> dict[str, np.ndarray]:
    """What each reference answers to some rows, in the order of their ids.

    Raises:
      KeyError: A row was not asked.
    """
    with np.load(folder / ANSWERS_FILE) as stored:
        answers = {name: stored[name] for name in stored.files}
    place = {row_id: at for at, row_id in enumerate(answers.pop(ROW_ID).tolist())}
    order = [place[row_id] for row_id in row_ids.tolist()]
    return {name: values[order] for name, values in answers.items()}
