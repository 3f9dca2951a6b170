"""Artifacts: the types that our own components hand on, files of a split, verdicts on models."""

import os
from pathlib import Path

from tfx.components.evaluator import constants
from tfx.types import artifact_utils
from tfx.types.artifact import Artifact


class AnomalyReport(Artifact):
    """`anomaly_report.json`: the anomalies of a run that went on in spite of them."""

    TYPE_NAME = "AnomalyReport"


class Answers(Artifact):
    """`answers.json`: true labels that people gave, by row, and the imports they came with."""

    TYPE_NAME = "Answers"


class LabelReport(Artifact):
    """`label_report.json`: what each labelling function and the label model did."""

    TYPE_NAME = "LabelReport"


class FeatureReport(Artifact):
    """`feature_report.json`: the columns kept and dropped, with reasons, and their scores."""

    TYPE_NAME = "FeatureReport"


class ReferenceAnswers(Artifact):
    """`answers.npz`: what the simplest models answer to the test rows."""

    TYPE_NAME = "ReferenceAnswers"


class TFLiteVariants(Artifact):
    """The student's `.tflite` files and `quantization.json`, their sizes and differences."""

    TYPE_NAME = "TFLiteVariants"


class VariantChoice(Artifact):
    """`choice.json`: which variant a target ships, why, and what was measured of each."""

    TYPE_NAME = "VariantChoice"


class VariantReport(Artifact):
    """`variants.json`: quality, fairness, size and latency of every model variant; quality and
    fairness of the references in `references.json`.
    """

    TYPE_NAME = "VariantReport"


class Explanation(Artifact):
    """`explanation.json`: which columns each target's answers rest on."""

    TYPE_NAME = "Explanation"


class GateReport(Artifact):
    """`gates.json`: metric, slice, value, bound and verdict of each gate of a target."""

    TYPE_NAME = "GateReport"


class Cards(Artifact):
    """Model card and data card of a target, each in Markdown and in HTML."""

    TYPE_NAME = "Cards"


def split_pattern(examples: Artifact, split: str) -> str:
    """Returns the file pattern of a split's TFRecords."""
    return os.path.join(artifact_utils.get_split_uri([examples], split), "*")


def bless(final_blessing: Artifact, model: Artifact, blessed: bool) -> None:
    """Fills a ModelBlessing as TFX does: properties, and a file named by the verdict.

    TFX's resolvers and its Pusher read them.
    """
    verdict = constants.BLESSED_VALUE if blessed else constants.NOT_BLESSED_VALUE
    name = constants.BLESSED_FILE_NAME if blessed else constants.NOT_BLESSED_FILE_NAME
    uri_key = constants.ARTIFACT_PROPERTY_CURRENT_MODEL_URI_KEY
    id_key = constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY
    final_blessing.set_string_custom_property(uri_key, model.uri)
    final_blessing.set_int_custom_property(id_key, model.id)
    final_blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, verdict)
    Path(final_blessing.uri, name).write_bytes(b"")
