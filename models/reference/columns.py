"""Raw columns in the form in which scikit-learn and LightGBM take them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.answers import spread
from models.columns.date_formats import DAY, DateColumn, parts_of, reader_of
from models.network.layout import Layout


@dataclass(frozen=True)
class RawFrame:
    """Rows of raw columns.

    Attributes:
      frame: Numbers as float64 with NaN, categories and texts as str with "", where empty. A date
        is days since 1970, and a category for each of its parts.
      numeric: The columns of numbers.
      categorical: Those of categories.
      text: Those of texts.
    """

    frame: pd.DataFrame
    numeric: list[str]
    categorical: list[str]
    text: list[str]


def table_of(columns: Mapping[str, np.ndarray], layout: Layout) -> RawFrame:
    """The columns that the models learn from.

    Args:
      columns: Raw columns by name, each [rows]: float32 with NaN, or str with "", where empty.
      layout: What kind each column is of.
    """
    found: dict[str, np.ndarray] = {}
    categorical = [name for name, _ in layout.categorical]
    categorical += layout.hashed.columns if layout.hashed else ()
    numeric, text = list(layout.numeric), list(layout.text.columns if layout.text else ())
    for name in numeric:
        values = columns[name].astype(np.float64)
        found[name] = np.where(np.isfinite(values), values, np.nan)
    found |= {name: columns[name].astype(object) for name in [*categorical, *text]}
    for date in layout.dates:
        parts = _parts(columns[date.column], date)
        numeric.append(date.column)
        categorical += [name for name in parts if name != date.column]
        found |= parts
    return RawFrame(pd.DataFrame(found), numeric, categorical, text)


def _parts(texts: np.ndarray, date: DateColumn) -> dict[str, np.ndarray]:
    """Days since 1970 under the column's own name, and its parts beside it."""
    times, known = reader_of(date).read_all(texts)
    found = {date.column: np.where(known, times / DAY, np.nan)}
    values = parts_of(times)
    for name in date.parts:
        words = values[name].astype(str).astype(object)
        found[f"{date.column}/{name}"] = np.where(known, words, "")
    return found


def examples_of(
    labels: np.ndarray, weights: np.ndarray, width: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Soft labels as rows with one class each: row numbers, codes of classes, weights.

    A row stands once for each class of which it has a share, with that share of its weight; a row
    of weight 0 not at all.

    Args:
      labels: [rows, 1], the probability of the positive class; or [rows, K], shares.
      weights: [rows].
      width: How many classes there are.
    """
    shares = spread(labels[:, 0] if width == 2 else labels)
    rows, codes = np.nonzero(shares * weights[:, np.newaxis] > 0)
    return rows, codes, shares[rows, codes] * weights[rows]


def known_classes(codes: Sequence[int] | np.ndarray, shares: np.ndarray, width: int) -> np.ndarray:
    """Shares of the classes that a model has seen as shares of all, [rows, width].

    Args:
      codes: Of the classes that it has seen, ascending.
      shares: [rows, classes seen].
      width: How many classes there are.
    """
    found = np.zeros((len(shares), width))
    found[:, np.asarray(codes, int)] = shares
    return found
