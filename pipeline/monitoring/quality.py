"""What the answers are worth: shares by slice, estimates without labels, labels that came later.

Pure functions on arrays.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from core.answers import decided
from core.intervals import Quantity, wilson_interval
from core.sections.evaluation import Slicing
from models.metrics import unlabelled_classes
from models.metrics.registry import MONITORED_RATES, THRESHOLD, slice_rows
from models.metrics.unlabelled import ESTIMATORS, Calibration, Sensitivity, measured
from models.metrics.unlabelled_classes import RECALL, ClassCalibrations, of_class
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
      answers: float64 [rows], or [rows, K].
      labels: Codes of the classes, or -1 where no label came, int8 [rows].
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

    def __init__(
        self,
        answered: Answered,
        reference: Reference | None,
        slicing: Slicing,
        min_rows: int,
        classes: Sequence[str] | None = None,
    ) -> None:
        """Calibrates where there is a reference that shows something: `uncalibrated` says why not.

        Args:
          answered: Requests.
          reference: Test rows; None: unknown.
          slicing: Slices.
          min_rows: Of smaller slices and groups nothing is said.
          classes: With more than two, their names by code.
        """
        self._classes = classes
        self._answered, self._reference = answered, reference
        self._slices = slices_of(answered.columns, slicing, len(answered.answers))
        self._min_rows = min_rows
        self._test = (
            slices_of(reference.columns, slicing, len(reference.answers)) if reference else {}
        )
        self.calibration: Calibration | ClassCalibrations | None = None
        self.uncalibrated: str | None = None
        if reference is not None:
            try:
                self.calibration = self._calibrate(reference)
            except ValueError as error:
                self.uncalibrated = (
                    "the labels of the test rows are of one class"
                    if classes is None
                    else f"of the test rows {error}"
                )

    def _calibrate(self, reference: Reference) -> Calibration | ClassCalibrations:
        shared = {c: v for c, v in reference.columns.items() if c in self._answered.columns}
        if self._classes is None:
            return Calibration(reference.answers, shared, reference.labels)
        return ClassCalibrations(reference.answers, shared, reference.labels, self._classes)

    def _measure(self, labels: np.ndarray, answers: np.ndarray) -> dict[str, Quantity]:
        """Metrics on rows with labels, codes of the classes."""
        if self._classes is not None:
            return unlabelled_classes.measured(labels, answers, self._classes)
        found = {metric: measured(metric, labels == 1, answers) for metric in ESTIMATORS}
        return {metric: quantity for metric, quantity in found.items() if quantity is not None}

    def _shares(self, answers: np.ndarray) -> dict[str, Quantity]:
        """The share of each class among the answers; of two classes see `positive`."""
        counts = np.bincount(decided(answers), minlength=len(self._classes or ()))
        return {
            name: Quantity(count / len(answers), *interval)
            for name, count in zip(self._classes or (), counts.tolist(), strict=False)
            if (interval := wilson_interval(count, len(answers))) is not None
        }

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
        test = self._test.get(name)
        reference = self._reference
        report = SliceReport(
            rows=int(rows.sum()),
            share=float(rows.mean()) if len(rows) else 0.0,
            positive=_positive(answers[rows]) if self._classes is None else None,
            classes=self._shares(answers[rows]),
            estimated=self._estimates(rows),
            labelled=int(labelled.sum()),
            measured=self._measure(labels[labelled], answers[labelled]) if enough else {},
            estimated_there={
                n: q.value for n, q in (self._estimates(labelled) if enough else {}).items()
            },
        )
        if reference is None or test is None:
            return report
        there = reference.answers[test]
        known = self._measure(reference.labels[test], there)
        positive = _positive(there) if self._classes is None else None
        return report.model_copy(
            update={
                "test_share": float(test.mean()),
                "test_positive": None if positive is None else positive.value,
                "test_classes": {n: q.value for n, q in self._shares(there).items()},
                "test": {n: q.value for n, q in known.items()},
            }
        )

    def _estimate(self, metric: str, rows: np.ndarray) -> Sensitivity | None:
        if self.calibration is None:
            return None
        columns = self._answered.columns
        return self.calibration.estimate(metric, self._answered.answers, columns, rows)

    def _estimates(self, rows: np.ndarray) -> dict[str, Quantity]:
        if self.calibration is None:
            return {}
        metrics: Iterable[str] = ESTIMATORS
        if isinstance(self.calibration, ClassCalibrations):
            metrics = self.calibration.metrics
        found = {metric: self._estimate(metric, rows) for metric in metrics}
        return {metric: one.quantity() for metric, one in found.items() if one is not None}

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
            of_groups = self._measured_groups(groups)
            for rate in self._rates():
                yield from self._estimated_gap(column, rate, groups)
                yield from self._measured_gap(column, rate, of_groups)

    def _rates(self) -> Sequence[str]:
        if self._classes is None:
            return MONITORED_RATES
        return [of_class(RECALL, name) for name in self._classes]

    def _measured_groups(self, groups: Mapping[str, np.ndarray]) -> dict[str, dict[str, Quantity]]:
        answers, labels = self._answered.answers, self._answered.labels
        there = {name: rows & (labels >= 0) for name, rows in groups.items()}
        return {
            name: self._measure(labels[rows], answers[rows])
            for name, rows in there.items()
            if rows.sum() >= self._min_rows
        }

    def _estimated_gap(
        self, column: str, rate: str, groups: Mapping[str, np.ndarray]
    ) -> Iterator[GapReport]:
        found = {
            name: estimate
            for name, rows in groups.items()
            if rows.sum() >= self._min_rows and (estimate := self._estimate(rate, rows)) is not None
        }
        if len(found) > 1:
            higher, lower = max(
                ((a, b) if found[a].value >= found[b].value else (b, a)
                 for a, b in combinations(found, 2)),
                key=lambda pair: found[pair[0]].value - found[pair[1]].value,
            )  # fmt: skip
            gap = found[higher].minus(found[lower])
            yield GapReport(
                column=column, rate=rate, how="estimated", higher=higher, lower=lower, gap=gap
            )

    def _measured_gap(
        self, column: str, rate: str, of_groups: Mapping[str, Mapping[str, Quantity]]
    ) -> Iterator[GapReport]:
        found = {name: metrics[rate] for name, metrics in of_groups.items() if rate in metrics}
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
        if self._classes is not None:
            of = [self._shares(a) for a in (self._answered.answers, self._reference.answers)]
            requests, test = ([share.value for share in shares.values()] for shares in of)
            return AnswerShares(requests=requests, test=test, classes=[*self._classes])
        return AnswerShares(
            requests=_histogram(self._answered.answers), test=_histogram(self._reference.answers)
        )


def _positive(answers: np.ndarray) -> Quantity | None:
    positive = int((answers > THRESHOLD).sum())
    interval = wilson_interval(positive, len(answers))
    return Quantity(positive / len(answers), *interval) if interval else None


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
