"""Writes raw files and staged data of a run into ML Metadata: TFX knows the staged folder alone.

Raw files (RawFile: part, path, sha256) -> Staging -> StagedData, whose URI is CsvExampleGen's
`input_base`. Equal data is written once.
"""

import hashlib
from pathlib import Path

from ml_metadata import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlmd

from pipeline.ingestion.spans import SourceFile
from pipeline.ingestion.staging import Staged
from pipeline.metadata.connection import put_context, texts
from pipeline.metadata.executions import RAW_FILE, STAGED_DATA, STAGING
from pipeline.metadata.store import PIPELINE_CONTEXT


def record_data(store: MetadataStore, pipeline: mlmd.Context, staged: Staged, folder: Path) -> None:
    """Writes what was staged, unless that is there already.

    Args:
        store: opened for writing.
        pipeline: the pipeline's context.
        staged: data of a run.
        folder: <root>/<name>; names hold no path of it, for it may be moved.
    """
    name = _name(pipeline.name, _path(staged.path, folder), *(f.sha256 for f in staged.files))
    known = store.get_artifact_by_type_and_name(STAGED_DATA, name)
    if known is not None:
        if known.state != mlmd.Artifact.LIVE:  # removed meanwhile, and staged again
            known.state = mlmd.Artifact.LIVE
            store.put_artifacts([known])
        return
    links = [
        (
            _raw_file(store, pipeline.name, file, folder),
            _event(mlmd.Event.INPUT, "raw_files", place),
        )
        for place, file in enumerate(staged.files)
    ]
    data = _artifact(store, STAGED_DATA, name, staged.path, {"digest": staged.digest})
    links.append((data, _event(mlmd.Event.OUTPUT, "staged_data", 0)))
    kind = store.put_execution_type(mlmd.ExecutionType(name=STAGING))
    staging = mlmd.Execution(type_id=kind, last_known_state=mlmd.Execution.COMPLETE)
    store.put_execution(staging, links, [pipeline])


def pipeline_context(store: MetadataStore, name: str) -> mlmd.Context:
    """The context of a pipeline, which TFX makes at the first node if it is not there before."""
    kind, context = mlmd.ContextType(name=PIPELINE_CONTEXT), mlmd.Context(name=name)
    made = put_context(store, kind, context)
    return made or store.get_context_by_type_and_name(PIPELINE_CONTEXT, name)


def _path(path: str, folder: Path) -> str:
    """A path relative to the run folder where it lies inside."""
    return path.removeprefix(f"{folder}/")


def _raw_file(store: MetadataStore, pipeline: str, file: SourceFile, folder: Path) -> mlmd.Artifact:
    name = _name(pipeline, file.part, _path(file.path, folder), file.sha256)
    told = {"part": file.part, "sha256": file.sha256}
    known = store.get_artifact_by_type_and_name(RAW_FILE, name)
    return known or _artifact(store, RAW_FILE, name, file.path, told)


def _artifact(
    store: MetadataStore, type_name: str, name: str, uri: str, told: dict[str, str]
) -> mlmd.Artifact:
    kind = mlmd.ArtifactType(name=type_name, properties=dict.fromkeys(told, mlmd.STRING))
    return mlmd.Artifact(
        type_id=store.put_artifact_type(kind),
        name=name,
        uri=uri,
        state=mlmd.Artifact.LIVE,
        properties=texts(told),
    )


def _event(kind: mlmd.Event.Type, key: str, place: int) -> mlmd.Event:
    event = mlmd.Event(type=kind)
    event.path.steps.add().key = key
    event.path.steps.add().index = place
    return event


def _name(*parts: str) -> str:
    """Names are unique in a store, and MySQL takes 255 characters."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
