"""Labels of new rows beside the predictions of the served model: its quality, and labels to doubt.

A fall of quality is a reason to train anew. A span whose labels suddenly disagree with the model
far more than those of earlier spans did is more likely mislabelled than new truth: it is held back
until a person accepts it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from models.metrics.registry import OF_TWO, Metrics
from pipeline.retraining import label_shares
from pipeline.retraining.evidence import Evidence, Measurement
from pipeline.retraining.judged_rows import Judged
from pipeline.retraining.label_shares import LabelBounds


def of_label_shift(
    new: Mapping[int, Judged],
    earlier: Judged,
    test: Judged,
    when_pushed: float | None,
    bounds: LabelBounds,
) -> Evidence:
    """Whether labels of new spans agree with the served model much less than those before.

    Args:
        new: labelled rows of each new span.
        earlier: those of the spans of the window that the model was trained on.
        test: those of the test part.
        when_pushed: the model's accuracy on the test part; the level where `earlier` is too small.
        bounds: what to go by.

    Returns:
        Evidence with a measurement of each span, and one for each share of a class in a slice of
        it that is beyond its bound.
    """
    min_rows = bounds.min_rows
    level = earlier.agreement if earlier.count >= min_rows else when_pushed
    enough = {span: judged for span, judged in new.items() if judged.count >= min_rows}
    if not enough or level is None:
        what = "; ".join(f"span {n}: {judged.count} labelled rows" for n, judged in new.items())
        what += f", retrain.min_labeled_rows={min_rows} are needed"
        return Evidence("label shift", "unknown", what)
    fall = {span: level - judged.agreement for span, judged in sorted(enough.items())}
    key = "retrain.max_label_shift"
    measured = [
        Measurement(f"span {n}", value, bounds.max_shift, value > bounds.max_shift, key, span=n)
        for n, value in fall.items()
    ]
    shares = " and ".join(f"{enough[n].agreement:.1%} of span {n}" for n in sorted(enough))
    what = f"labels agree with the served model in {shares} (in {level:.1%} before)"
    for span, judged in sorted(enough.items()):
        shifts = label_shares.shifted(judged, [earlier, test], bounds)
        key = "retrain.max_class_shift"
        measured += [
            Measurement(f"span {span}: {s}", s.size, bounds.max_class_shift, True, key, span=span)
            for s in shifts
        ]
        if shifts:
            what += f"; span {span}: {shifts[0]}"
            what += f" and {len(shifts) - 1} further shares" if len(shifts) > 1 else ""
    blocking = any(m.exceeded for m in measured)
    return Evidence("label shift", "blocking" if blocking else "quiet", what, measured)


def suspected(found: Evidence) -> list[int]:
    """The spans that evidence speaks against, ascending."""
    return sorted({m.span for m in found.measurements if m.exceeded and m.span is not None})


def after_moved(found: Evidence, moved: Mapping[int, Sequence[Measurement]]) -> Evidence:
    """Evidence against labels that says first which columns of a span have moved.

    The served model was trained on other values of these and may be wrong on the rows, whatever
    their labels: a column of another unit is the cause, that labels disagree its consequence.

    Args:
        found: of `of_label_shift`.
        moved: of each span that is suspected, distances beyond the bounds of the contract, from
            the data that the served model was trained on.
    """
    said = []
    for span, distances in moved.items():
        columns = list(dict.fromkeys(str(m.feature) for m in distances))
        if columns:
            verb = "is" if len(columns) == 1 else "are"
            said.append(
                f"{', '.join(columns)} of span {span} {verb} beyond the bounds of drift, look "
                "there first, the served model does not know such rows"
            )
    if not said:
        return found
    measured = [*(m for distances in moved.values() for m in distances), *found.measurements]
    return replace(found, message="; ".join([*said, found.message]), measurements=measured)


def of_quality(
    new: Judged,
    when_pushed: Mapping[str, float],
    min_rows: int,
    max_drop: Mapping[str, float],
    among: Metrics = OF_TWO,
) -> Evidence:
    """Whether the served model is worse on new labelled rows than when it was pushed.

    Args:
        new: labelled rows that it was not trained on.
        when_pushed: its metrics on the test part.
        min_rows: fewer rows are not judged, nor is a class of fewer.
        max_drop: largest fall by metric; one of `recall` is of the recall of each class.
        among: the metrics that there are for the classes.
    """
    if new.count < min_rows:
        what = f"{new.count} new labelled rows, retrain.min_labeled_rows={min_rows} are needed"
        return Evidence("quality", "unknown", what)
    if len(np.unique(new.codes)) < 2:
        what = f"all {new.count} new labelled rows are of one class"
        return Evidence("quality", "unknown", what)
    now = among.overall(new.codes, new.probabilities)
    bounds = {
        metric: bound
        for metric, bound in among.each(max_drop).items()
        if (code := among.code_of(metric)) is None
        # What is never decided for has no precision, now or then.
        or ((new.codes == code).sum() >= min_rows and metric in now and metric in when_pushed)
    }
    if unknown := sorted(bounds.keys() - when_pushed.keys()):
        what = f"nothing says what {', '.join(unknown)} was when the model was pushed"
        return Evidence("quality", "unknown", what)
    measured = []
    for metric, bound in bounds.items():
        fall = among.quality[metric].fall(when_pushed[metric], now[metric])
        named = metric if metric in max_drop else metric.partition("[")[0]
        key = f"retrain.max_quality_drop.{named}"
        measured.append(Measurement(f"{metric} drop", fall, bound, fall > bound, key))
    values = ", ".join(f"{m} {now[m]:.3f} (pushed with {when_pushed[m]:.3f})" for m in bounds)
    fell = any(m.exceeded for m in measured)
    what = f"on {new.count} new labelled rows: {values}"
    return Evidence("quality", "reason" if fell else "quiet", what, measured)
