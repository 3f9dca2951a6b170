"""A run in records alone, with a report of each node: what a page is made of, in a second."""

import copy
import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from tensorflow_metadata.proto.v0 import statistics_pb2

from core.names import (
    ANOMALY_REPORT,
    DISTILLATION_REPORT,
    FEATURE_REPORT,
    FILES_SHA256,
    LABEL_REPORT,
    TRAINING_REPORT,
    TUNER_REPORT,
    Report,
)
from core.sections.labeling import LabelGates
from pipeline.config.load import load
from pipeline.metadata.executions import Execution
from pipeline.report import config_file, findings, summary
from pipeline.report.page.part import RunRecord
from pipeline.report.page.records import read_record
from pipeline.report.summary import Summary
from pipeline.run.failures import Failure
from tests.support.records.one_run import Store
from tests.support.records.summaries import MODEL, NODE, VALUES

NASTY = "<script>window.hurt = 1</script></script><img src=x onerror='window.hurt=1'>&\"'\u202e"
"""A text of data that would do harm as HTML or script."""

INTERVALS = {"auc": [0.89, 0.92], "accuracy": [0.84, 0.86], "f1": None}
HISTORY = {"loss": [0.6, 0.4, 0.35], "val_loss": [0.62, 0.45, None]}
SCHEMA = """
feature { name: "age" type: INT drift_comparator { jensen_shannon_divergence { threshold: 0.05 } } }
feature { name: "work" type: BYTES drift_comparator { infinity_norm { threshold: 0.1 } } }
"""


def function(**more: Any) -> dict[str, Any]:
    """What is reported of a labelling function."""
    return {
        "coverage": 0.2,
        "overlap": 0.1,
        "conflict": 0.05,
        "polarity": ["positive"],
        "gold_votes": 20,
        "accuracy_on_gold": 0.8,
        "accuracy_interval": [0.58, 0.92],
        "weight": 0.9,
        **more,
    }


def labels(nasty: str) -> dict[str, Any]:
    """What the labeler reports."""
    score = {
        "log_loss": 0.4, "log_loss_interval": [0.3, 0.5], "accuracy": 0.84,
        "accuracy_interval": [0.78, 0.88], "auc": 0.9, "auc_interval": None, "f1": 0.7,
    }  # fmt: skip
    unsure = function(accuracy_on_gold=None, accuracy_interval=None, gold_votes=0, weight=None)
    return {
        "mode": "weak", "gold_rows": 200, "gold_rows_random": 200, "rows": 32561,
        "class_balance": 0.24, "coverage": 0.93, "overlap": 0.6, "conflict": 0.21,
        "accuracy_on_gold": 0.84, "accuracy_interval": [0.78, 0.88],
        "functions": {"lf_gain": function(), "lf_unsure": unsure, nasty: function(coverage=0.4)},
        "method": "label_model", "method_reason": f"it is best; {nasty}",
        "methods": {"label_model": score, "majority_vote": score},
        "groups": {"sex": {nasty: {"rows": 9, "coverage": 0.5, "gold_rows": 3, "error": None}}},
        "findings": [
            {"severity": "error", "kind": "constant", "function": nasty, "message": nasty,
             "action": "drop it"}
        ],
    }  # fmt: skip


def statistics(ages: np.ndarray, work: Mapping[str, int]) -> bytes:
    """Statistics of two columns, and of one without a value, as StatisticsGen writes them."""
    found = statistics_pb2.DatasetFeatureStatisticsList()
    dataset = found.datasets.add(num_examples=len(ages))
    age = dataset.features.add(name="age", type=statistics_pb2.FeatureNameStatistics.INT)
    numbers, values = age.num_stats, ages.astype(float)
    numbers.common_stats.num_non_missing = len(values)
    numbers.min, numbers.max = values.min(), values.max()
    numbers.mean, numbers.std_dev = values.mean(), values.std()
    numbers.median = float(np.median(values))
    standard = numbers.histograms.add(type=statistics_pb2.Histogram.STANDARD)
    counts, edges = np.histogram(values, 10)
    quantiles = numbers.histograms.add(type=statistics_pb2.Histogram.QUANTILES)
    deciles = np.quantile(values, np.linspace(0, 1, 11), method="inverted_cdf")
    for histogram, ends, number in (
        (standard, edges, counts),
        (quantiles, deciles, [len(values) / 10] * 10),
    ):
        for low, high, count in zip(ends, ends[1:], number, strict=False):
            histogram.buckets.add(low_value=low, high_value=high, sample_count=count)
    texts = dataset.features.add(name="work", type=statistics_pb2.FeatureNameStatistics.STRING)
    texts.string_stats.common_stats.num_non_missing = sum(work.values())
    texts.string_stats.common_stats.num_missing = 1
    texts.string_stats.unique = len(work)
    for value, count in work.items():
        texts.string_stats.rank_histogram.buckets.add(label=value, sample_count=count)
    empty = dataset.features.add(name="empty", type=statistics_pb2.FeatureNameStatistics.STRING)
    empty.string_stats.common_stats.num_missing = len(ages)
    return found.SerializeToString()


def reported(folder: Path, nasty: str = NASTY, **changes: Any) -> RunRecord:
    """A run that went through to its end, in a store and in files below `folder`.

    Args:
        folder: <root>/<name>.
        nasty: a text that stands wherever one of data or people may.
        changes: of the summary's values.
    """
    folder.mkdir(parents=True)
    store = Store(folder)
    training = {
        "hyperparameters": {"learning_rate": 0.002, "hidden_units": [64, 32]},
        "history": HISTORY, "pruning_history": HISTORY, "sparsity": 0.5,
    }  # fmt: skip
    trials = [
        {"trial_id": "0", "score": 0.37, "dropout": 0.2},
        {"trial_id": "1", "score": None, "dropout": 0.1},
    ]
    anomalies = [
        {"split": "train", "feature": nasty, "severity": "WARNING", "problem": nasty, "rows": 3,
         "total": 100, "remedy": "mend it"}
    ]  # fmt: skip
    score = {
        "importance": 0.2, "mutual_information": 0.1, "linear": 0.3, "trees": 0.2, "gain": 0.9,
        "stability": None,
    }  # fmt: skip
    dropped = {
        "kept": ["age", "work"], "dropped": [{"column": nasty, "reason": nasty}], "note": nasty,
        "scores": [
            {"column": "age", **score, "like": None, "like_share": None},
            {"column": nasty, **score, "stability": 0.4, "like": nasty, "like_share": 0.99},
        ],
    }  # fmt: skip
    store.add("CsvExampleGen", "Examples", {}, {FILES_SHA256: json.dumps({"a.gz": "ab" * 32})})
    store.add("StatisticsGen", "ExampleStatistics", {})
    store.add("ImportSchemaGen", "Schema", {})
    for report, content in (
        (ANOMALY_REPORT, anomalies),
        (LABEL_REPORT, labels(nasty)),
        (FEATURE_REPORT, dropped),
        (TUNER_REPORT, trials),
        (TRAINING_REPORT, training),
        (DISTILLATION_REPORT, training | {"rows": {"labelled": 1500, "unlabelled": 20, "made": 0}}),
    ):
        _add(store, report, content)
    (folder / "artifacts/ImportSchemaGen/Schema/schema.pbtxt").write_text(SCHEMA)
    train = folder / "artifacts/StatisticsGen/ExampleStatistics/Split-train"
    train.mkdir()
    ages = np.random.default_rng(1).normal(40, 10, 500).round()
    (train / "FeatureStats.pb").write_bytes(statistics(ages, {nasty: 300, "Private": 200, "x": 2}))
    values = {**summary_values(nasty), **changes}
    written = Summary.model_validate(values)
    summary.write(written, summary.path_of(folder, written.run_id))
    config_file.write(load("census"), config_file.path_of(folder, written.run_id))
    return read_record(folder, written.run_id)


def _add(store: Store, report: Report, content: Any) -> None:
    store.add(report.node, report.artifact, {report.file: content})


def summary_values(nasty: str) -> dict[str, Any]:
    """Values of the summary of such a run."""
    values = copy.deepcopy(VALUES)
    evidence = {"overall": {"rows": 16281, "positives": 3846, "intervals": INTERVALS}}
    model = {**MODEL, "evidence": evidence, "slices": {f"sex={nasty}": {"auc": 0.9}}}
    against = [
        {"metric": "auc", "slice": "overall", "rows": 100, "value": -0.01, "low": -0.02,
         "high": 0.001, "error": 0.005}
    ]  # fmt: skip
    failed = {
        **VALUES["gates"][0], "target": "edge", "metric": "gap sex tpr", "slice": f"sex={nasty}",
        "value": 0.13, "bound": "<= 0.1", "passed": False, "sign": "<=", "limit": 0.1, "rows": 99,
        "interval": [0.11, 0.15], "key": "evaluation.edge.max_gap.sex.tpr",
    }  # fmt: skip
    undecided = {**failed, "passed": True, "undecided": True, "value": None, "why": "too few rows"}
    nodes = ["CsvExampleGen", "StatisticsGen", "SnorkelLabeler", "Trainer", "Pusher.edge"]
    return {
        **values,
        "models": {
            "teacher_pruned": model,
            "student_int8": {**model, "against_teacher": against},
        },
        "gates": [*values["gates"], failed, undecided],
        "nodes": dict.fromkeys(nodes, NODE),
        "upstream": {n: nodes[:place][-1:] for place, n in enumerate(nodes)},
        "data": {
            **values["data"],
            "files": {"span-1/data.csv": "ab" * 32},
            "held_back": [{"span": 4, "kind": "late", "message": nasty}],
        },
        "notes": [nasty],
    }  # fmt: skip


def cut(record: RunRecord, length: int) -> RunRecord:
    """The record of the same run, had it failed at the node after `length` executions."""
    made = [*record.executions[:length]]
    failed = dataclasses.replace(record.executions[length], state="FAILED", outputs={})
    return _ended(record, made, failed)


def _ended(record: RunRecord, made: list[Execution], failed: Execution) -> RunRecord:
    whole = record.summary
    bounds = record.config.labeling.gates if record.config else _NO_BOUNDS
    found = findings.collect([*made, failed], record.folder, False, bounds)
    done = {execution.node for execution in made}
    nodes = {
        name: node
        if name in done
        else node.model_copy(update={"state": "FAILED" if name == failed.node else "SKIPPED"})
        for name, node in whole.nodes.items()
    }
    failure = Failure("it broke", None, "run it again", 1, False, failed.node)
    values = {
        **whole.model_dump(mode="json"), "state": "FAILED", "nodes": nodes, "labels": found.labels,
        "features": found.features, "tuner": found.tuner, "search": found.search,
        "training": None,
        "models": found.models, "gates": found.gates, "push_checks": found.push_checks,
        "pushed": found.pushed, "failure": failure, "notes": [],
    }  # fmt: skip
    return dataclasses.replace(
        record, summary=Summary.model_validate(values), executions=[*made, failed]
    )


_UNSET: dict[str, Any] = dict.fromkeys(LabelGates.model_fields)
_NO_BOUNDS = LabelGates.model_construct(**_UNSET)
