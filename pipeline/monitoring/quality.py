"""What the answers are worth: shares by slice, estimates without labels, labels that came later.

Pure functions on arrays.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from core.intervals import Quantity, wilson_interval
from core.sections import Slicing
from models.metrics.registry import MONITORED_RATES, THRESHOLD, slice_rows
from models.metrics.unlabelled import ESTIMATORS, Calibration, Sensitivity, measured
from pipeline.monitoring.records import (
    ALL_ROWS,
    AnswerShares,
    EstimateError,
    GapReport,
    SliceReport,
)
from pipeline.monitoring.reference import Reference

_BINS = 10


@dataclass(frozen=True)
class Answered:
    """AnswerShares to requests.

    Attributes:
      columns: As those of `Reference`.
      answers: float64 [rows].
      labels: 1, 0, or -1 where no label came, int8 [rows].
    """

    columns: Mapping[str, np.ndarray]
    answers: np.ndarray
    labels: np.ndarray


def slices_of(
    columns: Mapping[str, np.ndarray], slicing: Slicing, count: int
) -> dict[str, np.ndarray]:
    """Which rows are in each slice, bool [rows] by name; all rows first, rows without a group in
    none.
    """
    there = [keys for keys in slicing.slices if all(key in columns for key in keys)]
    found = slice_rows(columns, there) if count else {}
    known = {n: rows for n, rows in found.items() if not any(p.endswith("=") for p in n.split(","))}
    return {ALL_ROWS: np.ones(count, bool), **known}


class Judge:
    """Compares answers with those of the test rows."""

    def __init__(self, answered: Answered, reference: Reference | None, slicing: Slicing,
                 min_rows: int) -> None:  # fmt: skip
        """Calibrates where there is a reference with both classes.

        Args:
          answered: Requests.
          reference: Test rows; None: unknown.
          slicing: Slices.
          min_rows: Of smaller slices and groups nothing is said.
        """
        self._answered, self._reference = answered, reference
        self._slices = slices_of(answered.columns, slicing, len(answered.answers))
        self._min_rows = min_rows
        self._test = (
            slices_of(reference.columns, slicing, len(reference.answers)) if reference else {}
        )
        self.calibration: Calibration | None = None
        if reference is not None and reference.labels.any() and not reference.labels.all():
            shared = {c: v for c, v in reference.columns.items() if c in answered.columns}
            self.calibration = Calibration(reference.answers, shared, reference.labels)

    def slices(self) -> dict[str, SliceReport]:
        """Each slice of enough rows; all rows in any case."""
        return {
            name: self._slice(name, rows)
            for name, rows in self._slices.items()
            if name == ALL_ROWS or rows.sum() >= self._min_rows
        }

    def _slice(self, name: str, rows: np.ndarray) -> SliceReport:
        answers, labels = self._answered.answers, self._answered.labels
        labelled = rows & (labels >= 0)
        enough = labelled.sum() >= self._min_rows
        positive = int((answers[rows] > THRESHOLD).sum())
        interval = wilson_interval(positive, int(rows.sum()))
        test = self._test.get(name)
        reference = self._reference
        report = SliceReport(
            rows=int(rows.sum()),
            share=float(rows.mean()) if len(rows) else 0.0,
            positive=Quantity(positive / int(rows.sum()), *interval) if interval else None,
            estimated=self._estimates(rows),
            labelled=int(labelled.sum()),
            measured=_measure(labels[labelled] == 1, answers[labelled]) if enough else {},
            estimated_there={
                n: q.value for n, q in (self._estimates(labelled) if enough else {}).items()
            },
        )
        if reference is None or test is None:
            return report
        known = _measure(reference.labels[test], reference.answers[test])
        return report.model_copy(
            update={
                "test_share": float(test.mean()),
                "test_positive": float((reference.answers[test] > THRESHOLD).mean()),
                "test": {n: q.value for n, q in known.items()},
            }
        )

    def _estimate(self, metric: str, rows: np.ndarray) -> Sensitivity | None:
        if self.calibration is None:
            return None
        columns = self._answered.columns
        return self.calibration.estimate(metric, self._answered.answers, columns, rows)

    def _estimates(self, rows: np.ndarray) -> dict[str, Quantity]:
        found = {metric: self._estimate(metric, rows) for metric in ESTIMATORS}
        return {
            metric: self.calibration.quantity(one)
            for metric, one in found.items()
            if one is not None and self.calibration is not None
        }

    def gaps(self) -> Iterator[GapReport]:
        """The largest gaps between groups of the columns that are sliced by alone."""
        columns = {
            name.partition("=")[0] for name in self._slices if "=" in name and "," not in name
        }
        for column in sorted(columns):
            groups = {
                name: rows
                for name, rows in self._slices.items()
                if name.startswith(f"{column}=") and "," not in name
            }
            for rate in MONITORED_RATES:
                yield from self._estimated_gap(column, rate, groups)
                yield from self._measured_gap(column, rate, groups)

    def _estimated_gap(
        self, column: str, rate: str, groups: Mapping[str, np.ndarray]
    ) -> Iterator[GapReport]:
        found = {
            name: estimate
            for name, rows in groups.items()
            if rows.sum() >= self._min_rows and (estimate := self._estimate(rate, rows)) is not None
        }
        if len(found) > 1 and self.calibration is not None:
            higher, lower = max(
                ((a, b) if found[a].value >= found[b].value else (b, a)
                 for a, b in combinations(found, 2)),
                key=lambda pair: found[pair[0]].value - found[pair[1]].value,
            )  # fmt: skip
            gap = self.calibration.difference(found[higher], found[lower])
            yield GapReport(
                column=column, rate=rate, how="estimated", higher=higher, lower=lower, gap=gap
            )

    def _measured_gap(
        self, column: str, rate: str, groups: Mapping[str, np.ndarray]
    ) -> Iterator[GapReport]:
        answers, labels = self._answered.answers, self._answered.labels
        found = {}
        for name, rows in groups.items():
            there = rows & (labels >= 0)
            if there.sum() >= self._min_rows:
                quantity = measured(rate, labels[there] == 1, answers[there])
                if quantity is not None:
                    found[name] = quantity
        if len(found) > 1:
            higher = max(found, key=lambda name: found[name].value)
            lower = min(found, key=lambda name: found[name].value)
            up, down = found[higher], found[lower]
            value = up.value - down.value
            gap = Quantity(
                value,
                value - float(np.hypot(up.value - up.low, down.high - down.value)),
                value + float(np.hypot(up.high - up.value, down.value - down.low)),
            )
            yield GapReport(
                column=column, rate=rate, how="measured", higher=higher, lower=lower, gap=gap
            )

    def answers(self) -> AnswerShares | None:
        """The distribution of the answers; None without test rows to compare with."""
        if self._reference is None or not len(self._answered.answers):
            return None
        return AnswerShares(
            requests=_histogram(self._answered.answers), test=_histogram(self._reference.answers)
        )


def _measure(labels: np.ndarray, answers: np.ndarray) -> dict[str, Quantity]:
    found = {metric: measured(metric, labels, answers) for metric in ESTIMATORS}
    return {metric: quantity for metric, quantity in found.items() if quantity is not None}


def errors_of(everything: SliceReport) -> list[EstimateError]:
    """What the estimates were wrong by on the rows whose labels came later."""
    return [
        EstimateError(
            metric=metric,
            rows=everything.labelled,
            measured=true.value,
            estimated=everything.estimated_there[metric],
            error=abs(everything.estimated_there[metric] - true.value),
            unchanged=abs(everything.test[metric] - true.value)
            if metric in everything.test
            else None,
        )
        for metric, true in everything.measured.items()
        if metric in everything.estimated_there
    ]


def _histogram(answers: np.ndarray) -> list[float]:
    counts, _ = np.histogram(answers, _BINS, (0, 1))
    return [float(count) / len(answers) for count in counts]


def distance(one: list[float], other: list[float]) -> float:
    """Jensen-Shannon divergence of two distributions, in bits: 0 to 1, as the contract's."""
    p, q = np.array(one), np.array(other)
    middle = (p + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = [np.where(x > 0, x * np.log2(x / middle), 0).sum() / 2 for x in (p, q)]
    return float(sum(terms))
