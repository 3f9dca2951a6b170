"""What logistic regression and boosted trees make of transformed rows, mixed into one opinion.

On tables that nobody tuned a network for, one of the two is often better than the network. A
network that learns their opinion, of real rows and of made ones, is as good as they are.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import softmax

from core.answers import folded, spread
from models.network.layout import Layout
from models.network.rows import Rows
from models.reference.columns import RawFrame
from models.reference.models import (
    BOOSTED_TREES,
    LOGISTIC_REGRESSION,
    Answer,
    Labelled,
    boosted_trees,
    is_one_class,
    logistic_regression,
)

_LEAST = 1e-5  # share of a class, in logarithms
_SHARES = np.linspace(0, 1, 11)


@dataclass(frozen=True)
class Opinion:
    """A mixture of models.

    Attributes:
      shares: By how much each model counts; they sum to 1.
      of: From rows to probabilities of the positive class, float32 [rows, 1], or to shares of each
        of K classes, float32 [rows, K].
    """

    shares: Mapping[str, float]
    of: Callable[[Rows], np.ndarray]


def opinion_of(
    train: Rows, evaluation: Rows, layout: Layout, width: int, trees: int, seed: int
) -> Opinion:
    """Fits both models, and mixes their logits so that the loss on the eval rows is least.

    Args:
      train: Rows with label [rows, outputs]; those of weight 0 do not count. Of two classes there
        have to be some rows.
      evaluation: Rows that tell when the trees stop, and the mixture.
      layout: What the rows hold.
      width: How many classes there are.
      trees: At most so many.
      seed: Of LightGBM.
    """
    known, unseen = (
        Labelled(frame_of(rows, layout), rows.label, rows.weight[:, 0])
        for rows in (train, evaluation)
    )
    linear = logistic_regression(known, width)
    boosted = boosted_trees(known, unseen, width, trees, seed)
    logs = [_logs(answer(unseen.table)) for answer in (linear, boosted)]
    target = spread(evaluation.label[:, 0] if width == 2 else evaluation.label)
    losses = [
        -float(np.sum(unseen.weights[:, np.newaxis] * target * np.log(_mixed(logs, share))))
        for share in _SHARES
    ]
    share = float(_SHARES[int(np.argmin(losses))])

    def of(rows: Rows) -> np.ndarray:
        table = frame_of(rows, layout)
        asked: list[Answer] = [linear, boosted]
        shares = folded(_mixed([_logs(answer(table)) for answer in asked], share))
        return shares.reshape(rows.count, -1).astype(np.float32)

    return Opinion({LOGISTIC_REGRESSION: share, BOOSTED_TREES: 1 - share}, of)


def has_one_class(rows: Rows) -> bool:
    """Whether the rows that weigh anything have one class alone, of which nothing is learnt."""
    return is_one_class(
        Labelled(RawFrame(pd.DataFrame(), [], [], []), rows.label, rows.weight[:, 0])
    )


def frame_of(rows: Rows, layout: Layout) -> RawFrame:
    """Transformed rows in the form in which the references take raw ones.

    Numbers are scaled, NaN where missing; categories and words are the texts of their ids.
    """
    offsets, numbers = layout.offsets, layout.numbers
    missing = np.array(offsets.numbers, np.int64) + layout.buckets
    found: dict[str, np.ndarray] = {}
    for place in range(numbers):
        unknown = rows.categorical[:, place] == missing[place]
        found[f"number {place}"] = np.where(unknown, np.nan, rows.numeric[:, place])
    numeric = list(found)
    for place in range(numbers, layout.categories):
        found[f"category {place}"] = rows.categorical[:, place].astype(str).astype(object)
    categorical = list(found)[len(numeric) :]
    texts = layout.text.columns if layout.text else ()
    tokens = np.zeros((rows.count, 0), np.int64) if rows.tokens is None else rows.tokens
    for place, ids in enumerate(np.split(tokens, len(texts), axis=1) if texts else ()):
        words = [" ".join(str(word) for word in line[line > 0]) for line in ids]
        found[f"text {place}"] = np.array(words, object)
    text = list(found)[len(numeric) + len(categorical) :]
    return RawFrame(pd.DataFrame(found), numeric, categorical, text)


def _logs(answers: np.ndarray) -> np.ndarray:
    """Logarithms of the shares of all classes, [rows, 2] or [rows, K]."""
    return np.log(np.clip(spread(answers), _LEAST, 1))


def _mixed(logs: list[np.ndarray], share: float) -> np.ndarray:
    """Shares of all classes, by the logarithms of two models', the first of which has a share."""
    first, second = logs
    return np.asarray(softmax(share * first + (1 - share) * second, axis=1))
