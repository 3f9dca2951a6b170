"""The manifest of an edge bundle: which files it has, so that a damaged one is named.

`manifest.json`: `format`; `variant`; `files`, by name the `bytes` and `sha256` of each;
`preprocessing_format`; `inputs_sha256`, the hash of what makes the model's inputs of raw columns,
which is the same of all variants of a student; and `made_by` (models/bundle/made_by.py). Nothing in
it depends on when or where it was written.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.errors import InputError
from core.names import EDGE_MODEL_FILE, MANIFEST_FILE, PREPROCESSING_FILE

FORMAT = 1
_OF_THE_MODEL = ("variant", "signature", "threshold", "thresholds")


def inputs_sha256(document: Mapping[str, Any]) -> str:
    """SHA-256 of what a bundle's `preprocessing.json` says of the model's inputs.

    The model's own name, signature and decisions are left out.
    """
    inputs = {key: value for key, value in document.items() if key not in _OF_THE_MODEL}
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()


def manifest_of(folder: Path, made_by: Mapping[str, str | int | None]) -> dict[str, Any]:
    """The manifest of a bundle whose other files are there, as JSON values.

    Args:
      folder: The bundle.
      made_by: Versions of what wrote its TFLite file.
    """
    document = json.loads((folder / PREPROCESSING_FILE).read_text(encoding="utf-8"))
    files = {
        name: {"bytes": (folder / name).stat().st_size, "sha256": _sha256(folder / name)}
        for name in (EDGE_MODEL_FILE, PREPROCESSING_FILE)
    }
    return {
        "format": FORMAT,
        "variant": document.get("variant"),
        "files": files,
        "preprocessing_format": document.get("format"),
        "inputs_sha256": inputs_sha256(document),
        "made_by": dict(made_by),
    }


def check_bundle(folder: Path) -> None:
    """Holds a bundle's files against its manifest; one that was made without a manifest passes.

    Raises:
      InputError: A file is gone or is not as it was written; or the manifest itself.
    """
    path = folder / MANIFEST_FILE
    if not path.is_file():
        return
    try:
        content = json.loads(path.read_bytes())
        files = {str(name): str(told["sha256"]) for name, told in content["files"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError(damaged(path, "no manifest can be read of it")) from None
    if content.get("format") != FORMAT:
        raise InputError(
            f"{path}: format {content.get('format')}, and this code reads {FORMAT}; push the "
            "bundle anew"
        )
    for name, told in files.items():
        file = folder / name
        if not file.is_file():
            raise InputError(damaged(file, f"it is gone, and {MANIFEST_FILE} names it"))
        if (digest := _sha256(file)) != told:
            raise InputError(damaged(file, f"its SHA-256 is {digest}, {MANIFEST_FILE} says {told}"))


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def damaged(file: Path, what: str) -> str:
    """What is said of a damaged file of a bundle."""
    return f"{file}: damaged: {what}; copy the bundle anew, or roll back"
