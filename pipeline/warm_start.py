"""Which earlier model a teacher starts from."""

import json
from collections.abc import Iterable
from pathlib import Path

from ml_metadata import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlmd
from tfx.dsl.components.common import resolver
from tfx.types.artifact import Artifact

from pipeline.baseline import last_blessed

_BASE_MODEL = "base_model"  # the Trainer's key
_DONE = (mlmd.Execution.COMPLETE, mlmd.Execution.CACHED)


class WarmStart(resolver.ResolverStrategy):
    """Resolves the last blessed model, or what a Trainer was given for the same work before.

    A run that changes nothing would otherwise find its own model blessed, start from it, and so
    train again and again on the same rows.

    Inputs: `examples` (the Trainer's), `model` and `model_blessing` (all Models and ModelBlessings
    of the server). Output `model`: one Model, or none.
    """

    def __init__(self, served: str, settings: str) -> None:
        """`served` is the folder of served versions, `settings` the Trainer's custom_config."""
        self._served = Path(served)
        self._settings = json.loads(settings)

    def resolve_artifacts(
        self, store: MetadataStore, input_dict: dict[str, list[Artifact]]
    ) -> dict[str, list[Artifact]]:
        """Keeps `examples` and reduces `model` and `model_blessing` to at most one, and none."""
        models = {model.id: model for model in input_dict["model"]}
        for execution in self._same_work(store, input_dict["examples"]):
            given = _given(store, execution)
            if given is None:
                return {**input_dict, "model": [], "model_blessing": []}
            if given in models:
                return {**input_dict, "model": [models[given]], "model_blessing": []}
        found = last_blessed(input_dict, self._served)
        model = [found[0]] if found else []
        return {**input_dict, "model": model, "model_blessing": []}

    def _same_work(
        self, store: MetadataStore, examples: Iterable[Artifact]
    ) -> list[mlmd.Execution]:
        """Trainers that finished on the same examples with the same settings, the newest first."""
        ids = [artifact.id for artifact in examples]
        events = store.get_events_by_artifact_ids(ids)
        readers = {event.execution_id for event in events if event.type == mlmd.Event.INPUT}
        found = [
            execution
            for execution in store.get_executions_by_id(sorted(readers))
            if execution.last_known_state in _DONE and _settings(execution) == self._settings
        ]
        return sorted(found, key=lambda execution: execution.id, reverse=True)


def _settings(execution: mlmd.Execution) -> object:
    """The custom_config of an execution; None where it has none, as all but Trainer and Tuner."""
    properties = execution.custom_properties
    if "custom_config" not in properties:
        return None
    return json.loads(properties["custom_config"].string_value)


def _given(store: MetadataStore, execution: mlmd.Execution) -> int | None:
    """Id of the model that a Trainer started from; None when it started cold."""
    for event in store.get_events_by_execution_ids([execution.id]):
        steps = event.path.steps
        if event.type == mlmd.Event.INPUT and steps and steps[0].key == _BASE_MODEL:
            return int(event.artifact_id)
    return None
