"""Names that several rooms go by: columns that nodes add, reports and files that nodes leave."""

from dataclasses import dataclass

ROW_ID = "row_id"
"""Column that staging adds: `span-1:1` for the first row of the first span."""

LABEL = "label"
"""Column that labelling adds: the probability of the positive of two classes, or of more a share of
each.
"""

BOTH = ("negative", "positive")
"""What reports call two classes, by their codes; of more their own names are used."""

WEIGHT = "weight"
"""Column that labelling adds: the weight of a row in training."""

SPLITS = ("train", "eval", "test")

SOURCE_FILES = "source_files"
"""Property of CsvExampleGen's Examples: name and SHA-256 of each raw file, as JSON."""

FILES_SHA256 = "files_sha256"
"""Property of each artifact: SHA-256 of its files by their paths in it, as JSON."""

ANSWERS_FILE = "answers.json"
TEACHER, TEACHER_PRUNED, STUDENT = "teacher", "teacher_pruned", "student"
"""The networks that are trained."""

TEACHER_FILE = "teacher.keras"
PRUNED_FILE = "teacher_pruned.keras"
STUDENT_FILE = "student.keras"
NETWORK_FILES = {TEACHER: TEACHER_FILE, TEACHER_PRUNED: PRUNED_FILE}
"""Of the Trainer's networks, by their names."""

EVAL_ANSWERS_FILE = "eval_answers.npz"
"""Beside the Trainer's networks: what each answered to the eval rows before it saw these."""

PREPROCESSING_FILE = "preprocessing.json"
MANIFEST_FILE = "manifest.json"
EDGE_MODEL_FILE = "tflite"
"""In an edge bundle; the name that TensorFlow Model Analysis looks for."""

EDGE_RUNNER_FILES = ("run.py", "cells.py")
"""In a pushed edge bundle: a runner in Python, no part of the model."""

WARM_UP_FILE = "assets.extra/tf_serving_warmup_requests"
"""In a SavedModel; where TensorFlow Serving looks for it."""

WARM_UP_ROWS_FILE = "warm_up_rows.tfrecord"
"""Beside PushGate's verdict on a SavedModel: rows that it was asked, for WARM_UP_FILE."""

DEFAULT_SIGNATURE, COLUMNS_SIGNATURE = "serving_default", "serving_columns"
"""Signatures of a server model: of serialized tf.Examples, and of named raw columns."""

EXAMPLES_INPUT = "examples"
"""What DEFAULT_SIGNATURE of a server model takes."""

TRAINING_ROWS_FILE = "training_rows.json"
"""Beside PushGate's verdict and in a pushed version: what explanations go by."""


@dataclass(frozen=True)
class Report:
    """A file in which a node says what it did.

    Attributes:
      node: Id of the node; with `.{target}` at its end where there is one for each target.
      artifact: Type of the artifact that the file lies in.
      file: Its name.
    """

    node: str
    artifact: str
    file: str

    def of(self, target: str) -> "Report":
        """The report of the node for one target."""
        return Report(self.node.format(target=target), self.artifact, self.file)


ANOMALY_REPORT = Report("AnomalyGate", "AnomalyReport", "anomaly_report.json")
LABEL_REPORT = Report("SnorkelLabeler", "LabelReport", "label_report.json")
LABEL_GATES = Report("LabelGate", "GateReport", "gates.json")
FEATURE_REPORT = Report("FeatureSelector", "FeatureReport", "feature_report.json")
TUNER_REPORT = Report("Tuner", "TunerResults", "tuner_results.json")
SEARCH_REPORT = Report("Tuner", "TunerResults", "search.json")
TRAINING_REPORT = Report("Trainer", "ModelRun", "training.json")
DISTILLATION_REPORT = Report("Distiller", "Model", "distillation.json")
QUANTIZATION_REPORT = Report("Quantizer", "TFLiteVariants", "quantization.json")
CHOICE = Report("Selector.{target}", "VariantChoice", "choice.json")
VARIANT_REPORT = Report("VariantEvaluator", "VariantReport", "variants.json")
REFERENCES_REPORT = Report("VariantEvaluator", "VariantReport", "references.json")
FAIRNESS_GATES = Report("FairnessGate.{target}", "GateReport", "gates.json")
PUSH_GATES = Report("PushGate.{target}", "GateReport", "gates.json")
PUSH_CHECKS = Report("PushGate.{target}", "GateReport", "checks.json")
EXPLANATION = Report("Explainer", "Explanation", "explanation.json")

CARD_FILES = ("model_card.md", "model_card.html", "data_card.md", "data_card.html")
"""What ModelCard makes; beside `version.json` of a pushed version they are no part of the model."""
