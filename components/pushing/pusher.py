"""The stock Pusher, made atomic: a version appears in its served folder whole or not at all.

TFX copies file by file into the folder that a server watches; cut off by a full disk or a kill, it
leaves part of a version there. This executor lets it copy to a hidden folder beside, adds the
version's record (`core/version_record.py`), then renames: version and record appear in one step,
so that a run killed after it finds its version when it is resumed. The training rows that PushGate
kept go with it, and a SavedModel gets the rows that PushGate asked it as warm-up requests of
TensorFlow Serving; an edge bundle gets the runner in Python. Beside the record lie the cards.

A model that is live already is not pushed a second time: its output names the version that it has,
with the property `already_live`.

In and out: as TFX's Pusher, and ModelCard's `cards`. Fails when the destination is no folder or
cannot be written.
"""

import shutil
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from tfx.components.pusher import component, executor
from tfx.dsl.components.base import executor_spec
from tfx.proto import pusher_pb2
from tfx.types import artifact_utils, standard_component_specs
from tfx.types.artifact import Artifact
from tfx.types.channel import BaseChannel, Channel
from tfx.types.component_spec import ChannelParameter
from tfx.types.standard_artifacts import PushedModel
from tfx.utils import json_utils, proto_utils

from components.artifacts import Cards
from core.files import digests_of
from core.names import EDGE_MODEL_FILE, TRAINING_ROWS_FILE, WARM_UP_ROWS_FILE
from core.version_record import (
    VersionRecord,
    next_version,
    version_damage,
    version_folders,
    write_record,
)
from models.cards.files import put_cards
from models.export.clients.delivered import put_runner
from models.export.model_content import content_sha256
from models.export.warm_up import write_warm_up_requests
from models.network.rows import load_records

ALREADY_LIVE = "already_live"
_DESTINATION = standard_component_specs.PUSH_DESTINATION_KEY
_BLESSING = standard_component_specs.MODEL_BLESSING_KEY
_CARDS = "cards"
_PUSHED_MODEL = standard_component_specs.PUSHED_MODEL_KEY


class AtomicExecutor(executor.Executor):
    """Pushes to <folder>/<version> by renaming."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Pushes the model if it is blessed and not live yet; see the stock executor."""
        destination = pusher_pb2.PushDestination()
        proto_utils.json_to_proto(exec_properties[_DESTINATION], destination)
        served = Path(destination.filesystem.base_directory)
        pushed = artifact_utils.get_single_instance(output_dict[_PUSHED_MODEL])
        incoming = served.with_name(f".{served.name}.incoming")
        destination.filesystem.base_directory = str(incoming)
        shutil.rmtree(incoming, ignore_errors=True)
        model_sha256 = content_sha256(Path(self.GetModelPath(input_dict)))
        if self.CheckBlessing(input_dict) and (version := live_version(served, model_sha256)):
            self._MarkPushed(pushed, str(version), version.name)
            pushed.set_int_custom_property(ALREADY_LIVE, 1)
            return
        try:
            aside = {_DESTINATION: proto_utils.proto_to_json(destination)}
            super().Do(input_dict, output_dict, {**exec_properties, **aside})
            if pushed.get_int_custom_property("pushed"):
                copied = incoming / pushed.get_string_custom_property("pushed_version")
                blessing = artifact_utils.get_single_instance(input_dict[_BLESSING])
                rows = Path(blessing.uri, WARM_UP_ROWS_FILE)
                if rows.is_file():
                    write_warm_up_requests(copied, served.name, load_records([str(rows)]))
                kept = Path(blessing.uri, TRAINING_ROWS_FILE)
                if kept.is_file():
                    shutil.copyfile(kept, copied / TRAINING_ROWS_FILE)
                if (copied / EDGE_MODEL_FILE).is_file():
                    put_runner(copied)
                write_record(copied, self._record(model_sha256, digests_of(copied)))
                served.mkdir(parents=True, exist_ok=True)
                version = served / str(next_version(served, time.time()))
                for cards in input_dict.get(_CARDS, ()):
                    put_cards(Path(cards.uri), copied, int(version.name))
                copied.rename(version)
                self._MarkPushed(pushed, str(version), version.name)
        finally:
            shutil.rmtree(incoming, ignore_errors=True)

    def _record(self, model_sha256: str, files: dict[str, str]) -> VersionRecord:
        run_id = self._context.pipeline_run_id if self._context else None
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return VersionRecord(run_id or "", now, model_sha256, files=files)


def live_version(served: Path, model_sha256: str) -> Path | None:
    """Folder of the live version if it holds the model of that digest, else None.

    The files themselves are looked at, not the record: a damaged version does not count.
    """
    folders = version_folders(served)
    live = folders[max(folders)] if folders else None
    whole = live is not None and version_damage(live) is None
    return live if live is not None and whole and content_sha256(live) == model_sha256 else None


class PusherSpec(standard_component_specs.PusherSpec):
    """TFX's, with the cards."""

    INPUTS: ClassVar = {
        **standard_component_specs.PusherSpec.INPUTS,
        _CARDS: ChannelParameter(type=Cards, optional=True),
    }


class Pusher(component.Pusher):
    """TFX's Pusher with the atomic executor."""

    SPEC_CLASS = PusherSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(AtomicExecutor)

    def __init__(
        self,
        model: BaseChannel,
        model_blessing: BaseChannel,
        push_destination: pusher_pb2.PushDestination,
        cards: BaseChannel | None = None,
    ) -> None:
        """Makes the node; `cards` are ModelCard's."""
        spec = PusherSpec(
            model=model,
            model_blessing=model_blessing,
            cards=cards,
            push_destination=push_destination,
            custom_config=json_utils.dumps(None),
            pushed_model=Channel(type=PushedModel),
        )
        super(component.Pusher, self).__init__(spec=spec)
