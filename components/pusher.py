"""The stock Pusher, made atomic: a version appears in its served folder whole or not at all.

TFX copies file by file into the folder that a server watches; cut off by a full disk or a kill, it
leaves part of a version there. This executor lets it copy to a hidden folder beside, then renames.

In and out: as TFX's Pusher. Fails when the destination is no folder or cannot be written.
"""

import shutil
from pathlib import Path
from typing import Any

from tfx.components.pusher import component, executor
from tfx.dsl.components.base import executor_spec
from tfx.proto import pusher_pb2
from tfx.types import artifact_utils, standard_component_specs
from tfx.types.artifact import Artifact
from tfx.utils import proto_utils

_DESTINATION = standard_component_specs.PUSH_DESTINATION_KEY


class AtomicExecutor(executor.Executor):
    """Pushes to <folder>/<version> by renaming."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Pushes the model if it is blessed; see the stock executor."""
        destination = pusher_pb2.PushDestination()
        proto_utils.json_to_proto(exec_properties[_DESTINATION], destination)
        served = Path(destination.filesystem.base_directory)
        incoming = served.with_name(f".{served.name}.incoming")
        destination.filesystem.base_directory = str(incoming)
        shutil.rmtree(incoming, ignore_errors=True)
        try:
            aside = {_DESTINATION: proto_utils.proto_to_json(destination)}
            super().Do(input_dict, output_dict, {**exec_properties, **aside})
            pushed = artifact_utils.get_single_instance(
                output_dict[standard_component_specs.PUSHED_MODEL_KEY]
            )
            if pushed.get_int_custom_property("pushed"):
                version = served / pushed.get_string_custom_property("pushed_version")
                served.mkdir(parents=True, exist_ok=True)
                (incoming / version.name).rename(version)
                pushed.set_string_custom_property("pushed_destination", str(version))
        finally:
            shutil.rmtree(incoming, ignore_errors=True)


class Pusher(component.Pusher):
    """TFX's Pusher with the atomic executor."""

    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(AtomicExecutor)
