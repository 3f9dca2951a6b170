"""Writes the rows that people should label next as a CSV file.

A share of the batch (`labeling.random_share`) is drawn at random, the rest is chosen to inform
(models/labels/selection.py). Chosen rows are not like all rows, so class balance and accuracies are
estimated on the random ones alone. No TensorFlow, no TFX; of true labels, only those of gold rows
are read.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core import csv_text
from core.config import Config
from core.errors import InputError
from core.files import write_atomically
from core.names import ROW_ID
from models.labels import selection as label_selection
from models.labels.votes import ABSTAIN, POSITIVE, Floats
from pipeline.ingestion import staged_rows, staging
from pipeline.ingestion.contract import raw_columns
from pipeline.ingestion.rows import uniform
from pipeline.labels import analysis
from pipeline.labels.answers import content_sha256
from pipeline.labels.file_columns import ADDED, shown_names
from pipeline.report.markup import spreadsheet_cell

CANDIDATES = 20_000  # rows to choose from: a draw of them where there are more
SHOWN = 3  # classes whose probability is told, where there are more than two


@dataclass(frozen=True)
class Batch:
    """What was written: rows in all, how many of them at random, out of how many."""

    path: Path
    rows: int
    random: int
    pool: int


@dataclass(frozen=True)
class Picked:
    """A row to label: its index, why, and with which probability it came into the batch."""

    index: int
    selection: str
    inclusion_probability: float


def write_batch(config: Config, run_folder: Path, count: int, path: Path | None) -> Batch:
    """Chooses `count` rows and writes them to `path`, or to <run folder>/to-label-<count>.csv.

    Raises:
        InputError: configuration, data or a labelling function are at fault, the file is there
            already, or no row is left to label.
    """
    path = path or run_folder / f"to-label-{count}.csv"
    if path.exists():
        raise InputError(f"{path}: is there already, perhaps with answers; name another with --out")
    staged = staging.stage(config, run_folder)
    return write(config, staged, analysis.apply(config, run_folder, staged), count, path)


def write(
    config: Config, staged: staging.Staged, applied: analysis.Applied, count: int, path: Path
) -> Batch:
    """Chooses `count` rows of those that the functions were applied to, and writes them."""
    probability = analysis.probability(applied, config)
    pool = _pool(applied)
    if not len(pool):
        raise InputError("no row is left to label: every row of train and eval is a gold row")
    picked = choose(applied, probability, pool, count, config)
    _write(path, _table(config, staged, applied, probability, picked))
    random = sum(each.selection == "random" for each in picked)
    return Batch(path, len(picked), random, len(pool))


def _pool(applied: analysis.Applied) -> NDArray[np.int64]:
    """Rows that may be asked for: not gold, and without a label if the data has such rows.

    Where every row has a label, as in the census, those beyond the gold budget count as unknown.
    """
    rows = set(range(len(applied.table.row_ids)))
    unlabeled = rows.difference(applied.table.labeled)
    return np.array(sorted((unlabeled or rows) - applied.gold.keys()), dtype=np.int64)


def choose(
    applied: analysis.Applied,
    probability: Floats,
    pool: NDArray[np.int64],
    count: int,
    config: Config,
) -> list[Picked]:
    """Random rows first, then the most informative of the others.

    Args:
        applied: rows, votes and gold rows.
        probability: float64 [rows], P(positive) of every row; of more classes [rows, classes].
        pool: indices of the rows that may be asked for.
        count: rows of the batch.
        config: its seed makes the draws; how many gold rows there are makes them others.
    """
    ids = [applied.table.row_ids[n] for n in pool]
    order = pool[
        np.argsort(uniform(ids, f"to-label:{len(applied.gold)}", config.seed), kind="stable")
    ]
    random = order[: round(count * config.labeling.random_share)]
    rest = order[len(random) :][:CANDIDATES]
    features = label_selection.one_hot(applied.table.columns)
    known = np.array([*applied.gold, *random], dtype=np.int64)
    chosen = label_selection.most_informative(
        features, probability, known, rest, min(count, len(pool)) - len(random)
    )
    share = len(random) / len(pool)
    return [Picked(int(n), "random", share) for n in random] + [
        Picked(n, "informative", 1.0) for n in chosen
    ]


def _table(
    config: Config,
    staged: staging.Staged,
    applied: analysis.Applied,
    probability: Floats,
    picked: Sequence[Picked],
) -> list[list[str]]:
    """Header and rows; random and chosen ones are mixed."""
    columns = [c for c in raw_columns(config).kinds if c != config.columns.label]
    ids = [applied.table.row_ids[each.index] for each in picked]
    cells = {row[ROW_ID]: row for row in staged_rows.read_cells(staged, set(ids))}
    names = [function.name for function in applied.functions]
    lines = []
    for place in np.argsort(uniform(ids, "place", config.seed), kind="stable"):
        each = picked[place]
        row = cells[applied.table.row_ids[each.index]]
        votes = zip(names, applied.votes[each.index].tolist(), strict=True)
        lines.append(
            [
                row[ROW_ID],
                *(row[column] for column in columns),
                _probability_cell(probability[each.index], config),
                _votes_cell(votes, config),
                "",
                " | ".join([*allowed_answers(config), "empty: skip"]),
                "",
                each.selection,
                f"{each.inclusion_probability:.6g}",
                content_sha256(row, columns),
            ]
        )
    return [[ROW_ID, *shown_names(columns), *ADDED], *lines]


def allowed_answers(config: Config) -> tuple[str, ...]:
    """The classes as people are asked for them: of two the positive one first."""
    columns = config.columns
    return columns.names[::-1] if columns.is_binary else columns.names


def _probability_cell(probability: Any, config: Config) -> str:
    """`0.712`, P(positive); of more than two classes `ride 0.712, other 0.208, carry 0.080`."""
    if config.columns.is_binary:
        return f"{probability:.3f}"
    best = np.argsort(-probability, kind="stable")[:SHOWN]
    return ", ".join(f"{config.columns.names[k]} {probability[k]:.3f}" for k in best)


def _votes_cell(votes: Iterable[tuple[str, int]], config: Config) -> str:
    """`+function -function`; of more than two classes `function=class, function=class`."""
    cast = [(name, vote) for name, vote in votes if vote != ABSTAIN]
    if config.columns.is_binary:
        return " ".join(f"{'+' if vote == POSITIVE else '-'}{name}" for name, vote in cast)
    return ", ".join(f"{name}={config.columns.names[vote]}" for name, vote in cast)


def _write(path: Path, table: list[list[str]]) -> None:
    rows = ([spreadsheet_cell(cell) for cell in row] for row in table)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, "".join(csv_text.to_lines(rows)))
