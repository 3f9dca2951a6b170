"""ModelCard: what a reviewer needs of a target's model and of its data, with where it stands.

In: what the nodes before reported, as files of artifacts; the settings; what people wrote of use
and limits. Out: `cards`, model card and data card in Markdown and HTML, whose numbers each name
the artifact's id, the file, the place in it and the file's SHA-256. `python -m pipeline card
--verify` makes them anew from the same sources (models/cards/) and compares.

Fails with InputError when a source is not as it was when it was made.
"""

from pathlib import Path
from typing import Any

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.artifact import Artifact
from tfx.types.standard_artifacts import (
    Examples,
    ExampleStatistics,
    Model,
    ModelBlessing,
    ModelEvaluation,
    ModelRun,
    Schema,
)

from components.artifacts import (
    Answers,
    Cards,
    FeatureReport,
    GateReport,
    LabelReport,
    TFLiteVariants,
    VariantChoice,
    VariantReport,
)
from core.targets import TARGETS
from models.cards.files import card_files
from models.cards.sources import CardInput, read_sources
from models.cards.told import CardSettings


def as_input(artifact: Artifact) -> CardInput:
    """An artifact of TFX as cards take it."""
    record = artifact.mlmd_artifact
    properties: dict[str, Any] = {}
    for values in (record.properties, record.custom_properties):
        for key, value in values.items():
            kind = value.WhichOneof("value")
            if kind in ("int_value", "double_value", "string_value"):
                properties[key] = getattr(value, kind)
    return CardInput(artifact.id, artifact.type_name, Path(artifact.uri), properties)


@component
def ModelCard(  # noqa: N802 - TFX takes the node's id from the name
    examples: InputArtifact[Examples],
    statistics: InputArtifact[ExampleStatistics],
    schema: InputArtifact[Schema],
    answers: InputArtifact[Answers],
    label_report: InputArtifact[LabelReport],
    label_gates: InputArtifact[GateReport],
    feature_report: InputArtifact[FeatureReport],
    model_run: InputArtifact[ModelRun],
    model: InputArtifact[Model],
    choice: InputArtifact[VariantChoice],
    variants: InputArtifact[TFLiteVariants],
    variant_report: InputArtifact[VariantReport],
    evaluation: InputArtifact[ModelEvaluation],
    fairness_gates: InputArtifact[GateReport],
    push_gates: InputArtifact[GateReport],
    blessing: InputArtifact[ModelBlessing],
    cards: OutputArtifact[Cards],
    target: Parameter[str],
    settings: Parameter[str],
    intended_use: Parameter[str],
    code_sha256: Parameter[str],
) -> None:
    """Writes the cards; see the module's docstring.

    Args:
      settings: JSON of `CardSettings`.
      intended_use: What people wrote, in Markdown.
    """
    given = {
        "examples": examples,
        "statistics": statistics,
        "schema": schema,
        "answers": answers,
        "label_report": label_report,
        "label_gates": label_gates,
        "feature_report": feature_report,
        "model_run": model_run,
        "model": model,
        "choice": choice,
        "variants": variants,
        "variant_report": variant_report,
        "evaluation": evaluation,
        "fairness_gates": fairness_gates,
        "push_gates": push_gates,
        "blessing": blessing,
    }
    inputs = {key: as_input(artifact) for key, artifact in given.items()}
    execution = Path(cards.uri).name  # TFX's last folder of an output is its execution's id
    producer = TARGETS[target].producer
    sources = read_sources(inputs, settings, target, execution, producer)
    told = CardSettings.model_validate_json(settings)
    for name, text in card_files(sources, told, intended_use).items():
        Path(cards.uri, name).write_text(text, encoding="utf-8")
