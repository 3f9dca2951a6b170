"""Verdicts on models, written as TFX writes them, so that its resolvers and Pusher read them."""

import os

from tfx.components.evaluator import constants
from tfx.types.artifact import Artifact


def bless(final_blessing: Artifact, model: Artifact, blessed: bool) -> None:
    """Fills a ModelBlessing as TFX does: properties, and a file named by the verdict."""
    final_blessing.set_string_custom_property(
        constants.ARTIFACT_PROPERTY_CURRENT_MODEL_URI_KEY, model.uri
    )
    final_blessing.set_int_custom_property(
        constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY, model.id
    )
    verdict = constants.BLESSED_VALUE if blessed else constants.NOT_BLESSED_VALUE
    final_blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, verdict)
    name = constants.BLESSED_FILE_NAME if blessed else constants.NOT_BLESSED_FILE_NAME
    with open(os.path.join(final_blessing.uri, name), "w", encoding="utf-8"):
        pass
