"""A fresh process that runs an edge bundle as a device does: `python -m ... FOLDER`.

Imports NumPy and the interpreter. FOLDER: see `models/export/fresh_predictions.py`.
"""

import sys
from pathlib import Path

import numpy as np

from core.answers import by_row
from core.errors import InputError
from models.export.device import features, load_interpreter, read_bundle
from models.export.fresh_predictions import FreshPredictions, read_task, write_predictions
from models.export.measurement import median_latency_us

_REPEATS = 50


def predict(folder: Path, columns: dict[str, np.ndarray], sample: int) -> FreshPredictions:
    """Predicts from raw columns, and times single rows, their preprocessing included."""
    bundle = read_bundle(folder)
    signature = bundle["signature"]
    runner = load_interpreter(folder).get_signature_runner(signature["name"])
    probabilities = by_row(runner(**features(bundle, columns))[signature["output"]])
    one = {name: values[:1] for name, values in columns.items()}
    latency = median_latency_us(lambda: runner(**features(bundle, one)), _REPEATS) / 1000.0
    classes = tuple(bundle.get("classes", ()))
    return FreshPredictions(probabilities, probabilities[:sample], latency, classes)


def main(folder: Path) -> None:
    """Predicts with the candidate, then with the live version."""
    task, columns = read_task(folder)
    for name, model in (("candidate", task.candidate), ("live", task.live)):
        if model is not None:
            write_predictions(folder, name, predict(Path(model), columns, task.sample))


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except InputError as error:
        sys.exit(str(error))
