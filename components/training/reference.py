"""Reference: the simplest models that could do the job, on the labels that the network gets.

Logistic regression and boosted trees, on raw columns, with the same labels and weights. They are
never pushed: VariantEvaluator measures them beside the variants, and FairnessGate holds what is to
be pushed against the better of the two (`evaluation.<target>.min_over_reference`).

In: labelled examples, the selected schema. Out: `reference_answers`, what each of the models
answers to the test rows, by row id; where all training rows have one class there is nothing to
learn, and no model.
"""

from pathlib import Path

import tensorflow as tf
import tensorflow_data_validation as tfdv
from tensorflow_transform.tf_metadata.schema_utils import schema_as_feature_spec
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import Examples, Schema

from components.artifacts import ReferenceAnswers, split_pattern
from core.names import LABEL, ROW_ID, WEIGHT
from core.sections.section import Section
from core.sections.training import ReferenceSection
from models.export.raw_rows import load_raw_rows
from models.network.layout import Layout, Preprocessing, layout_of
from models.reference.answers import write_answers
from models.reference.columns import table_of
from models.reference.models import (
    BOOSTED_TREES,
    LOGISTIC_REGRESSION,
    Answer,
    Labelled,
    boosted_trees,
    is_one_class,
    logistic_regression,
)


class ReferenceSettings(Section):
    """What Reference goes by."""

    preprocessing: Preprocessing
    reference: ReferenceSection
    seed: int


def fit_references(
    train: Labelled, evaluation: Labelled, settings: ReferenceSettings
) -> dict[str, Answer]:
    """The models by name; none where the training rows that weigh anything have one class."""
    if is_one_class(train):
        return {}
    width = len(settings.preprocessing.classes)
    trees, seed = settings.reference.trees, settings.seed
    return {
        LOGISTIC_REGRESSION: logistic_regression(train, width),
        BOOSTED_TREES: boosted_trees(train, evaluation, width, trees, seed),
    }


def _labelled(examples: Examples, split: str, spec: dict[str, object], layout: Layout) -> Labelled:
    columns = load_raw_rows([split_pattern(examples, split)], spec).columns
    labels = columns[LABEL]
    return Labelled(table_of(columns, layout), labels.reshape(len(labels), -1), columns[WEIGHT])


@component
def Reference(  # noqa: N802 - TFX takes the node's id from the name
    labeled_examples: InputArtifact[Examples],
    schema: InputArtifact[Schema],
    reference_answers: OutputArtifact[ReferenceAnswers],
    settings: Parameter[str],
    code_sha256: Parameter[str],
) -> None:
    """Fits and asks the models as `settings`, JSON of `ReferenceSettings`, says; see the module."""
    told = ReferenceSettings.model_validate_json(settings)
    selected = tfdv.load_schema_text(str(Path(schema.uri, "schema.pbtxt")))
    layout = layout_of([f.name for f in selected.feature], told.preprocessing)
    by_name = schema_as_feature_spec(selected).feature_spec
    spec: dict[str, object] = {
        name: tf.io.VarLenFeature(by_name[name].dtype) for name in layout.columns
    }
    outputs = told.preprocessing.outputs
    spec[LABEL] = tf.io.FixedLenFeature([outputs], tf.float32)
    spec[WEIGHT] = tf.io.VarLenFeature(tf.float32)
    train, evaluation = (
        _labelled(labeled_examples, split, spec, layout) for split in ("train", "eval")
    )
    models = fit_references(train, evaluation, told)
    spec[ROW_ID] = tf.io.VarLenFeature(tf.string)
    test = load_raw_rows([split_pattern(labeled_examples, "test")], spec).columns
    asked = table_of(test, layout)
    answers = {name: answer(asked) for name, answer in models.items()}
    write_answers(Path(reference_answers.uri), test[ROW_ID], answers)
