"""One run of the DAG: lock, staging, nodes, summary."""

import contextlib
import errno
import signal
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ml_metadata.errors import StatusError

from core import lock
from core.config import Config
from core.errors import InputError
from pipeline.ingestion.staging import Staged, stage
from pipeline.ingestion.window import Window
from pipeline.metadata import seal
from pipeline.metadata.connection import connection_config, settle
from pipeline.metadata.data_record import pipeline_context, record_data
from pipeline.metadata.store import Metadata, open_store
from pipeline.report.history import run_ids
from pipeline.report.summary import Summary
from pipeline.run.environment import keeping, prepare
from pipeline.run.events import DamageFound, Event, Listener, NodeError, NodeStarted
from pipeline.run.failures import Failure, explain, is_disk_full
from pipeline.run.fingerprint import run_code_sha256
from pipeline.run.recorder import Recorder, Run, new_run_id
from pipeline.run.signals import Interrupted, interruptible
from pipeline.run.usage import Usage
from pipeline.versions.reconcile import forget_damaged, forget_deleted, mend_versions

if TYPE_CHECKING:
    from tfx.dsl.components.base.base_node import BaseNode
    from tfx.orchestration.pipeline import Pipeline

Builder = Callable[[Config, Staged, Path], "Pipeline"]


@dataclass(frozen=True)
class RunRequest:
    """A run that was asked for.

    config_name: as given on the command line.
    root: the folder of runs.
    command: what was typed, to be typed again after a failure.
    window: the spans to take; None: those that are there when the run starts.
    notes: what ML Metadata is to say of the run besides.
    """

    config_name: str
    config: Config
    root: Path
    command: str
    window: Window | None = None
    notes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RunOutcome:
    """How a run ended.

    signal: number of the signal that interrupted it.
    """

    summary: Summary
    failure: Failure | None
    signal: int | None


def build_dag(config: Config, staged: Staged, folder: Path) -> "Pipeline":
    """Wires the DAG."""
    from pipeline.dag import create_pipeline  # loads TensorFlow

    return create_pipeline(config, staged, folder)


def execute(
    request: RunRequest, build: Builder, listener: Listener, tell: Callable[[str], None]
) -> RunOutcome:
    """Runs a pipeline once.

    Args:
        request: what to run.
        build: makes the pipeline from configuration, staged data and <root>/<name>.
        listener: is told of each node.
        tell: is told what goes on before the first node.

    Raises:
        InputError: configuration, data or root are at fault; nothing was run.
        LockHeldError: another run is under way.
    """
    folder = (request.root / request.config.name).resolve()
    _check_writable(folder, request.root)
    with (
        lock.hold(folder / lock.FILE),
        seal.writing(folder),
        interruptible() as signals,
        Usage() as usage,
    ):
        settle(request.config, folder)
        tell("staging the data")
        staged = stage(request.config, folder, request.window)
        run_id = _register(request, staged, folder)
        run = Run(run_id, request.config_name, request.config, staged, folder)
        recorder = Recorder(run, usage)
        tell(f"run {run.run_id}: loading TensorFlow")
        return _run(run, request, build, recorder, listener, signals)


def _register(request: RunRequest, staged: Staged, folder: Path) -> str:
    """Writes the run and its data down; its id, on a server one that no other run has."""
    config = request.config
    properties = {
        "config": request.config_name,
        "config_sha256": config.config_sha256,
        "code_sha256": run_code_sha256(config),
        "seed": str(config.seed),
        "staged_data": staged.path,
        **request.notes,
    }
    try:
        store = Metadata(folder, writable=True)
        store.bring_home()
        known = run_ids(folder)
        while not store.register_run(run_id := new_run_id(known), properties):
            known.append(run_id)
        record_data(store.store, pipeline_context(store.store, config.name), staged, folder)
        return run_id
    except (StatusError, RuntimeError) as error:
        if is_disk_full(error):
            raise OSError(errno.ENOSPC, str(error)) from error
        raise


def _run(
    run: Run,
    request: RunRequest,
    build: Builder,
    recorder: Recorder,
    listener: Listener,
    signals: list[int],
) -> RunOutcome:
    def on_event(event: Event) -> None:
        if signals and isinstance(event, NodeStarted):
            raise Interrupted(signals[0])  # the node before swallowed it
        recorder.on_event(event)
        listener(event)

    try:
        recorder.start()
        _launch(run, build, recorder, on_event)
        return RunOutcome(recorder.write("COMPLETE"), None, None)
    except (KeyboardInterrupt, Exception) as error:
        if not signals and isinstance(error, Exception):
            return _failed(error, request, recorder)
        with contextlib.suppress(OSError, StatusError):  # the next run does it, if this one cannot
            _close_unfinished(run.folder)
        number = signals[0] if signals else signal.SIGINT
        return RunOutcome(recorder.write_if_possible("INTERRUPTED"), None, number)


def _failed(error: Exception, request: RunRequest, recorder: Recorder) -> RunOutcome:
    node, cause = None, error.__cause__ if isinstance(error, NodeError) else None
    if isinstance(error, NodeError) and cause is not None:
        node = error.node
    failure = explain(cause or error, request.root, request.command)
    return RunOutcome(recorder.write_if_possible("FAILED", failure, node), failure, None)


def _launch(run: Run, build: Builder, recorder: Recorder, on_event: Listener) -> None:
    with keeping():
        prepare()
        from pipeline.run.runner import NodeRunner  # loads TensorFlow

        _reconcile(run.folder, on_event)
        pipeline = build(run.config, run.staged, run.folder)
    recorder.on_wired({node.id: _ids(node.upstream_nodes) for node in pipeline.components})
    connection = connection_config(run.config, run.folder)
    NodeRunner(run.run_id, run.folder, connection, on_event).run(pipeline)


def _ids(nodes: "Iterable[BaseNode]") -> list[str]:
    return [node.id for node in nodes]


def _reconcile(folder: Path, on_event: Listener) -> None:
    """Has records, artifacts and served versions agree, whatever befell them since the last run."""
    from pipeline.versions.adopt import adopt_versions, skip_taken_ids  # loads TensorFlow

    def tell(text: str) -> None:
        on_event(DamageFound(text))

    store = Metadata(folder, writable=True)
    store.close_unfinished(folder / "artifacts")
    forget_deleted(store)
    mend_versions(store, folder, tell)
    forget_damaged(store, tell)
    skip_taken_ids(folder)
    adopt_versions(store, folder, tell)


def _close_unfinished(folder: Path) -> None:
    """Tidies up after nodes that were cut off; needs the lock."""
    if store := open_store(folder, writable=True):
        store.close_unfinished(folder / "artifacts")


def _check_writable(folder: Path, root: Path) -> None:
    if signs := [sign for sign in "*?[" if sign in str(folder)]:
        raise InputError(
            f"--root {root}: TFX would take '{signs[0]}' in {folder} for a pattern of files; give "
            "a folder whose path has none of * ? ["
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"\0")
    except OSError as error:
        if is_disk_full(error):
            raise
        raise InputError(
            f"--root {root}: cannot be written ({error.strerror}); give a folder that can"
        ) from error
