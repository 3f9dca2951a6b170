"""Labels of new rows beside the predictions of the served model: its quality, and labels to doubt.

A fall of quality is a reason to train anew. A span whose labels suddenly disagree with the model
far more than those of earlier spans did is more likely mislabelled than new truth: it is held back
until a person accepts it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.metrics.registry import METRICS, THRESHOLD, overall_metrics
from pipeline.retraining.evidence import Evidence, Measurement


@dataclass(frozen=True)
class Judged:
    """Labelled rows: true class, bool [rows], and the model's probability, float [rows]."""

    positive: NDArray[np.bool_]
    probabilities: NDArray[np.float64]

    @property
    def count(self) -> int:
        """Number of rows."""
        return len(self.positive)

    @property
    def agreement(self) -> float:
        """Share of rows whose label is the model's decision."""
        return float(np.mean((self.probabilities > THRESHOLD) == self.positive))


def together(parts: list[Judged]) -> Judged:
    """The rows of several spans."""
    return Judged(
        np.concatenate([np.zeros(0, bool), *(part.positive for part in parts)]),
        np.concatenate([np.zeros(0), *(part.probabilities for part in parts)]),
    )


def of_label_shift(
    new: Mapping[int, Judged],
    earlier: Judged,
    when_pushed: float | None,
    min_rows: int,
    max_shift: float,
) -> Evidence:
    """Whether labels of new spans agree with the served model much less than those before.

    Args:
        new: labelled rows of each new span.
        earlier: those of the spans of the window that the model was trained on.
        when_pushed: the model's accuracy on the test part; the level where `earlier` is too small.
        min_rows: fewer labelled rows are not judged.
        max_shift: largest fall.

    Returns:
        Evidence with one measurement a span.
    """
    level = earlier.agreement if earlier.count >= min_rows else when_pushed
    enough = {span: judged for span, judged in new.items() if judged.count >= min_rows}
    if not enough or level is None:
        what = "; ".join(f"span {n}: {judged.count} labelled rows" for n, judged in new.items())
        what += f", retrain.min_labeled_rows={min_rows} are needed"
        return Evidence("label shift", "unknown", what)
    measured = [
        Measurement(
            name=f"span {span}",
            value=level - judged.agreement,
            bound=max_shift,
            exceeded=level - judged.agreement > max_shift,
            key="retrain.max_label_shift",
            span=span,
        )
        for span, judged in sorted(enough.items())
    ]
    shares = " and ".join(f"{enough[n].agreement:.1%} of span {n}" for n in sorted(enough))
    what = f"labels agree with the served model in {shares} (in {level:.1%} before)"
    blocking = any(m.exceeded for m in measured)
    return Evidence("label shift", "blocking" if blocking else "quiet", what, measured)


def suspicious_spans(evidence: Evidence) -> list[int]:
    """The spans that `of_label_shift` found wanting."""
    return [m.span for m in evidence.measurements if m.exceeded and m.span is not None]


def of_quality(
    new: Judged, when_pushed: Mapping[str, float], min_rows: int, max_drop: Mapping[str, float]
) -> Evidence:
    """Whether the served model is worse on new labelled rows than when it was pushed.

    Args:
        new: labelled rows that it was not trained on.
        when_pushed: its metrics on the test part.
        min_rows: fewer rows are not judged.
        max_drop: largest fall by metric.
    """
    if new.count < min_rows:
        what = f"{new.count} new labelled rows, retrain.min_labeled_rows={min_rows} are needed"
        return Evidence("quality", "unknown", what)
    if new.positive.all() or not new.positive.any():
        what = f"all {new.count} new labelled rows are of one class"
        return Evidence("quality", "unknown", what)
    if unknown := sorted(max_drop.keys() - when_pushed.keys()):
        what = f"nothing says what {', '.join(unknown)} was when the model was pushed"
        return Evidence("quality", "unknown", what)
    now = overall_metrics(new.positive.astype(int), new.probabilities)
    measured = []
    for metric, bound in max_drop.items():
        fall = METRICS[metric].fall(when_pushed[metric], now[metric])
        key = f"retrain.max_quality_drop.{metric}"
        measured.append(Measurement(f"{metric} drop", fall, bound, fall > bound, key))
    values = ", ".join(f"{m} {now[m]:.3f} (pushed with {when_pushed[m]:.3f})" for m in max_drop)
    fell = any(m.exceeded for m in measured)
    what = f"on {new.count} new labelled rows: {values}"
    return Evidence("quality", "reason" if fell else "quiet", what, measured)
