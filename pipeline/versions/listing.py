"""The list of model versions, for people and as JSON."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter
from rich.console import Console
from rich.table import Table

from core.errors import InputError
from core.targets import TARGETS
from models.metrics.registry import measured_by
from pipeline.report import summary
from pipeline.report.markup import escape
from pipeline.versions.served import Version, versions


@dataclass(frozen=True)
class VersionRow(Version):
    """One line of the list; `metrics` are on the test split of the run that pushed the version."""

    metrics: dict[str, float | None] = field(default_factory=dict)


ROWS = TypeAdapter(list[VersionRow])


def list_versions(folder: Path, name: str) -> list[VersionRow]:
    """All versions of both targets, the newest of each first; paths are relative to `folder`."""
    found = [(target, each) for target in TARGETS for each in versions(folder, name, target)]
    return [
        VersionRow(
            **{**vars(version), "path": version.path.relative_to(folder)},
            metrics=_metrics(folder, target, version),
        )
        for target, version in found
    ]


def _metrics(folder: Path, target: str, version: Version) -> dict[str, float | None]:
    if version.run_id is None:
        return {}
    try:
        run = summary.read(summary.path_of(folder, version.run_id))
    except InputError:
        return {}
    variant = run.targets.get(target)
    model = run.models.get(variant) if variant else None
    return {n: model.metrics.get(n) for n in measured_by(model.metrics)} if model else {}


def print_versions(out: Console, rows: Sequence[VersionRow]) -> None:
    """The list for people, and below it what last happened to a version by hand."""
    known = measured_by(rows[0].metrics if rows else {})
    titles = [metric.heading for metric in known.values()]
    table = Table("target", "version", "status", "run", "pushed", *titles)
    for row in rows:
        values = [row.metrics.get(name) for name in known]
        numbers = ["-" if value is None else f"{value:.4f}" for value in values]
        cells = (row.target, str(row.version), row.status, row.run_id or "-", row.pushed_at or "-")
        table.add_row(*map(escape, (*cells, *numbers)))
    out.print(table)
    for row in rows:
        if row.events:
            last = row.events[-1]
            what = f"{row.target} {row.version}: {last.what} {last.at} by {last.by}: {last.reason}"
            out.print(escape(what), soft_wrap=True)
