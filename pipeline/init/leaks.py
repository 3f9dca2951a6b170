"""Columns that tell the label almost alone: often they are known only after it is.

Of gold rows, which a run may see, and no others. A column tells the label by its values (a date of
release, a verdict), or by being there at all (the amount of a refund).
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom, norm
from sklearn.metrics import roc_auc_score

from pipeline.init.example import Value

SUSPECT_AUC = 0.95
PURE = 0.98  # share of one class among the rows that a value, or its absence, is in
LEAST_SHARE = 0.5  # of the rows of that class that a value must be in; of an absence, none
LEAST_ROWS = 10  # gold rows of each class: with fewer, chance does as well
ALARMS = 0.01  # false ones, in a table of any number of columns
_ROWS_A_VALUE = 10  # at least, on average, of a category

Labels = NDArray[np.int64]


def find(
    columns: Mapping[str, Sequence[Value | None]],
    gold: Mapping[int, int],
    classes: Sequence[str],
) -> dict[str, str]:
    """What gives each suspect column away, in words.

    Args:
        columns: values by column, one a row; None where missing.
        gold: row number and class of the gold rows.
        classes: names of the classes by their codes.
    """
    labels = np.array(list(gold.values()))
    held = [code for code in range(len(classes)) if (labels == code).sum() >= LEAST_ROWS]
    if len(held) < 2:
        return {}
    found = {}
    # Some questions are asked of each column, for each class.
    chance = ALARMS / (3 * len(held) * max(1, len(columns)))
    for column, values in columns.items():
        of_gold = [values[n] for n in gold]
        why = _by_presence(of_gold, labels, classes, chance) or _by_value(
            of_gold, labels, classes, chance
        )
        if why:
            found[column] = why
    return found


def _by_presence(
    values: Sequence[Value | None], labels: Labels, classes: Sequence[str], chance: float
) -> str | None:
    there = np.array([value is not None for value in values])
    for rows, what in ((there, "filled"), (~there, "empty")):
        if not rows.all() and (said := _pure(rows, labels, chance, 0.0)) is not None:
            right, total, label = said
            return f"is {what} in {total} gold rows, {right} of which are '{classes[label]}'"
    return None


def _by_value(
    values: Sequence[Value | None], labels: Labels, classes: Sequence[str], chance: float
) -> str | None:
    if (auc := _macro_auc(values, labels, chance)) is not None:
        return f"alone ranks the gold rows by their label (AUC {auc:.2f})"
    texts = {value for value in values if isinstance(value, str)}
    for text in sorted(texts) if len(texts) * _ROWS_A_VALUE <= len(values) else []:
        rows = np.array([value == text for value in values])
        if (said := _pure(rows, labels, chance, LEAST_SHARE)) is not None:
            right, total, label = said
            return f"is '{text}' in {total} gold rows, {right} of which are '{classes[label]}'"
    return None


def _pure(
    rows: NDArray[np.bool_], labels: Labels, chance: float, least: float
) -> tuple[int, int, int] | None:
    """Of rows nearly all of one class, beyond chance: those that are, all of them, the class."""
    total = int(rows.sum())
    for label in np.unique(labels).tolist()[::-1]:
        right, of_class = int((labels[rows] == label).sum()), int((labels == label).sum())
        if total < LEAST_ROWS or right < PURE * total or right < least * of_class:
            continue
        if binom.sf(right - 1, total, of_class / len(labels)) < chance:
            return right, total, label
    return None


def _macro_auc(values: Sequence[Value | None], labels: Labels, chance: float) -> float | None:
    """The AUC of a column, each class against the rest, where it is suspect beyond chance.

    One class that is told from all others by a number, as a kind of flower is by its size, is not:
    a column that is known only after the label tells them all.
    """
    codes, rows = np.unique(labels, return_counts=True)
    codes = codes[rows >= LEAST_ROWS]
    aucs = []
    for code in codes[-1:] if len(codes) == 2 else codes:
        of_class = labels == code
        aucs.append(max((_auc(of_class, each) for each in _scores(values, of_class)), default=0.5))
        others = len(labels) - of_class.sum()
        spread = np.sqrt((len(labels) + 1) / (12 * of_class.sum() * others))
        if (aucs[-1] - 0.5) / spread <= norm.isf(chance):
            return None
    auc = float(np.mean(aucs))
    return auc if auc >= SUSPECT_AUC else None


def _auc(labels: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    auc = float(roc_auc_score(labels, scores))
    return max(auc, 1 - auc)


def _scores(values: Sequence[Value | None], labels: NDArray[np.bool_]) -> list[NDArray[np.float64]]:
    """The number, a missing one below and above all others; the share of the class of a text."""
    if not any(isinstance(value, str) for value in values):
        numbers = np.array([np.nan if v is None else v for v in values], dtype=np.float64)
        known = numbers[~np.isnan(numbers)]
        if not known.size:
            return []
        ends = {known.min() - 1, known.max() + 1} if known.size < numbers.size else {0.0}
        return [np.where(np.isnan(numbers), end, numbers) for end in sorted(ends)]
    texts = np.array(["" if value is None else str(value) for value in values])
    distinct, code = np.unique(texts, return_inverse=True)
    if len(distinct) * _ROWS_A_VALUE > len(texts):
        return []
    share: NDArray[np.float64] = np.bincount(code, labels) / np.bincount(code)
    return [share[code]]
