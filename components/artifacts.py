"""Types of the artifacts that our own components hand on, as ML Metadata records them."""

from tfx.types.artifact import Artifact


class AnomalyReport(Artifact):
    """`anomaly_report.json`: the anomalies of a run that went on in spite of them."""

    TYPE_NAME = "AnomalyReport"


class Answers(Artifact):
    """`answers.json`: true labels that people gave, by row, and the imports they came with."""

    TYPE_NAME = "Answers"


class LabelReport(Artifact):
    """`label_report.json`: what each labelling function and the label model did."""

    TYPE_NAME = "LabelReport"


class FeatureReport(Artifact):
    """`feature_report.json`: the columns kept and dropped, with reasons."""

    TYPE_NAME = "FeatureReport"


class TFLiteVariants(Artifact):
    """The student's `.tflite` files and `quantization.json`, their sizes and differences."""

    TYPE_NAME = "TFLiteVariants"


class VariantReport(Artifact):
    """`variants.json`: quality, fairness, size and latency of every model variant."""

    TYPE_NAME = "VariantReport"


class GateReport(Artifact):
    """`gates.json`: metric, slice, value, bound and verdict of each gate of a target."""

    TYPE_NAME = "GateReport"
