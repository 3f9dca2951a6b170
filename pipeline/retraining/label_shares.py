"""Labels of a span that are wrong in one class or in one group alone.

They move the agreement with the served model too little to be seen in it. So the rows are told
apart by the class that the model gives them, and by slice: in each such part the share that is
labelled positive should be the mean of the model's probabilities, but for what the model is off by.
How much that is, is seen on rows whose labels are not in doubt.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from models.metrics.gates import OVERALL
from pipeline.retraining.judged_rows import Judged

_LEAST_VARIANCE = 5.0  # of a count that the normal distribution is taken for


@dataclass(frozen=True)
class LabelBounds:
    """What labels are judged by.

    min_rows: fewer labelled rows are not judged.
    max_shift: largest fall of the share of labels that the model agrees with.
    max_class_shift: largest distance of the share of a class from what is expected.
    confidence: of all intervals of a span together.
    classes: names of the classes, the negative one first.
    """

    min_rows: int
    max_shift: float
    max_class_shift: float
    classes: tuple[str, str]
    confidence: float = 0.99


@dataclass(frozen=True)
class Shift:
    """A share of labels that is not what it should be.

    where: the slice.
    decided: the class that the model gives the rows.
    rows: how many.
    share: of them that are labelled so.
    expected: the share that was to be expected.
    half_width: of the interval of `share - expected`.
    """

    where: str
    decided: str
    rows: int
    share: float
    expected: float
    half_width: float

    @property
    def size(self) -> float:
        """Distance of the share from what was expected."""
        return abs(self.share - self.expected)

    def is_beyond(self, bound: float) -> bool:
        """Whether the distance is larger than the bound, and than chance explains."""
        return self.size > max(bound, self.half_width)

    def __str__(self) -> str:
        place = "" if self.where == OVERALL else f" with {self.where}"
        return (
            f"of {self.rows} rows{place} that the model takes for {self.decided}, {self.share:.1%} "
            f"are labelled so, {self.expected:.1%} +- {self.half_width:.1%} were expected"
        )


def shifted(judged: Judged, references: Sequence[Judged], bounds: LabelBounds) -> list[Shift]:
    """The shares that are beyond the bounds, the furthest first.

    Args:
        judged: labelled rows in doubt.
        references: labelled rows that are not, each of another time: what is beyond the bounds
            against one alone is a change that came before.
        bounds: what to go by.
    """
    parts = [(name, c) for name in (OVERALL, *sorted(judged.slices)) for c in (False, True)]
    width = NormalDist().inv_cdf(1 - (1 - bounds.confidence) / 2 / len(parts))
    enough = [reference for reference in references if reference.count >= bounds.min_rows]
    found = []
    for name, decided in parts:
        mine = _part(judged, name, decided)
        others = [_part(reference, name, decided) for reference in enough]
        shifts = [
            Shift(
                where=name,
                decided=bounds.classes[decided],
                rows=mine.rows,
                share=mine.share,
                expected=mine.share - mine.residual + other.residual,
                half_width=width * (mine.variance + other.variance) ** 0.5,
            )
            for other in others
            if mine.is_measurable and other.is_measurable
        ]
        if shifts and all(shift.is_beyond(bounds.max_class_shift) for shift in shifts):
            found.append(min(shifts, key=lambda shift: shift.size))
    return sorted(found, key=lambda shift: -shift.size)


@dataclass(frozen=True)
class _Part:
    """Rows that the model gives one class: how many, the share that is labelled so, by how much
    that is more than the model's mean probability, and the variance of that.
    """

    rows: int
    share: float
    residual: float
    variance: float

    @property
    def is_measurable(self) -> bool:
        return self.rows > 0 and self.rows**2 * self.variance >= _LEAST_VARIANCE


def _part(judged: Judged, name: str, decided: bool) -> _Part:
    members = judged.decisions == decided
    if name != OVERALL:
        members &= judged.slices.get(name, np.zeros(judged.count, bool))
    probability = judged.probabilities[members]
    probability = probability if decided else 1.0 - probability
    labelled_so = (judged.positive[members] == decided).astype(float)
    rows = len(labelled_so)
    if rows == 0:
        return _Part(0, 0.0, 0.0, 0.0)
    residuals = labelled_so - probability
    # A model that is too sure of itself would make the interval too narrow.
    spread = max(float(residuals.var()), float(np.mean(probability * (1.0 - probability))))
    return _Part(rows, float(labelled_so.mean()), float(residuals.mean()), spread / rows)
