"""What a column tells of the label, in nats a row: alone, in a linear model, among trees."""

import dataclasses
from collections.abc import Callable

import numpy as np
from scipy.special import xlogy
from sklearn.metrics import mutual_info_score

from models.features.encoding import VALUES, Examples, bins_of, design_of
from models.features.fitting import cross_entropy, fit_linear, fit_trees

_TREES = 50
_ASKED = 200_000  # cells of the rows on which columns are shuffled: rows times columns
_COMPARED = 120  # columns that are compared with each other, the most important ones
_COPY = 0.95  # of what a column holds: another that holds as much makes it a copy


@dataclasses.dataclass(frozen=True)
class Scores:
    """Of each column, float64 [columns]; all but the gain in nats.

    Attributes:
      mutual_information: Of the column and the label.
      linear: What the loss of an L1 logistic regression rises by when the column is shuffled.
      trees: The same of boosted trees.
      gain: Share of the trees' gain; the shares sum to 1.
    """

    mutual_information: np.ndarray
    linear: np.ndarray
    trees: np.ndarray
    gain: np.ndarray

    @property
    def importance(self) -> np.ndarray:
        """Mean of the first three, float64 [columns]; not negative."""
        return np.maximum(0, (self.mutual_information + self.linear + self.trees) / 3)


@dataclasses.dataclass(frozen=True)
class Copy:
    """How much of what a column holds another holds too.

    Attributes:
      of: The other column.
      share: Of the entropy of the column, in bins.
    """

    of: str
    share: float


def mean_of(found: list[Scores]) -> Scores:
    """The mean of each score over draws."""
    names = [field.name for field in dataclasses.fields(Scores)]
    return Scores(**{n: np.mean([getattr(one, n) for one in found], axis=0) for n in names})


def scores_by_draw(examples: Examples, draws: int, seed: int) -> list[Scores]:
    """Scores on bootstrap draws of the rows.

    A model is fitted on the rows that are drawn, and asked about those that are not, each column
    shuffled in turn (Breiman, 2001). The penalty of the logistic regression is the universal
    threshold (Donoho & Johnstone, 1994), below which lies what chance makes of all columns.

    Args:
      examples: Rows in numbers.
      draws: How many.
      seed: Of the draws, the models and the shuffling.
    """
    draw = np.random.default_rng(seed)
    binned = bins_of(examples.cells, examples.categorical)
    design, owner = design_of(examples)
    return [_scores(examples, binned, design, owner, draw) for _ in range(draws)]


def _scores(
    examples: Examples,
    binned: np.ndarray,
    design: np.ndarray,
    owner: np.ndarray,
    draw: np.random.Generator,
) -> Scores:
    times = np.bincount(draw.integers(examples.count, size=examples.count), None, examples.count)
    weights = examples.weights * times
    most = max(100, _ASKED // len(examples.columns))
    asked = draw.permutation(np.flatnonzero(times == 0))[:most]
    shares, counted = examples.shares[asked], examples.weights[asked]
    linear = fit_linear(design, examples.shares, weights, "l1")
    trees = fit_trees(
        examples.cells, examples.categorical, examples.shares, weights, _TREES, _seed(draw)
    )
    gain = np.bincount(
        examples.owner, trees.booster.feature_importance("gain"), len(examples.columns)
    )

    def rises(
        cells: np.ndarray, owner: np.ndarray, answer: Callable[[np.ndarray], np.ndarray]
    ) -> np.ndarray:
        rows, used = cells[asked], np.unique(owner[owner >= 0])
        before, order = cross_entropy(shares, answer(rows), counted), draw.permutation(len(asked))
        found = np.zeros(len(examples.columns))
        for column in used:
            shuffled = rows.copy()
            shuffled[:, owner == column] = rows[order][:, owner == column]
            found[column] = cross_entropy(shares, answer(shuffled), counted) - before
        return found

    read = linear.weights.any(axis=1)
    split = np.isin(examples.owner, np.flatnonzero(gain))
    return Scores(
        mutual_information(examples, binned, weights),
        rises(design, np.where(read, owner, -1), linear.answers),
        rises(examples.cells, np.where(split, examples.owner, -1), trees.answers),
        gain / max(gain.sum(), 1e-12),
    )


def _seed(draw: np.random.Generator) -> int:
    return int(draw.integers(1 << 30))


def mutual_information(examples: Examples, binned: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Of each column with the label, [columns], not negative: the most of its cells.

    From bins, less what as many bins tell by chance (Miller, 1955). Source: scikit-learn.

    Args:
      examples: The rows.
      binned: Their cells by `bins_of`.
      weights: [rows]; 0 where a row does not count.
    """
    mass = examples.shares * weights[:, np.newaxis]
    found = np.zeros(len(examples.columns))
    for at, column in enumerate(examples.owner):
        table = np.stack([np.bincount(binned[:, at], part, VALUES + 1) for part in mass.T], axis=1)
        found[column] = max(found[column], _told(table, _rows(weights)))
    return found


def copies_of(examples: Examples, importance: np.ndarray) -> dict[str, Copy]:
    """For each of the most important columns the one that holds most of what it holds.

    Args:
      examples: The rows; of a column of several cells the first counts.
      importance: [columns].
    """
    order = np.argsort(-importance, kind="stable")[:_COMPARED]
    first = [int(np.flatnonzero(examples.owner == column)[0]) for column in order]
    binned = bins_of(examples.cells[:, first], examples.categorical[first])
    eye = np.eye(VALUES + 1, dtype=np.float32)
    hot = [eye[:, np.unique(codes)][codes] for codes in binned.T]
    flat = np.concatenate(hot, axis=1)
    joint = flat.T @ (flat * examples.weights[:, np.newaxis].astype(np.float32))
    told, entropy = _between(joint.astype(np.float64), [codes.shape[1] for codes in hot])
    chance = _chance(np.array([codes.shape[1] for codes in hot]), _rows(examples.weights))
    above = np.maximum(entropy[:, np.newaxis] - chance, 1e-9)
    shares = np.clip((told - chance) / above, 0, 1)
    np.fill_diagonal(shares, -1.0)
    if len(first) == 1:
        return {}
    names = [examples.columns[column] for column in order]
    most = shares.argmax(axis=1)
    return {
        name: Copy(names[to], float(shares[at, to]))
        for at, (name, to) in enumerate(zip(names, most, strict=True))
    }


def _between(joint: np.ndarray, bins: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Mutual information of all pairs of columns [columns, columns] and their entropies [columns].

    Args:
      joint: Weight of the rows in each pair of bins, [all bins, all bins].
      bins: How many each column has.
    """
    starts = np.cumsum([0, *bins[:-1]])
    shares = joint / joint[: bins[0], : bins[0]].sum()
    terms = np.add.reduceat(np.add.reduceat(xlogy(shares, shares), starts), starts, axis=1)
    entropy = -np.diag(terms)  # of a column with itself: that of the column
    return entropy[:, np.newaxis] + entropy + terms, entropy


def _chance(bins: np.ndarray, rows: float) -> np.ndarray:
    """What chance makes of the mutual information of columns with so many bins (Miller, 1955)."""
    return np.asarray(np.outer(bins - 1, bins - 1) / (2 * rows))


def repeated(columns: tuple[str, ...], order: np.ndarray, copies: dict[str, Copy]) -> set[str]:
    """Columns that repeat one that is before them in the order.

    Args:
      columns: All names.
      order: int [columns], their places, the most important first.
      copies: By column the one that holds most of what it holds.
    """
    place = {columns[at]: rank for rank, at in enumerate(order)}
    return {
        name
        for name, copy in copies.items()
        if copy.share >= _COPY and place[copy.of] < place[name]
    }


def _told(table: np.ndarray, rows: float) -> float:
    """Mutual information of a table of weights, less what chance makes of it; not negative."""
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    chance = (table.shape[0] - 1) * (table.shape[1] - 1) / (2 * rows)
    return max(0.0, float(mutual_info_score(None, None, contingency=table)) - chance)


def _rows(weights: np.ndarray) -> float:
    """Rows of equal weight that tell as much (Kish, 1965)."""
    return float(weights.sum() ** 2 / (weights**2).sum())
