"""Keeps a run's summary.json up to date while the run goes on."""

import contextlib
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ml_metadata.errors import StatusError

from core.config import Config
from core.targets import TARGETS
from models.frontier.record import AUTO
from pipeline.cards.beside import put_beside
from pipeline.ingestion.contract import contract_sha256
from pipeline.ingestion.staging import Staged
from pipeline.metadata.executions import Execution
from pipeline.metadata.store import open_store
from pipeline.report import config_file, findings, summary
from pipeline.report.notes import notes
from pipeline.run.events import DamageFound, Event, NodeFinished, NodeStarted
from pipeline.run.failures import Failure
from pipeline.run.fingerprint import run_code_sha256
from pipeline.run.usage import Usage

_RUN_ID = "%Y%m%dT%H%M%SZ"


def new_run_id(
    known: Iterable[str], now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> str:
    """The present second in UTC, 20260102T030405Z; later than every known one, also when the clock
    has been set back.
    """
    last = max(known, default="")
    while (run_id := now().strftime(_RUN_ID)) == last:
        time.sleep(0.1)
    if run_id > last:
        return run_id
    return (datetime.strptime(last, _RUN_ID) + timedelta(seconds=1)).strftime(_RUN_ID)


@dataclass(frozen=True)
class Run:
    """What is known of a run before its first node.

    config_name: as given on the command line.
    folder: <root>/<name>.
    """

    run_id: str
    config_name: str
    config: Config
    staged: Staged
    folder: Path


class Recorder:
    """Writes a run's summary at its start, after every node and at its end; its cards beside it."""

    def __init__(self, run: Run, usage: Usage) -> None:
        self._run = run
        self._usage = usage
        self._path = summary.path_of(run.folder, run.run_id)
        self._nodes: dict[str, summary.Node] = {}
        self._executions: list[Execution] = []
        self._damaged: list[str] = []
        self._upstream: dict[str, list[str]] = {}
        self._cpu_at_start: dict[str, float] = {}
        self._code_sha256 = run_code_sha256(run.config)
        self._config_sha256 = run.config.config_sha256

    def on_event(self, event: Event) -> None:
        """Takes note of a node that starts or has ended, and of damage."""
        cpu = self._usage.cpu_seconds()
        if isinstance(event, NodeStarted):
            self._cpu_at_start[event.node] = cpu
        elif isinstance(event, DamageFound):
            self._damaged.append(event.text)
        else:
            self._note(event, cpu)

    def _note(self, event: NodeFinished, cpu: float) -> None:
        self._nodes[event.node] = summary.Node(
            state=event.state,
            seconds=round(event.seconds, 3),
            # A node that was skipped has not started.
            cpu_seconds=round(cpu - self._cpu_at_start.get(event.node, cpu), 3),
            execution_id=event.execution_id,
        )
        if event.state in ("RAN", "CACHED"):
            self.write("RUNNING")

    def start(self) -> None:
        """Writes the configuration down, and the summary of a run that has come to no node."""
        run = self._run
        config_file.write(run.config, config_file.path_of(run.folder, run.run_id))
        self.write("RUNNING")

    def on_wired(self, upstream: Mapping[str, Iterable[str]]) -> None:
        """Takes note of the DAG: of each node, in their order, those that it waits for."""
        self._upstream = {node: sorted(waited_for) for node, waited_for in upstream.items()}

    def write(self, state: summary.State) -> summary.Summary:
        """Writes the summary as it stands."""
        self._read_metadata()
        written = self._summarize(state, None, None)
        summary.write(written, self._path)
        put_beside(self._executions, self._path.parent)
        return written

    def write_if_possible(
        self, state: summary.State, failure: Failure | None = None, node: str | None = None
    ) -> summary.Summary:
        """Writes the summary of a run that ended early; on a full disk, only returns it.

        Where the metadata cannot be read either, it says what was known after the last node.
        """
        with contextlib.suppress(OSError, StatusError):
            self._read_metadata()
        written = self._summarize(state, failure, node)
        with contextlib.suppress(OSError):
            summary.write(written, self._path)
        return written

    def _read_metadata(self) -> None:
        if store := open_store(self._run.folder):
            self._executions = store.executions(self._run.run_id)
            base = findings.base_model(self._executions)
            self._base_run = store.run_of(str(self._run.folder / base)) if base else None

    def _summarize(
        self, state: summary.State, failure: Failure | None, node: str | None
    ) -> summary.Summary:
        run, config = self._run, self._run.config
        found = findings.collect(
            self._executions, run.folder, state == "RUNNING", config.labeling.gates
        )
        labels = summary.LabelSummary(**found.labels) if found.labels else None
        training = None
        if found.training:
            training = summary.TrainingStart(from_run=self._base_run, **found.training)
        models = {name: summary.MeasuredModel(**row) for name, row in found.models.items()}
        targets = {name: config.variant_of(name) for name in TARGETS}
        targets |= {name: choice.variant for name, choice in found.choices.items()}
        targets = {name: variant for name, variant in targets.items() if variant != AUTO}
        return summary.Summary(
            format=summary.FORMAT,
            run_id=run.run_id,
            config=run.config_name,
            config_sha256=self._config_sha256,
            code_sha256=self._code_sha256,
            seed=config.seed,
            state=state,
            seconds=round(self._usage.seconds(), 1),
            cpu_seconds=round(self._usage.cpu_seconds(), 1),
            peak_rss_mb=round(self._usage.peak_rss_mb(), 1),
            data=_data(run.staged, config),
            damaged=list(self._damaged),
            labels=labels,
            features=found.features,
            tuner=found.tuner,
            search=found.search,
            training=training,
            nodes=self._nodes,
            upstream=self._upstream,
            models=models,
            references={n: summary.MeasuredReference(**r) for n, r in found.references.items()},
            targets=targets,
            choices=found.choices,
            gates=found.gates,
            push_checks=found.push_checks,
            pushed=found.pushed,
            notes=[
                *(choice.note for choice in found.choices.values() if choice.note),
                *notes(labels, models, targets, found.gates, training, found.explained),
            ],
            failure=failure and replace(failure, node=node),
        )


def _data(staged: Staged, config: Config) -> summary.RunData:
    return summary.RunData(
        spans=list(staged.spans),
        rows=staged.rows,
        files={file.name: file.sha256 for file in staged.files},
        contract_sha256=contract_sha256(config),
        held_back=list(staged.held_back),
        reported=list(staged.reported),
    )
