"""Quantizer: the student's four TFLite variants and the edge bundle.

In: the Distiller's `model`, transformed examples (train, for calibration), the Transform graph.
Out: `model`, the edge bundle: `Format-Serving/tflite` (the configured variant) and beside it
`preprocessing.json` (columns, vocabularies, boundaries, signature, threshold); `variants`, the four
`.tflite` files and `quantization.json` (bytes, latency, difference from the student).
Fails when a variant's answers are not finite or differ too much from the student's.
"""

import json
import os

import tf_keras
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import Examples, Model, TransformGraph

from components.artifacts import TFLiteVariants
from components.distiller import STUDENT_FILE
from components.splits import split_pattern
from models.features import model_inputs_of
from models.preprocessing import describe
from models.rows import load_rows
from models.tflite import convert_all, write_bundle

REPORT_FILE = "quantization.json"


@component
def Quantizer(  # noqa: N802 - TFX takes the node's id from the name
    student: InputArtifact[Model],
    transformed_examples: InputArtifact[Examples],
    transform_graph: InputArtifact[TransformGraph],
    model: OutputArtifact[Model],
    variants: OutputArtifact[TFLiteVariants],
    settings: Parameter[str],
    code_sha256: Parameter[str],
):
    """Converts the student; see the module's docstring.

    Args:
      settings: JSON object with `preprocessing` (what Transform was given), `seed` and `quantizer`
        (the whole section).
      code_sha256: Tells runs of different code apart.
    """
    del code_sha256
    values = json.loads(settings)
    raise NotImplementedError(values)
