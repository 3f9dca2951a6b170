"""What logistic regression and boosted trees make of transformed rows, mixed into one opinion.

On tables that nobody tuned a network for, one of the two is often better than the network. A
network that learns their opinion, of real rows and of made ones, is as good as they are.
"""

from collections.abc import Callable, Mapping, Sequence
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
    """Fits both models, and mixes their logits so that the loss on rows they did not see is least.

    These are the eval rows; of few training rows those too, each asked of models that were fitted
    to the others.

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

    def fitted(rows: Rows) -> tuple[Answer, FittedTrees]:
        known, stopping = _labelled(rows, layout), _labelled(evaluation, layout)
        linear = logistic_regression(known, width)
        return linear, boosted_trees(known, stopping, width, trees, seed)

    models = fitted(train)
    asked, logs = [evaluation], [_logs(models, evaluation, layout)]
    if train.count * width <= _FEW_ANSWERS:
        part = np.random.default_rng(seed).permutation(train.count) % _PARTS
        for number in range(_PARTS):
            others, held = train.take(part != number), train.take(part == number)
            if held.count and not has_one_class(others):
                asked.append(held)
                logs.append(_logs(fitted(others), held, layout))
    share = _share([np.concatenate(each) for each in zip(*logs, strict=True)], asked)

    def again(rows: Rows) -> Opinion:
        known, count = _labelled(rows.weighted(), layout), models[1].count
        boosted = boosted_trees(known, None, width, count, seed)
        return _opinion([logistic_regression(known, width), boosted], layout, share, again)

    return _opinion(models, layout, share, again)


def _opinion(
    models: Sequence[Answer], layout: Layout, share: float, again: Callable[[Rows], Opinion]
) -> Opinion:
    def of(rows: Rows) -> np.ndarray:
        shares = folded(_mixed(_logs(models, rows, layout), share))
        return shares.reshape(rows.count, -1).astype(np.float32)

    return Opinion({LOGISTIC_REGRESSION: share, BOOSTED_TREES: 1 - share}, of, again)


def _share(logs: Sequence[np.ndarray], asked: Sequence[Rows]) -> float:
    """The share of the first model with which the loss of the mixture is least."""
    labels = np.concatenate([rows.label for rows in asked])
    weight = np.concatenate([rows.weight for rows in asked])
    target = weight * spread(labels[:, 0] if labels.shape[1] == 1 else labels)
    losses = [-float(np.sum(target * np.log(_mixed(logs, share)))) for share in _SHARES]
    return float(_SHARES[int(np.argmin(losses))])


def has_one_class(rows: Rows) -> bool:
    """Whether the rows that weigh anything have one class alone, of which nothing is learnt."""
    return is_one_class(
        Labelled(RawFrame(pd.DataFrame(), [], [], []), rows.label, rows.weight[:, 0])
    )


def frame_of(rows: Rows, layout: Layout) -> RawFrame:
    """Transformed rows in the form in which the references take raw ones.

    Numbers are scaled, NaN where missing; words are the texts of their ids, and categories are
    numbers in the order of these texts, which cost encoders a tenth of what the texts do.
    """
    offsets, numbers = layout.offsets, layout.numbers
    missing = np.array(offsets.numbers, np.int64) + layout.buckets
    found: dict[str, np.ndarray] = {}
    for place in range(numbers):
        unknown = rows.categorical[:, place] == missing[place]
        found[f"number {place}"] = np.where(unknown, np.nan, rows.numeric[:, place])
    numeric = list(found)
    order = np.argsort(np.argsort(np.arange(layout.ids).astype(str)))
    for place in range(numbers, layout.categories):
        found[f"category {place}"] = order[rows.categorical[:, place]]
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


def _mixed(logs: Sequence[np.ndarray], share: float) -> np.ndarray:
    """Shares of all classes, by the logarithms of two models', the first of which has a share."""
    first, second = logs
    return np.asarray(softmax(share * first + (1 - share) * second, axis=1))
