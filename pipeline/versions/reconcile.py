"""Brings ML Metadata into line with the served folders before a run."""

from pathlib import Path

from core.version_record import withdrawn_folder
from pipeline.metadata.store import Metadata

PUSHED_MODEL = "PushedModel"


def forget_deleted(store: Metadata) -> list[int]:
    """Marks pushes as deleted whose version is gone, so that no cached one stands for it.

    A version that was rolled back is not gone.

    Args:
        store: opened for writing.

    Returns:
        The numbers of those versions.
    """
    gone = {}
    for artifact in store.artifacts(PUSHED_MODEL):
        if not artifact.properties.get("pushed"):
            continue
        version = Path(str(artifact.properties["pushed_destination"]))
        if not version.is_dir() and not (withdrawn_folder(version.parent) / version.name).is_dir():
            gone[artifact.id] = int(version.name)
    store.forget_artifacts(list(gone))
    return list(gone.values())
