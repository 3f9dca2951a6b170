"""FairnessGate: judges what an Evaluator measured by every bound of the target.

Bounds overall, in every slice that is large enough, against the last blessed model, against the
teacher, against the references, against chance, on the gaps between groups and on how they grew
from the teacher's. They are judged here alone: TFMA's thresholds have no word for slices that are
too small, and it computes gaps but cannot bless them (`metrics_validator` lists every satisfied
cross-slice threshold as missing).

In: an Evaluator's evaluation and blessing, the model, Selector's choice, which says which variant
it is, and VariantEvaluator's report, which has the intervals and the comparison with the teacher.
Out: `gates`, a row for each bound, and `final_blessing`, which PushGate goes by: blessed only if
the Evaluator measured the model, there is a bound, and every row passed. NaN fails its bound; what
cannot be measured on these rows, or told from the bound by so few, is undecided
(models/metrics/judging.py).
"""

import json
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

from components.artifacts import GateReport, VariantChoice, VariantReport, bless
from core.names import CHOICE, FAIRNESS_GATES, TEACHER, VARIANT_REPORT
from core.sections.columns import TrueLabel
from core.sections.evaluation import Bounds, Judging
from core.sections.section import Section
from models.frontier.record import read_choice
from models.metrics.against_reference import reference_gates
from models.metrics.evidence import VariantEvidence, evidence_of
from models.metrics.gap_gates import gap_gate, growth_gate
from models.metrics.gates import OVERALL, Gate, at_least, at_most, write_gates
from models.metrics.judging import chance_gate, teacher_gates, weighed
from models.metrics.registry import EXAMPLES, OF_TWO, Metric, Metrics, metrics_of

CANDIDATE, BASELINE = "candidate", "baseline"

SliceMetrics = Mapping[str, Mapping[str, float]]


class GateSettings(Section):
    """What FairnessGate goes by."""

    columns: TrueLabel
    evaluation: Judging
    bounds: Bounds


def apply_gates(
    target: str,
    metrics: SliceMetrics,
    baseline: Mapping[str, float] | None,
    bounds: Bounds,
    rule: Judging,
    seen: VariantEvidence | None = None,
    measured: Metrics = OF_TWO,
) -> list[Gate]:
    """All gates of a target.

    Args:
      target: server or edge.
      metrics: For each slice ("overall", "sex=Female") its metrics by our names.
      baseline: The last blessed model's overall metrics; None where there is none.
      bounds: Those of the target in the configuration.
      rule: Which slices are gated, and what few rows are.
      seen: What the metrics rest on. Without it there are no intervals, and neither chance nor the
        teacher is compared with.
      measured: The metrics that there are for the classes.
    """
    key, overall = f"evaluation.{target}", metrics[OVERALL]
    known = seen or VariantEvidence()
    gates = [
        _worst_allowed(target, measured.quality[name], OVERALL, overall, bound, f"{key}.min.{name}")
        for name, bound in bounds.min.items()
    ]
    gates += [
        _worst_allowed(
            target, measured.quality[name], OVERALL, overall, bound, f"{key}.min_by_class.{kind}"
        )
        for kind, bound in bounds.min_by_class.items()
        for name in measured.names(kind)
    ]
    gates += [
        _worst_allowed(
            target, measured.quality[name], of_slice, row, bound, f"{key}.min_by_slice.{name}"
        )
        for of_slice, row in sorted(metrics.items())
        if of_slice != OVERALL and row[EXAMPLES] >= rule.min_slice_rows
        for name, bound in bounds.min_by_slice.items()
    ]
    gates = [weighed(g, g.metric, known.of_slice(g.slice), rule) for g in gates]
    if baseline is not None:
        for metric, bound in bounds.max_drop.items():
            before, now = baseline.get(metric), overall.get(metric)
            fall = None
            if before is not None and now is not None:
                fall = measured.quality[metric].fall(before, now)
            where = f"{key}.max_drop.{metric}"
            gates.append(at_most(target, f"{metric} drop", OVERALL, fall, bound, where))
    for column, by_rate in bounds.max_gap.items():
        for kind, bound in by_rate.items():
            for rate in measured.names(kind):
                gates.append(gap_gate(target, metrics, known, (column, rate, bound), rule))
    if (of_all := known.of_slice(OVERALL)) is not None:
        bounded = bounds.max_drop_from_teacher
        gates += teacher_gates(target, bounded, known.against_teacher, of_all, rule)
        least = bounds.min_over_reference
        gates += reference_gates(target, least, known.against_reference, of_all, rule)
        gates += [
            growth_gate(target, known, (column, rate, bound), rule)
            for column, by_rate in bounds.max_gap_growth.items()
            for kind, bound in by_rate.items()
            for rate in measured.names(kind)
        ]
        if bounds.better_than_chance:
            gates.append(chance_gate(target, overall, of_all, rule))
    return gates


def _worst_allowed(
    target: str, metric: Metric, name: str, row: Mapping[str, float], bound: float, key: str
) -> Gate:
    judge = at_least if metric.greater_is_better else at_most
    return judge(target, metric.name, name, row.get(metric.name), bound, key)


def without_teacher(bounds: Bounds) -> Bounds:
    """The bounds of a model that is the teacher: it is not compared with itself."""
    return bounds.model_copy(update={"max_drop_from_teacher": {}, "max_gap_growth": {}})


def read_metrics(
    evaluation: str, model_name: str, measured: Metrics = OF_TWO
) -> dict[str, dict[str, float]]:
    """A model's metrics in a TFMA evaluation, by slice and by our metric names.

    Args:
      evaluation: URI of the evaluation.
      model_name: Name of the model in the EvalConfig; "" where it was the only one.
      measured: The metrics that there are for the classes.
    """
    result = tfma.load_eval_result(evaluation, model_name=model_name)
    names = {name: metric.tfma_name for name, metric in measured.everything.items()}
    names[EXAMPLES] = "example_count"
    by_slice = {}
    for key, outputs in result.slicing_metrics:
        values = outputs[""][""]
        name = ",".join(f"{column}={value}" for column, value in key) or OVERALL
        found = {ours: _number(values.get(theirs, {})) for ours, theirs in names.items()}
        by_slice[name] = {ours: value for ours, value in found.items() if value is not None}
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
    choice: InputArtifact[VariantChoice],
    variant_report: InputArtifact[VariantReport],
    target: Parameter[str],
    settings: Parameter[str],
    code_sha256: Parameter[str],
    baseline_blessing: InputArtifact[ModelBlessing] = None,
) -> None:
    """Judges a model; see the module's docstring.

    Args:
      settings: JSON of `GateSettings`.
      baseline_blessing: Blessing of the model compared with. Not read: it has a model that was live
        before gated, and so pushed, again when another one has been live since.
    """
    has_baseline = blessing.has_custom_property(constants.ARTIFACT_PROPERTY_BASELINE_MODEL_ID_KEY)
    told = GateSettings.model_validate_json(settings)
    measured = metrics_of(told.columns.names)
    metrics = read_metrics(evaluation.uri, CANDIDATE if has_baseline else "", measured)
    baseline = read_metrics(evaluation.uri, BASELINE, measured)[OVERALL] if has_baseline else None
    variants = json.loads(Path(variant_report.uri, VARIANT_REPORT.file).read_text(encoding="utf-8"))
    variant = read_choice(Path(choice.uri, CHOICE.file)).variant
    seen = evidence_of(variants[variant])
    bounds = without_teacher(told.bounds) if variant == TEACHER else told.bounds
    metrics = {seen.called(name): row for name, row in metrics.items()}
    rows = apply_gates(target, metrics, baseline, bounds, told.evaluation, seen, measured)
    write_gates(Path(gates.uri, FAIRNESS_GATES.file), rows)
    passed = bool(rows) and all(row.passed for row in rows)
    bless(final_blessing, model, passed and model_utils.is_model_blessed(blessing))
