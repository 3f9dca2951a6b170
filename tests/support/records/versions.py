"""Versions of a model, as a push leaves them."""

from pathlib import Path

from core import version_record
from core.targets import TARGETS
from core.version_record import VersionRecord

NAME = "census"


def make_version(
    folder: Path, number: int, run_id: str | None = "run", target: str = "server"
) -> Path:
    """A served version, with a record where `run_id` is given."""
    path = TARGETS[target].served(folder, NAME) / str(number)
    path.mkdir(parents=True)
    (path / "saved_model.pb").write_text(f"graph {number}")
    if run_id is not None:
        record = VersionRecord(run_id, "2026-01-02T03:04:05Z", f"digest {number}")
        version_record.write_record(path, record)
    return path
