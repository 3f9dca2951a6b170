"""Columns that tell the label almost alone: often they are known only after it is."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from models.labels.votes import NEGATIVE, POSITIVE
from pipeline.init.example import Value

SUSPECT_AUC = 0.95
LEAST_ROWS = 10  # gold rows of each class: with fewer, chance does as well
_ROWS_A_VALUE = 10  # at least, on average, of a category


def find(
    columns: Mapping[str, Sequence[Value | None]], gold: Mapping[int, int]
) -> list[tuple[str, float]]:
    """Columns whose value alone ranks the gold rows nearly perfectly, and how well: AUC.

    Args:
        columns: values by column, one a row; None where missing.
        gold: row number and class of the gold rows.
    """
    labels = np.array(list(gold.values()))
    if min((labels == POSITIVE).sum(), (labels == NEGATIVE).sum()) < LEAST_ROWS:
        return []
    found = []
    for column, values in columns.items():
        scores = _scores([values[n] for n in gold], labels)
        if scores is not None:
            auc = float(roc_auc_score(labels, scores))
            if max(auc, 1 - auc) >= SUSPECT_AUC:
                found.append((column, max(auc, 1 - auc)))
    return found


def _scores(
    values: Sequence[Value | None], labels: NDArray[np.int64]
) -> NDArray[np.float64] | None:
    """The number itself, or the share of positives among rows with the same text."""
    if not any(isinstance(value, str) for value in values):
        numbers = np.array([np.nan if v is None else v for v in values], dtype=np.float64)
        known = numbers[~np.isnan(numbers)]
        return np.where(np.isnan(numbers), np.median(known), numbers) if known.size else None
    texts = np.array([str(value) for value in values])
    distinct, code = np.unique(texts, return_inverse=True)
    if len(distinct) * _ROWS_A_VALUE > len(texts):
        return None
    share: NDArray[np.float64] = np.bincount(code, labels == POSITIVE) / np.bincount(code)
    return share[code]
