"""Labels of a span that are wrong in one class or in one group alone.

They move the agreement with the served model too little to be seen in it. So the rows are told
apart by slice and by the class that the model gives them: in each such part the share that is
labelled as that class should be the mean of the model's probabilities of it, but for what the model
is off by; so should, among all rows of a slice, the share of each class (of two, of the positive).
How much that is, is seen on rows whose labels are not in doubt.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from core import answers
from models.metrics.gates import OVERALL
from pipeline.retraining.judged_rows import Judged, together

_LEAST_VARIANCE = 5.0  # of a count that the normal distribution is taken for


@dataclass(frozen=True)
class LabelBounds:
    """What labels are judged by.

    min_rows: fewer labelled rows are not judged.
    max_shift: largest fall of the share of labels that the model agrees with.
    max_class_shift: largest distance of the share of a class from what is expected.
    confidence: of all intervals of a span together.
    classes: names of the classes by their codes.
    """

    min_rows: int
    max_shift: float
    max_class_shift: float
    classes: tuple[str, ...]
    confidence: float = 0.995


@dataclass(frozen=True)
class Shift:
    """A share of labels that is not what it should be.

    where: the slice.
    decided: the class that the model gives the rows; None: all rows of the slice.
    labelled: the class whose share it is.
    rows: how many.
    share: of them that are labelled so.
    expected: the share that was to be expected.
    half_width: of the interval of `share - expected`.
    """

    where: str
    decided: str | None
    labelled: str
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
        taken = f" that the model takes for {self.decided}" if self.decided else ""
        return (
            f"of {self.rows} rows{place}{taken}, {self.share:.1%} are labelled {self.labelled}, "
            f"{self.expected:.1%} +- {self.half_width:.1%} were expected"
        )


def shifted(judged: Judged, references: Sequence[Judged], bounds: LabelBounds) -> list[Shift]:
    """The shares that are beyond the bounds, the furthest first.

    Args:
        judged: labelled rows in doubt.
        references: labelled rows that are not, each of another time. Together they say what is to
            be expected; what is off against one of them alone is a change that came before.
        bounds: what to go by.
    """
    enough = [reference for reference in references if reference.count >= bounds.min_rows]
    if not enough:
        return []
    names = (OVERALL, *sorted(judged.slices))
    parts = [(name, *part) for name in names for part in _parts(len(bounds.classes))]
    width = NormalDist().inv_cdf(1 - (1 - bounds.confidence) / 2 / len(parts))
    found = []
    everything = together(enough)
    for part in parts:
        name, decided, labelled = part
        mine = _part(judged, *part)
        each = [_part(reference, *part) for reference in enough]
        all_ = _part(everything, *part)
        if not (mine.is_measurable and all_.is_measurable):
            continue
        off = [mine.residual - other.residual for other in each if other.rows]
        shift = Shift(
            where=name,
            decided=None if decided is None else bounds.classes[decided],
            labelled=bounds.classes[labelled],
            rows=mine.rows,
            share=mine.share,
            expected=mine.share - mine.residual + all_.residual,
            half_width=width * (mine.variance + all_.variance) ** 0.5,
        )
        alike = min(off) > bounds.max_class_shift or max(off) < -bounds.max_class_shift
        if alike and shift.is_beyond(bounds.max_class_shift):
            found.append(shift)
    return sorted(found, key=lambda shift: -shift.size)


@dataclass(frozen=True)
class _Part:
    """Rows of a slice, all or those that the model gives one class.

    How many, the share that is labelled so, by how much that is more than the model's mean
    probability, and the variance of that.
    """

    rows: int
    share: float
    residual: float
    variance: float

    @property
    def is_measurable(self) -> bool:
        return self.rows > 0 and self.rows**2 * self.variance >= _LEAST_VARIANCE


def _parts(classes: int) -> list[tuple[int | None, int]]:
    """The class that the model gives the rows, None for any, and the one whose share it is.

    Of two classes the share of one is all but that of the other.
    """
    of_all = [1] if classes == 2 else range(classes)
    return [*((None, code) for code in of_all), *((code, code) for code in range(classes))]


def _part(judged: Judged, name: str, decided: int | None, labelled: int) -> _Part:
    members = np.ones(judged.count, bool) if decided is None else judged.decisions == decided
    if name != OVERALL:
        members &= judged.slices.get(name, np.zeros(judged.count, bool))
    probability = answers.spread(judged.probabilities[members])[:, labelled]
    labelled_so = (judged.codes[members] == labelled).astype(float)
    rows = len(labelled_so)
    if rows == 0:
        return _Part(0, 0.0, 0.0, 0.0)
    residuals = labelled_so - probability
    # A model that is too sure of itself would make the interval too narrow.
    spread = max(float(residuals.var()), float(np.mean(probability * (1.0 - probability))))
    return _Part(rows, float(labelled_so.mean()), float(residuals.mean()), spread / rows)
