"""Brings ML Metadata, artifacts and served folders into line before a run; needs the run's lock."""

from collections.abc import Callable, Iterable
from pathlib import Path

from core.files import sha256_of, write_atomically
from core.names import FILES_SHA256
from core.targets import TARGETS
from core.version_record import read_record, version_damage, version_folders, withdrawn_folder
from pipeline.metadata.damage import damage_of
from pipeline.metadata.executions import Artifact
from pipeline.metadata.store import Metadata

PUSHED_MODEL, MODEL, BLESSING = "PushedModel", "Model", "ModelBlessing"


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


def mend_versions(store: Metadata, folder: Path, tell: Callable[[str], None]) -> None:
    """Puts damaged files of served versions right from what was pushed.

    Where that is damaged, too, the push is marked as deleted: the run then pushes anew, and goes by
    the version before.

    Args:
        store: opened for writing.
        folder: <root>/<name>.
        tell: is told of each damaged version.
    """
    pushes = store.artifacts(PUSHED_MODEL)
    for target in TARGETS.values():
        for version in version_folders(target.served(folder, folder.name)).values():
            if not (damage := version_damage(version)):
                continue
            here = [a for a in pushes if a.properties.get("pushed_destination") == str(version)]
            if _mend(version, here):
                tell(f"{damage}; it was put right from what was pushed")
            else:
                store.forget_artifacts([artifact.id for artifact in here])
                tell(f"{damage}; this version of the {target.name} model is no longer gone by")


def _mend(version: Path, pushes: Iterable[Artifact]) -> bool:
    """Replaces each damaged file, in one step, by a whole copy; whether all are whole then."""
    record = read_record(version)
    assert record is not None
    for name, digest in record.files.items():
        copies = [Path(push.uri) / name for push in pushes]
        whole = next((c for c in copies if c.is_file() and sha256_of(c) == digest), None)
        if whole is not None:
            (version / name).parent.mkdir(parents=True, exist_ok=True)
            write_atomically(version / name, whole.read_bytes())
    return version_damage(version) is None


def forget_damaged(store: Metadata, tell: Callable[[str], None]) -> None:
    """Marks blessed models as deleted whose files are damaged or gone: none is a baseline then.

    Args:
        store: opened for writing.
        tell: is told of each of them.
    """
    blessings = store.artifacts(BLESSING)
    blessed = {a.properties.get("current_model_id") for a in blessings if a.properties["blessed"]}
    damaged = []
    for model in store.artifacts(MODEL):
        if model.id in blessed:
            noted = str(model.properties.get(FILES_SHA256, ""))
            if damage := damage_of(model.uri, noted):
                tell(f"{damage}; that model is no longer gone by")
                damaged.append(model.id)
    store.forget_artifacts(damaged)
