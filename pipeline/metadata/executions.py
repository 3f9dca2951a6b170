"""Executions and artifacts, as ML Metadata records them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from ml_metadata.proto import metadata_store_pb2 as mlmd

# What stands before the first node: files, the execution that reads them, and what it makes.
RAW_FILE, STAGING, STAGED_DATA = "RawFile", "Staging", "StagedData"
DELETED = (mlmd.Artifact.DELETED, mlmd.Artifact.MARKED_FOR_DELETION)
Properties = dict[str, str | int | float]


@dataclass(frozen=True)
class Artifact:
    """What an execution made or read; `deleted` when its files were removed."""

    id: int
    type_name: str
    uri: str
    properties: Properties
    deleted: bool = False


@dataclass(frozen=True)
class Execution:
    """One node of one run, or the staging of data.

    state: name of ML Metadata's state: COMPLETE, CACHED, FAILED, CANCELED, RUNNING.
    seconds: from registration to the last change.
    outputs, inputs: artifacts by key.
    run_id: empty for a staging, which may serve several runs.
    """

    id: int
    node: str
    state: str
    seconds: float
    outputs: dict[str, list[Artifact]]
    inputs: dict[str, list[Artifact]] = field(default_factory=dict)
    run_id: str = ""
    properties: Properties = field(default_factory=dict)

    @property
    def made(self) -> list[Artifact]:
        """The outputs of all keys."""
        return [artifact for artifacts in self.outputs.values() for artifact in artifacts]

    @property
    def read(self) -> list[Artifact]:
        """The inputs of all keys."""
        return [artifact for artifacts in self.inputs.values() for artifact in artifacts]


def to_artifact(artifact: mlmd.Artifact, here: Callable[[str], str] = str) -> Artifact:
    """ML Metadata's record of an artifact as ours; `here` puts the paths in a text right."""
    deleted = artifact.state in DELETED
    properties = properties_of(artifact, here)
    return Artifact(artifact.id, artifact.type, here(artifact.uri), properties, deleted)


def properties_of(
    record: mlmd.Artifact | mlmd.Execution | mlmd.Context, here: Callable[[str], str] = str
) -> Properties:
    """Properties that have a plain value, the type's and its own."""
    return {
        key: here(value.string_value) if kind == "string_value" else getattr(value, kind)
        for values in (record.properties, record.custom_properties)
        for key, value in values.items()
        if (kind := value.WhichOneof("value")) in ("int_value", "double_value", "string_value")
    }


def find(
    executions: Iterable[Execution], node: str, type_name: str | None = None
) -> Artifact | None:
    """The last output of a node, of one artifact type where that is given."""
    made = [
        artifact
        for execution in executions
        if execution.node == node and execution.state in ("COMPLETE", "CACHED")
        for artifact in execution.made
        if type_name in (None, artifact.type_name)
    ]
    return made[-1] if made else None
