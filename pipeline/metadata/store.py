"""Runs, node executions and artifacts of one pipeline, as ML Metadata records them.

Needs ml_metadata alone: nothing here imports TensorFlow, so that reading takes milliseconds. A
store can be read while a run writes to it. One on a server holds other pipelines, too: they are
neither read nor touched.
"""

import shutil
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from ml_metadata import MetadataStore
from ml_metadata.errors import StatusError
from ml_metadata.proto import metadata_store_pb2 as mlmd

from pipeline.metadata import patience, seal
from pipeline.metadata.connection import (
    SQLITE,
    connect,
    put_context,
    recorded_connection,
    sqlite_connection,
    texts,
)
from pipeline.metadata.executions import (
    DELETED,
    STAGING,
    Artifact,
    Execution,
    Properties,
    properties_of,
    to_artifact,
)
from pipeline.metadata.patience import patiently
from pipeline.metadata.relocation import Relocation, bring_home, relocation_of
from pipeline.metadata.seal import StoreDamagedError

PIPELINE_CONTEXT = "pipeline"
RUN_CONTEXT = "pipeline_run"
NODE_CONTEXT = "node"
_OWNER = "pipeline_name"  # custom property of a run: whose it is
_UNFINISHED = (mlmd.Execution.NEW, mlmd.Execution.RUNNING, mlmd.Execution.UNKNOWN)
_AT_ONCE, _WRITTEN_AT_ONCE = 1000, 100  # records of one query
_Answer = TypeVar("_Answer")


def open_store(run_folder: Path, writable: bool = False) -> "Metadata | None":
    """The store of <root>/<name>; None when no run has come as far as to make one.

    Raises:
        InputError: it is on a server, and password, user or database are wrong; or it is SQLite,
            and damaged.
        ServerDownError: the server does not answer.
    """
    if recorded_connection(run_folder) is not None:
        return Metadata(run_folder, writable)
    path = run_folder / SQLITE
    if not path.is_file():
        return None
    seal.check(run_folder)
    wait = patience.SQLITE_WAIT
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", wait, uri=True)) as database:
        question = "SELECT count(*) FROM sqlite_master WHERE name = 'MLMDEnv'"
        [(made,)] = patiently(lambda: database.execute(question).fetchall(), path)
    return Metadata(run_folder, writable) if made else None


class Metadata:
    """A pipeline's store, opened for reading or, by the run that holds its lock, for writing.

    pipeline: its name.
    store: ML Metadata's own interface; on a server it shows other pipelines, too.
    """

    def __init__(self, run_folder: Path, writable: bool = False) -> None:
        config = recorded_connection(run_folder) or sqlite_connection(run_folder)
        if config.HasField("sqlite") and not writable:
            config.sqlite.connection_mode = mlmd.SqliteMetadataSourceConfig.READONLY
        self.pipeline = run_folder.name
        self._folder, self._file = run_folder, run_folder / SQLITE
        self._on_server = not config.HasField("sqlite")
        self.store: MetadataStore = self._patiently(lambda: connect(config))
        self._relocation = self._patiently(
            lambda: relocation_of(self.store, self._pipeline(), run_folder)
        )

    def _pipeline(self) -> mlmd.Context | None:
        return self.store.get_context_by_type_and_name(PIPELINE_CONTEXT, self.pipeline)

    def bring_home(self, taking_over: bool = False) -> bool:
        """Puts the records' paths right where the folder was moved: `relocation.bring_home`."""
        moved = bring_home(
            self.store, self._pipeline(), self._runs(), self._relocation, taking_over
        )
        self._relocation = Relocation((), str(self._folder))
        return moved

    def runs(self) -> dict[str, Properties]:
        """What is known of each run (configuration, code, seed) by its id, the oldest first."""
        return {run.name: self._properties(run) for run in self._runs()}

    def _runs(self) -> list[mlmd.Context]:
        contexts = self._patiently(lambda: self.store.get_contexts_by_type(RUN_CONTEXT))
        ours = ("", self.pipeline)  # runs in SQLite need not say whose they are
        found = [c for c in contexts if c.custom_properties[_OWNER].string_value in ours]
        return sorted(found, key=lambda c: c.name)  # by id, one that was adopted came last

    def _properties(self, record: mlmd.Execution | mlmd.Context) -> Properties:
        return properties_of(record, self._relocation.text)

    def _to_artifact(self, artifact: mlmd.Artifact) -> Artifact:
        return to_artifact(artifact, self._relocation.text)

    def run_ids(self) -> list[str]:
        """Ids of all runs, the oldest first."""
        return list(self.runs())

    def _patiently(self, ask: Callable[[], _Answer]) -> _Answer:
        try:
            return patiently(ask, self._file)
        except (StatusError, RuntimeError) as error:
            if not self._on_server and seal.is_damage(error):
                raise StoreDamagedError(self._file, str(error)) from None
            raise

    def register_run(self, run_id: str, properties: dict[str, str]) -> bool:
        """Writes a run down before its first node; False when another pipeline's has that id.

        Args:
            run_id: the run.
            properties: what is known of it, kept as custom properties of its context.
        """
        known = texts({**properties, _OWNER: self.pipeline})
        run = mlmd.Context(name=run_id, custom_properties=known)
        return put_context(self.store, mlmd.ContextType(name=RUN_CONTEXT), run) is not None

    def executions(self, run_id: str) -> list[Execution]:
        """Executions of a run in the order in which they started; none for an unknown run."""
        return self._patiently(lambda: self._executions(run_id))

    def _executions(self, run_id: str) -> list[Execution]:
        found = self._executions_in(RUN_CONTEXT, run_id)
        nodes = {execution.id: self._place(execution.id)[0] for execution in found}
        return self._records(found, nodes, dict.fromkeys(nodes, run_id))

    def history(self) -> list[Execution]:
        """Executions of all runs, and stagings, in the order in which they started."""
        return self._patiently(self._history)

    def _history(self) -> list[Execution]:
        found = self._executions_in(PIPELINE_CONTEXT, self.pipeline)
        nodes = {execution.id: STAGING for execution in found if execution.type == STAGING}
        contexts = self.store.get_contexts_by_type(NODE_CONTEXT)
        prefix = f"{self.pipeline}."
        for execution_id, name in self._members(c for c in contexts if c.name.startswith(prefix)):
            nodes[execution_id] = name.removeprefix(prefix)
        return self._records(found, nodes, dict(self._members(self._runs())))

    def _executions_in(self, kind: str, name: str) -> list[mlmd.Execution]:
        context = self.store.get_context_by_type_and_name(kind, name)
        return list(self.store.get_executions_by_context(context.id)) if context else []

    def _members(self, contexts: Iterable[mlmd.Context]) -> Iterator[tuple[int, str]]:
        """Ids of the executions in each context, and its name."""
        for context in contexts:
            for execution in self.store.get_executions_by_context(context.id):
                yield execution.id, context.name

    def _records(
        self,
        executions: Iterable[mlmd.Execution],
        nodes: Mapping[int, str],
        runs: Mapping[int, str],
    ) -> list[Execution]:
        """Those executions that are of a node, with what they read and made."""
        found = sorted((e for e in executions if nodes.get(e.id)), key=lambda e: e.id)
        read = self.store.get_events_by_execution_ids
        events = [e for ids in _batches([e.id for e in found], _AT_ONCE) for e in read(ids)]
        wanted = sorted({event.artifact_id for event in events})
        artifacts = {
            artifact.id: self._to_artifact(artifact)
            for ids in _batches(wanted, _AT_ONCE)
            for artifact in self.store.get_artifacts_by_id(ids)
        }
        links: defaultdict[tuple[int, int], dict[str, list[Artifact]]] = defaultdict(dict)
        for event in events:
            if event.type in (mlmd.Event.INPUT, mlmd.Event.OUTPUT):
                by_key = links[event.execution_id, event.type]
                by_key.setdefault(event.path.steps[0].key, []).append(artifacts[event.artifact_id])
        return [
            Execution(
                e.id,
                nodes[e.id],
                mlmd.Execution.State.Name(e.last_known_state),
                (e.last_update_time_since_epoch - e.create_time_since_epoch) / 1000,
                links[e.id, mlmd.Event.OUTPUT],
                links[e.id, mlmd.Event.INPUT],
                runs.get(e.id, ""),
                self._properties(e),
            )
            for e in found
        ]

    def state(self, execution_id: int) -> str:
        """Name of ML Metadata's state of an execution."""
        [execution] = self._patiently(lambda: self.store.get_executions_by_id([execution_id]))
        return str(mlmd.Execution.State.Name(execution.last_known_state))

    def _place(self, execution_id: int) -> tuple[str, str]:
        """Node and run of an execution; empty for none, the node for another pipeline's, too."""
        names = {c.type: str(c.name) for c in self.store.get_contexts_by_execution(execution_id)}
        # The context of a node is named <pipeline>.<node id>.
        pipeline, _, node = names.get(NODE_CONTEXT, "").partition(".")
        return node if pipeline == self.pipeline else "", names.get(RUN_CONTEXT, "")

    def _maker(self, artifact_ids: Sequence[int]) -> tuple[str, str]:
        """Node and run that made the first of some artifacts."""
        events = self.store.get_events_by_artifact_ids(artifact_ids) if artifact_ids else []
        makers = [event.execution_id for event in events if event.type == mlmd.Event.OUTPUT]
        return self._place(min(makers)) if makers else ("", "")

    def node_of(self, execution_id: int) -> str:
        """Id of the node of an execution."""
        return self._place(execution_id)[0]

    def run_of(self, uri: str) -> str | None:
        """Id of the run that made the artifact at `uri`; None for an unknown one."""
        return self._maker([a.id for a in self.store.get_artifacts_by_uri(uri)])[1] or None

    def artifacts(self, type_name: str) -> list[Artifact]:
        """Artifacts of a type that are not marked as deleted, the oldest first."""
        found = self._patiently(self.pipeline_artifacts)
        live = [a for a in found if a.type == type_name and a.state not in DELETED]
        return [self._to_artifact(a) for a in sorted(live, key=lambda a: a.id)]

    def pipeline_artifacts(self) -> list[mlmd.Artifact]:
        """ML Metadata's own records of all artifacts, deleted ones too."""
        pipeline = self._pipeline()
        return list(self.store.get_artifacts_by_context(pipeline.id)) if pipeline else []

    def forget_artifacts(self, artifact_ids: Sequence[int]) -> None:
        """Marks artifacts as deleted: no cached execution hands them on any more."""
        for ids in _batches(artifact_ids, _WRITTEN_AT_ONCE):
            artifacts = self.store.get_artifacts_by_id(ids)
            for artifact in artifacts:
                artifact.state = mlmd.Artifact.DELETED
            self.store.put_artifacts(artifacts)

    def close_unfinished(self, artifacts: Path) -> list[str]:
        """Cancels executions that a killed or interrupted run left, and removes what they wrote.

        Args:
            artifacts: <root>/<name>/artifacts.

        Returns:
            The ids of their nodes.
        """
        started = self._executions_in(PIPELINE_CONTEXT, self.pipeline)
        left = [e for e in started if e.last_known_state in _UNFINISHED]
        nodes = [self._place(execution.id)[0] for execution in left]
        for execution, node in zip(left, nodes, strict=True):
            folder = artifacts / node
            written = [*folder.glob(f"*/{execution.id}"), *folder.glob(f".system/*/{execution.id}")]
            for output in [*written, *folder.glob(".system/stateful_working_dir/*")]:
                shutil.rmtree(output, ignore_errors=True)
            execution.last_known_state = mlmd.Execution.CANCELED
        if left:
            self.store.put_executions(left)
        return nodes


def _batches(ids: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    """`ids` in parts of at most `size`."""
    return (ids[start : start + size] for start in range(0, len(ids), size))
