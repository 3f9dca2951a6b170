"""PushGate: a model is served only when a fresh process can serve it as well as the live version.

It takes the place of TFX's InfraValidator, which needs Docker. Three checks:

1. The same model was not rolled back (`python -m pipeline rollback`).
2. A fresh process, which imports TensorFlow (server) or an interpreter (edge) and nothing of how
   the model was made, loads it and answers rows of the test split as the pipeline does, fast
   enough. A crash or a hang of that process is a failed check, not a failed run.
3. On the newest labelled rows the model is not worse than the version that is live, overall and in
   every slice that is large enough: a metric may not fall by more than its tolerance, unless that
   is within chance (`models/metrics/comparison.py`). The live model is read from its served folder
   and answers raw rows through its own preprocessing, so it can be compared whatever it was trained
   on.

In: labelled examples, the Transform graph, the model, the Trainer's `model_run`, Selector's choice,
FairnessGate's blessing, and the PushedModel of the live version if there is one. Out: `gates`, a
row for each bound in `gates.json`, and `checks.json`; `final_blessing`, which the Pusher and the
next run's baseline go by. Beside the verdict lie training rows, which the Pusher puts into the
version for explanations, and, for a SavedModel, some of the rows that it answered, of which the
Pusher makes TensorFlow Serving's warm-up requests. A model that was not blessed before is not
looked at.
"""

import json
from pathlib import Path

import tensorflow as tf
from tfx.components.util import model_utils
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import (
    Examples,
    Model,
    ModelBlessing,
    ModelRun,
    PushedModel,
    TransformGraph,
)
from tfx.utils import path_utils

from components.artifacts import GateReport, VariantChoice, bless, split_pattern
from components.pushing.against_live import PushSettings
from components.pushing.kept_rows import KeptSettings, keep
from components.pushing.push_checks import InPipeline, check, rolled_back_row
from core.files import write_json
from core.names import CHOICE, PUSH_CHECKS, PUSH_GATES, WARM_UP_ROWS_FILE
from core.targets import TARGETS
from models.export.model_content import content_sha256
from models.frontier.record import read_choice
from models.metrics.gates import Gate, PushChecks, write_gates
from models.network.rows import load_records

_WARM_UP_ROWS = 16


@component
def PushGate(  # noqa: N802 - TFX takes the node's id from the name
    examples: InputArtifact[Examples],
    transform_graph: InputArtifact[TransformGraph],
    model: InputArtifact[Model],
    model_run: InputArtifact[ModelRun],
    choice: InputArtifact[VariantChoice],
    blessing: InputArtifact[ModelBlessing],
    gates: OutputArtifact[GateReport],
    final_blessing: OutputArtifact[ModelBlessing],
    target: Parameter[str],
    settings: Parameter[str],
    kept_rows: Parameter[str],
    rolled_back: Parameter[str],
    code_sha256: Parameter[str],
    live: InputArtifact[PushedModel] = None,
) -> None:
    """Checks a model before it is served; see the module's docstring.

    Args:
      settings: JSON of `PushSettings`.
      kept_rows: JSON of `KeptSettings`.
      rolled_back: JSON list of version, digest and reason of the models that were rolled back.
    """
    rows: list[Gate] = []
    checks: PushChecks | None = None
    blessed = model_utils.is_model_blessed(blessing)
    folder = path_utils.serving_model_path(model.uri)
    if blessed:
        rows = rolled_back_row(target, content_sha256(Path(folder)), json.loads(rolled_back))
    if blessed and not rows:
        rows, checks = check(
            target,
            {split: split_pattern(examples, split) for split in ("eval", "test")},
            transform_graph.uri,
            InPipeline(folder, model_run.uri, read_choice(Path(choice.uri, CHOICE.file)).variant),
            live.get_string_custom_property("pushed_destination") if live else None,
            PushSettings.model_validate_json(settings),
        )
    report = Path(gates.uri)
    write_gates(report / PUSH_GATES.file, rows)
    write_json(report / PUSH_CHECKS.file, checks or {})
    blessed = blessed and all(row.passed for row in rows)
    bless(final_blessing, model, blessed)
    if blessed:
        verdict, told = Path(final_blessing.uri), KeptSettings.model_validate_json(kept_rows)
        keep(split_pattern(examples, "train"), verdict, told)
    if blessed and TARGETS[target].inputs == "raw":
        asked = load_records([split_pattern(examples, "test")], _WARM_UP_ROWS)
        with tf.io.TFRecordWriter(str(Path(final_blessing.uri, WARM_UP_ROWS_FILE))) as writer:
            for example in asked:
                writer.write(example)
