"""The checks of PushGate: rolled back before, a fresh process, the version that is live."""

import functools
import importlib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from components.pushing.against_live import (
    PushSettings,
    RowSet,
    choose_rows,
    comparison_rows,
    in_words,
    left_out,
)
from components.pushing.fresh_process import Served, serve
from core.names import LABEL, WEIGHT
from core.targets import TARGETS
from models.export.fresh_predictions import Task
from models.export.raw_rows import TYPES, RawRows, load_raw_rows
from models.metrics.gates import OVERALL, Gate, PushChecks, at_most

_NEVER_SENT = (LABEL, WEIGHT)
_STEP = 1 / 256  # a device's shares are multiples of it, so their sum is off by up to half of each


@dataclass(frozen=True)
class InPipeline:
    """A model as the pipeline has it.

    Attributes:
      model: Folder of the SavedModel or edge bundle.
      model_run: URI of the Trainer's `model_run`.
      variant: Which of the variants it is.
    """

    model: str
    model_run: str
    variant: str


def rolled_back_row(target: str, model_sha256: str, rolled_back: list[list[str]]) -> list[Gate]:
    """A failed row when the model was rolled back, else none.

    Args:
      rolled_back: Version, digest and reason of each.
    """
    for version, digest, reason in rolled_back:
        if digest == model_sha256:
            why = f"this model was rolled back as version {version} ({reason})"
            key = f"rollback {target} {version}"
            return [Gate(target, "rolled back", OVERALL, None, "never", False, key, why)]
    return []


def prediction_rows(
    target: str, served: Served, expected: np.ndarray, settings: PushSettings, compared: bool
) -> list[Gate]:
    """Whether a fresh process answered as the pipeline does, and fast enough.

    Args:
      compared: Whether the process had a live version to serve, too: that it failed after it had
        answered for the candidate is not the candidate's fault. Where it was cut off, nothing says
        that the candidate is as good.
    """
    predictions, problem = served.candidate, served.problem
    why = problem.text if problem else None
    missing = Gate(target, "answers", OVERALL, None, "given", False, "pusher.time_limit", why)
    if predictions is None or (problem and not compared):
        return [missing]
    if problem and problem.cut_off and served.live is None:
        return [replace(missing, metric="answers of live")]
    first = predictions.probabilities[: len(expected)]
    shape = expected.shape[1:]
    if not (first.shape == predictions.by_column.shape == expected.shape):
        asked = f"{shape[0]} shares of classes" if shape else "one probability"
        return [replace(missing, why=f"its answers are not {asked} a row, {len(expected)} rows")]
    sample = np.stack([first, predictions.by_column])
    wrong = ~(np.isfinite(sample) & (sample >= 0) & (sample <= 1))
    if shape:
        wrong = wrong.any(axis=-1) | (np.abs(sample.sum(axis=-1) - 1) > _STEP * (1 + shape[0]))
    difference = None if wrong.any() else float(np.abs(sample - expected).max())
    why = f"{wrong.sum()} of {wrong.size} answers are no probabilities" if wrong.any() else None
    bounds = [
        ("answers differ", difference, "max_difference"),
        ("latency ms", predictions.latency_ms, "max_latency_ms"),
    ]
    differ, latency = (
        at_most(target, metric, OVERALL, value, getattr(settings.pusher, key), f"pusher.{key}")
        for metric, value, key in bounds
    )
    return [replace(differ, why=why), latency]


def other_classes(served: Served) -> str | None:
    """In words, that the live version tells other classes apart than the candidate; else None.

    What it answers then cannot be compared row by row: a class that it does not know has no share.
    """
    mine, live = served.candidate, served.live
    if mine is None or live is None:
        return None
    alike = mine.probabilities.shape[1:] == live.probabilities.shape[1:]
    if alike and (mine.classes == live.classes or not (mine.classes and live.classes)):
        return None
    named = ", ".join(live.classes) or "two classes"
    return f"it answers {named} and not {', '.join(mine.classes) or 'two classes'}: not compared"


def in_pipeline_predictions(
    target: str, graph: str, examples: list[bytes], candidate: InPipeline
) -> np.ndarray:
    """Answers, [rows] or [rows, K], from the Transform graph and the network of the pipeline."""
    output = tft.TFTransformOutput(graph)
    transform = tf.saved_model.load(output.transform_savedmodel_dir).transform_fn
    features = transform(tf.io.parse_example(examples, output.raw_feature_spec()))
    exporter = importlib.import_module(TARGETS[target].exporter)
    paths = Path(candidate.model), Path(candidate.model_run)
    found: np.ndarray = exporter.predict_in_pipeline(features, *paths, candidate.variant)
    return found


def check(
    target: str,
    patterns: Mapping[str, str],
    graph: str,
    candidate: InPipeline,
    live: str | None,
    settings: PushSettings,
) -> tuple[list[Gate], PushChecks]:
    """Checks 2 and 3 of PushGate.

    Args:
      patterns: File pattern of the labelled raw rows of the splits eval and test.
      graph: URI of the `transform_graph` artifact of TFX Transform.
      candidate: The model.
      live: Folder of the live version; None without one.
      settings: What to go by.

    Returns:
      The rows of the gates table, and what `checks.json` holds.
    """
    spec = {c: tf.io.VarLenFeature(TYPES[kind]) for c, kind in settings.types.items()}
    spec |= {column: tf.io.VarLenFeature(tf.float32) for column in _NEVER_SENT}
    if (width := settings.columns.width) > 1:
        spec[LABEL] = tf.io.FixedLenFeature([width], tf.float32)
    test = load_raw_rows([patterns["test"]], spec)
    sample = test.take(np.arange(min(settings.pusher.sample_rows, test.count)))
    compared: list[RowSet] = []
    if live is not None:
        compared = choose_rows(load_raw_rows([patterns["eval"]], spec), test, settings)
    requests = functools.reduce(RawRows.followed_by, [s.rows for s in compared if s.used], sample)
    never_sent = (*_NEVER_SENT, settings.columns.label)
    names = tuple(column for column in settings.types if column not in never_sent)
    with tempfile.TemporaryDirectory() as folder:
        task = Task(candidate.model, live, sample.count, names)
        served = serve(
            TARGETS[target].process, Path(folder), task, requests, settings.pusher.time_limit
        )
    expected = in_pipeline_predictions(target, graph, sample.examples, candidate)
    rows = prediction_rows(target, served, expected, settings, live is not None)
    problem = served.problem.text if served.problem else other_classes(served)
    checks = PushChecks(
        sample_rows=sample.count,
        latency_ms=served.candidate.latency_ms if served.candidate else None,
        live_version=int(Path(live).name) if live else None,
        compared_on=in_words(compared) if live else None,
        problem=problem,
        left_out=left_out(compared),
    )
    comparable = live and other_classes(served) is None
    if comparable and served.candidate and served.live and all(r.passed for r in rows):
        own = served.candidate.probabilities[sample.count :]
        now = served.live.probabilities[sample.count :]
        rows += comparison_rows(target, own, now, compared, settings)
    return rows, checks
