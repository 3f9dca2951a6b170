"""Distiller: the student, from the teacher's soft outputs, then pruned.

In: transformed examples (train, eval), the Transform graph, the Trainer's `model_run`.
Out: `model`, with `student.keras` and `distillation.json`.
With a mitigation (`fairness`) it decides more alike in the groups of a column, as the teacher does.
Fails when the loss is not finite or the sparsity is not reached; it is pruned less where the eval
rows show that it gets worse.
"""

import dataclasses
import json
import os
from pathlib import Path

import tensorflow_transform as tft
import tf_keras
from pydantic import Field
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import Examples, Model, ModelRun, TransformGraph

from components.artifacts import split_pattern
from core.files import write_json
from core.names import DISTILLATION_REPORT, STUDENT, STUDENT_FILE, TEACHER_FILE, TRAINING_REPORT
from core.sections.fairness import Mitigation
from core.sections.section import Section
from core.sections.training import Batches, DistillerSection
from models.distillation.columns import places_of
from models.distillation.distillation import distill
from models.network.layout import Preprocessing, layout_of
from models.network.mitigation import read_groups
from models.network.preprocessing import model_inputs_of
from models.network.rows import load_rows
from models.network.thresholds import finished
from models.network.training import Plan


class DistillerSettings(Section):
    """What Distiller goes by: sections of the configuration, or the named parts of them.

    `max_drop`: `evaluation.edge.max_drop_from_teacher`. `fairness` and `gold_weight`: as for the
    Trainer.
    """

    preprocessing: Preprocessing
    seed: int
    trainer: Batches
    distiller: DistillerSection
    max_drop: dict[str, float] = Field(default_factory=dict)
    fairness: Mitigation | None = None
    gold_weight: float | None = None


def write_student(
    folder: str,
    teacher_path: str,
    transform_graph: str,
    train: str,
    evaluation: str,
    settings: DistillerSettings,
) -> None:
    """Trains the student and writes it and its report into `folder`.

    Args:
      folder: Where `student.keras` and `distillation.json` go.
      teacher_path: The teacher's Keras file, with the Trainer's report beside it.
      transform_graph: URI of the `transform_graph` artifact of TFX Transform.
      train: File pattern of the transformed training rows.
      evaluation: File pattern of the rows for early stopping.
      settings: What to go by.
    """
    section, trainer, seed = settings.distiller, settings.trainer, settings.seed
    inputs = model_inputs_of(transform_graph, settings.preprocessing)
    contract = tft.TFTransformOutput(transform_graph).raw_feature_spec()
    layout = layout_of(contract, settings.preprocessing)
    plan = Plan(section.epochs, trainer.batch_size, section.learning_rate, seed)
    report_of_teacher = Path(teacher_path).with_name(TRAINING_REPORT.file)
    trained = json.loads(report_of_teacher.read_text(encoding="utf-8"))
    rows, files = (
        (load_rows([train], inputs), load_rows([evaluation], inputs)),
        ([train], [evaluation]),
    )
    groups, told = None, settings.fairness
    if told is not None:
        groups = read_groups(told, rows, files, settings.gold_weight)
        rows = groups.train, groups.evaluation
    tf_keras.utils.set_random_seed(seed)
    student, report = distill(
        teacher=tf_keras.models.load_model(teacher_path, compile=False),
        inputs=inputs,
        train=rows[0],
        evaluation=rows[1],
        plan=plan,
        section=section,
        max_drop=settings.max_drop,
        odds=trained.get("odds", 1.0),
        penalty=groups.penalty(seed) if groups else None,
        penalty_epochs=told.epochs if told else 0,
        columns=places_of(layout, inputs),
    )
    mitigation = None
    if groups:
        done = finished({STUDENT: student}, groups, inputs, layout, settings.gold_weight)
        student, mitigation = done.networks[STUDENT], done.report({})
    student.save(os.path.join(folder, STUDENT_FILE))
    content = {**dataclasses.asdict(report), "mitigation": mitigation}
    write_json(Path(folder, DISTILLATION_REPORT.file), content)


@component
def Distiller(  # noqa: N802 - TFX takes the node's id from the name
    transformed_examples: InputArtifact[Examples],
    transform_graph: InputArtifact[TransformGraph],
    model_run: InputArtifact[ModelRun],
    model: OutputArtifact[Model],
    settings: Parameter[str],
    code_sha256: Parameter[str],
) -> None:
    """Trains the student as `settings`, JSON of `DistillerSettings`, asks; see the module."""
    write_student(
        model.uri,
        os.path.join(model_run.uri, TEACHER_FILE),
        transform_graph.uri,
        split_pattern(transformed_examples, "train"),
        split_pattern(transformed_examples, "eval"),
        DistillerSettings.model_validate_json(settings),
    )
