"""What reads a pushed edge bundle elsewhere: the files of a runner, written into a folder."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from core.errors import InputError
from core.names import EDGE_MODEL_FILE, PREPROCESSING_FILE
from models.bundle.manifest import damaged
from models.export.clients.c99 import write_c99
from models.export.clients.delivered import put_runner, put_web_client
from models.export.device import read_bundle

_MANIFEST = "manifest.json"


def export_client(bundle: Path, form: str, folder: Path) -> list[str]:
    """Writes a client of a bundle; all of its files or none.

    Args:
      bundle: Folder of an edge bundle.
      form: One of FORMS.
      folder: Where the files go: made here, or empty.

    Returns:
      Names of the files.

    Raises:
      InputError: The folder cannot be written into, the bundle is damaged, or it has what the form
        cannot express.
    """
    named, folder = folder, folder.resolve()
    if not folder.parent.is_dir():
        raise InputError(f"--output {named}: there is no folder {folder.parent}; make it first")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"--output {named}: is there and not an empty folder; name another")
    read_bundle(bundle)
    if not (bundle / EDGE_MODEL_FILE).is_file():
        raise InputError(damaged(bundle / EDGE_MODEL_FILE, "it is gone"))
    aside = folder.with_name(f".{folder.name}.incoming")
    try:
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir()
        FORMS[form](bundle, aside)
        aside.replace(folder)
    except OSError as error:
        why = f"cannot be written: {error.strerror or error}"
        raise InputError(f"--output {named}: {why}; name a folder elsewhere") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return sorted(path.name for path in folder.iterdir())


def _write_python(bundle: Path, folder: Path) -> None:
    _copy(bundle, folder)
    put_runner(folder)


def _write_web(bundle: Path, folder: Path) -> None:
    _copy(bundle, folder)
    put_web_client(folder)


def _copy(bundle: Path, folder: Path) -> None:
    """The bundle as a device needs it."""
    for name in (EDGE_MODEL_FILE, PREPROCESSING_FILE, _MANIFEST):
        if (bundle / name).is_file() or name != _MANIFEST:
            shutil.copyfile(bundle / name, folder / name)


FORMS: Mapping[str, Callable[[Path, Path], None]] = {
    "python": _write_python,
    "web": _write_web,
    "c99": write_c99,
}
"""What writes each form, from a bundle into a folder."""
