"""Writes raw files and staged data of a run into ML Metadata: TFX knows the staged folder alone.

Raw files (RawFile: part, path, sha256) -> Staging -> StagedData, whose URI is CsvExampleGen's
`input_base`. Equal data is written once.
"""

import hashlib

from ml_metadata import MetadataStore
from ml_metadata.errors import AlreadyExistsError
from ml_metadata.proto import metadata_store_pb2 as mlmd

from pipeline.ingestion.staging import Staged
from pipeline.metadata.store import STAGING

RAW_FILE, STAGED_DATA = "RawFile", "StagedData"


def record_data(store: MetadataStore, pipeline: mlmd.Context, staged: Staged) -> None:
    """Writes what was staged, unless that is there already.

    Args:
        store: opened for writing.
        pipeline: the pipeline's context.
        staged: data of a run.
    """
    name = _name(pipeline.name, staged.path, *(file.sha256 for file in staged.files))
    known = store.get_artifact_by_type_and_name(STAGED_DATA, name)
    if known is not None:
        if known.state != mlmd.Artifact.LIVE:  # removed meanwhile, and staged again
            known.state = mlmd.Artifact.LIVE
            store.put_artifacts([known])
        return
    raw_type = _artifact_type(store, RAW_FILE, "part", "sha256")
    links = [
        (_raw_file(store, raw_type, pipeline.name, file.part, file.path, file.sha256),
         _event(mlmd.Event.INPUT, "raw_files", place))
        for place, file in enumerate(staged.files)
    ]  # fmt: skip
    data = mlmd.Artifact(
        type_id=_artifact_type(store, STAGED_DATA, "digest"),
        name=name,
        uri=staged.path,
        state=mlmd.Artifact.LIVE,
    )
    data.properties["digest"].string_value = staged.digest
    links.append((data, _event(mlmd.Event.OUTPUT, "staged_data", 0)))
    kind = store.put_execution_type(mlmd.ExecutionType(name=STAGING))
    staging = mlmd.Execution(type_id=kind, last_known_state=mlmd.Execution.COMPLETE)
    store.put_execution(staging, links, [pipeline])


def pipeline_context(store: MetadataStore, name: str) -> mlmd.Context:
    """The context of a pipeline, which TFX makes at the first node if it is not there before."""
    kind = store.put_context_type(mlmd.ContextType(name="pipeline"))
    context = mlmd.Context(type_id=kind, name=name)
    try:
        [context.id] = store.put_contexts([context])
    except AlreadyExistsError:
        return store.get_context_by_type_and_name("pipeline", name)
    return context


def _raw_file(
    store: MetadataStore, kind: int, pipeline: str, part: str, path: str, sha256: str
) -> mlmd.Artifact:
    name = _name(pipeline, part, path, sha256)
    known = store.get_artifact_by_type_and_name(RAW_FILE, name)
    if known is not None:
        return known
    file = mlmd.Artifact(type_id=kind, name=name, uri=path, state=mlmd.Artifact.LIVE)
    file.properties["part"].string_value = part
    file.properties["sha256"].string_value = sha256
    return file


def _artifact_type(store: MetadataStore, name: str, *properties: str) -> int:
    kind = mlmd.ArtifactType(name=name, properties=dict.fromkeys(properties, mlmd.STRING))
    return int(store.put_artifact_type(kind))


def _event(kind: mlmd.Event.Type, key: str, place: int) -> mlmd.Event:
    event = mlmd.Event(type=kind)
    event.path.steps.add().key = key
    event.path.steps.add().index = place
    return event


def _name(*parts: str) -> str:
    """Names are unique in a store, and MySQL takes 255 characters."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
