"""What a figure rests on: how many rows of each class, and how far chance alone would move it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from pydantic import ConfigDict, TypeAdapter

from core.names import BOTH
from models.metrics.comparison import Difference
from models.metrics.gaps import GapGrowth, RateGap
from models.metrics.measures import Interval
from models.metrics.registry import metrics_of

T = TypeVar("T")


@dataclass(frozen=True)
class SliceEvidence:
    """Rows of a slice, and the 95% interval of each of its metrics and rates.

    Attributes:
      rows: How many rows.
      positives: How many of them are of the positive of two classes; of more None.
      intervals: By metric or rate; None where it cannot be measured on these rows.
      by_class: Of more than two classes the rows of each; None of two.
    """

    rows: int
    positives: int | None
    intervals: Mapping[str, Interval | None]
    by_class: Mapping[str, int] | None = None

    @property
    def of_classes(self) -> dict[str, int]:
        """Rows of each class, by what it is called."""
        if self.by_class is not None:
            return dict(self.by_class)
        positive = self.positives or 0
        return dict(zip(BOTH, (self.rows - positive, positive), strict=True))

    @property
    def fewest(self) -> int:
        """Rows of the class that has fewest."""
        return min(self.of_classes.values())

    @property
    def in_words(self) -> str:
        """`417 rows, 12 of them positive`, or `..., 12 of them ride, the rarest class`."""
        if self.by_class is None:
            return f"{self.rows} rows, {self.positives} of them positive"
        rarest = min(self.by_class, key=self.by_class.__getitem__)
        return f"{self.rows} rows, {self.by_class[rarest]} of them {rarest}, the rarest class"

    def behind(self, metric: str) -> int:
        """The rows that tell a metric: those of its class where it is about one, else `fewest`."""
        called = metric.partition("[")[2].removesuffix("]")
        return self.of_classes.get(called, self.fewest)


@dataclass(frozen=True)
class VariantEvidence:
    """What the figures of a model rest on, and how it compares with the teacher on the same rows.

    Attributes:
      evidence: By slice, "overall" among them.
      against_teacher: The model minus the teacher, by metric.
      against_reference: The model minus each reference, by the reference's name.
      gap_intervals: By column, or several as "sex,race", and by rate; None where there is no gap.
      gap_growth: The same of the growth from the teacher's; empty of the teacher.
    """

    __pydantic_config__ = ConfigDict(extra="ignore")

    evidence: dict[str, SliceEvidence] = field(default_factory=dict)
    against_teacher: list[Difference] = field(default_factory=list)
    against_reference: dict[str, list[Difference]] = field(default_factory=dict)
    gap_intervals: dict[str, dict[str, RateGap | None]] = field(default_factory=dict)
    gap_growth: dict[str, dict[str, GapGrowth | None]] = field(default_factory=dict)

    def of_slice(self, name: str) -> SliceEvidence | None:
        """The evidence of a slice, in whatever order its columns are named."""
        return self.evidence.get(self.called(name))

    def called(self, name: str) -> str:
        """A slice's name with its columns in the order of `evaluation.slices`; TFMA sorts them."""
        parts = sorted(name.split(","))
        return next((n for n in self.evidence if sorted(n.split(",")) == parts), name)


def evidence(
    labels: np.ndarray, probabilities: np.ndarray, classes: tuple[str, ...] = BOTH
) -> SliceEvidence:
    """What the figures of a slice rest on.

    Args:
      labels: [rows], codes of classes.
      probabilities: [rows] or [rows, K].
      classes: The classes by their codes.
    """
    everything = metrics_of(classes).everything
    counts = np.bincount(labels.astype(int), minlength=len(classes)).tolist()
    two = len(classes) == 2
    return SliceEvidence(
        len(labels),
        counts[1] if two else None,
        {name: m.interval(labels, probabilities) for name, m in everything.items()},
        None if two else dict(zip(classes, counts, strict=True)),
    )


_RECORD = TypeAdapter(VariantEvidence)


def evidence_of(variant: Mapping[str, Any]) -> VariantEvidence:
    """The evidence in what VariantEvaluator reports of a model; none in a report of before."""
    return _RECORD.validate_python(dict(variant))


_CROSSED = re.compile(r",[A-Za-z0-9][A-Za-z0-9_.-]*=")
"""In the name of a slice of several columns; a value may hold a comma, too."""


def groups_of(by_slice: Mapping[str, T], column: str) -> dict[str, T]:
    """The slices of a column alone, by name."""
    return {
        name: row
        for name, row in by_slice.items()
        if name.startswith(f"{column}=") and not _CROSSED.search(name)
    }


def extremes(groups: Mapping[str, Mapping[str, float | None]], rate: str) -> tuple[str, str] | None:
    """Names of the groups of the highest and the lowest rate; None without two that have one."""
    values = {name: value for name, row in groups.items() if (value := row.get(rate)) is not None}
    if len(values) < 2:
        return None
    return max(values, key=values.__getitem__), min(values, key=values.__getitem__)


def trials(seen: SliceEvidence, rate: str) -> int:
    """Rows that a rate is a share of."""
    if rate.startswith("recall["):
        return seen.behind(rate)
    counts = {"tpr": seen.of_classes.get("positive"), "fpr": seen.of_classes.get("negative")}
    found = counts.get(rate)
    return seen.rows if found is None else found


def names_of(slices: Sequence[str]) -> str:
    """Names of slices in a sentence, cut off where they are many."""
    shown = ", ".join(slices[:5])
    return shown if len(slices) <= 5 else f"{shown} and {len(slices) - 5} more"
