"""Quality on more than two classes: estimated without labels, and measured where they came.

Measured are the registry's metrics. Estimated are `accuracy` and recall by class, `recall[ride]`,
as `unlabelled` does: the accuracy is the mean of the probability that the chosen class is right,
which is calibrated on the largest share, the groups and the class itself; recall of a class is that
of the class against all others, calibrated on its share and the groups.
"""

from collections.abc import Sequence

import numpy as np

from core.answers import decided
from core.intervals import Quantity
from models.metrics.registry import metrics_of
from models.metrics.unlabelled import Calibration, Columns, Sensitivity, quantity_of

ACCURACY, RECALL = "accuracy", "recall"
_CHOSEN = "chosen class"  # no column has a name with a blank
_CERTAIN = 1 - 1e-6  # a largest share of 1 has no log odds


def of_class(metric: str, name: str) -> str:
    """What a metric of one class is called."""
    return f"{metric}[{name}]"


class ClassCalibrations:
    """Estimates of accuracy, and of recall by class.

    Attributes:
      metrics: What can be estimated; no recall of a class without a row.
    """

    def __init__(
        self, answers: np.ndarray, groups: Columns, labels: np.ndarray, classes: Sequence[str]
    ) -> None:
        """Learns what the answers are worth.

        Args:
          answers: Shares, [rows, K].
          groups: As of `Calibration`.
          labels: Codes of the classes, [rows].
          classes: Their names.

        Raises:
          ValueError: All rows are answered rightly, or all wrongly, so that nothing can be learnt.
        """
        self._classes = {name: code for code, name in enumerate(classes)}
        right = decided(answers) == labels
        if right.all() or not right.any():
            kind = "rightly" if right.any() else "wrongly"
            raise ValueError(f"all {len(right)} rows with a label are answered {kind}")
        self._right = Calibration(_confidence(answers), self._with_chosen(answers, groups), right)
        self._of_class = {
            name: Calibration(answers[:, code], groups, labels == code)
            for name, code in self._classes.items()
            if 0 < int((labels == code).sum()) < len(labels)
        }
        self._recalls = {of_class(RECALL, name): name for name in self._of_class}
        self.metrics = (ACCURACY, *self._recalls)

    def estimate(
        self, metric: str, answers: np.ndarray, groups: Columns, rows: np.ndarray
    ) -> Sensitivity | None:
        """A metric on some rows; None where there is nothing to measure it on.

        Args:
          metric: One of `metrics`.
          answers: Shares, [all rows, K].
          groups: Columns, each [all rows].
          rows: bool [all rows], which are meant.
        """
        if metric == ACCURACY:
            everything = self._with_chosen(answers, groups)
            ones = np.ones(len(answers))
            return self._right.estimate(ACCURACY, _confidence(answers), everything, rows, ones)
        name = self._recalls[metric]
        code = self._classes[name]
        decisions = (decided(answers) == code).astype(float)
        return self._of_class[name].estimate("tpr", answers[:, code], groups, rows, decisions)

    def _with_chosen(self, answers: np.ndarray, groups: Columns) -> Columns:
        names = np.array([*self._classes], object)
        return {**groups, _CHOSEN: names[decided(answers)]}


def _confidence(answers: np.ndarray) -> np.ndarray:
    return np.minimum(answers.max(axis=1), _CERTAIN)


def measured(
    labels: np.ndarray, answers: np.ndarray, classes: Sequence[str]
) -> dict[str, Quantity]:
    """The metrics of quality on rows with labels, by name, with 95% intervals.

    What cannot be measured on these rows is left out: recall of a class without rows, precision of
    one that is never answered.

    Args:
      labels: Codes of the classes, [rows].
      answers: Shares, [rows, K].
      classes: Their names.
    """
    found = {}
    for name, metric in metrics_of(tuple(classes)).quality.items() if len(labels) else ():
        terms = metric.found(labels, answers)
        if terms is None:
            continue
        ends = metric.interval(labels, answers) if metric.interval_of is not None else None
        if ends is not None:
            found[name] = Quantity(terms[0], *ends)
        else:
            found[name] = quantity_of(*terms, most=metric.bounded)
    return found
