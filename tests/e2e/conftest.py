"""Real runs of the smoke configuration, each in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from ml_metadata import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlmd

REPOSITORY = Path(__file__).resolve().parents[2]

Run = Callable[..., subprocess.CompletedProcess[str]]


def pipeline(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs `python -m pipeline` with these arguments and returns what it printed."""
    return subprocess.run(
        [sys.executable, "-m", "pipeline", *arguments],
        cwd=REPOSITORY,
        env={**os.environ, "COLUMNS": "200"},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )


class Record:
    """What ML Metadata says about the runs under a root."""

    def __init__(self, root: Path, name: str = "smoke") -> None:
        self._name = name
        config = mlmd.ConnectionConfig()
        config.sqlite.filename_uri = str(root / name / "metadata.sqlite")
        config.sqlite.connection_mode = mlmd.SqliteMetadataSourceConfig.READONLY
        self.store = MetadataStore(config)

    def runs(self) -> list[str]:
        """Run ids, the oldest first."""
        return [c.name for c in sorted(self.store.get_contexts_by_type("pipeline_run"), key=_id)]

    def states(self, run_id: str) -> dict[str, str]:
        """State of each node of a run: COMPLETE (it ran), CACHED, FAILED ..."""
        run = self.store.get_context_by_type_and_name("pipeline_run", run_id)
        return {
            self._node(e): mlmd.Execution.State.Name(e.last_known_state)
            for e in sorted(self.store.get_executions_by_context(run.id), key=_id)
        }

    def artifacts(self, type_name: str) -> list[mlmd.Artifact]:
        """Live artifacts of a type, the oldest first."""
        found = self.store.get_artifacts_by_type(type_name)
        return sorted((a for a in found if a.state == mlmd.Artifact.LIVE), key=_id)

    def output(self, run_id: str, node: str, key: str) -> Path:
        """Folder of an output of a node in a run."""
        run = self.store.get_context_by_type_and_name("pipeline_run", run_id)
        [execution] = [
            e for e in self.store.get_executions_by_context(run.id) if self._node(e) == node
        ]
        events = self.store.get_events_by_execution_ids([execution.id])
        [artifact] = [
            e.artifact_id
            for e in events
            if e.type == mlmd.Event.OUTPUT and e.path.steps[0].key == key
        ]
        return Path(self.store.get_artifacts_by_id([artifact])[0].uri)

    def _node(self, execution: mlmd.Execution) -> str:
        contexts = self.store.get_contexts_by_execution(execution.id)
        [node] = [c.name for c in contexts if c.type == "node"]
        return node.removeprefix(f"{self._name}.")


def _id(item: mlmd.Context | mlmd.Execution | mlmd.Artifact) -> int:
    return item.id


def versions(root: Path, target: str) -> list[str]:
    """Versions that a target serves, the oldest first."""
    return sorted(p.name for p in (root / target / "smoke").glob("*"))


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root that all tests of the session share; its first run is cold."""
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="session")
def smoke(root: Path) -> Run:
    """Runs the smoke configuration under the shared root."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return pipeline("run", "--config", "smoke", "--root", str(root), *arguments)

    return run


@pytest.fixture(scope="session")
def cold(root: Path, smoke: Run) -> str:
    """Id of the first run."""
    finished = smoke()
    assert finished.returncode == 0, finished.stdout
    [run_id] = Record(root).runs()
    return run_id
