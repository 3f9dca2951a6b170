"""Which model a candidate is compared with."""

from ml_metadata import MetadataStore
from tfx.components.evaluator import constants
from tfx.dsl.components.common import resolver
from tfx.types.artifact import Artifact


class LastBlessedOther(resolver.ResolverStrategy):
    """Resolves the last blessed model that is not the candidate.

    TFX's LatestBlessedModelStrategy would resolve the candidate itself once it is blessed: each
    run that changes nothing would then evaluate and push it again.

    Inputs: `candidate` (one Model), `model` and `model_blessing` (all Models and ModelBlessings of
    the target). Output `model`: one Model, or none.
    """

    def resolve_artifacts(
        self, store: MetadataStore, input_dict: dict[str, list[Artifact]]
    ) -> dict[str, list[Artifact]]:
        """Keeps `candidate` and reduces `model` and `model_blessing` to at most one."""
        candidate = input_dict["candidate"][0].id
        models = {model.id: model for model in input_dict["model"]}
        for blessing in sorted(input_dict["model_blessing"], key=lambda a: a.id, reverse=True):
            model = blessing.get_int_custom_property(
                constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY
            )
            blessed = blessing.get_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY)
            if blessed == constants.BLESSED_VALUE and model != candidate and model in models:
                return {**input_dict, "model": [models[model]], "model_blessing": [blessing]}
        return {**input_dict, "model": [], "model_blessing": []}
