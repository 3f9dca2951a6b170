"""Quantizer: the student's TFLite variants, each with what a device needs beside it.

In: the Distiller's `model`, transformed examples (train, for calibration), the Transform graph.
Out: `variants`: of each a `.tflite` and a `.json` (columns, vocabularies, boundaries, signature,
classes, threshold), of which Selector.edge makes the bundle, and `quantization.json` (bytes,
latency, difference from the student, zeros and distinct weights in the file).
Fails when a variant's predictions are not finite or differ too much from the student's, or when a
file has fewer zeros or more distinct weights than the student.
"""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tf_keras
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import Examples, Model, TransformGraph

from components.artifacts import TFLiteVariants, split_pattern
from core.answers import THRESHOLD
from core.files import write_json
from core.names import (
    DEFAULT_SIGNATURE,
    DISTILLATION_REPORT,
    QUANTIZATION_REPORT,
    STUDENT,
    STUDENT_FILE,
)
from core.sections.section import Section
from core.sections.variants import Conversion
from models.export.tflite import convert_all, input_quantization, measure
from models.network.description import Description, describe
from models.network.layout import Preprocessing
from models.network.preprocessing import CATEGORICAL, NUMERIC, answer_name, model_inputs_of
from models.network.rows import load_rows
from models.network.text import TOKENS
from models.network.thresholds import thresholds_document

_COMPARED_ROWS = 2000


class QuantizerSettings(Section):
    """What Quantizer goes by: sections of the configuration, or the named parts of them."""

    preprocessing: Preprocessing
    seed: int
    quantizer: Conversion


def bundle_document(
    description: Description,
    classes: Sequence[str],
    variant: str,
    mitigation: Mapping[str, Any] | None = None,
    quantization: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """What a device needs beside the TFLite file: from a raw record to a decision.

    Args:
      description: Of the preprocessing.
      classes: By their codes; of two the second is the positive one.
      variant: Which one of the student's the file is.
      mitigation: `mitigation` of the Distiller's report: shifts that the student has, by group.
      quantization: `scale` and `zero_point` of the inputs that the file takes as int8, by name.
    """
    done = mitigation or {}
    shifts = done.get("shifts", {}).get(STUDENT)
    outputs = 1 if len(classes) == 2 else len(classes)
    tokens = {TOKENS: "int64"} if description.layout.text else {}
    return {
        **description.document(),
        "variant": variant,
        "signature": {
            "name": DEFAULT_SIGNATURE,
            "inputs": {NUMERIC: "float32", CATEGORICAL: "int64", **tokens}
            | dict.fromkeys(quantization or {}, "int8"),
            **({"quantization": dict(quantization)} if quantization else {}),
            "output": answer_name(outputs),
        },
        "classes": list(classes),
        **({"threshold": THRESHOLD} if outputs == 1 else {}),
        **({"thresholds": thresholds_document(done["column"], shifts)} if shifts else {}),
    }


def write_variants(
    variants: str,
    student_path: str,
    transform_graph: str,
    train: str,
    settings: QuantizerSettings,
) -> None:
    """Converts the student, compares, measures, and writes the folder.

    Args:
      variants: Folder of the variants and their report.
      student_path: The student's Keras file, with the Distiller's report beside it.
      transform_graph: URI of the `transform_graph` artifact of TFX Transform.
      train: File pattern of the transformed training rows.
      settings: What to go by.
    """
    section, seed = settings.quantizer, settings.seed
    inputs = model_inputs_of(transform_graph, settings.preprocessing)
    rows = load_rows([train], inputs)
    student = tf_keras.models.load_model(student_path, compile=False)
    contents = convert_all(student, rows.sample(section.calibration_rows, seed))
    sample = rows.sample(_COMPARED_ROWS, seed + 1)
    report = measure(student, contents, sample, section.max_difference)
    description = describe(transform_graph, settings.preprocessing)
    distilled = Path(student_path).with_name(DISTILLATION_REPORT.file)
    mitigation = json.loads(distilled.read_text(encoding="utf-8")).get("mitigation")
    classes = settings.preprocessing.classes
    for name, content in contents.items():
        read = input_quantization(content)
        document = bundle_document(description, classes, name, mitigation, read)
        write_json(Path(variants, f"{name}.json"), document)
        Path(variants, f"{name}.tflite").write_bytes(content)
    write_json(Path(variants, QUANTIZATION_REPORT.file), report)


@component
def Quantizer(  # noqa: N802 - TFX takes the node's id from the name
    student: InputArtifact[Model],
    transformed_examples: InputArtifact[Examples],
    transform_graph: InputArtifact[TransformGraph],
    variants: OutputArtifact[TFLiteVariants],
    settings: Parameter[str],
    code_sha256: Parameter[str],
) -> None:
    """Converts the student as `settings`, JSON of `QuantizerSettings`, asks; see the module."""
    write_variants(
        variants.uri,
        os.path.join(student.uri, STUDENT_FILE),
        transform_graph.uri,
        split_pattern(transformed_examples, "train"),
        QuantizerSettings.model_validate_json(settings),
    )
