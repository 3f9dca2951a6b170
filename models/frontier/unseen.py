"""What teachers answer to eval rows that they have not learnt from.

With `trainer.all_rows` both end as trained on the eval rows, too. To these they answer better than
to others, the pruned one, which was trained longest, best; so which of them ships is chosen by
their answers from before.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tf_keras

from core.names import EVAL_ANSWERS_FILE
from models.network.network import answers_of
from models.network.rows import Rows


def write_answers(folder: Path, networks: Mapping[str, tf_keras.Model], rows: Rows) -> None:
    """Writes the answers of networks by their names.

    Args:
      folder: It is there.
      networks: That have not learnt from the rows.
      rows: All of the eval split, in the order of its files.
    """
    answers = {name: answers_of(network, rows) for name, network in networks.items()}
    np.savez(folder / EVAL_ANSWERS_FILE, **answers)


def read_answers(folder: Path, rows: Rows) -> dict[str, np.ndarray]:
    """Reads them: float32 [rows] of two classes, [rows, K] of more, of the rows with a weight.

    Args:
      folder: The one that they were written into.
      rows: The same rows.
    """
    counted = np.flatnonzero(rows.weight[:, 0] > 0)
    with np.load(folder / EVAL_ANSWERS_FILE) as answers:
        return {name: answers[name][counted] for name in answers.files}
