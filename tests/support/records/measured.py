"""A run's record with measured models, made of literal-sized random rows, without TensorFlow."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.answers import THRESHOLD
from core.config import Config
from models.metrics.comparison import compare
from models.metrics.evidence import evidence
from models.metrics.gates import OVERALL, Gate, at_least, at_most
from models.metrics.registry import metrics_of, slice_rows
from pipeline.config.load import load
from pipeline.report.page.part import RunRecord
from pipeline.report.summary import Summary
from tests.support.records import summaries

HOSTILE = '<script>alert("x")</script>'
SLICES = (("sex",), ("land",), ("sex", "land"))
LEAST = 60  # evaluation.min_slice_rows
BINS = 200


@dataclass(frozen=True)
class Rows:
    """Test rows and what two models answer.

    labels: [rows]; answers: [rows] or [rows, K] by variant; columns: [rows] of str by name.
    """

    labels: np.ndarray
    answers: Mapping[str, np.ndarray]
    columns: Mapping[str, np.ndarray]


def rows_of_two(seed: int = 7, count: int = 900) -> Rows:
    """Rows of two classes; one group is called like a script, one is not ASCII, one is small."""
    random = np.random.default_rng(seed)
    labels = (random.random(count) < 0.35).astype(int)
    sex = np.where(random.random(count) < 0.4, HOSTILE, "Männer")
    land = random.choice(["東京", "a,b=c", "tiny"], count, p=[0.5, 0.49, 0.01])
    shift = 0.4 * (sex == HOSTILE) * labels
    answers = {}
    for name, noise in (("teacher", 0.9), ("teacher_pruned", 1.0), ("student_int8", 1.1)):
        logits = 2.2 * (labels - 0.5) - shift + random.normal(0, noise, count)
        answers[name] = (1 / (1 + np.exp(-logits))).astype(np.float32)
    return Rows(labels, answers, {"sex": sex, "land": land})


def rows_of_three(seed: int = 7, count: int = 600) -> Rows:
    """Rows of three classes."""
    random = np.random.default_rng(seed)
    labels = random.choice(3, count, p=[0.6, 0.3, 0.1])
    answers = {}
    for name in ("teacher", "teacher_pruned", "student_int8"):
        logits = random.normal(0, 1, (count, 3)) + 2 * np.eye(3)[labels]
        answers[name] = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    sex = np.where(random.random(count) < 0.5, HOSTILE, "Männer")
    return Rows(labels, answers, {"sex": sex})


def scores(rows: Rows, variant: str, groups: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Counts by class and bin: a row is in bin ceil(p * BINS) - 1, and in 0 for p = 0."""
    place = np.maximum(np.ceil(rows.answers[variant].astype(float) * BINS).astype(int) - 1, 0)
    found = {}
    for name, members in groups.items():
        found[name] = {
            called: np.bincount(place[members & (rows.labels == code)], minlength=BINS).tolist()
            for code, called in enumerate(("negative", "positive"))
        }
    return {"bins": BINS, "groups": found}


def groups_of(rows: Rows, slices: Sequence[Sequence[str]]) -> dict[str, np.ndarray]:
    """Which rows are in each slice, "overall" first."""
    return {OVERALL: np.ones(len(rows.labels), bool), **slice_rows(rows.columns, slices)}


def measured(rows: Rows, classes: tuple[str, ...], slices: Sequence[Sequence[str]]) -> Any:
    """The `models` of a summary."""
    known = metrics_of(classes)
    groups = groups_of(rows, slices)
    models = {}
    for place, (name, answers) in enumerate(rows.answers.items()):
        by_slice = {
            n: known.of_slice(rows.labels[m], answers[m]) for n, m in groups.items() if n != OVERALL
        }
        differences = [
            asdict(found)
            for metric in known.together
            if name != "teacher"
            for found in compare(rows.labels, answers, rows.answers["teacher"], {}, [metric])
        ]
        gaps = {
            keys[0]: {
                rate: gap([by_slice[name] for name in slice_rows(rows.columns, [keys])], rate)
                for rate in known.rates
            }
            for keys in slices
            if len(keys) == 1
        }
        models[name] = {
            "metrics": known.overall(rows.labels, answers),
            "slices": by_slice,
            "gaps": gaps,
            "evidence": {
                n: asdict(evidence(rows.labels[m], answers[m], classes)) for n, m in groups.items()
            },
            "against_teacher": differences,
            "bytes": 400_000 // (place + 1),
            "gzip_bytes": 300_000 // (place + 1),
            "latency_us": {"batch_1": 300.0 / (place + 1), "batch_256": 2000.0 / (place + 1)},
            "sparsity": 0.25 * place,
        }
        if len(classes) == 2:
            models[name]["scores"] = scores(rows, name, groups)
    return models


def gap(groups: Sequence[Mapping[str, float | None]], rate: str) -> float | None:
    """The largest difference of a rate between groups that are large enough."""
    found = [group[rate] for group in groups if (group["examples"] or 0) >= LEAST]
    known = [value for value in found if value is not None]
    return max(known) - min(known) if len(known) == len(found) > 1 else None


def gates(models: Mapping[str, Any], targets: Mapping[str, str]) -> list[Gate]:
    """Bounds that hold, one of each kind that hangs on the threshold."""
    found = []
    for target, variant in targets.items():
        model, key = models[variant], f"evaluation.{target}"
        accuracy = model["metrics"]["accuracy"]
        found += [
            at_least(target, "auc", OVERALL, model["metrics"]["auc"], 0.5, f"{key}.min.auc"),
            at_least(target, "accuracy", OVERALL, accuracy, 0.7, f"{key}.min.accuracy"),
            at_most(target, "accuracy drop", OVERALL, 0.01, 0.05, f"{key}.max_drop.accuracy"),
            at_most(target, "accuracy drop from teacher", OVERALL, 0.0, 0.01,
                    f"{key}.max_drop_from_teacher.accuracy"),
        ]  # fmt: skip
        found += [
            at_least(target, "f1", name, row["f1"], 0.3, f"{key}.min_by_slice.f1")
            for name, row in model["slices"].items()
            if row["examples"] >= LEAST
        ]
        found += [
            at_most(target, f"gap sex {rate}", OVERALL, model["gaps"]["sex"][rate], bound,
                    f"{key}.max_gap.sex.{rate}")
            for rate, bound in (("tpr", 0.3), ("fpr", 0.2))
        ]  # fmt: skip
    return found


def config_of(slices: Sequence[Sequence[str]] = SLICES) -> Config:
    """A configuration that slices so."""
    config = load("smoke", [f"evaluation.min_slice_rows={LEAST}"])
    section = config.evaluation.model_copy(update={"slices": tuple(map(tuple, slices))})
    return config.model_copy(update={"evaluation": section})


def record_of(
    rows: Rows,
    folder: Path,
    classes: tuple[str, ...] = ("negative", "positive"),
    slices: Sequence[Sequence[str]] = SLICES,
) -> RunRecord:
    """The record of a run that measured these rows."""
    values = copy.deepcopy(summaries.VALUES)
    values["models"] = measured(rows, classes, slices)
    bounds = gates(values["models"], values["targets"]) if len(classes) == 2 else []
    values["gates"] = [asdict(gate) for gate in bounds]
    return RunRecord(Summary.model_validate(values), [], folder, config_of(slices))


def at_threshold(
    rows: Rows, variant: str, members: np.ndarray, threshold: float = THRESHOLD
) -> dict[str, float]:
    """What the rows themselves say at a threshold."""
    chosen = rows.answers[variant][members].astype(float) > threshold
    positive = rows.labels[members] == 1
    return {
        "accuracy": float((chosen == positive).mean()),
        "precision": float(positive[chosen].mean()),
        "recall": float(chosen[positive].mean()),
        "f1": float(2 * (chosen & positive).sum() / (chosen.sum() + positive.sum())),
        "tpr": float(chosen[positive].mean()),
        "fpr": float(chosen[~positive].mean()),
        "selection_rate": float(chosen.mean()),
    }
