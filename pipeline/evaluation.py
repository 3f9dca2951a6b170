"""What the two stock Evaluators measure, slice and bound."""

import json

from tensorflow_model_analysis.proto import config_pb2

from components.evaluation.fairness_gate import CANDIDATE, TFMA_NAMES
from core.names import LABEL
from core.sections import Bounds, Evaluation
from models.export.export import DEFAULT_SIGNATURE
from models.metrics.registry import THRESHOLD

_CLASSES = {"auc": "AUC", "accuracy": "BinaryAccuracy", "f1": "F1Score"}
_FAIRNESS_MODULE = "fairness_indicators.fairness_indicators_metrics"
_BATCH_ROWS = 4096


def eval_config(evaluation: Evaluation, bounds: Bounds, model_type: str) -> config_pb2.EvalConfig:
    """The EvalConfig of one target.

    Bounds here hold for the whole test split (an empty SlicingSpec); those by slice and on gaps
    are FairnessGate's.

    Args:
      evaluation: Slices.
      bounds: Value and change bounds of the target.
      model_type: "tf_generic" or "tf_lite".
    """
    metrics = [config_pb2.MetricConfig(class_name="ExampleCount")]
    metrics += [_metric(name, bounds) for name in _CLASSES]
    metrics.append(
        config_pb2.MetricConfig(
            class_name="FairnessIndicators",
            module=_FAIRNESS_MODULE,
            config=json.dumps({"thresholds": [THRESHOLD]}),
        )
    )
    return config_pb2.EvalConfig(
        model_specs=[
            _model(CANDIDATE, model_type, is_baseline=False),
            _model("baseline", model_type, is_baseline=True),
        ],
        slicing_specs=[
            config_pb2.SlicingSpec(),
            *(config_pb2.SlicingSpec(feature_keys=columns) for columns in evaluation.slices),
        ],
        metrics_specs=[
            config_pb2.MetricsSpec(
                metrics=metrics,
                example_weights=config_pb2.ExampleWeightOptions(weighted=True),
            )
        ],
    )


def _model(name: str, model_type: str, is_baseline: bool) -> config_pb2.ModelSpec:
    return config_pb2.ModelSpec(
        name=name,
        model_type=model_type,
        signature_name=DEFAULT_SIGNATURE,
        label_key=LABEL,
        is_baseline=is_baseline,
        inference_batch_size=_BATCH_ROWS,
    )


def _metric(name: str, bounds: Bounds) -> config_pb2.MetricConfig:
    threshold = config_pb2.MetricThreshold()
    if name in bounds.min:
        threshold.value_threshold.lower_bound.value = bounds.min[name]
    if name in bounds.max_drop:
        threshold.change_threshold.absolute.value = -bounds.max_drop[name]
        threshold.change_threshold.direction = config_pb2.MetricDirection.HIGHER_IS_BETTER
    metric = config_pb2.MetricConfig(
        class_name=_CLASSES[name], config=json.dumps({"name": TFMA_NAMES[name]})
    )
    if name in bounds.min or name in bounds.max_drop:
        metric.per_slice_thresholds.add(
            slicing_specs=[config_pb2.SlicingSpec()], threshold=threshold
        )
    return metric
