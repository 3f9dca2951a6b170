"""Past runs, from ML Metadata and their summaries."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict
from rich.table import Table

from core import lock
from core.errors import InputError
from pipeline.metadata.store import open_store
from pipeline.report import summary
from pipeline.report.findings import NOT_YET, STOPPED
from pipeline.report.markup import escape
from pipeline.report.summary import Summary


class RunRow(BaseModel):
    """One line of the list of runs; `pushed` names the targets whose model was pushed."""

    model_config = ConfigDict(frozen=True)

    run_id: str
    config: str
    state: summary.State | Literal["UNKNOWN"]
    seconds: float | None
    pushed: list[str]


def run_ids(folder: Path) -> list[str]:
    """Ids of all runs under <root>/<name>, the oldest first."""
    known = {path.parent.name for path in folder.glob(f"reports/*/{summary.FILE}")}
    if store := open_store(folder):
        known.update(store.run_ids())
    return sorted(known)


def read_run(folder: Path, run_id: str | None) -> Summary:
    """The summary of a run, or of the last one.

    A run that says RUNNING while nobody holds the lock was killed: it is INTERRUPTED.

    Raises:
        InputError: there is no such run.
    """
    known = run_ids(folder)
    if not known:
        raise InputError(f"{folder}: no runs there yet; start one with `run`")
    if run_id is not None and run_id not in known:
        raise InputError(f"there is no run {run_id} under {folder}; the last ones: {known[-5:]}")
    found = summary.read(summary.path_of(folder, run_id or known[-1]))
    running = lock.is_held(folder / lock.FILE) and found.run_id == known[-1]
    return found if running or found.state != "RUNNING" else _interrupted(found)


def _interrupted(found: Summary) -> Summary:
    pushed = {
        target: push.model_copy(update={"why": STOPPED}) if push.why == NOT_YET else push
        for target, push in found.pushed.items()
    }
    return found.model_copy(update={"state": "INTERRUPTED", "pushed": pushed})


def list_runs(folder: Path) -> list[RunRow]:
    """All runs, the newest first."""
    return [_row(folder, run_id) for run_id in reversed(run_ids(folder))]


def _row(folder: Path, run_id: str) -> RunRow:
    try:
        found = read_run(folder, run_id)
    except InputError:
        return RunRow(run_id=run_id, config="", state="UNKNOWN", seconds=None, pushed=[])
    pushed = [target for target, push in found.pushed.items() if push.version is not None]
    return RunRow(
        run_id=run_id,
        config=found.config,
        state=found.state,
        seconds=found.seconds,
        pushed=list(pushed),
    )


def runs_table(rows: list[RunRow]) -> Table:
    """The list for people."""
    table = Table("run", "config", "state", "seconds", "pushed")
    for row in rows:
        seconds = "-" if row.seconds is None else f"{row.seconds:.1f}"
        cells = (row.run_id, row.config, row.state, seconds, ", ".join(row.pushed) or "-")
        table.add_row(*map(escape, cells))
    return table
