"""Logistic regression and boosted trees, fitted to the labels and weights that the network gets."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np
from scipy import sparse
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from core.answers import folded, spread
from models.reference.columns import RawFrame, examples_of, known_classes

LOGISTIC_REGRESSION = "logistic_regression"
BOOSTED_TREES = "boosted_trees"

_RARE = 2  # rows that a category or a word of a text is in, at least
_WORDS = 4000  # words and pairs of words of a text column, by frequency
_STEPS = 500  # of the solver
_PATIENCE = 25  # trees without a lower loss on the eval rows
TREES: Mapping[str, Any] = {
    "num_threads": 1,  # threads that wait for each other cost more than they save
    "deterministic": True,
    "force_row_wise": True,
    "verbose": -1,
}
"""Parameters of LightGBM with which it makes the same trees on any machine."""


@dataclass(frozen=True)
class Labelled:
    """Rows with what a model learns from them.

    Attributes:
      table: Raw columns.
      labels: [rows, 1], the probability of the positive class; or [rows, K], shares.
      weights: [rows], not negative.
    """

    table: RawFrame
    labels: np.ndarray
    weights: np.ndarray


Answer = Callable[[RawFrame], np.ndarray]
"""From rows to answers: [rows] of two classes, [rows, K] of more."""


def logistic_regression(train: Labelled, width: int) -> Answer:
    """Fits a logistic regression on scaled numbers, categories one-hot and TF-IDF of texts.

    Args:
      train: Rows; those of weight 0 do not count.
      width: How many classes there are.
    """
    table = train.table
    number = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
    category = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=_RARE)
    steps: list[tuple[str, Any, str | list[str]]] = [
        ("numbers", number, table.numeric),
        ("categories", category, table.categorical),
    ]
    steps += [(f"text {name}", _words(), name) for name in table.text]
    encoder = ColumnTransformer([step for step in steps if len(step[2])])
    rows, codes, weights = examples_of(train.labels, train.weights, width)
    encoder.fit(table.frame.iloc[np.unique(rows)])
    encoded = sparse.csr_matrix(encoder.transform(table.frame))
    model = LogisticRegression(max_iter=_STEPS)
    model.fit(encoded[rows], codes, sample_weight=weights / weights.mean())

    def answer(of: RawFrame) -> np.ndarray:
        shares = model.predict_proba(encoder.transform(of.frame))
        return folded(known_classes(model.classes_, shares, width))

    return answer


@dataclass(frozen=True)
class FittedTrees:
    """Boosted trees as an `Answer`.

    Attributes:
      model: LightGBM's.
      encoder: From raw columns to what it takes.
    """

    model: lightgbm.Booster
    encoder: "_TreeColumns"

    def __call__(self, table: RawFrame) -> np.ndarray:
        """[rows] of two classes, [rows, K] of more."""
        return np.asarray(self.model.predict(self.encoder(table)))

    @property
    def count(self) -> int:
        """How many trees it asks."""
        return int(self.model.best_iteration or self.model.num_trees())


def boosted_trees(
    train: Labelled,
    evaluation: Labelled | None,
    width: int,
    trees: int,
    seed: int,
    options: Mapping[str, Any] = {},
) -> FittedTrees:
    """Fits LightGBM until the loss on the eval rows falls no more.

    Args:
      train: Rows; those of weight 0 do not count.
      evaluation: Rows that tell when to stop; None: nothing stops it.
      width: How many classes there are.
      trees: At most so many.
      seed: Of LightGBM.
      options: Parameters of LightGBM that are not its defaults.
    """
    encoder = _TreeColumns(train.table)
    target: dict[str, Any] = {"objective": "cross_entropy"}
    if width > 2:
        target = {"objective": "multiclass", "num_class": width}
    data = lightgbm.Dataset(
        **_tree_rows(train, encoder, width), categorical_feature=encoder.categories
    )
    until: dict[str, Any] = {}
    if evaluation is not None:
        until["valid_sets"] = [data.create_valid(**_tree_rows(evaluation, encoder, width))]
        until["callbacks"] = [lightgbm.early_stopping(_PATIENCE, verbose=False)]
    model = lightgbm.train(
        {**TREES, **target, **options, "seed": seed}, data, num_boost_round=trees, **until
    )
    return FittedTrees(model, encoder)


def _tree_rows(rows: Labelled, encoder: "_TreeColumns", width: int) -> dict[str, Any]:
    encoded = encoder(rows.table)
    if width == 2:
        known = rows.weights > 0
        label, weight = rows.labels[known, 0], rows.weights[known]
        return {"data": encoded[known], "label": label, "weight": weight / weight.mean()}
    index, codes, weights = examples_of(rows.labels, rows.weights, width)
    return {"data": encoded[index], "label": codes, "weight": weights / weights.mean()}


class _TreeColumns:
    """Numbers as they are, categories as codes, TF-IDF of texts."""

    def __init__(self, table: RawFrame) -> None:
        self._numeric, self._categorical = table.numeric, table.categorical
        self._codes = OrdinalEncoder(
            handle_unknown="use_encoded_value", unknown_value=np.nan, min_frequency=_RARE
        )
        if table.categorical:
            self._codes.fit(table.frame[table.categorical])
        self._words = {name: _words().fit(table.frame[name]) for name in table.text}

    @property
    def categories(self) -> list[int]:
        """Numbers of the columns of categories."""
        first = len(self._numeric)
        return list(range(first, first + len(self._categorical)))

    def __call__(self, table: RawFrame) -> Any:
        """[rows, columns]; sparse where there are texts."""
        parts = [table.frame[self._numeric].to_numpy(np.float64)]
        if self._categorical:
            parts.append(self._codes.transform(table.frame[self._categorical]))
        dense = np.concatenate(parts, axis=1)
        if not self._words:
            return dense
        words = [words.transform(table.frame[name]) for name, words in self._words.items()]
        return sparse.hstack([sparse.csr_matrix(dense), *words], format="csr")


def _words() -> TfidfVectorizer:
    return TfidfVectorizer(
        max_features=_WORDS, ngram_range=(1, 2), min_df=_RARE, token_pattern=r"\S+"
    )


def is_one_class(rows: Labelled) -> bool:
    """Whether the rows that weigh anything have one class alone, of which nothing is learnt."""
    known = rows.weights > 0
    shares = spread(rows.labels[known, 0] if rows.labels.shape[1] == 1 else rows.labels[known])
    return int((shares.sum(axis=0) > 0).sum()) < 2
