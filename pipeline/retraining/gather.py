"""Gathers the evidence: what metadata says at once, what data says only where it is needed.

TensorFlow is loaded when there are rows to compare, not before: a look that finds nothing new
takes a second or two.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from core.config import Config
from core.errors import InputError
from core.files import REPOSITORY
from models.metrics.registry import metrics_of
from pipeline.ingestion import repeats
from pipeline.ingestion.spans import part_of
from pipeline.ingestion.window import Window
from pipeline.retraining import evidence, judged_labels
from pipeline.retraining.answered import of_answers
from pipeline.retraining.evidence import Evidence, Kind, Measurement, State
from pipeline.retraining.judged_rows import together
from pipeline.retraining.label_shares import LabelBounds
from pipeline.retraining.monitored import of_monitoring
from pipeline.retraining.predictions import ServedPredictions
from pipeline.retraining.served_model import ServedModels
from pipeline.retraining.span_rows import SpanRows, read_files, read_requests
from pipeline.run.environment import prepare

NOTHING_SERVED = "no server model is served to compare with"
NO_NEW_SPAN = "no new span"
_LEVEL_ROWS = 5  # the level of earlier labels is taken from this many times min_labeled_rows rows


@dataclass(frozen=True)
class Situation:
    """What evidence is about.

    folder: <root>/<name>.
    window: the spans that a run would take.
    served: the models that are served.
    imports: answers that people gave to rows of the window, by import.
    tell: is told what takes its time.
    """

    config: Config
    folder: Path
    window: Window
    served: ServedModels
    imports: Mapping[str, int]
    now: datetime
    tell: Callable[[str], None]

    @property
    def spans(self) -> dict[int, frozenset[str]]:
        """SHA-256 of the files of each span of the window."""
        files = {span: self.window.files_of(span) for span in self.window.spans}
        return {span: frozenset(f.sha256 for f in found) for span, found in files.items()}

    @property
    def new(self) -> list[int]:
        """Spans that the served models have not seen; all where that is unknown."""
        return evidence.new_spans(self.spans, self.served.trained_on or {})


def other_classes(situation: Situation) -> str | None:
    """In words, that the served model tells other classes apart than are asked for; else None."""
    known, asked = situation.served.classes, situation.config.columns.called
    if known is None or known == asked:
        return None
    return (
        f"the server model that is served tells {', '.join(known)} apart, and columns.classes are "
        f"{', '.join(situation.config.columns.classes)}"
    )


def predictions_of(situation: Situation) -> ServedPredictions | None:
    """What asks the served model; None where none is served, or one of other classes."""
    if situation.served.server is None or other_classes(situation) is not None:
        return None
    return ServedPredictions(situation.config, str(situation.served.server.path), situation.tell)


def label_evidence(situation: Situation, predictions: ServedPredictions | None) -> Evidence:
    """Whether labels of new spans are to be doubted; asked first, for such spans are left out.

    Of these it says before all which columns have moved: no drift is measured of what is left out.
    """
    found = _label_shift(situation, predictions)
    moved = {span: _moved(situation, span) for span in judged_labels.suspected(found)}
    return judged_labels.after_moved(found, moved)


def _moved(situation: Situation, span: int) -> list[Measurement]:
    """Distances of a span's columns beyond their bounds; the label is judged otherwise."""
    rows = read_files(situation.window.files_of(span), situation.config)
    distances = _distances(situation, "drift", f"span {span}", rows).measurements
    label = situation.config.columns.label
    return [m for m in distances if m.exceeded and m.feature != label]


def _label_shift(situation: Situation, predictions: ServedPredictions | None) -> Evidence:
    if predictions is None:
        return Evidence("label shift", "unknown", other_classes(situation) or NOTHING_SERVED)
    if not situation.new:
        return Evidence("label shift", "quiet", NO_NEW_SPAN)
    settings, window = situation.config.retrain, situation.window
    columns = situation.config.columns
    new = [span for span in situation.new if span not in situation.config.data.accept_spans]
    if not new:
        return Evidence("label shift", "quiet", "all new spans are accepted")
    seen = [span for span in window.spans if span not in situation.new]
    return judged_labels.of_label_shift(
        {span: predictions.of(window, span) for span in new},
        predictions.newest(window, seen, _LEVEL_ROWS * settings.min_labeled_rows),
        predictions.of_test(window),
        situation.served.metrics.get("accuracy"),
        LabelBounds(
            settings.min_labeled_rows,
            settings.max_label_shift,
            settings.max_class_shift,
            columns.names,
        ),
    )


def repeat_evidence(situation: Situation) -> Evidence:
    """Whether new spans hold rows of the test part, of other spans, or one row again and again."""
    config, window = situation.config, situation.window
    bound = config.data.max_repeated
    new = [span for span in situation.new if span not in config.data.accept_spans]
    if bound is None or not new:
        return Evidence("repeats", "quiet", "data.max_repeated is null" if new else NO_NEW_SPAN)
    situation.tell("looking for repeated rows")
    seen = [span for span in window.spans if span not in situation.new]
    files = [file for span in (*seen, *new) for file in window.files_of(span)]
    by_part = repeats.in_files([*files, *window.test_files], config)
    judged = {span: by_part[part_of(span)] for span in new}
    key = "data.max_repeated"
    measured = [
        Measurement(f"span {n}", judged[n].excess, bound, judged[n].excess > bound, key, span=n)
        for n in new
    ]
    said = [f"span {n}: {judged[n].message}" for n in new if judged[n].message is not None]
    state: State = "blocking" if any(m.exceeded for m in measured) else "quiet"
    return Evidence("repeats", state, "; ".join(said) or "no more than chance explains", measured)


def other_evidence(situation: Situation, predictions: ServedPredictions | None) -> list[Evidence]:
    """All evidence but that of labels."""
    served = situation.served
    found = [evidence.of_models(served.numbers, served.damaged, other_classes(situation))]
    if served.server is None:
        kinds: tuple[Kind, ...] = (
            "new span",
            "answers",
            "drift",
            "quality",
            "skew",
            "monitoring",
            "age",
        )
        return [*found, *(Evidence(kind, "unknown", NOTHING_SERVED) for kind in kinds)]
    max_age_days = situation.config.retrain.max_age_days
    return [
        *found,
        evidence.of_new_spans(situation.spans, served.trained_on),
        of_answers(situation.imports, served.learnt_from),
        _drift(situation),
        _quality(situation, predictions),
        _skew(situation),
        of_monitoring(situation.folder, served.numbers),
        evidence.of_age(served.trained_at, situation.now, max_age_days),
    ]


def _drift(situation: Situation) -> Evidence:
    if not situation.new:
        return Evidence("drift", "quiet", NO_NEW_SPAN)
    newest = situation.new[-1]
    rows = read_files(situation.window.files_of(newest), situation.config)
    return _distances(situation, "drift", f"span {newest}", rows)


def _skew(situation: Situation) -> Evidence:
    log = situation.config.retrain.request_log
    if log is None:
        return Evidence("skew", "quiet", "retrain.request_log names no log")
    try:
        rows = read_requests(REPOSITORY / log, situation.config)
    except InputError as error:
        return Evidence("skew", "unknown", str(error))
    return _distances(situation, "skew", f"requests in {Path(log).name}", rows)


def _distances(
    situation: Situation, kind: Literal["drift", "skew"], what: str, rows: SpanRows
) -> Evidence:
    path, config = situation.served.statistics, situation.config
    if path is None:
        return Evidence(
            kind, "unknown", "statistics of the served model's data are gone or damaged"
        )
    situation.tell(f"{what}: measuring {kind}")
    prepare()
    import tensorflow_data_validation as tfdv  # loads TensorFlow

    from pipeline.retraining import drift  # loads TensorFlow

    def measure() -> list[evidence.Measurement]:
        trained_on = tfdv.load_stats_binary(str(path))
        found = drift.statistics_like(rows.batches(), trained_on)
        schema = tfdv.load_schema_text(str(config.schema_path))
        distances = drift.measure_drift if kind == "drift" else drift.measure_skew
        return distances(found, trained_on, schema, config.contract)

    return drift.of_distances(kind, what, len(rows.table), config.retrain.min_rows, measure)


def _quality(situation: Situation, predictions: ServedPredictions | None) -> Evidence:
    if predictions is None:
        return Evidence("quality", "unknown", other_classes(situation) or NOTHING_SERVED)
    if not situation.new:
        return Evidence("quality", "quiet", NO_NEW_SPAN)
    settings = situation.config.retrain
    parts = [predictions.of(situation.window, span) for span in situation.new]
    return judged_labels.of_quality(
        together(parts),
        situation.served.metrics,
        settings.min_labeled_rows,
        settings.max_quality_drop,
        metrics_of(situation.config.columns.names),
    )
