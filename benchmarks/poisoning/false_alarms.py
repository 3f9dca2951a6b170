"""How often clean spans would be held back: by their labels, and for rows that come again."""

import numpy as np

from benchmarks.poisoning.deliveries import LABEL, World
from benchmarks.poisoning.served import Unseen
from core.config import Config
from models.metrics.registry import slice_rows
from pipeline.ingestion.repeats import judge, keys_of
from pipeline.retraining.judged_labels import of_label_shift
from pipeline.retraining.judged_rows import Judged
from pipeline.retraining.label_shares import LabelBounds


def judged(rows: Unseen, probabilities: np.ndarray, config: Config) -> Judged:
    """Rows beside what a model says of them, by the slices of the configuration."""
    slices = config.evaluation.slices
    columns = {column: rows.rows.columns[column] for keys in slices for column in keys}
    return Judged(rows.codes, probabilities, slice_rows(columns, slices))


def held_back(
    pool: Judged, size: int, earlier: Judged, test: Judged, config: Config, draws: int
) -> int:
    """Of `draws` spans of so many rows of the pool, those whose labels are doubted."""
    retrain, columns = config.retrain, config.columns
    bounds = LabelBounds(
        retrain.min_labeled_rows,
        retrain.max_label_shift,
        retrain.max_class_shift,
        columns.names,
    )
    draw, doubted = np.random.default_rng(0), 0
    for _ in range(draws):
        rows = draw.choice(pool.count, size, replace=False)
        span = Judged(
            pool.codes[rows],
            pool.probabilities[rows],
            {name: members[rows] for name, members in pool.slices.items()},
        )
        doubted += of_label_shift({3: span}, earlier, test, None, bounds).state == "blocking"
    return doubted


def repeats(world: World, size: int, draws: int) -> int:
    """Of `draws` clean third spans, those with rows that come again beyond chance."""
    columns = [column for column in world.test if column != LABEL]
    known = {f"span-{n}": keys_of(world.earlier(n), columns) for n in (1, 2)}
    test, found = keys_of(world.test, columns), 0
    for draw in range(1, draws + 1):
        third = keys_of(world.third(size, draw), columns)
        found += judge({**known, "span-3": third}, test)["span-3"].message is not None
    return found
