"""What the two stock Evaluators measure and slice; FairnessGate judges it."""

import json

from tensorflow_model_analysis.proto import config_pb2

from components.beam.exact_metrics import RegistryMetric
from components.evaluation.fairness_gate import BASELINE, CANDIDATE
from core.names import DEFAULT_SIGNATURE, LABEL
from core.sections.evaluation import EvaluationSection
from models.metrics.registry import OF_TWO, THRESHOLD, metrics_of

_FAIRNESS_MODULE = "fairness_indicators.fairness_indicators_metrics"
_BATCH_ROWS = 4096


def eval_config(
    evaluation: EvaluationSection, classes: tuple[str, ...], model_type: str
) -> config_pb2.EvalConfig:
    """The EvalConfig of one target.

    TFMA blesses nothing without a threshold, so it has one: that there were rows to measure on.

    Args:
      evaluation: Slices.
      classes: The classes by their codes.
      model_type: "tf_generic" or "tf_lite".
    """
    measured = config_pb2.MetricThreshold()
    measured.value_threshold.lower_bound.value = 1.0
    count = config_pb2.MetricConfig(class_name="ExampleCount")
    count.per_slice_thresholds.add(slicing_specs=[config_pb2.SlicingSpec()], threshold=measured)
    metrics, known = [count], metrics_of(classes)
    two = known is OF_TWO  # whose rates TFMA has a metric for
    metrics += [
        config_pb2.MetricConfig(
            class_name=metric.tfma_class or RegistryMetric.__name__,
            module=None if metric.tfma_class else RegistryMetric.__module__,
            config=json.dumps(
                {"name": metric.tfma_name}
                | ({} if metric.tfma_class else {"classes": list(classes)})
            ),
        )
        for metric in (known.quality if two else known.everything).values()
    ]
    if two:
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
            _model(BASELINE, model_type, is_baseline=True),
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
