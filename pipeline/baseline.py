"""Which model a candidate is compared with."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from ml_metadata import MetadataStore
from tfx.components.evaluator import constants
from tfx.dsl.components.common import resolver
from tfx.types.artifact import Artifact
from tfx.utils import path_utils

from components.quantizer import PREPROCESSING_FILE
from models.model_content import content_sha256
from pipeline.versions.live_other import rolled_back_models


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
    run that changes nothing would then evaluate and push it again.

    A model that was rolled back, and lies beside the served folder, is no baseline.

    Inputs: `candidate` (one Model), `model` and `model_blessing` (all Models and ModelBlessings of
    the target). Output `model`: one Model, or none.
    """

    def __init__(self, served: str) -> None:
        """`served` is the folder that a server of the target watches."""
        self._served = Path(served)

    def resolve_artifacts(
        self, store: MetadataStore, input_dict: dict[str, list[Artifact]]
    ) -> dict[str, list[Artifact]]:
        """Keeps `candidate` and reduces `model` and `model_blessing` to at most one."""
        candidate = input_dict["candidate"][0]

        def accepted(model: Artifact) -> bool:
            return model.id != candidate.id and self._comparable(candidate, model)

        model, blessing = last_blessed(input_dict, self._served, accepted) or (None, None)
        return {
            **input_dict,
            "model": [model] if model else [],
            "model_blessing": [blessing] if blessing else [],
        }

    def _comparable(self, candidate: Artifact, model: Artifact) -> bool:
        """Whether both models can answer the rows that the Evaluator feeds them."""
        del candidate, model
        return True


def _content(model: Artifact) -> str:
    return content_sha256(Path(path_utils.serving_model_path(model.uri)))


class LastBlessedSameInputs(LastBlessedOther):
    """Resolves the last blessed edge bundle whose inputs mean the same as the candidate's.

    The Evaluator feeds both the candidate's transformed rows. To a model of other boundaries or
    vocabularies these mean something else, or lie outside its ids.
    """

    def _comparable(self, candidate: Artifact, model: Artifact) -> bool:
        mine, other = (path_utils.serving_model_dir(bundle.uri) for bundle in (candidate, model))
        return same_inputs(Path(mine, PREPROCESSING_FILE), Path(other, PREPROCESSING_FILE))


def same_inputs(candidate: Path, other: Path) -> bool:
    """Whether two bundles' `preprocessing.json` say the same, the variant aside.

    False where `other` is missing or damaged: a bundle that is gone is no baseline.
    """
    mine = json.loads(candidate.read_text(encoding="utf-8"))
    try:
        theirs = json.loads(other.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(theirs, dict) and mine | {"variant": None} == theirs | {"variant": None}
