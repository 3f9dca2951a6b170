"""Quality on more than two classes: estimated without labels, and measured where they came.

Metrics are `accuracy`, `macro_f1` and, by class, `recall[ride]` and `precision[ride]`. The estimate
is `unlabelled`'s: the accuracy is the mean of the probability that the chosen class is right, which
is calibrated on the largest share, the groups and the class itself; recall of a class is that of
the class against all others, calibrated on its share and the groups.
"""

from collections.abc import Sequence

import numpy as np

from core.answers import decided
from core.intervals import Quantity, Z, wilson_interval
from models.metrics.unlabelled import Calibration, Columns, Sensitivity

ACCURACY, MACRO_F1 = "accuracy", "macro_f1"
RECALL, PRECISION = "recall", "precision"
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
    """Accuracy, macro F1, recall and precision by class on rows with labels, with 95% intervals.

    What cannot be measured on these rows is left out: recall of a class without rows, precision of
    one that is never answered. Macro F1 is of the classes that have rows or answers.

    Args:
      labels: Codes of the classes, [rows].
      answers: Shares, [rows, K].
      classes: Their names.
    """
    if not len(labels):
        return {}
    chosen = decided(answers)
    found = {ACCURACY: _share(chosen == labels)}
    terms = []
    for code, name in enumerate(classes):
        true, told = labels == code, chosen == code
        for metric, of in ((RECALL, true), (PRECISION, told)):
            if of.any():
                found[of_class(metric, name)] = _share((true & told)[of])
        size = true.mean() + told.mean()
        if size:
            f1 = 2 * (true & told).mean() / size
            # the influence of each row on F1: their mean is F1, their spread its error
            terms.append(f1 + (2 * (true & told) - f1 * (true.astype(float) + told)) / size)
    if terms:
        rows = np.mean(terms, axis=0)
        half = Z * float(np.sqrt((rows.var() * len(rows) + 0.25) / (len(rows) * (len(rows) + 1))))
        value = float(rows.mean())
        found[MACRO_F1] = Quantity(value, max(0.0, value - half), min(1.0, value + half))
    return found


def _share(right: np.ndarray) -> Quantity:
    interval = wilson_interval(int(right.sum()), len(right))
    assert interval is not None
    return Quantity(float(right.mean()), *interval)
