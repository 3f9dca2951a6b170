"""A store of ML Metadata with one run."""

import json
from pathlib import Path
from typing import Any

from ml_metadata import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlmd

from pipeline.metadata.connection import SQLITE
from tests.support.records.summaries import RUN_ID


class Store:
    """A store of ML Metadata with one run, filled by a test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        config = mlmd.ConnectionConfig()
        config.sqlite.filename_uri = str(folder / SQLITE)
        config.sqlite.connection_mode = mlmd.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
        self.store = MetadataStore(config)
        self.run = self._context("pipeline_run", RUN_ID)
        self.pipeline = self._context("pipeline", folder.name)

    def _context(self, kind: str, name: str) -> int:
        type_id = self.store.put_context_type(mlmd.ContextType(name=kind))
        context = mlmd.Context(type_id=type_id, name=name)
        return int(self.store.put_contexts([context])[0])

    def add(
        self,
        node: str,
        type_name: str,
        files: dict[str, Any],
        properties: dict[str, int | str] | None = None,
        state: "mlmd.Execution.State" = mlmd.Execution.COMPLETE,
    ) -> None:
        uri = self.folder / "artifacts" / node / type_name
        uri.mkdir(parents=True)
        for name, content in files.items():
            (uri / name).write_text(json.dumps(content))
        kind = self.store.put_artifact_type(mlmd.ArtifactType(name=type_name))
        artifact = mlmd.Artifact(type_id=kind, uri=str(uri), state=mlmd.Artifact.LIVE)
        for key, value in (properties or {}).items():
            field = "int_value" if isinstance(value, int) else "string_value"
            setattr(artifact.custom_properties[key], field, value)
        execution = mlmd.Execution(
            type_id=self.store.put_execution_type(mlmd.ExecutionType(name=node)),
            last_known_state=state,
        )
        event = mlmd.Event(type=mlmd.Event.OUTPUT)
        event.path.steps.add().key = "output"
        contexts = [self.run, self.pipeline, self._context("node", f"{self.folder.name}.{node}")]
        found = self.store.get_contexts_by_id(contexts)
        self.store.put_execution(execution, [(artifact, event)], found)
