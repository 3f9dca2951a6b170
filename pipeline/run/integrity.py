"""Files of artifacts: their digests are noted when they are made, and checked before the cache
hands them on.

TensorFlow can read a truncated file up to where it breaks off and say nothing, or fail without a
word of the file. TFX only looks whether the folder of an artifact is there.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

from ml_metadata.proto import metadata_store_pb2 as mlmd
from tfx import types
from tfx.orchestration.portable import cache_utils
from tfx.proto.orchestration import execution_result_pb2
from tfx.types import artifact_utils

from core.names import FILES_SHA256
from pipeline.metadata.damage import damage_of, digests_as_text


def note_digests(output: execution_result_pb2.ExecutorOutput, folder: Path) -> None:
    """Notes the digest of each file on the artifacts that an executor made.

    Args:
        output: what the executor says of its artifacts.
        folder: <root>/<name>; files of JSON name it no more: it may be moved.
    """
    for made in output.output_artifacts.values():
        for artifact in made.artifacts:
            uri = Path(artifact.uri)
            _forget_place(uri, folder)
            artifact.custom_properties[FILES_SHA256].string_value = digests_as_text(uri)


def _forget_place(uri: Path, folder: Path) -> None:
    """Makes paths inside the run folder relative to it, as Evaluator and Trainer write them."""
    for path in uri.rglob("*.json"):
        text = path.read_text(encoding="utf-8")
        if (without := _without(text, folder)) != text:
            path.write_text(without, encoding="utf-8")


@contextmanager
def checked_cache(
    folder: Path, tell: Callable[[str], None], forget: Callable[[list[int]], None]
) -> Iterator[None]:
    """Inside, TFX's cache hands on whole artifacts alone, and knows them again in a moved folder.

    Args:
        folder: <root>/<name>.
        tell: is told of each artifact that is damaged or gone.
        forget: is given the ids of those, to mark them as deleted.
    """
    key_of, verify = cache_utils.get_cache_context, artifact_utils.verify_artifacts

    def get_cache_context(**given: Any) -> mlmd.Context:
        inputs, told = given.get("input_artifacts") or {}, given.get("parameters") or {}
        given["input_artifacts"] = {
            key: [_anywhere(artifact, folder) for artifact in artifacts]
            for key, artifacts in inputs.items()
        }
        given["parameters"] = {key: _without(value, folder) for key, value in told.items()}
        return key_of(**given)

    def verify_artifacts(artifacts: dict[str, list[types.Artifact]]) -> None:
        made = [artifact for by_key in artifacts.values() for artifact in by_key]
        damages = {
            artifact.id: damage
            for artifact in made
            if (
                damage := damage_of(artifact.uri, artifact.get_string_custom_property(FILES_SHA256))
            )
        }
        for damage in damages.values():
            tell(f"{damage}; it is made anew")
        if damages:
            forget(list(damages))
            raise RuntimeError("; ".join(damages.values()))  # TFX looks for another, or runs

    cache_utils.get_cache_context = get_cache_context
    artifact_utils.verify_artifacts = verify_artifacts
    try:
        yield
    finally:
        cache_utils.get_cache_context, artifact_utils.verify_artifacts = key_of, verify


def _anywhere(artifact: types.Artifact, folder: Path) -> types.Artifact:
    """An artifact as it is told from others wherever the folder is, and whenever it was moved."""
    copy = deepcopy(artifact)
    record = copy.mlmd_artifact
    record.uri = _without(record.uri, folder)
    for values in (record.properties, record.custom_properties):
        for value in values.values():
            if value.WhichOneof("value") == "string_value":
                value.string_value = _without(value.string_value, folder)
    record.ClearField("last_update_time_since_epoch")
    return copy


def _without(value: Any, folder: Path) -> Any:
    if not isinstance(value, str):
        return value
    for place in {str(folder), json.dumps(str(folder))[1:-1]}:
        value = value.replace(f"{place}/", "")
    return value
