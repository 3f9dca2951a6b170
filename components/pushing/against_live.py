"""How a model compares with the version that is live: on the newest rows, and on those of before.

The newest rows alone would let a poisoned span judge itself; the rows of before alone would miss
that the world has changed.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core import operation
from core.answers import decided
from core.names import LABEL
from core.sections.columns import TrueLabel
from core.sections.evaluation import Slicing
from core.sections.labeling import LabelSource
from core.sections.section import Section
from models.export.raw_rows import RawRows, labelled_spans
from models.metrics.comparison import Difference, compare
from models.metrics.gates import OVERALL, Gate, at_least, at_most
from models.metrics.registry import Metrics, metrics_of, slice_rows

NEWEST, BEFORE = "newest", "before"
LEFT_OUT = "left out by pusher.compare_on"
FEW_OF_A_CLASS = 20
"""Of fewer rows the recall of one of many classes says nothing: a few rows turn by chance."""


class PushSettings(Section):
    """What PushGate goes by; `types` are the contract's, INT, FLOAT or BYTES by column."""

    pusher: operation.PusherSection
    columns: TrueLabel
    labeling: LabelSource
    evaluation: Slicing
    types: dict[str, str]

    @property
    def measured(self) -> Metrics:
        """The metrics that there are for the classes."""
        return metrics_of(self.columns.names)


@dataclass(frozen=True)
class RowSet:
    """Labelled rows that both models answer.

    Attributes:
      name: newest or before.
      rows: The rows.
      words: What they are.
      unused: Why the models are not compared on them; None where they are.
    """

    name: str
    rows: RawRows
    words: str
    unused: str | None = None

    @property
    def used(self) -> bool:
        """Whether the models are compared on them."""
        return self.unused is None


def choose_rows(evaluation: RawRows, test: RawRows, settings: PushSettings) -> list[RowSet]:
    """The labelled rows of the newest span in the eval split, and all others.

    Args:
      evaluation: The eval split.
      test: The test split.
      settings: `pusher.compare_on` says which are compared on.
    """
    pusher = settings.pusher
    spans, known = labelled_spans(evaluation, settings.columns.label, settings.labeling.mode)
    newest = int(spans.max()) if len(spans) else 0
    new = evaluation.take(np.flatnonzero(known & (spans == newest)))
    earlier = evaluation.take(np.flatnonzero(known & (spans != newest)))
    enough = new.count >= pusher.min_rows
    few = None if enough else f"pusher.min_rows={pusher.min_rows} are asked for"
    before = f"{test.count} rows of the test split"
    if earlier.count:
        before += f" and {earlier.count} labelled rows of earlier spans in the eval split"
    found = [
        RowSet(NEWEST, new, f"{new.count} labelled rows of span {newest} in the eval split", few),
        RowSet(BEFORE, test.followed_by(earlier), before),
    ]
    return [s if s.name in pusher.compare_on else replace(s, unused=LEFT_OUT) for s in found]


def in_words(sets: Sequence[RowSet]) -> str:
    """On which rows the models were compared, and on which not."""
    used = " and on ".join(f"{s.words} ({s.name})" for s in sets if s.used)
    unused = "; ".join(f"not on {s.words} ({s.name}): {s.unused}" for s in sets if not s.used)
    return "; ".join(filter(None, [used or "no rows", unused]))


def left_out(sets: Sequence[RowSet]) -> str | None:
    """The rows on which the user does not want the models to be compared; None where all count."""
    unwanted = [f"{s.words} ({s.name})" for s in sets if s.unused == LEFT_OUT]
    return f"not compared on {', '.join(unwanted)}: {LEFT_OUT}" if unwanted else None


def comparison_rows(
    target: str,
    candidate: np.ndarray,
    live: np.ndarray,
    sets: Sequence[RowSet],
    settings: PushSettings,
) -> list[Gate]:
    """A row for each metric, overall and in each slice that is large enough, of each set of rows.

    Args:
      target: server or edge.
      candidate: Answers of the candidate, [rows] or [rows, K], of the sets that are used, in order.
      live: Those of the live version.
      sets: See `choose_rows`.
      settings: What to go by.
    """
    gates: list[Gate] = []
    overall: list[Difference] = []
    first = 0
    for used in (s for s in sets if s.used):
        part = slice(first, first := first + used.rows.count)
        found = _differences(candidate[part], live[part], used.rows, settings)
        gates += [_row(target, used.name, difference, settings) for difference in found]
        overall += [d for d in found if d.slice == OVERALL]
    return [*gates, *_certainty(target, overall, settings)]


def _differences(
    candidate: np.ndarray, live: np.ndarray, rows: RawRows, settings: PushSettings
) -> list[Difference]:
    slicing = settings.evaluation
    columns = {c: rows.columns[c] for keys in slicing.slices for c in keys}
    slices = {
        name: members
        for name, members in slice_rows(columns, slicing.slices).items()
        if members.sum() >= slicing.min_slice_rows
    }
    labels, measured = decided(rows.columns[LABEL]), settings.measured
    by_key = {key: _bounds(settings, key) for key in (_EVERYWHERE, _BY_SLICE)}
    metrics = sorted({*by_key[_EVERYWHERE], *by_key[_BY_SLICE]})
    found = compare(labels, candidate, live, slices, metrics, among=measured)
    members = {OVERALL: np.ones(len(labels), bool), **slices}
    return [
        d
        for d in found
        if d.metric in by_key[_key(d)] and _has_rows(d.metric, labels[members[d.slice]], measured)
    ]


_EVERYWHERE, _BY_SLICE = "max_regression", "max_regression_by_slice"


def _key(difference: Difference) -> str:
    """The key of its bound."""
    return _EVERYWHERE if difference.slice == OVERALL else _BY_SLICE


def _bounds(settings: PushSettings, key: str) -> dict[str, float]:
    """Bounds by metric; one of `recall` is of the recall of each class."""
    return settings.measured.each(getattr(settings.pusher, key))


def _named(metric: str, bounds: Mapping[str, float]) -> str:
    """Under which name a metric is bounded: `recall[ride]`, or `recall` of every class."""
    return metric if metric in bounds else metric.partition("[")[0]


def _has_rows(metric: str, labels: np.ndarray, measured: Metrics) -> bool:
    """Whether rows are enough to speak of the class that a metric is about, if it is about one."""
    code = measured.code_of(metric)
    return code is None or int((labels == code).sum()) >= FEW_OF_A_CLASS


def _row(target: str, name: str, difference: Difference, settings: PushSettings) -> Gate:
    key = _key(difference)
    tolerance = _bounds(settings, key)[difference.metric]
    greater = settings.measured.compared[difference.metric].greater_is_better
    gate = (at_least if greater else at_most)(
        target,
        f"{difference.metric} against live, {name}",
        difference.slice,
        difference.value,
        -tolerance if greater else tolerance,
        f"pusher.{key}.{_named(difference.metric, getattr(settings.pusher, key))}",
    )
    return dataclasses.replace(
        gate,
        bound=f"{gate.bound} beyond chance",
        passed=not difference.is_worse(tolerance),
        interval=(difference.low, difference.high),
        rows=difference.rows,
    )


def _certainty(
    target: str, overall: Sequence[Difference], settings: PushSettings
) -> Iterator[Gate]:
    """Whether the rows are enough to show a fall of each metric of quality.

    The set of rows that shows most counts; a metric that could not be measured at all is as
    uncertain as can be.
    """
    pusher = settings.pusher
    for metric in sorted(settings.measured.together.keys() & pusher.max_regression.keys()):
        measured = [(d.uncertainty, d.rows) for d in overall if d.metric == metric]
        uncertainty, rows = min(measured, default=(1.0, 0))
        gate = at_most(
            target,
            f"{metric} against live, uncertainty",
            OVERALL,
            uncertainty,
            pusher.max_uncertainty,
            "pusher.max_uncertainty",
        )
        if not gate.passed:
            why = (
                f"{rows} labelled rows cannot tell a fall of {metric} below {uncertainty:.2g} from "
                f"chance, pusher.max_uncertainty={pusher.max_uncertainty:g} is asked for: "
            )
            keep = pusher.when_too_few == "keep"
            kept = "what is live is kept" if keep else "pushed all the same"
            said = f"{why}{kept} (pusher.when_too_few={pusher.when_too_few})"
            gate = replace(gate, why=said, passed=not keep, undecided=True)
        yield replace(gate, rows=rows)
