"""TFX's own taxi example, laid out as it asks for and run unchanged.

Eight nodes and a resolver on 15,002 rows; no labelling, tuning, compression or fairness slices.
"""

import importlib.metadata
import shutil
import sys
import venv
from pathlib import Path

from benchmarks.measure import Cost, run

PEER = "TFX's taxi example (8 nodes, 15,002 rows), cold"
_PIPELINE = "taxi_pipeline_native_keras.py"
_MODULE = "taxi_utils_native_keras.py"


def run_peer(folder: Path) -> Cost:
    """Runs the example in a home directory of its own.

    Args:
      folder: Empty; data, code, pipeline root and metadata of the example go there.

    Raises:
      MeasurementError: It failed.
    """
    distribution = importlib.metadata.distribution("tfx")
    shipped = Path(str(distribution.locate_file("tfx/examples/chicago_taxi_pipeline")))
    taxi = folder / "taxi"
    shutil.copytree(shipped / "data", taxi / "data")
    shutil.copy(shipped / _MODULE, taxi)
    environment = {"HOME": str(folder), "PYTHONPATH": str(_make_pip(folder / "pip"))}
    return run([sys.executable, str(shipped / _PIPELINE)], taxi, environment)


def _make_pip(folder: Path) -> Path:
    """A folder with pip and nothing else: the example's module files are installed by it."""
    venv.create(folder / "venv", with_pip=True)
    [pip] = (folder / "venv").glob("lib/python*/site-packages/pip")
    return Path(shutil.move(pip, folder / "pip")).parent
