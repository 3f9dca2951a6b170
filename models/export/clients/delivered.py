"""Files of this folder that are delivered as they are."""

import shutil
from pathlib import Path

from core.names import EDGE_RUNNER_FILES

WEB_FILES = ("index.html", "edge.js", "tflite.js", "operations.js")
"""A page that answers with a bundle in a browser, and the modules that it imports."""

_FOLDER = Path(__file__).parent


def put_runner(bundle: Path) -> None:
    """Puts the runner in Python, EDGE_RUNNER_FILES, into an edge bundle."""
    _put(EDGE_RUNNER_FILES, bundle)


def put_web_client(folder: Path) -> None:
    """Puts WEB_FILES beside a bundle's files."""
    _put(WEB_FILES, folder)


def _put(names: tuple[str, ...], folder: Path) -> None:
    for name in names:
        shutil.copyfile(_FOLDER / name, folder / name)
