"""Runs, node executions and artifacts of one pipeline, as ML Metadata records them.

Needs ml_metadata alone: nothing here imports TensorFlow, so that reading takes milliseconds. A
store can be read while a run writes to it. One on a server holds other pipelines, too: they are
neither read nor touched.
"""

import shutil
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ml_metadata import MetadataStore
from ml_metadata.errors import AlreadyExistsError
from ml_metadata.proto import metadata_store_pb2 as mlmd

from pipeline.metadata import patience
from pipeline.metadata.connection import SQLITE, connect, recorded_connection, sqlite_connection
from pipeline.metadata.patience import patiently

PIPELINE_CONTEXT = "pipeline"
RUN_CONTEXT = "pipeline_run"
NODE_CONTEXT = "node"
_OWNER = "pipeline_name"  # custom property of a run: whose it is
_UNFINISHED = (mlmd.Execution.NEW, mlmd.Execution.RUNNING, mlmd.Execution.UNKNOWN)
_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class Artifact:
    """An output of an execution; `properties` are the custom ones."""

    id: int
    type_name: str
    uri: str
    properties: dict[str, str | int | float]


@dataclass(frozen=True)
class Execution:
    """One node of one run.

    state: name of ML Metadata's state: COMPLETE, CACHED, FAILED, CANCELED, RUNNING.
    seconds: from registration to the last change.
    outputs: artifacts by output key.
    """

    id: int
    node: str
    state: str
    seconds: float
    outputs: dict[str, list[Artifact]]


def open_store(run_folder: Path, writable: bool = False) -> "Metadata | None":
    """The store of <root>/<name>; None when no run has come as far as to make one.

    Raises:
        InputError: it is on a server, and password, user or database are wrong.
        ServerDownError: the server does not answer.
    """
    if recorded_connection(run_folder) is not None:
        return Metadata(run_folder, writable)
    path = run_folder / SQLITE
    if not path.is_file():
        return None
    wait = patience.SQLITE_WAIT
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", wait, uri=True)) as database:
        question = "SELECT count(*) FROM sqlite_master WHERE name = 'MLMDEnv'"
        [(made,)] = patiently(lambda: database.execute(question).fetchall(), path)
    return Metadata(run_folder, writable) if made else None


class Metadata:
    """A pipeline's store, opened for reading or, by the run that holds its lock, for writing."""

    def __init__(self, run_folder: Path, writable: bool = False) -> None:
        config = recorded_connection(run_folder) or sqlite_connection(run_folder)
        if config.HasField("sqlite") and not writable:
            config.sqlite.connection_mode = mlmd.SqliteMetadataSourceConfig.READONLY
        self._pipeline = run_folder.name
        self._file = run_folder / SQLITE
        self._store: MetadataStore = self._patiently(lambda: connect(config))

    def run_ids(self) -> list[str]:
        """Ids of all runs, the oldest first."""
        contexts = self._patiently(lambda: self._store.get_contexts_by_type(RUN_CONTEXT))
        return [c.name for c in sorted(contexts, key=lambda c: c.id) if self._is_ours(c)]

    def _is_ours(self, run: mlmd.Context) -> bool:
        """Runs in SQLite need not say whose they are."""
        owner = run.custom_properties[_OWNER].string_value
        return owner in ("", self._pipeline)

    def _patiently(self, ask: Callable[[], _Answer]) -> _Answer:
        return patiently(ask, self._file)

    @property
    def store(self) -> MetadataStore:
        """ML Metadata's own interface; on a server it shows other pipelines, too."""
        return self._store

    @property
    def pipeline(self) -> str:
        """The pipeline's name."""
        return self._pipeline

    def run_properties(self, run_id: str) -> dict[str, str | int | float]:
        """What is known of a run: configuration, code, seed."""
        run = self._store.get_context_by_type_and_name(RUN_CONTEXT, run_id)
        return {key: value.string_value for key, value in run.custom_properties.items()}

    def register_run(self, run_id: str, properties: dict[str, str]) -> bool:
        """Writes a run down before its first node; False when another pipeline's has that id.

        Args:
            run_id: the run.
            properties: what is known of it, kept as custom properties of its context.
        """
        kind = self._store.put_context_type(mlmd.ContextType(name=RUN_CONTEXT))
        run = mlmd.Context(type_id=kind, name=run_id)
        for key, value in {**properties, _OWNER: self._pipeline}.items():
            run.custom_properties[key].string_value = value
        try:
            self._store.put_contexts([run])
        except AlreadyExistsError:
            return False
        return True

    def executions(self, run_id: str) -> list[Execution]:
        """Executions of a run in the order in which they started; none for an unknown run."""
        return self._patiently(lambda: self._executions(run_id))

    def state(self, execution_id: int) -> str:
        """Name of ML Metadata's state of an execution."""
        [execution] = self._patiently(lambda: self._store.get_executions_by_id([execution_id]))
        return str(mlmd.Execution.State.Name(execution.last_known_state))

    def _executions(self, run_id: str) -> list[Execution]:
        run = self._store.get_context_by_type_and_name(RUN_CONTEXT, run_id)
        if run is None:
            return []
        found = sorted(self._store.get_executions_by_context(run.id), key=lambda e: e.id)
        nodes = {execution.id: self._node_id(execution.id) for execution in found}
        outputs = self._outputs([execution.id for execution in found])
        return [
            Execution(
                execution.id,
                nodes[execution.id],
                mlmd.Execution.State.Name(execution.last_known_state),
                _seconds(execution),
                outputs.get(execution.id, {}),
            )
            for execution in found
            if nodes[execution.id]
        ]

    def _node_id(self, execution_id: int) -> str:
        """`Trainer`: the context of a node is named <pipeline>.<node id>; empty for others."""
        for context in self._store.get_contexts_by_execution(execution_id):
            if context.type == NODE_CONTEXT:
                pipeline, _, node = str(context.name).partition(".")
                return node if pipeline == self._pipeline else ""
        return ""

    def _outputs(self, execution_ids: list[int]) -> dict[int, dict[str, list[Artifact]]]:
        if not execution_ids:
            return {}
        events = [
            event
            for event in self._store.get_events_by_execution_ids(execution_ids)
            if event.type == mlmd.Event.OUTPUT
        ]
        ids = sorted({event.artifact_id for event in events})
        records = {a.id: _to_artifact(a) for a in self._store.get_artifacts_by_id(ids)}
        outputs: dict[int, dict[str, list[Artifact]]] = {}
        for event in events:
            key = event.path.steps[0].key
            by_key = outputs.setdefault(event.execution_id, {})
            by_key.setdefault(key, []).append(records[event.artifact_id])
        return outputs

    def producer(self, artifact_id: int) -> str:
        """Id of the node that made an artifact."""
        for event in self._store.get_events_by_artifact_ids([artifact_id]):
            if event.type == mlmd.Event.OUTPUT:
                return self._node_id(event.execution_id)
        return ""

    def artifacts(self, type_name: str) -> list[Artifact]:
        """Artifacts of a type that are not marked as deleted, the oldest first."""
        found = self._patiently(self._artifacts)
        live = [a for a in found if a.type == type_name and a.state != mlmd.Artifact.DELETED]
        return [_to_artifact(a) for a in sorted(live, key=lambda a: a.id)]

    def _artifacts(self) -> list[mlmd.Artifact]:
        pipeline = self._store.get_context_by_type_and_name(PIPELINE_CONTEXT, self._pipeline)
        return list(self._store.get_artifacts_by_context(pipeline.id)) if pipeline else []

    def run_of(self, uri: str) -> str | None:
        """Id of the run that made the artifact at `uri`; None for an unknown one."""
        for artifact in self._store.get_artifacts_by_uri(uri):
            for event in self._store.get_events_by_artifact_ids([artifact.id]):
                if event.type != mlmd.Event.OUTPUT:
                    continue
                contexts = self._store.get_contexts_by_execution(event.execution_id)
                runs = [str(context.name) for context in contexts if context.type == RUN_CONTEXT]
                if runs:
                    return min(runs)
        return None

    def forget_artifact(self, artifact_id: int) -> None:
        """Marks an artifact as deleted: no cached execution hands it on any more."""
        [artifact] = self._store.get_artifacts_by_id([artifact_id])
        artifact.state = mlmd.Artifact.DELETED
        self._store.put_artifacts([artifact])

    def note_on_run(self, run_id: str, notes: Mapping[str, str]) -> None:
        """Adds custom properties to a run; nothing happens for an unknown one."""
        run = self._store.get_context_by_type_and_name(RUN_CONTEXT, run_id)
        if run is not None:
            for key, value in notes.items():
                run.custom_properties[key].string_value = value
            self._store.put_contexts([run])

    def close_unfinished(self, artifacts: Path) -> list[str]:
        """Cancels executions that a killed or interrupted run left, and removes what they wrote.

        Args:
            artifacts: <root>/<name>/artifacts.

        Returns:
            The ids of their nodes.
        """
        pipeline = self._store.get_context_by_type_and_name(PIPELINE_CONTEXT, self._pipeline)
        started = self._store.get_executions_by_context(pipeline.id) if pipeline else []
        left = [e for e in started if e.last_known_state in _UNFINISHED]
        nodes = [self._node_id(execution.id) for execution in left]
        for execution, node in zip(left, nodes, strict=True):
            folder = artifacts / node
            written = [*folder.glob(f"*/{execution.id}"), *folder.glob(f".system/*/{execution.id}")]
            for output in [*written, *folder.glob(".system/stateful_working_dir/*")]:
                shutil.rmtree(output, ignore_errors=True)
            execution.last_known_state = mlmd.Execution.CANCELED
        if left:
            self._store.put_executions(left)
        return nodes


def _seconds(execution: mlmd.Execution) -> float:
    milliseconds = execution.last_update_time_since_epoch - execution.create_time_since_epoch
    return float(milliseconds) / 1000


def _to_artifact(artifact: mlmd.Artifact) -> Artifact:
    properties = {
        key: getattr(value, value.WhichOneof("value"))
        for key, value in artifact.custom_properties.items()
        if value.WhichOneof("value") in ("int_value", "double_value", "string_value")
    }
    return Artifact(artifact.id, artifact.type, artifact.uri, properties)


def find(
    executions: Iterable[Execution], node: str, type_name: str | None = None
) -> Artifact | None:
    """The last output of a node, of one artifact type where that is given."""
    made = [
        artifact
        for execution in executions
        if execution.node == node and execution.state in ("COMPLETE", "CACHED")
        for artifacts in execution.outputs.values()
        for artifact in artifacts
        if type_name in (None, artifact.type_name)
    ]
    return made[-1] if made else None
