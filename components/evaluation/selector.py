"""Selector: which variant of the model a target ships, chosen on the eval rows.

The test rows, which the Evaluators judge by, have no part in it. On the eval rows each variant's
AUC and gaps between groups are compared with the teacher's; its bytes and the time of a row are its
other costs (models/frontier/choice.py). Of teachers that learnt from the eval rows in the end
(`trainer.all_rows`) those from before are compared; students with the one that they learnt from.
`selection.<target>` has the limits and what counts among variants that keep them; a variant that
the configuration names ships whatever is found.

In: the labelled and the transformed eval split, the Transform graph, the Trainer's `model_run`, and
for the server the Trainer's SavedModel, for the edge the TFLite variants. Out: `model`, what is
evaluated, gated and pushed: for the server a SavedModel, and beside it what a later teacher starts
from; for the edge a bundle: `Format-Serving/tflite`, `preprocessing.json` and `manifest.json`.
`choice`: the variant, the reason and the table. Fails with InputError when the configuration names
a variant that there is not.
"""

import importlib
import tempfile
from pathlib import Path

import numpy as np
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import Examples, Model, ModelRun, TransformGraph
from tfx.utils import path_utils

from components.artifacts import TFLiteVariants, VariantChoice, split_pattern
from core.names import CHOICE
from core.sections.evaluation import Slicing
from core.sections.section import Section
from core.sections.variants import Limits
from core.targets import TARGETS
from models.frontier.candidates import Candidates, Given, table_of
from models.frontier.choice import choose
from models.frontier.record import VariantSelection, write_choice
from models.network.layout import Preprocessing
from models.network.preprocessing import model_inputs_of
from models.network.rows import load_columns, load_rows


class SelectorSettings(Section):
    """What Selector goes by; `variant` is one that is fixed, or "auto"."""

    preprocessing: Preprocessing
    evaluation: Slicing
    limits: Limits
    variant: str


def select(
    target: str, given: Given, evaluation: str, settings: SelectorSettings, folder: Path
) -> VariantSelection:
    """Chooses a variant and writes it.

    Args:
      target: Of core/targets.py.
      given: What its variants are made of.
      evaluation: File pattern of the transformed eval rows; those without a weight do not count.
      settings: What to go by.
      folder: Where the variant goes; it must not exist.
    """
    told = settings.evaluation
    inputs = model_inputs_of(given.transform_graph, settings.preprocessing)
    every = load_rows([evaluation], inputs)
    counted = np.flatnonzero(every.weight[:, 0] > 0)
    rows = every.take(counted)
    columns = load_columns([evaluation], sorted({c for keys in told.slices for c in keys}))
    module = importlib.import_module(TARGETS[target].candidates)
    candidates: Candidates = module.open_candidates(given)
    table = table_of(
        rows.codes,
        candidates.answers(every),
        candidates.costs(),
        candidates.teacher(every),
        {name: values[counted] for name, values in columns.items()},
        told,
        settings.preprocessing.classes,
    )
    key = TARGETS[target].variant_key
    choice = choose(target, table, settings.limits, settings.variant, rows.count, key)
    candidates.write(choice.variant, folder)
    return choice


@component
def Selector(  # noqa: N802 - TFX takes the node's id from the name
    labeled_examples: InputArtifact[Examples],
    transformed_examples: InputArtifact[Examples],
    transform_graph: InputArtifact[TransformGraph],
    model_run: InputArtifact[ModelRun],
    model: OutputArtifact[Model],
    choice: OutputArtifact[VariantChoice],
    target: Parameter[str],
    settings: Parameter[str],
    code_sha256: Parameter[str],
    trained: InputArtifact[Model] = None,
    variants: InputArtifact[TFLiteVariants] = None,
) -> None:
    """Chooses as `settings`, JSON of `SelectorSettings`, asks; see the module."""
    told = SelectorSettings.model_validate_json(settings)
    with tempfile.TemporaryDirectory() as scratch:
        given = Given(
            Path(model_run.uri),
            told.preprocessing,
            transform_graph.uri,
            split_pattern(labeled_examples, "eval"),
            Path(scratch),
            Path(path_utils.serving_model_path(trained.uri)) if trained else None,
            Path(variants.uri) if variants else None,
        )
        made = select(
            target,
            given,
            split_pattern(transformed_examples, "eval"),
            told,
            Path(path_utils.serving_model_dir(model.uri)),
        )
    write_choice(Path(choice.uri, CHOICE.file), made)
