"""Columns that tell no more than shuffled copies of columns do.

After Boruta (Kursa & Rudnicki, 2010), with boosted trees in place of a random forest: beside each
column stands a copy whose rows are shuffled, and a column stands out in a draw of the rows if the
trees gain more by it than by any of the copies. A column is noise where it stands out in so few
draws that it would not by tossing a coin. What is noise is dropped only if models that were fitted
without it are clearly better on rows that chose nothing.
"""

import dataclasses

import numpy as np
from scipy.stats import binom
from sklearn.model_selection import KFold

from models.features.encoding import Examples, design_of
from models.features.fitting import fit_linear, fit_trees, losses_of

_FOLDS = 3
_IN_FOLD = 5  # draws of the rows of each fold
DRAWS = _FOLDS * _IN_FOLD
"""Draws of the rows in which a column may stand out."""

_LINEAR, _TREE_MODEL = "logistic regression", "boosted trees"
_TREES = 50
_COPIES = 20  # shuffled copies, at least
_CHANCE = 0.05  # of so few draws by tossing a coin
_CLEARLY, _NO_WORSE = 3.0, -1.0  # differences of losses, in their standard errors
_LITTLE = 0.1  # of what one model gains: the other may lose that
_OPTIONS = {"feature_fraction_bynode": 0.2, "max_bin": 31}


@dataclasses.dataclass(frozen=True)
class Gain:
    """What a model gains on held-out rows when noise is left out, in nats a row.

    Attributes:
      model: Logistic regression or boosted trees.
      mean: Of all rows.
      error: Its standard error.
    """

    model: str
    mean: float
    error: float

    @property
    def errors(self) -> float:
        """The gain in standard errors."""
        return self.mean / self.error if self.error else 0.0


@dataclasses.dataclass(frozen=True)
class Noise:
    """Which columns stand out from shuffled copies.

    Attributes:
      share: Of the draws in which a column stands out, [columns].
      found: bool [columns], those that are noise.
      gains: What two models gain without noise, which was looked for in each fold anew; none
        where there is no noise or nothing else.
    """

    share: np.ndarray
    found: np.ndarray
    gains: tuple[Gain, ...]

    @property
    def hurts(self) -> bool:
        """Whether one model is clearly better without it, and none worse but for chance or little
        beside what the other gains.
        """
        if not self.gains:
            return False
        best = max(self.gains, key=lambda gain: gain.errors)
        return best.errors > _CLEARLY and all(
            gain.errors > _NO_WORSE or gain.mean > -_LITTLE * best.mean for gain in self.gains
        )


def find_noise(examples: Examples, judged: np.ndarray, seed: int) -> Noise:
    """Looks for noise, and for what models gain without it.

    Args:
      examples: Rows.
      judged: bool [rows], by which of them models are judged.
      seed: Of folds and draws.
    """
    draw = np.random.default_rng(seed)
    folds = KFold(_FOLDS, shuffle=True, random_state=seed).split(examples.cells)
    design, owner = design_of(examples)
    hits = np.zeros(len(examples.columns))
    losses: dict[str, list[np.ndarray]] = {_LINEAR: [], _TREE_MODEL: []}
    weights: list[np.ndarray] = []
    for fitted, asked in folds:
        standing = np.sum([_stands_out(examples, fitted, draw) for _ in range(_IN_FOLD)], axis=0)
        hits += standing
        noise, asked = _is_noise(standing, _IN_FOLD), asked[judged[asked]]
        if not len(asked) or noise.all() or not noise.any():
            continue
        weights.append(examples.weights[asked])
        shown = ~noise[owner], ~noise[examples.owner]
        for name, found in _gains(examples, design, shown, fitted, asked, seed).items():
            losses[name].append(found)
    found = _is_noise(hits, DRAWS)
    useful = len(weights) == _FOLDS and found.any() and not found.all()
    return Noise(
        hits / DRAWS,
        found,
        tuple(_gain(name, parts, weights) for name, parts in losses.items()) if useful else (),
    )


def _is_noise(hits: np.ndarray, draws: int) -> np.ndarray:
    return np.asarray(binom.cdf(hits, draws, 0.5) < _CHANCE)


def _stands_out(examples: Examples, rows: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Whether the trees of a draw gain more by a column than by any copy, bool [columns]."""
    places = np.sort(draw.integers(len(rows), size=len(rows)))
    drawn, columns = rows[places], len(examples.columns)
    times = -(-_COPIES // columns)
    # Shuffled before they are drawn: a row that is drawn twice has the same cells there, too.
    copies = [examples.cells[draw.permutation(rows)[places]] for _ in range(times)]
    cells = np.concatenate([examples.cells[drawn], *copies], axis=1)
    owner = np.concatenate([examples.owner + columns * at for at in range(times + 1)])
    # Codes as numbers: of values without an order the trees gain most where there is most noise.
    trees = fit_trees(
        cells,
        np.zeros(len(owner), bool),
        examples.shares[drawn],
        examples.weights[drawn],
        _TREES,
        int(draw.integers(1 << 30)),
        **_OPTIONS,
    )
    gains = np.bincount(owner, trees.booster.feature_importance("gain"))
    return np.asarray(gains[:columns] > gains[columns:].max())


def _gains(
    examples: Examples,
    design: np.ndarray,
    shown: tuple[np.ndarray, np.ndarray],
    fitted: np.ndarray,
    asked: np.ndarray,
    seed: int,
) -> dict[str, np.ndarray]:
    """By how much the loss of each row asked is lower without noise, by model."""
    shares, weights = examples.shares[fitted], examples.weights[fitted]

    def linear(inputs: np.ndarray) -> np.ndarray:
        model = fit_linear(design[fitted][:, inputs], shares, weights, "l2")
        return losses_of(examples.shares[asked], model.answers(design[asked][:, inputs]))

    def trees(inputs: np.ndarray) -> np.ndarray:
        cells, categorical = examples.cells[:, inputs], examples.categorical[inputs]
        model = fit_trees(cells[fitted], categorical, shares, weights, _TREES, seed)
        return losses_of(examples.shares[asked], model.answers(cells[asked]))

    every = tuple(np.ones(len(part), bool) for part in shown)
    return {
        _LINEAR: linear(every[0]) - linear(shown[0]),
        _TREE_MODEL: trees(every[1]) - trees(shown[1]),
    }


def _gain(name: str, parts: list[np.ndarray], weights: list[np.ndarray]) -> Gain:
    gains, weight = np.concatenate(parts), np.concatenate(weights)
    mean = float(np.average(gains, weights=weight))
    error = np.sqrt((weight**2 * (gains - mean) ** 2).sum()) / weight.sum()
    return Gain(name, mean, float(error))
