"""Which earlier models a run starts from and is compared with: the DAG's resolvers."""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from google.protobuf.message import DecodeError
from ml_metadata import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlmd
from tfx.components.evaluator import constants
from tfx.dsl.components.common import resolver
from tfx.types.artifact import Artifact
from tfx.utils import path_utils

from core.names import DEFAULT_SIGNATURE, PREPROCESSING_FILE
from core.version_record import read_record, version_folders, withdrawn_folder
from models.export.model_content import content_sha256
from models.export.predict_server import signature_outputs

_BASE_MODEL = "base_model"  # the Trainer's key
_DONE = (mlmd.Execution.COMPLETE, mlmd.Execution.CACHED)


def last_blessed(
    input_dict: Mapping[str, list[Artifact]],
    served: Path,
    accepted: Callable[[Artifact], bool] = lambda model: True,
) -> tuple[Artifact, Artifact] | None:
    """The last blessed model that is accepted and was not rolled back, and its blessing.

    Args:
      input_dict: `model` and `model_blessing`, all Models and ModelBlessings of a target.
      served: The folder that a server of the target watches.
      accepted: Whether a model will do.
    """
    rolled_back = {digest for _, digest, _ in rolled_back_models(served)}
    models = {model.id: model for model in input_dict["model"]}
    for blessing in sorted(input_dict["model_blessing"], key=lambda a: a.id, reverse=True):
        model = models.get(
            blessing.get_int_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY)
        )
        blessed = blessing.get_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY)
        if (
            model is not None
            and blessed == constants.BLESSED_VALUE
            and accepted(model)
            and _content(model) not in rolled_back
        ):
            return model, blessing
    return None


class LastBlessedOther(resolver.ResolverStrategy):
    """Resolves the last blessed model that is not the candidate.

    TFX's LatestBlessedModelStrategy would resolve the candidate itself once it is blessed: each
    run that changes nothing would then evaluate and push it again. So would it with a model of the
    same content, which an earlier run made of the same data.

    A model that was rolled back, and lies beside the served folder, is no baseline. Nor is one of
    other outputs: the Evaluator measures both by the same classes. Nor is one of other
    preprocessing, where the Evaluator feeds both the candidate's transformed rows: to a model
    of other boundaries or vocabularies these mean something else, or lie outside its ids.

    Inputs: `candidate` (one Model), `model` and `model_blessing` (all Models and ModelBlessings of
    the target). Output `model`: one Model, or none.
    """

    def __init__(self, served: str, inputs: str = "raw") -> None:
        """Takes the folder that a server of the target watches, and the target's inputs."""
        self._served = Path(served)
        self._same_inputs = inputs == "transformed"

    def resolve_artifacts(
        self, store: MetadataStore, input_dict: dict[str, list[Artifact]]
    ) -> dict[str, list[Artifact]]:
        """Keeps `candidate` and reduces `model` and `model_blessing` to at most one."""
        candidate = input_dict["candidate"][0]
        mine = _content(candidate)

        def accepted(model: Artifact) -> bool:
            other = model.id != candidate.id and _content(model) != mine
            alike = _same_inputs if self._same_inputs else _same_outputs
            return other and alike(candidate, model)

        model, blessing = last_blessed(input_dict, self._served, accepted) or (None, None)
        return {
            **input_dict,
            "model": [model] if model else [],
            "model_blessing": [blessing] if blessing else [],
        }


def _content(model: Artifact) -> str:
    return content_sha256(Path(path_utils.serving_model_path(model.uri)))


def _same_outputs(candidate: Artifact, other: Artifact) -> bool:
    """Whether two SavedModels answer as many numbers a row, under the same names.

    False where `other` is missing or damaged.
    """
    mine = signature_outputs(Path(path_utils.serving_model_path(candidate.uri)), DEFAULT_SIGNATURE)
    folder = Path(path_utils.serving_model_path(other.uri))
    try:
        return mine == signature_outputs(folder, DEFAULT_SIGNATURE)
    except (OSError, IndexError, DecodeError):
        return False


def _same_inputs(candidate: Artifact, other: Artifact) -> bool:
    """Whether two bundles' `preprocessing.json` say the same, the variant aside.

    False where `other` is missing or damaged: a bundle that is gone is no baseline.
    """
    paths = (
        Path(path_utils.serving_model_dir(bundle.uri), PREPROCESSING_FILE)
        for bundle in (candidate, other)
    )
    mine = json.loads(next(paths).read_text(encoding="utf-8"))
    try:
        theirs = json.loads(next(paths).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(theirs, dict) and mine | {"variant": None} == theirs | {"variant": None}


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


class LiveOther(resolver.ResolverStrategy):
    """Resolves the newest served version whose model is not the candidate's.

    That is the live version, until the candidate itself is live: then it is the version that was
    live before, the one the candidate was compared with. So the answer does not change when the
    candidate is pushed, and a run that changes nothing takes everything from the cache.

    Inputs: `candidate` (one Model) and `pushed_model` (all PushedModels of the target). Output
    `pushed_model`: one PushedModel, or none.
    """

    def __init__(self, served: str) -> None:
        """`served` is the folder that a server of the target watches."""
        self._served = Path(served)

    def resolve_artifacts(
        self, store: MetadataStore, input_dict: dict[str, list[Artifact]]
    ) -> dict[str, list[Artifact]]:
        """Keeps `candidate` and reduces `pushed_model` to at most one."""
        candidate = input_dict["candidate"][0]
        mine = content_sha256(Path(path_utils.serving_model_path(candidate.uri)))
        pushed: dict[int, Artifact] = {}
        # Of several artifacts for one version the first: later ones say that it was live already.
        for artifact in sorted(input_dict["pushed_model"], key=lambda a: a.id):
            if artifact.get_int_custom_property("pushed"):
                version = int(artifact.get_string_custom_property("pushed_version"))
                pushed.setdefault(version, artifact)
        for version, folder in reversed(version_folders(self._served).items()):
            if version in pushed and content_sha256(folder) != mine:
                return {**input_dict, "pushed_model": [pushed[version]]}
        return {**input_dict, "pushed_model": []}


def rolled_back_models(served: Path) -> list[tuple[int, str, str]]:
    """Version, digest and reason of each model that was rolled back, ascending."""
    found = []
    for version, folder in version_folders(withdrawn_folder(served)).items():
        record = read_record(folder)
        digest = record.model_sha256 if record else ""
        reason = record.events[-1].reason if record and record.events else "no reason given"
        found.append((version, digest or content_sha256(folder), reason))
    return found
