"""FairnessGate: judges what an Evaluator measured by every bound of the target.

Bounds overall, in every slice that is large enough, against the last blessed model, and on the gaps
between groups. They are judged here alone: TFMA's thresholds have no word for slices that are too
small, and it computes gaps but cannot bless them (`metrics_validator` lists every satisfied
cross-slice threshold as missing).

In: an Evaluator's evaluation and blessing, and the model. Out: `gates`, a row for each bound, and
`final_blessing`, which PushGate goes by: blessed only if the Evaluator measured the model, there is
a bound, and every row passed. A missing value or NaN fails its bound.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow_model_analysis as tfma
from tfx.components.evaluator import constants
from tfx.components.util import model_utils
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import Model, ModelBlessing, ModelEvaluation

from components.artifacts import GateReport, bless
from core.names import FAIRNESS_GATES
from core.sections import Bounds
from models.metrics.gates import OVERALL, Gate, at_least, at_most, write_gates
from models.metrics.registry import EXAMPLES, METRICS, RATES, gap

CANDIDATE, BASELINE = "candidate", "baseline"

SliceMetrics = Mapping[str, Mapping[str, float]]


def apply_gates(
    target: str,
    metrics: SliceMetrics,
    baseline: Mapping[str, float] | None,
    bounds: Bounds,
    min_slice_rows: int,
) -> list[Gate]:
    """All gates of a target.

    Args:
      target: server or edge.
      metrics: For each slice ("overall", "sex=Female") its metrics by our names.
      baseline: The last blessed model's overall metrics; None where there is none.
      bounds: Those of the target in the configuration.
      min_slice_rows: Smaller slices are not gated.
    """
    key, overall = f"evaluation.{target}", metrics[OVERALL]
    gates = [
        _worst_allowed(target, metric, OVERALL, overall, bound, f"{key}.min.{metric}")
        for metric, bound in bounds.min.items()
    ]
    gates += [
        _worst_allowed(target, metric, name, row, bound, f"{key}.min_by_slice.{metric}")
        for name, row in sorted(metrics.items())
        if name != OVERALL and row[EXAMPLES] >= min_slice_rows
        for metric, bound in bounds.min_by_slice.items()
    ]
    if baseline is not None:
        for metric, bound in bounds.max_drop.items():
            before, now = baseline.get(metric), overall.get(metric)
            fall = None if before is None or now is None else METRICS[metric].fall(before, now)
            where = f"{key}.max_drop.{metric}"
            gates.append(at_most(target, f"{metric} drop", OVERALL, fall, bound, where))
    for column, by_rate in bounds.max_gap.items():
        for rate, bound in by_rate.items():
            found = gap(metrics, column, rate, min_slice_rows)
            where = f"{key}.max_gap.{column}.{rate}"
            gates.append(at_most(target, f"gap {column} {rate}", OVERALL, found, bound, where))
    return gates


def _worst_allowed(
    target: str, metric: str, name: str, row: Mapping[str, float], bound: float, key: str
) -> Gate:
    judge = at_least if METRICS[metric].greater_is_better else at_most
    return judge(target, metric, name, row.get(metric), bound, key)


def read_metrics(evaluation: str, model_name: str) -> dict[str, dict[str, float]]:
    """A model's metrics in a TFMA evaluation, by slice and by our metric names.

    Args:
      evaluation: URI of the evaluation.
      model_name: Name of the model in the EvalConfig; "" where it was the only one.
    """
    result = tfma.load_eval_result(evaluation, model_name=model_name)
    names = {m.name: m.tfma_name for m in (*METRICS.values(), *RATES.values())}
    names[EXAMPLES] = "example_count"
    by_slice = {}
    for key, outputs in result.slicing_metrics:
        values = outputs[""][""]
        name = ",".join(f"{column}={value}" for column, value in key) or OVERALL
        measured = {ours: _number(values.get(theirs, {})) for ours, theirs in names.items()}
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
    """Judges a model; see the module's docstring.

    Args:
      bounds: JSON of the target's bounds in the configuration.
      baseline_blessing: Blessing of the model compared with. Not read: it has a model that was live
        before gated, and so pushed, again when another one has been live since.
    """
    has_baseline = blessing.has_custom_property(constants.ARTIFACT_PROPERTY_BASELINE_MODEL_ID_KEY)
    metrics = read_metrics(evaluation.uri, CANDIDATE if has_baseline else "")
    baseline = read_metrics(evaluation.uri, BASELINE)[OVERALL] if has_baseline else None
    rows = apply_gates(
        target, metrics, baseline, Bounds.model_validate_json(bounds), min_slice_rows
    )
    write_gates(Path(gates.uri, FAIRNESS_GATES.file), rows)
    passed = bool(rows) and all(row.passed for row in rows)
    bless(final_blessing, model, passed and model_utils.is_model_blessed(blessing))
