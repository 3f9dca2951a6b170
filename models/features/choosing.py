"""The rules by which columns are kept, and the reason for each that is not."""

import dataclasses
from collections.abc import Sequence
from typing import Literal

import numpy as np

from models.features.encoding import Examples, encode
from models.features.scores import Copy, Scores, copies_of, mean_of, repeated, scores_by_draw
from models.features.shadows import DRAWS, Noise, find_noise
from models.reference.columns import RawFrame
from models.reference.models import Labelled, is_one_class

Keep = int | float | Literal["auto"] | None
"""How many columns, what share of importance, what is not noise where that helps, or all."""

_FEWEST = 30  # rows of which something is said
_MOST, _AT_LEAST = 10_000, 2_000  # rows that are scored at most, and in a table of any width
_CELLS = 2_500_000  # ... of them, rows times columns, beyond that
_BEYOND = 3  # times as many rows: what a sample does not tell from noise, they may
_JUDGED = 50  # ... that models with and without noise are compared on
_ENOUGH = 500  # rows for each column, with which noise costs nothing that can be seen
_BOOTSTRAPS = 5


@dataclasses.dataclass(frozen=True)
class ColumnScore:
    """What was found of a column.

    Attributes:
      column: Its name.
      importance: Mean of the three scores that follow, in nats a row.
      mutual_information: With the label.
      linear: Rise of the loss of an L1 logistic regression when the column is shuffled.
      trees: Rise of the loss of boosted trees.
      gain: Share of the trees' gain.
      stability: Share of draws of the rows in which it is kept; None where no rule was applied.
      like: The column that holds most of what this one holds, or None.
      like_share: How much of it.
    """

    column: str
    importance: float
    mutual_information: float
    linear: float
    trees: float
    gain: float
    stability: float | None = None
    like: str | None = None
    like_share: float | None = None


@dataclasses.dataclass(frozen=True)
class ColumnChoice:
    """Columns that are kept.

    Attributes:
      kept: In the order in which they were given.
      reasons: Why each other is not, by column.
      scores: Of all columns, the most important first; empty where nothing could be scored.
      note: What the rule came to.
    """

    kept: list[str]
    reasons: dict[str, str]
    scores: list[ColumnScore]
    note: str


@dataclasses.dataclass(frozen=True)
class _Ruled:
    kept: np.ndarray
    stability: np.ndarray | None
    reasons: list[str]
    note: str


def sample_of(weights: np.ndarray, judged: np.ndarray, columns: int, seed: int) -> np.ndarray:
    """Numbers of the rows that are scored, ascending: 10,000 at most, in a wide table fewer.

    Args:
      weights: [rows]; those of weight 0 do not count.
      judged: bool [rows], those that come first.
      columns: How many are scored.
      seed: Of the draw.
    """
    order = np.random.default_rng(seed).permutation(np.flatnonzero(weights > 0))
    most = min(_MOST, max(_AT_LEAST, _CELLS // columns))
    first = order[np.argsort(~judged[order], kind="stable")][:most]
    return np.sort(first)


def choose_by_scores(
    rows: Labelled,
    columns: Sequence[str],
    keep: Keep,
    judged: np.ndarray,
    count: int,
    seed: int,
) -> ColumnChoice:
    """Scores columns and narrows them by a rule.

    Args:
      rows: Training rows, or a sample of them; those of weight 0 do not count.
      columns: To choose from.
      keep: The rule, `features.keep`.
      judged: bool [rows], which labels are good enough to judge by whether noise hurts.
      count: Training rows that count, in the sample or not.
      seed: Of all draws.
    """
    known = rows.weights > 0
    if known.sum() < _FEWEST:
        return ColumnChoice([*columns], {}, [], f"not scored: {known.sum()} rows have a label")
    if is_one_class(rows):
        return ColumnChoice([*columns], {}, [], "not scored: all rows with a label have one class")
    table = RawFrame(
        rows.table.frame[known].reset_index(drop=True),
        rows.table.numeric,
        rows.table.categorical,
        rows.table.text,
    )
    examples = encode(table, rows.labels[known], rows.weights[known], columns, seed)
    by_draw = scores_by_draw(examples, _BOOTSTRAPS, seed)
    scores = mean_of(by_draw)
    copies = copies_of(examples, scores.importance)
    if keep == "auto":
        ruled = _without_noise(examples, judged[known], count, seed)
    elif keep is None:
        ruled = _everything(examples, "all columns are kept: features.keep is null")
    else:
        ruled = _best(examples, scores, by_draw, copies, keep)
    return ColumnChoice(
        [name for name, kept in zip(columns, ruled.kept, strict=True) if kept],
        {n: ruled.reasons[at] for at, n in enumerate(columns) if not ruled.kept[at]},
        _shown(examples.columns, scores, copies, ruled.stability),
        ruled.note,
    )


def _everything(examples: Examples, note: str, stability: np.ndarray | None = None) -> _Ruled:
    return _Ruled(np.ones(len(examples.columns), bool), stability, [], note)


def _best(
    examples: Examples,
    scores: Scores,
    by_draw: Sequence[Scores],
    copies: dict[str, Copy],
    keep: float,
) -> _Ruled:
    """The most important columns; one that repeats a more important one comes last."""
    columns, wholly = examples.columns, scores.importance
    order = np.argsort(-wholly, kind="stable")
    twice = repeated(columns, order, copies)
    repeats = np.array([name in twice for name in columns])

    def best_of(importance: np.ndarray) -> np.ndarray:
        order = np.lexsort((-importance, repeats))
        if isinstance(keep, int):
            return np.asarray(order[:keep])
        reached = np.cumsum(np.where(repeats, 0, importance)[order])
        if not reached[-1]:
            return np.asarray(order)
        return np.asarray(order[: 1 + int(np.searchsorted(reached, keep * reached[-1] - 1e-12))])

    draws = np.zeros(len(columns))
    for found in by_draw:
        draws[best_of(found.importance)] += 1 / len(by_draw)
    kept = np.isin(np.arange(len(columns)), best_of(wholly))
    rank = {int(at): place + 1 for place, at in enumerate(order)}
    rule = f"features.keep={keep}"
    reasons = [
        f"repeats {copies[name].of}, which holds {copies[name].share:.0%} of what it holds; {rule}"
        if name in twice
        else f"importance {wholly[at]:.2g} nats, place {rank[at]} of {len(columns)}; {rule}"
        for at, name in enumerate(columns)
    ]
    share = wholly[kept].sum() / max(wholly[~repeats | kept].sum(), 1e-12)
    note = f"the columns kept hold {share:.1%} of the importance; {rule}"
    return _Ruled(kept, draws, reasons, note)


def _without_noise(examples: Examples, judged: np.ndarray, count: int, seed: int) -> _Ruled:
    """All but noise, where models are clearly better without it."""
    each = count // len(examples.columns)
    if each >= _ENOUGH:
        note = f"{each} rows for each column: with {_ENOUGH} or more, noise is not looked for"
        return _everything(examples, note)
    if count > _BEYOND * examples.count:
        note = f"{examples.count} rows do not tell what is noise to {count}: it is not looked for"
        return _everything(examples, note)
    if judged.sum() < _JUDGED:
        few = f"{judged.sum()} rows have a true label: noise is not looked for with less than"
        return _everything(examples, f"{few} {_JUDGED}")
    noise = find_noise(examples, judged, seed)
    said = (
        f"{noise.found.sum()} of {len(noise.found)} columns do not stand out from shuffled copies"
    )
    if not noise.hurts:
        kept = "not clearly for the better: all are kept"
        return _everything(examples, f"{said}; {_compared(noise)}, {kept}", noise.share)
    times = np.rint(noise.share * DRAWS).astype(int)
    reasons = [f"stands out from shuffled copies in {t} of {DRAWS} draws" for t in times]
    return _Ruled(~noise.found, noise.share, reasons, f"{said}; {_compared(noise)}")


def _compared(noise: Noise) -> str:
    if not noise.gains:
        return "models with and without them cannot be compared"
    changes = " and ".join(
        f"by {-gain.mean:+.4f} ± {gain.error:.4f} nats for {gain.model}" for gain in noise.gains
    )
    return f"without them the loss on held-out rows changes {changes}"


def _shown(
    columns: Sequence[str],
    scores: Scores,
    copies: dict[str, Copy],
    stability: np.ndarray | None,
) -> list[ColumnScore]:
    values = {n: np.round(v, 6).tolist() for n, v in dataclasses.asdict(scores).items()}
    importance = np.round(scores.importance, 6).tolist()
    found = []
    for at in np.argsort(-scores.importance, kind="stable"):
        copy = copies.get(columns[at])
        found.append(
            ColumnScore(
                columns[at],
                importance[at],
                **{name: of_columns[at] for name, of_columns in values.items()},
                stability=None if stability is None else round(float(stability[at]), 3),
                like=copy.of if copy else None,
                like_share=round(copy.share, 3) if copy else None,
            )
        )
    return found
