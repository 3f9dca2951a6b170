"""Columns of every kind as numbers, so that one method scores them all."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold
from sklearn.preprocessing import StandardScaler

from core.answers import spread
from models.reference.columns import RawFrame, examples_of, known_classes

VALUES = 31  # of a category that has codes; one of more values is read as texts are
BINS = 10  # of a number, by quantiles, before the one for missing
_WORDS = 500  # of a text column, by frequency
_WHOLE = 5000  # values of a category of many values, by frequency
_FOLDS = 3  # a text's score is from texts of other folds


@dataclass(frozen=True)
class Examples:
    """Rows of columns in numbers, with soft labels.

    Attributes:
      columns: The columns that are scored.
      cells: float32 [rows, cells]: numbers with NaN where empty, codes of categories, and what a
        text, or a category of many values, says of the label.
      owner: int [cells]: which column a cell is of; a date and a text of K classes have several.
      categorical: bool [cells]: whether it is a code, 0 to `VALUES`.
      shares: float64 [rows, K], of the classes.
      weights: float64 [rows], above 0, with a mean of 1.
    """

    columns: tuple[str, ...]
    cells: np.ndarray
    owner: np.ndarray
    categorical: np.ndarray
    shares: np.ndarray
    weights: np.ndarray

    @property
    def count(self) -> int:
        """Number of rows."""
        return len(self.cells)

    @property
    def classes(self) -> int:
        """Number of classes."""
        return int(self.shares.shape[1])


def encode(
    table: RawFrame, labels: np.ndarray, weights: np.ndarray, columns: Sequence[str], seed: int
) -> Examples:
    """Rows in numbers.

    Args:
      table: Raw columns.
      labels: [rows, 1], the probability of the positive class; or [rows, K], shares.
      weights: [rows], above 0.
      columns: Those that are scored.
      seed: Of the folds of texts.
    """
    shares = spread(labels[:, 0] if labels.shape[1] == 1 else labels).astype(np.float64)
    weights = weights.astype(np.float64) / weights.mean()
    cells: list[np.ndarray] = []
    owner, categorical = [], []
    place = {column: at for at, column in enumerate(columns)}
    for name in (*table.numeric, *table.categorical, *table.text):
        column = name if name in place else name.partition("/")[0]  # day/month is a part of day
        if column not in place:
            continue
        values = table.frame[name]
        coded = name in table.categorical and values.nunique() <= VALUES
        if name in table.numeric:
            found = values.to_numpy(np.float64)[:, np.newaxis]
        elif coded:
            found = _codes(values)[:, np.newaxis]
        else:
            found = _says(_counted(values, name in table.text), shares, weights, seed)
        cells.append(found.astype(np.float32))
        owner += [place[column]] * found.shape[1]
        categorical += [coded] * found.shape[1]
    return Examples(
        tuple(columns),
        np.concatenate(cells, axis=1),
        np.array(owner),
        np.array(categorical),
        shares,
        weights,
    )


def _codes(values: pd.Series) -> np.ndarray:
    """0 for the most frequent value, 1, 2, ... for the others; int [rows]."""
    known = {value: code for code, value in enumerate(values.value_counts().index)}
    return values.map(known).to_numpy(np.int64)


def _counted(texts: pd.Series, by_word: bool) -> sparse.csr_matrix:
    """TF-IDF of words, or of whole texts, that two rows have; [rows, 0] where there are none."""
    if by_word:
        words = TfidfVectorizer(max_features=_WORDS, min_df=2, token_pattern=r"\S+")
    else:
        words = TfidfVectorizer(max_features=_WHOLE, min_df=2, analyzer=lambda text: [text])
    try:
        return sparse.csr_matrix(words.fit_transform(texts))
    except ValueError:  # no word is in two rows
        return sparse.csr_matrix((len(texts), 0))


def _says(
    counted: sparse.csr_matrix, shares: np.ndarray, weights: np.ndarray, seed: int
) -> np.ndarray:
    """What a text says of the label, by a model of other texts: [rows, 1] of two classes or [rows,
    K], logarithms of probabilities.
    """
    width = shares.shape[1]
    empty = np.zeros((counted.shape[0], 1 if width == 2 else width))
    if not counted.shape[1]:
        return empty
    said = np.zeros((counted.shape[0], width))
    for fitted, asked in KFold(_FOLDS, shuffle=True, random_state=seed).split(counted):
        labels = shares[fitted] if width > 2 else shares[fitted, 1:]
        rows, codes, weight = examples_of(labels, weights[fitted], width)
        if len(np.unique(codes)) < 2:
            return empty
        model = LogisticRegression(C=10.0, max_iter=200)
        model.fit(counted[fitted[rows]], codes, sample_weight=weight)
        answers = known_classes(model.classes_, model.predict_proba(counted[asked]), width)
        said[asked] = np.log(np.clip(answers, 1e-6, 1))
    return said[:, 1:] - said[:, :1] if width == 2 else said


def bins_of(cells: np.ndarray, categorical: np.ndarray) -> np.ndarray:
    """Cells as codes 0 to `VALUES`: int64 [rows, cells].

    A number of few values by value, of more by quantile, where a frequent value is a bin of its
    own; the last code is for NaN.

    Args:
      cells: float32 [rows, cells].
      categorical: bool [cells], whether a cell is a code already.
    """
    binned = np.zeros(cells.shape, np.int64)
    steps = np.linspace(0, 1, BINS + 1)[1:-1]
    for at in range(cells.shape[1]):
        values = cells[:, at]
        if categorical[at]:
            binned[:, at] = values
            continue
        present = values[~np.isnan(values)]
        distinct = np.unique(present)
        if len(distinct) < VALUES:
            codes = np.searchsorted(distinct, values)
            binned[:, at] = np.where(np.isnan(values), VALUES, codes)
            continue
        quantiles = np.quantile(present, steps)
        edges, times = np.unique(quantiles.astype(np.float32), return_counts=True)
        frequent = np.nextafter(edges[times > 1], np.float32(np.inf))  # alone in a bin
        edges = np.sort(np.concatenate([edges, frequent]))
        binned[:, at] = np.where(np.isnan(values), VALUES, np.searchsorted(edges, values, "right"))
    return binned


def design_of(examples: Examples) -> tuple[np.ndarray, np.ndarray]:
    """Scaled numbers and one-hot categories, float64 [rows, inputs]; the column of each input."""
    numbers = examples.cells[:, ~examples.categorical].astype(np.float64)
    numbers[:, np.isnan(numbers).all(axis=0)] = 0.0
    scaled = np.nan_to_num(StandardScaler().fit_transform(numbers)) if numbers.size else numbers
    scaled = np.clip(scaled, -5, 5)
    parts, owner = [scaled], [examples.owner[~examples.categorical]]
    for at in np.flatnonzero(examples.categorical):
        codes = examples.cells[:, at].astype(np.int64)
        hot = np.eye(VALUES + 1)[:, np.unique(codes)][codes]
        parts.append(hot)
        owner.append(np.full(hot.shape[1], examples.owner[at]))
    return np.concatenate(parts, axis=1), np.concatenate(owner)
