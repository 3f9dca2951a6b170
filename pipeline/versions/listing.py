"""The list of model versions, for people and as JSON."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict
from rich.table import Table

from core.errors import InputError
from pipeline.report import summary
from pipeline.report.findings import TARGETS
from pipeline.versions.served import Status, Version, versions

_HEADLINES = ("auc", "accuracy", "f1")


class VersionEvent(BaseModel):
    """What was done to a version; see `core.version_record.Event`."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    what: str
    at: str
    by: str
    reason: str
    live: int


class VersionRow(BaseModel):
    """One line of the list; `metrics` are on the test split of the run that pushed the version."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    target: summary.Target
    version: int
    status: Status
    path: str
    run_id: str | None
    pushed_at: str | None
    model_sha256: str | None
    metrics: dict[str, float | None]
    events: list[VersionEvent]


def list_versions(folder: Path, name: str) -> list[VersionRow]:
    """All versions of both targets, the newest of each first; paths are relative to `folder`."""
    return [
        VersionRow(
            target=target,
            version=version.version,
            status=version.status,
            path=str(version.path.relative_to(folder)),
            run_id=version.run_id,
            pushed_at=version.pushed_at,
            model_sha256=version.model_sha256,
            metrics=_metrics(folder, target, version),
            events=[VersionEvent.model_validate(event) for event in version.events],
        )
        for target in TARGETS
        for version in versions(folder, name, target)
    ]


def _metrics(folder: Path, target: summary.Target, version: Version) -> dict[str, float | None]:
    if version.run_id is None:
        return {}
    try:
        run = summary.read(summary.path_of(folder, version.run_id))
    except InputError:
        return {}
    model = run.models.get(run.targets[target])
    return {name: model.metrics.get(name) for name in _HEADLINES} if model else {}


def versions_table(rows: list[VersionRow]) -> Table:
    """The list for people."""
    table = Table("target", "version", "status", "run", "pushed", *_HEADLINES, "why")
    for row in rows:
        values = [row.metrics.get(name) for name in _HEADLINES]
        numbers = ["-" if value is None else f"{value:.4f}" for value in values]
        last = row.events[-1] if row.events else None
        why = f"{last.what} {last.at} by {last.by}: {last.reason}" if last else ""
        cells = (row.target, str(row.version), row.status, row.run_id or "-", row.pushed_at or "-")
        table.add_row(*cells, *numbers, why)
    return table
