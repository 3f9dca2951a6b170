"""Takes served versions into ML Metadata whose models it does not know, or no longer has.

So a live version stays the baseline, and what PushGate compares with, after the store was lost or
the files of artifacts were. A version's own record and the summary of its run say where it comes
from; its model is copied to where artifacts are. What else the lost store knew is made anew.
"""

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from ml_metadata.proto import metadata_store_pb2 as mlmd
from tfx.types import standard_artifacts
from tfx.types.artifact import Artifact
from tfx.utils import path_utils

from components.artifacts import bless
from core.errors import InputError
from core.files import digests_of
from core.names import CARD_FILES, FILES_SHA256, SOURCE_FILES
from core.targets import TARGETS, Target
from core.version_record import RECORD_FILE, version_damage
from pipeline.metadata.connection import SQLITE, put_context
from pipeline.metadata.data_record import pipeline_context
from pipeline.metadata.store import NODE_CONTEXT, RUN_CONTEXT, Metadata
from pipeline.report import summary
from pipeline.report.summary import Summary
from pipeline.versions.reconcile import PUSHED_MODEL
from pipeline.versions.served import Version, versions

ADOPTED = "adopted"  # type of the executions that stand for those that are not known
_FOLDER = "version-{}"  # no number, as those of executions are
_NUMBER = 10  # digits; what is longer is a time


def adopt_versions(store: Metadata, folder: Path, tell: Callable[[str], None]) -> None:
    """Adopts each version, served or rolled back, of whose model the store knows no files.

    Args:
        store: opened for writing; needs the run's lock.
        folder: <root>/<name>.
        tell: is told of each of them.
    """
    for target in TARGETS.values():
        for version in reversed(versions(folder, folder.name, target.name)):  # the oldest first
            there = version.status != "deleted" and version_damage(version.path) is None
            if there and not _is_known(store, version):
                _adopt(store, folder, target, version)
                tell(
                    f"{target.name} version {version.version}: ML Metadata has no files of its "
                    f"model; they were taken from {version.path}"
                )


def skip_taken_ids(folder: Path) -> None:
    """Has SQLite number executions above all whose outputs are there already.

    Outputs of executions that a lost store knew would be in the way of new ones.
    """
    outputs = folder.glob("artifacts/*/*/*")
    taken = [int(p.name) for p in outputs if p.name.isdecimal() and len(p.name) < _NUMBER]
    if not taken or not (folder / SQLITE).exists():
        return
    with closing(sqlite3.connect(folder / SQLITE)) as database, database:
        [(last,)] = database.execute("SELECT coalesce(max(id), 0) FROM Execution").fetchall()
        if last < max(taken):
            database.execute("DELETE FROM sqlite_sequence WHERE name = 'Execution'")
            row = ("Execution", max(taken))
            database.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", row)


def _is_known(store: Metadata, version: Version) -> bool:
    """Whether the store has the model of a version, or will when its run is resumed."""
    pushes = {
        artifact.id
        for artifact in store.pipeline_artifacts()
        if artifact.type == PUSHED_MODEL
        and artifact.custom_properties["pushed_version"].string_value == str(version.version)
    }
    models = list(_models_of(store, pushes, f"Pusher.{version.target}"))
    if any(model.state == mlmd.Artifact.LIVE for model in models):
        return True
    # Cut off between push and record: the run goes on and finds its version.
    ran = store.executions(version.run_id) if version.run_id and not models else []
    return any("adopted" not in execution.properties for execution in ran)


def _models_of(store: Metadata, pushes: set[int], pusher: str) -> Iterator[mlmd.Artifact]:
    """The models that a Pusher pushed as some artifacts."""
    events = store.store.get_events_by_artifact_ids(sorted(pushes)) if pushes else []
    ids = {e.execution_id for e in events if e.type == mlmd.Event.OUTPUT}
    pushers = sorted(i for i in ids if store.node_of(i) == pusher)
    read = store.store.get_events_by_execution_ids(pushers) if pushers else []
    inputs = [e.artifact_id for e in read if e.type == mlmd.Event.INPUT]
    found = store.store.get_artifacts_by_id(inputs) if inputs else []
    return (artifact for artifact in found if artifact.type == standard_artifacts.Model.TYPE_NAME)


def _adopt(store: Metadata, folder: Path, target: Target, version: Version) -> None:
    told = _summary(folder, version)
    if version.run_id:
        known = ("config", "config_sha256", "code_sha256", "seed")
        store.register_run(version.run_id, {k: str(getattr(told, k)) for k in known if told})
    recorder = _Recorder(store, folder, version)
    model = recorder.artifact(standard_artifacts.Model, target.producer, "model")
    _copy_model(version.path, Path(path_utils.serving_model_path(model.uri)))
    recorder.put(target.producer, "model", model, {})
    gate = f"PushGate.{target.name}"
    blessing = recorder.artifact(standard_artifacts.ModelBlessing, gate, "final_blessing")
    bless(blessing, model, True)
    recorder.put(gate, "final_blessing", blessing, {"model": model})
    pusher = f"Pusher.{target.name}"
    pushed = recorder.artifact(standard_artifacts.PushedModel, pusher, "pushed_model")
    pushed.set_int_custom_property("pushed", 1)
    pushed.set_string_custom_property("pushed_destination", str(version.path))
    pushed.set_string_custom_property("pushed_version", str(version.version))
    if told:
        examples = recorder.artifact(standard_artifacts.Examples, "CsvExampleGen", "examples")
        files = json.dumps(list(told.data.files.items()))
        examples.set_string_custom_property(SOURCE_FILES, files)
        recorder.put("CsvExampleGen", "examples", examples, {}, mlmd.Artifact.DELETED)
    recorder.put(pusher, "pushed_model", pushed, {"model": model, "model_blessing": blessing})


def _copy_model(version: Path, model: Path) -> None:
    shutil.rmtree(model, ignore_errors=True)
    shutil.copytree(version, model, ignore=shutil.ignore_patterns(RECORD_FILE, *CARD_FILES))


def _summary(folder: Path, version: Version) -> Summary | None:
    if version.run_id is None:
        return None
    try:
        return summary.read(summary.path_of(folder, version.run_id))
    except InputError:
        return None


class _Recorder:
    """Writes executions that stand for those behind a version."""

    def __init__(self, store: Metadata, folder: Path, version: Version) -> None:
        self._store = store.store
        self._folder = folder
        self._version = version
        self._pipeline = pipeline_context(store.store, folder.name)

    def artifact(self, kind: type[Artifact], node: str, key: str) -> Artifact:
        """An artifact that is not written yet, and its folder."""
        artifact = kind()
        name = _FOLDER.format(self._version.version)
        artifact.uri = str(self._folder / "artifacts" / node / key / name)
        Path(artifact.uri).mkdir(parents=True, exist_ok=True)
        return artifact

    def put(
        self,
        node: str,
        key: str,
        made: Artifact,
        read: dict[str, Artifact],
        state: "mlmd.Artifact.State.ValueType" = mlmd.Artifact.LIVE,
    ) -> None:
        """Writes an output of a node with its execution; gives the artifact its id."""
        digests = json.dumps(digests_of(Path(made.uri)))
        made.set_string_custom_property(FILES_SHA256, digests)
        made.mlmd_artifact.type_id = self._store.put_artifact_type(made.artifact_type)
        made.mlmd_artifact.state = state
        kind = self._store.put_execution_type(mlmd.ExecutionType(name=ADOPTED))
        execution = mlmd.Execution(type_id=kind, last_known_state=mlmd.Execution.COMPLETE)
        execution.custom_properties[ADOPTED].int_value = 1
        links = [
            (artifact.mlmd_artifact, _event(mlmd.Event.INPUT, name))
            for name, artifact in read.items()
        ]
        links.append((made.mlmd_artifact, _event(mlmd.Event.OUTPUT, key)))
        _, ids, _ = self._store.put_execution(execution, links, self._contexts(node))
        made.mlmd_artifact.id = ids[-1]

    def _contexts(self, node: str) -> list[mlmd.Context]:
        names = {NODE_CONTEXT: f"{self._pipeline.name}.{node}", RUN_CONTEXT: self._version.run_id}
        found = [self._pipeline]
        for kind, name in names.items():
            if name:
                made = put_context(
                    self._store, mlmd.ContextType(name=kind), mlmd.Context(name=name)
                )
                found.append(made or self._store.get_context_by_type_and_name(kind, name))
        return found


def _event(kind: "mlmd.Event.Type.ValueType", key: str) -> mlmd.Event:
    event = mlmd.Event(type=kind)
    event.path.steps.add().key = key
    event.path.steps.add().index = 0
    return event
