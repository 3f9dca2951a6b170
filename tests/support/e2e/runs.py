"""Real runs, each in a process of its own, and what they leave."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from ml_metadata import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlmd

from core.files import REPOSITORY

NODES = {
    "CsvExampleGen", "StatisticsGen", "SchemaGen", "ImportSchemaGen", "ExampleValidator",
    "AnomalyGate", "AnswerImporter", "SnorkelLabeler", "LabelGate", "FeatureSelector", "Transform",
    "Tuner", "Trainer", "Reference", "Distiller", "Quantizer", "VariantEvaluator",
    "Selector.server", "Selector.edge",
    "Baseline.server", "Evaluator.server",
    "FairnessGate.server", "LiveModel.server", "PushGate.server", "Pusher.server", "Baseline.edge",
    "Evaluator.edge", "FairnessGate.edge", "LiveModel.edge", "PushGate.edge",
    "Pusher.edge", "ModelCard.server", "ModelCard.edge",
}  # fmt: skip
# Always asked, never cached.
RESOLVERS = {"Baseline.server", "Baseline.edge", "LiveModel.server", "LiveModel.edge"}


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
        return sorted(context.name for context in self.store.get_contexts_by_type("pipeline_run"))

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


def served(root: Path) -> dict[str, list[str]]:
    """Versions that the smoke pipeline serves, by folder, the oldest first."""
    return {folder: versions(root / "smoke", folder) for folder in ("serving", "edge")}


@dataclass(frozen=True)
class Ran:
    """A run under a root, with what was there before it and after it."""

    run_id: str
    finished: subprocess.CompletedProcess[str]
    served_before: dict[str, list[str]]
    served: dict[str, list[str]]
    models_before: int
    models: int


@dataclass(frozen=True)
class RolledBack:
    """A run on a version that was rolled back: `edge` is served then, `restored` at the end."""

    edge: list[str]
    again: Ran
    restored: list[str]


def run_smoke(root: Path, *arguments: str) -> Ran:
    """Runs the smoke configuration under a root."""
    began = (root / "smoke" / "metadata.sqlite").exists()
    before, models = served(root), len(Record(root).artifacts("Model")) if began else 0
    finished = pipeline("run", "--config", "smoke", "--root", str(root), *arguments)
    record = Record(root)
    run_id, made = record.runs()[-1], len(record.artifacts("Model"))
    return Ran(run_id, finished, before, served(root), models, made)


def summary(root: Path, run_id: str, name: str = "smoke") -> dict:
    """The summary that a run wrote."""
    return json.loads((root / name / "reports" / run_id / "summary.json").read_text())
