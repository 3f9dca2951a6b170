"""FairnessGate: the last word on a model, after the Evaluator's own thresholds.

TFMA's thresholds hold overall; this gate adds bounds for every slice that is large enough and
bounds on the gaps between groups, which TFMA computes but cannot bless
(`metrics_validator` lists every satisfied cross-slice threshold as missing).

In: an Evaluator's evaluation and blessing, and the model. Out: `gates`, a row for each bound, and
`final_blessing`, which PushGate goes by: blessed only if the Evaluator blessed the model and every
row passed. A missing value or NaN fails its bound.
"""

import dataclasses
import json
import math
import os
from collections.abc import Mapping
from typing import Any

import tensorflow_model_analysis as tfma
from tfx.components.evaluator import constants
from tfx.components.util import model_utils
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import Model, ModelBlessing, ModelEvaluation

from components.artifacts import GateReport
from components.blessing import bless
from core.names import FAIRNESS_GATES
from models.metrics.gates import Gate, at_least, at_most
from models.metrics.registry import THRESHOLD, gap

OVERALL = "overall"
CANDIDATE = "candidate"

# Our metric names and TFMA's.
TFMA_NAMES = {
    "auc": "auc",
    "accuracy": "binary_accuracy",
    "f1": "f1_score",
    "examples": "example_count",
    "tpr": f"fairness_indicators_metrics/true_positive_rate@{THRESHOLD}",
    "fpr": f"fairness_indicators_metrics/false_positive_rate@{THRESHOLD}",
    "selection_rate": f"fairness_indicators_metrics/positive_rate@{THRESHOLD}",
}

SliceMetrics = Mapping[str, Mapping[str, float]]


def drop(before: float | None, now: float | None) -> float | None:
    """Fall of a metric against the baseline; None where either is missing."""
    return None if before is None or now is None else before - now


def apply_gates(
    target: str,
    metrics: SliceMetrics,
    baseline: Mapping[str, float] | None,
    bounds: Mapping[str, Any],
    min_slice_rows: int,
) -> list[Gate]:
    """All gates of a target.

    Args:
      target: server or edge.
      metrics: For each slice ("overall", "sex=Female") its metrics by our names.
      baseline: The last blessed model's overall metrics; None where there is none.
      bounds: `min`, `min_by_slice`, `max_drop` and `max_gap` of the configuration.
      min_slice_rows: Smaller slices are not gated.
    """
    overall = metrics[OVERALL]
    gates = [
        Gate(target, metric, OVERALL, *at_least(overall.get(metric), bound), f"min.{metric}")
        for metric, bound in bounds["min"].items()
    ]
    for name, row in sorted(metrics.items()):
        if name == OVERALL or row["examples"] < min_slice_rows:
            continue
        gates += [
            Gate(target, metric, name, *at_least(row.get(metric), bound), f"min_by_slice.{metric}")
            for metric, bound in bounds["min_by_slice"].items()
        ]
    if baseline is not None:
        gates += [
            Gate(
                target,
                f"{metric} drop",
                OVERALL,
                *at_most(drop(baseline.get(metric), overall.get(metric)), bound),
                f"max_drop.{metric}",
            )
            for metric, bound in bounds["max_drop"].items()
        ]
    for column, by_metric in bounds["max_gap"].items():
        gates += [
            Gate(
                target,
                f"gap {column} {metric}",
                OVERALL,
                *at_most(gap(metrics, column, metric, min_slice_rows), bound),
                f"max_gap.{column}.{metric}",
            )
            for metric, bound in by_metric.items()
        ]
    return [dataclasses.replace(g, key=f"evaluation.{target}.{g.key}") for g in gates]


def read_metrics(evaluation: str, model_name: str) -> dict[str, dict[str, float]]:
    """A model's metrics in a TFMA evaluation, by slice and by our metric names.

    Args:
      evaluation: URI of the evaluation.
      model_name: Name of the model in the EvalConfig; "" where it was the only one.
    """
    result = tfma.load_eval_result(evaluation, model_name=model_name)
    by_slice = {}
    for key, outputs in result.slicing_metrics:
        values = outputs[""][""]
        name = ",".join(f"{column}={value}" for column, value in key) or OVERALL
        measured = {ours: _number(values.get(theirs, {})) for ours, theirs in TFMA_NAMES.items()}
        by_slice[name] = {ours: value for ours, value in measured.items() if value is not None}
    return by_slice


def _number(value: Mapping[str, Any]) -> float | None:
    """TFMA writes NaN as a text; None stands for it, as for a metric that is not there."""
    number = float(value.get("doubleValue", math.nan))
    return None if math.isnan(number) else number


@component
def FairnessGate(  # noqa: N802 - TFX takes the node's id from the name
    evaluation: InputArtifact[ModelEvaluation],
    blessing: InputArtifact[ModelBlessing],
    model: InputArtifact[Model],
    gates: OutputArtifact[GateReport],
    final_blessing: OutputArtifact[ModelBlessing],
    target: Parameter[str],
    bounds: Parameter[str],
    min_slice_rows: Parameter[int],
    code_sha256: Parameter[str],
    baseline_blessing: InputArtifact[ModelBlessing] = None,
) -> None:
    """Gates slices and gaps; see the module's docstring.

    Args:
      bounds: JSON of the target's bounds in the configuration.
      baseline_blessing: Blessing of the model compared with. Not read: it has a model that was live
        before gated, and so pushed, again when another one has been live since.
      code_sha256: Tells runs of different code apart.
    """
    del code_sha256, baseline_blessing
    has_baseline = blessing.has_custom_property(constants.ARTIFACT_PROPERTY_BASELINE_MODEL_ID_KEY)
    metrics = read_metrics(evaluation.uri, CANDIDATE if has_baseline else "")
    baseline = read_metrics(evaluation.uri, "baseline")[OVERALL] if has_baseline else None
    rows = apply_gates(target, metrics, baseline, json.loads(bounds), min_slice_rows)
    blessed = model_utils.is_model_blessed(blessing) and all(row.passed for row in rows)
    with open(os.path.join(gates.uri, FAIRNESS_GATES.file), "w", encoding="utf-8") as file:
        json.dump([dataclasses.asdict(row) for row in rows], file, indent=1)
    bless(final_blessing, model, blessed)
