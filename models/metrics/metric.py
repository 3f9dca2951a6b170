"""What a metric is, and which there are for the classes of a data set."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from core.intervals import Z
from models.metrics.measures import Interval, IntervalOf, Measure, Terms

EXAMPLES = "examples"
"""Our name for the number of rows, which is reported beside the metrics."""


LOG_LOSS = "log_loss"


@dataclass(frozen=True)
class Metric:
    """A metric: its names, and how it is computed and compared.

    Attributes:
      name: In the configuration and in reports.
      tfma_name: Of TFMA's output.
      terms: Takes the true classes, bool [rows], and probabilities, [rows], or with more than two
        classes codes, int [rows], and shares, [rows, K]; gives the value and the terms that two
        models are compared by (models/metrics/comparison.py), or None where it cannot be measured
        on these rows.
      tfma_class: TFMA's class; None where this entry's own function measures it inside TFMA
        (components/beam/exact_metrics.py), or FairnessIndicators does.
      greater_is_better: Whether a model is better the greater it is.
      interval_of: Takes what `terms` takes, where it gives a value; gives the ends of its 95%
        interval. None: the normal interval of the terms' means.
      short: A shorter name for tables.
      of_class: The class that it is about, where there are more than two.
    """

    name: str
    tfma_name: str
    terms: Measure
    tfma_class: str | None = None
    greater_is_better: bool = True
    interval_of: IntervalOf | None = None
    short: str | None = None
    of_class: str | None = None

    @property
    def bounded(self) -> float:
        """The largest value that a bound on it may have."""
        return math.inf if self.name == LOG_LOSS else 1.0

    @property
    def heading(self) -> str:
        """What it is called above a column."""
        return self.short or self.name

    def measure(self, labels: np.ndarray, probabilities: np.ndarray) -> float | None:
        """The value on codes of classes, [rows]; None where it cannot be measured."""
        found = self.found(labels, probabilities)
        return None if found is None else found[0]

    def found(self, labels: np.ndarray, probabilities: np.ndarray) -> Terms | None:
        """Value and terms on codes of classes, [rows]; None where it cannot be measured."""
        return self.terms(_truth(labels, probabilities), probabilities)

    def interval(self, labels: np.ndarray, probabilities: np.ndarray) -> Interval | None:
        """Its 95% interval on codes of classes, [rows]; None where it cannot be measured."""
        found = self.found(labels, probabilities)
        if found is None or self.interval_of is not None:
            truth = _truth(labels, probabilities)
            return found and self.interval_of and self.interval_of(truth, probabilities)
        error = math.sqrt(sum(float(np.var(t, ddof=1)) / len(t) for t in found[1] if len(t) > 1))
        return found[0] - Z * error, found[0] + Z * error

    def fall(self, before: float, now: float) -> float:
        """By how much `now` is worse than `before`; below 0 where it is better."""
        return before - now if self.greater_is_better else now - before


def _truth(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """What a metric's functions take: whether rows are positive, or codes of more classes."""
    return labels == 1 if probabilities.ndim == 1 else labels.astype(np.int64)


@dataclass(frozen=True)
class Metrics:
    """The metrics that there are for the classes of a data set.

    Attributes:
      quality: By name; of more than two classes those of all together first.
      rates: By name, those whose gap between groups is bounded.
      kinds: Of more than two classes, names by what is measured of each: `recall` stands for
        `recall[ride]`, `recall[carry]` ...
    """

    quality: Mapping[str, Metric]
    rates: Mapping[str, Metric]
    kinds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def everything(self) -> dict[str, Metric]:
        """Quality and rates."""
        return {**self.quality, **self.rates}

    @property
    def together(self) -> dict[str, Metric]:
        """Those of all classes together."""
        return {name: m for name, m in self.quality.items() if m.of_class is None}

    @property
    def compared(self) -> dict[str, Metric]:
        """What a model is compared with the live version by: quality, and the recall of each class.

        Of two classes `tpr` is that of the positive one, 1 - `fpr` that of the other.
        """
        recalls = {} if self.kinds else {name: self.rates[name] for name in ("tpr", "fpr")}
        return {**self.quality, **recalls}

    def names(self, name: str) -> tuple[str, ...]:
        """The metrics that a name in a bound stands for: one for each class, or itself."""
        return self.kinds.get(name, (name,))

    def code_of(self, name: str) -> int | None:
        """The code of the class that a metric is about; None where it is about all."""
        return next((of.index(name) for of in self.kinds.values() if name in of), None)

    def each(self, bounds: Mapping[str, float]) -> dict[str, float]:
        """Bounds by metric: one for each class spread out, one for a class alone before it."""
        spread = {
            n: b for name, b in bounds.items() if name in self.kinds for n in self.names(name)
        }
        return {**spread, **{n: b for n, b in bounds.items() if n not in self.kinds}}

    def overall(self, labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
        """Every metric of quality, and the number of examples.

        What cannot be measured of one of many classes, the precision of one that is never decided
        for, is left out.

        Args:
          labels: [rows], codes of classes.
          probabilities: [rows] or [rows, K].

        Raises:
          ValueError: One of all classes together cannot be measured on these rows.
        """
        values = {n: m.measure(labels, probabilities) for n, m in self.quality.items()}
        found = {name: value for name, value in values.items() if value is not None}
        if lacking := [name for name in self.together if name not in found]:
            rows = f"{labels.size} rows of these classes"
            raise ValueError(f"{', '.join(lacking)} cannot be measured on {rows}")
        return {**found, EXAMPLES: int(labels.size)}

    def of_slice(self, labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float | None]:
        """Every metric and rate of a slice, and its examples; None where one cannot be measured.

        Args:
          labels: [rows], codes of classes.
          probabilities: [rows] or [rows, K].
        """
        found = {n: m.measure(labels, probabilities) for n, m in self.everything.items()}
        return {**found, EXAMPLES: int(labels.size)}


def by_name(*metrics: Metric) -> dict[str, Metric]:
    """A table of metrics."""
    return {metric.name: metric for metric in metrics}
