"""What logistic regression and boosted trees make of transformed rows, mixed into one opinion.

On tables that nobody tuned a network for, one of the two is often better than the network. A
network that learns their opinion, of real rows and of made ones, is as good as they are.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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
    FittedTrees,
    Labelled,
    boosted_trees,
    is_one_class,
    logistic_regression,
)

_LEAST = 1e-5  # share of a class, in logarithms
_FEW_ANSWERS = 6000  # rows times classes; with more, the eval rows are enough to tell the mixture
_PARTS = 5
_SHARES = np.linspace(0, 1, 11)
_TREES: Sequence[Mapping[str, Any]] = (
    {},
    # Smaller trees, each of a half of the columns: where effects add up they are better.
    {"num_leaves": 16, "feature_fraction": 0.5},
)


@dataclass(frozen=True)
class Opinion:
    """A mixture of models.

    Attributes:
      shares: By how much each model counts; they sum to 1.
      of: From rows to probabilities of the positive class, float32 [rows, 1], or to shares of each
        of K classes, float32 [rows, K].
      again: The same mixture of as many trees, fitted to other rows.
    """

    shares: Mapping[str, float]
    of: Callable[[Rows], np.ndarray]
    again: Callable[[Rows], "Opinion"] | None = None


def opinion_of(
    train: Rows, evaluation: Rows, layout: Layout, width: int, trees: int, seed: int
) -> Opinion:
    """Fits all models, and mixes two so that the loss on rows they did not see is least.

    One is logistic regression, the other the better of the boosted trees; their logits are mixed.
    The rows are the eval rows; of few training rows those too, each asked of models that were
    fitted to the others.

    Args:
      train: Rows with label [rows, outputs]; those of weight 0 do not count. They have to be of
        more than one class.
      evaluation: Rows that tell when the trees stop, and the mixture.
      layout: What the rows hold.
      width: How many classes there are.
      trees: At most so many.
      seed: Of LightGBM, and of the parts.
    """
    train, evaluation = train.weighted(), evaluation.weighted()

    def fitted(rows: Rows) -> list[Answer]:
        known, stopping = _labelled(rows, layout), _labelled(evaluation, layout)
        linear = logistic_regression(known, width)
        grown = [boosted_trees(known, stopping, width, trees, seed, kind) for kind in _TREES]
        return [linear, *grown]

    models = fitted(train)
    asked, logs = [evaluation], [_logs(models, evaluation, layout)]
    if train.count * width <= _FEW_ANSWERS:
        part = np.random.default_rng(seed).permutation(train.count) % _PARTS
        for number in range(_PARTS):
            others, held = train.take(part != number), train.take(part == number)
            if held.count and not has_one_class(others):
                asked.append(held)
                logs.append(_logs(fitted(others), held, layout))
    kind, share = _mixture([np.concatenate(each) for each in zip(*logs, strict=True)], asked)
    grown = models[1 + kind]
    assert isinstance(grown, FittedTrees)

    def again(rows: Rows) -> Opinion:
        known = _labelled(rows.weighted(), layout)
        linear = logistic_regression(known, width) if share else None
        of_trees = None
        if share < 1:
            of_trees = boosted_trees(known, None, width, grown.count, seed, _TREES[kind])
        return _opinion([linear, of_trees], layout, share, again)

    return _opinion([models[0], grown], layout, share, again)


def _opinion(
    models: Sequence[Answer | None], layout: Layout, share: float, again: Callable[[Rows], Opinion]
) -> Opinion:
    """What logistic regression and trees make of rows; one whose share is 0 is not asked."""
    shares = {LOGISTIC_REGRESSION: share, BOOSTED_TREES: 1 - share}
    asked = [(m, s) for m, s in zip(models, shares.values(), strict=True) if m is not None and s]

    def of(rows: Rows) -> np.ndarray:
        logs = _logs([model for model, _ in asked], rows, layout)
        mixed = folded(_mixed(logs, [each for _, each in asked]))
        return mixed.reshape(rows.count, -1).astype(np.float32)

    return Opinion(shares, of, again)


def _mixture(logs: Sequence[np.ndarray], asked: Sequence[Rows]) -> tuple[int, float]:
    """The kind of trees, and the share of logistic regression beside them, of the least loss."""
    labels = np.concatenate([rows.label for rows in asked])
    weight = np.concatenate([rows.weight for rows in asked])
    target = weight * spread(labels[:, 0] if labels.shape[1] == 1 else labels)
    linear, *grown = logs
    losses = [
        [-float(np.sum(target * np.log(_mixed([linear, of], [s, 1 - s])))) for s in _SHARES]
        for of in grown
    ]
    kind, share = np.unravel_index(np.argmin(losses), np.shape(losses))
    return int(kind), float(_SHARES[share])


def has_one_class(rows: Rows) -> bool:
    """Whether the rows that weigh anything have one class alone, of which nothing is learnt."""
    return is_one_class(
        Labelled(RawFrame(pd.DataFrame(), [], [], []), rows.label, rows.weight[:, 0])
    )


def frame_of(rows: Rows, layout: Layout) -> RawFrame:
    """Transformed rows in the form in which the references take raw ones.

    Numbers are scaled, NaN where missing; categories are their ids, words the texts of theirs.
    """
    offsets, numbers = layout.offsets, layout.numbers
    missing = np.array(offsets.numbers, np.int64) + layout.buckets
    found: dict[str, np.ndarray] = {}
    for place in range(numbers):
        unknown = rows.categorical[:, place] == missing[place]
        found[f"number {place}"] = np.where(unknown, np.nan, rows.numeric[:, place])
    numeric = list(found)
    for place in range(numbers, layout.categories):
        found[f"category {place}"] = rows.categorical[:, place]
    categorical = list(found)[len(numeric) :]
    texts = layout.text.columns if layout.text else ()
    tokens = np.zeros((rows.count, 0), np.int64) if rows.tokens is None else rows.tokens
    for place, ids in enumerate(np.split(tokens, len(texts), axis=1) if texts else ()):
        words = [" ".join(str(word) for word in line[line > 0]) for line in ids]
        found[f"text {place}"] = np.array(words, object)
    text = list(found)[len(numeric) + len(categorical) :]
    return RawFrame(pd.DataFrame(found), numeric, categorical, text)


def _labelled(rows: Rows, layout: Layout) -> Labelled:
    return Labelled(frame_of(rows, layout), rows.label, rows.weight[:, 0])


def _logs(models: Sequence[Answer], rows: Rows, layout: Layout) -> list[np.ndarray]:
    """Logarithms of the shares of all classes, by model: [rows, 2] or [rows, K]."""
    table = frame_of(rows, layout)
    return [np.log(np.clip(spread(answer(table)), _LEAST, 1)) for answer in models]


def _mixed(logs: Sequence[np.ndarray], shares: Sequence[float]) -> np.ndarray:
    """Shares of all classes, by the logarithms of models', each of which has a share."""
    total = sum(share * log for share, log in zip(shares, logs, strict=True))
    return np.asarray(softmax(total, axis=1))
