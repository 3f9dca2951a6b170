"""VariantEvaluator: every model variant on the test split, side by side.

TFX's Evaluator takes one candidate; this node measures the others the same way, so that the price
of pruning, distillation and quantization is on record before anything is pushed.

In: the transformed test split, the Transform graph, the Trainer's Keras files, what Selector.server
measured of the size and speed of their SavedModels, the student's TFLite variants, and what the
references answer. Out: `variant_report`,
the objects `models` and `references` of summary.json. Fails when a variant answers with a value
that is not a number.
"""

import dataclasses
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tf_keras
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import Examples, ModelRun, TransformGraph

from components.artifacts import (
    ReferenceAnswers,
    TFLiteVariants,
    VariantChoice,
    VariantReport,
    split_pattern,
)
from core.answers import decided
from core.files import write_json
from core.names import (
    CHOICE,
    NETWORK_FILES,
    QUANTIZATION_REPORT,
    REFERENCES_REPORT,
    ROW_ID,
    TEACHER,
    VARIANT_REPORT,
)
from core.sections.evaluation import Slicing
from core.sections.section import Section
from models.compression.exported import facts
from models.compression.goals import tables_of
from models.export.tflite import predict
from models.frontier.record import read_choice
from models.metrics.comparison import Difference, compare
from models.metrics.evidence import VariantEvidence, evidence
from models.metrics.gaps import gaps_between
from models.metrics.gates import OVERALL
from models.metrics.group_rates import scores, worst_groups
from models.metrics.registry import Metrics, groups_by, metrics_of
from models.network.layout import Preprocessing
from models.network.network import answers_of
from models.network.preprocessing import model_inputs_of
from models.network.rows import load_columns, load_rows
from models.reference.answers import read_answers


class VariantSettings(Section):
    """What VariantEvaluator goes by."""

    preprocessing: Preprocessing
    evaluation: Slicing


def checked(name: str, answers: np.ndarray) -> np.ndarray:
    """The answers of a variant.

    Raises:
      ValueError: One is not a number.
    """
    if count := int(np.sum(~np.isfinite(answers))):
        raise ValueError(
            f"{name}: {count} of {answers.size} answers are not numbers; lower "
            "trainer.learning_rate and distiller.learning_rate"
        )
    return answers


def evaluate(
    labels: np.ndarray,
    probabilities: np.ndarray,
    columns: Mapping[str, np.ndarray],
    settings: VariantSettings,
    teacher: np.ndarray | None = None,
    references: Mapping[str, np.ndarray] | None = None,
) -> dict[str, Any]:
    """Metrics, slices, gaps and scores of one variant, and what they rest on.

    Groups of several columns are named in the order in which `evaluation.slices` lists them.

    Args:
      labels: [rows], codes of classes.
      probabilities: [rows], or [rows, K] of K > 2 classes.
      columns: Slice columns, each [rows] of str.
      settings: What to go by.
      teacher: [rows], the teacher's probabilities, to be compared with row by row.
      references: The answers of each reference, to be compared with row by row, too.

    Raises:
      ValueError: The rows are too few to measure a metric on, or of one class.
    """
    classes = settings.preprocessing.classes
    measured, least = metrics_of(classes), settings.evaluation.min_slice_rows
    groups = groups_by(columns, settings.evaluation.slices)
    members = {name: rows for of_column in groups.values() for name, rows in of_column.items()}
    by_slice = {
        name: measured.of_slice(labels[rows], probabilities[rows]) for name, rows in members.items()
    }
    everything = {OVERALL: np.ones(len(labels), bool), **members}
    gaps = {
        column: gaps_between(labels, probabilities, of_column, measured, least, teacher)
        for column, of_column in groups.items()
    }
    rests_on = VariantEvidence(
        {
            name: evidence(labels[rows], probabilities[rows], classes)
            for name, rows in everything.items()
        },
        against_teacher=_differences(labels, probabilities, teacher, measured),
        against_reference={
            name: _differences(labels, probabilities, answers, measured)
            for name, answers in (references or {}).items()
        },
        gap_intervals={column: found for column, (found, _) in gaps.items()},
        gap_growth={column: grown for column, (_, grown) in gaps.items() if teacher is not None},
    )
    worst = worst_groups(by_slice, rests_on.evidence, measured, least)
    return {
        **dataclasses.asdict(rests_on),
        **({"confusion": confusion(labels, probabilities)} if measured.kinds else {}),
        **({} if measured.kinds else {"scores": scores(labels, probabilities, everything)}),
        "metrics": measured.overall(labels, probabilities),
        "slices": by_slice,
        "gaps": {
            column: {rate: each and each.value for rate, each in found.items()}
            for column, (found, _) in gaps.items()
            if [column] in [list(keys) for keys in settings.evaluation.slices]
        },
        "worst": {metric: dataclasses.asdict(each) for metric, each in worst.items()},
    }


def _differences(
    labels: np.ndarray, answers: np.ndarray, others: np.ndarray | None, measured: Metrics
) -> list[Difference]:
    """Each metric by itself against another model's answers to the same rows."""
    if others is None:
        return []
    found = (compare(labels, answers, others, {}, [metric]) for metric in measured.together)
    return [difference for of_metric in found for difference in of_metric]


def confusion(labels: np.ndarray, shares: np.ndarray) -> list[list[int]]:
    """Rows by true class, in each of them by the class that is decided for: K lists of K.

    Args:
      labels: [rows], codes of classes.
      shares: [rows, K].
    """
    width = shares.shape[1]
    counts = np.bincount(labels * width + decided(shares), minlength=width * width)
    found: list[list[int]] = counts.reshape(width, width).tolist()
    return found


@component
def VariantEvaluator(  # noqa: N802 - TFX takes the node's id from the name
    transformed_examples: InputArtifact[Examples],
    transform_graph: InputArtifact[TransformGraph],
    model_run: InputArtifact[ModelRun],
    server_choice: InputArtifact[VariantChoice],
    variants: InputArtifact[TFLiteVariants],
    variant_report: OutputArtifact[VariantReport],
    settings: Parameter[str],
    code_sha256: Parameter[str],
    reference_answers: InputArtifact[ReferenceAnswers] = None,
) -> None:
    """Evaluates all variants as `settings`, JSON of `VariantSettings`, asks; see the module."""
    told = VariantSettings.model_validate_json(settings)
    test = [split_pattern(transformed_examples, "test")]
    rows = load_rows(test, model_inputs_of(transform_graph.uri, told.preprocessing))
    labels = rows.codes
    columns = load_columns(test, sorted({c for keys in told.evaluation.slices for c in keys}))

    references = {}
    if reference_answers:
        [row_ids] = load_columns(test, [ROW_ID]).values()
        references = read_answers(Path(reference_answers.uri), row_ids)
    write_json(
        Path(variant_report.uri, REFERENCES_REPORT.file),
        {
            name: evaluate(labels, checked(name, found), columns, told)
            for name, found in references.items()
        },
    )

    report: dict[str, dict[str, Any]] = {}
    teacher = None
    for each in read_choice(Path(server_choice.uri, CHOICE.file)).variants:
        name, costs = each.measured.name, each.measured
        file = os.path.join(model_run.uri, NETWORK_FILES[name])
        network = tf_keras.models.load_model(file, compile=False)
        probabilities = checked(name, answers_of(network, rows))
        report[name] = evaluate(labels, probabilities, columns, told, teacher, references)
        if name == TEACHER:
            teacher = probabilities
        report[name] |= {"bytes": costs.bytes, "gzip_bytes": costs.gzip_bytes}
        report[name] |= {"latency_us": costs.latency_us, **facts(tables_of(network))}
    measured = json.loads(Path(variants.uri, QUANTIZATION_REPORT.file).read_text(encoding="utf-8"))
    for name in measured:
        model_file = Path(variants.uri, f"{name}.tflite")
        probabilities = checked(name, predict(model_file.read_bytes(), rows.features))
        report[name] = evaluate(labels, probabilities, columns, told, teacher, references)
        report[name] |= measured[name]
    write_json(Path(variant_report.uri, VARIANT_REPORT.file), report)
