"""What a model goes by: mean attributions over rows, by group, how stable, and dependence."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from models.explain.coding import Cells, CodedModel, Coding, chunks, missing_is_none
from models.explain.shapley import Ask, Attributions, by_shap
from models.explain.single import SCALE
from models.export.served import ServedModel

ADDITIVE = 1e-5
"""How far base value and attributions may be from the answer that they add up to."""

_PARTS = 5  # of the rows, each with a background and a seed of its own
_FEW_ROWS = 10  # of smaller groups nothing is said
_MOST_CELLS = 50_000_000  # values that a model is shown; about ten seconds
_LEAST_ROWS, _LEAST_BACKGROUND = 20, 10
_STRONGEST = 5  # columns whose dependence is told
_POINTS = 16  # values of a column at which it is, at most
_DEPENDENCE_ROWS = 100
_DIGITS = 7
# 97.5% quantiles of Student's t by degrees of freedom, 1 to 4.
_T = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776}


@dataclass(frozen=True)
class Explained:
    """What there is to explain.

    Attributes:
      rows: Rows, in an order drawn at random.
      groups: Which of them are in a slice, bool [rows] by its name.
      training: Training rows, in an order drawn at random.
      dated: For a column of dates, from texts [values] to their times, float64 [values]; NaN where
        a text is none.
      free_texts: Columns of which nearly every row has a value of its own.
    """

    rows: Cells
    groups: Mapping[str, np.ndarray]
    training: Cells
    dated: Mapping[str, Callable[[np.ndarray], np.ndarray]]
    free_texts: frozenset[str]


def explain(
    model: ServedModel, told: Explained, background: int, classes: Sequence[str], seed: int
) -> dict[str, Any]:
    """What a target's model goes by, as JSON values; more than two classes each by themselves.

    Args:
      model: As a client asks it.
      told: The rows.
      background: Training rows that stand for what is unknown, in each part.
      classes: By their codes.
      seed: Of the permutations.

    Raises:
      ValueError: An answer is not a number.
    """
    rows, training = told.rows, told.training
    coding = Coding([rows, training])
    ask = CodedModel(model, coding)
    codes, known = coding.encode(rows), coding.encode(training)
    parts = _parts(rows.count)
    found = []
    for number, part in enumerate(parts):
        places = np.arange(number * background, (number + 1) * background) % training.count
        found.append(by_shap(ask, codes[part], known[np.unique(places)], seed + number))
    values = np.abs(np.concatenate([one.values for one in found]))
    mean = values.mean(axis=0)
    names = rows.names

    def by_column(means: np.ndarray) -> dict[str, Any]:
        return {name: _number(means[at], classes) for at, name in enumerate(names)}

    groups = {name: member for name, member in told.groups.items() if member.sum() >= _FEW_ROWS}
    base = np.average([one.base for one in found], axis=0, weights=[len(p) for p in parts])
    strongest = np.argsort(-mean.sum(axis=1), kind="stable")[:_STRONGEST]
    return {
        "scale": SCALE,
        "rows": rows.count,
        "base_value": _number(base, classes),
        "additivity": max(one.error for one in found),
        "mean_abs": by_column(mean),
        "by_group": {name: by_column(values[m].mean(axis=0)) for name, m in groups.items()},
        "group_rows": {name: int(member.sum()) for name, member in groups.items()},
        "stability": _stability(found, names, classes),
        "dependence": {
            names[at]: points
            for at in strongest
            if names[at] not in told.free_texts
            if (points := _dependence(ask, codes, known, coding, int(at), told, classes))
        },
    }


def affordable(rows: int, background: int, columns: int) -> tuple[int, int]:
    """How many rows are explained, by how many training rows: so that wide tables take no hours.

    For each row and each training row the model is asked twice for every column, of all columns.

    Args:
      rows: Wanted.
      background: Wanted.
      columns: Of the model.
    """
    most = _MOST_CELLS // (columns * (2 * columns + 1))
    if rows * background <= most:
        return rows, background
    background = min(background, max(_LEAST_BACKGROUND, most // _LEAST_ROWS))
    return min(rows, max(_LEAST_ROWS, most // background)), background


def shares_of(explanation: Mapping[str, Any]) -> dict[str, float]:
    """Each column's share of the attribution of all, over all classes; 0 where there is none."""
    sums = {
        name: sum(value.values()) if isinstance(value, dict) else value
        for name, value in explanation["mean_abs"].items()
    }
    total = sum(sums.values())
    return {name: value / total if total else 0.0 for name, value in sums.items()}


def _parts(count: int) -> list[np.ndarray]:
    """Places of the rows in each part."""
    size = math.ceil(count / min(_PARTS, max(1, count // 2)))
    return [np.arange(part.start, part.stop) for part in chunks(count, size)]


def _number(values: np.ndarray, classes: Sequence[str]) -> Any:
    """One output as a number, K by class."""
    if len(values) == 1:
        return round(float(values[0]), _DIGITS)
    rounded = (round(float(value), _DIGITS) for value in values)
    return dict(zip(classes, rounded, strict=True))


def _stability(
    found: Sequence[Attributions], names: Sequence[str], classes: Sequence[str]
) -> dict[str, list[Any]]:
    """95% intervals of the means, from those of parts with other rows, backgrounds and seeds."""
    means = np.stack([np.abs(one.values).mean(axis=0) for one in found])
    count = len(means)
    if count < 2:
        return {}
    t = _T.get(count - 1, NormalDist().inv_cdf(0.975))
    half = t * means.std(axis=0, ddof=1) / math.sqrt(count)
    mean = np.average(means, axis=0, weights=[len(one.values) for one in found])
    low, high = np.maximum(mean - half, 0.0), mean + half
    return {
        name: [_number(low[at], classes), _number(high[at], classes)]
        for at, name in enumerate(names)
    }


def _dependence(
    ask: Ask,
    codes: np.ndarray,
    known: np.ndarray,
    coding: Coding,
    at: int,
    told: Explained,
    classes: Sequence[str],
) -> list[dict[str, Any]]:
    """The mean answer when a column has a value in every row, and the training rows near it."""
    points, shares = _points(known[:, at].astype(np.int64), coding, at, told)
    rows = codes[:_DEPENDENCE_ROWS]
    asked = np.repeat(rows[np.newaxis], len(points), axis=0)
    asked[:, :, at] = points[:, np.newaxis]
    answers = ask(asked.reshape(-1, codes.shape[1])).reshape(len(points), len(rows), -1)
    return [
        {
            "value": _told(coding.values[at][point]),
            "answer": _number(answers[n].mean(axis=0), classes),
            "share": round(float(shares[n]), _DIGITS),
        }
        for n, point in enumerate(points)
    ]


def _told(value: object) -> object:
    """A value for JSON; a missing one is empty."""
    plain = missing_is_none(value)
    return "" if plain is None else plain


def _places(count: int, points: int) -> np.ndarray:
    """Places at even shares of `count` ordered values, the outermost left out."""
    levels = np.linspace(0.02, 0.98, points)
    return (levels * (count - 1)).round().astype(np.int64)


def _points(
    known: np.ndarray, coding: Coding, at: int, told: Explained
) -> tuple[np.ndarray, np.ndarray]:
    """Codes of some values of a column, and the share of the training rows that each stands for.

    Numbers and dates: quantiles, each standing for the rows nearest to it. Categories: the most
    frequent ones.
    """
    values, name = coding.values[at], coding.names[at]
    if name in told.dated:
        places = told.dated[name](values)
    elif values.dtype == object:
        codes, counts = np.unique(known, return_counts=True)
        order = np.argsort(-counts, kind="stable")[:_POINTS]
        return codes[order], counts[order] / len(known)
    else:
        places = values
    there = np.sort(places[known][~np.isnan(places[known])])
    if not len(there):
        return np.zeros(0, np.int64), np.zeros(0)
    # Of the rows, and where one value is that of most rows, of the distinct values, too.
    halves = [ordered[_places(len(ordered), _POINTS // 2)] for ordered in (there, np.unique(there))]
    chosen = np.unique(np.concatenate(halves))
    near = np.searchsorted((chosen[1:] + chosen[:-1]) / 2, there)
    shares = np.bincount(near, minlength=len(chosen)) / len(known)
    points = [int(np.flatnonzero(places == place)[0]) for place in chosen]
    return np.array(points), shares
