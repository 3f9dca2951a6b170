"""How many labelled rows of a new data set a run may see, and whether a run can do with them."""

import math

import pandas as pd

from core.names import ROW_ID
from models.labels.functions import draw
from pipeline.ingestion import rows

SEED = 1  # of the pipeline, as in base.yaml
GOLD_ROWS, LEAST_GOLD_ROWS = 1000, 10  # as many as there are, up to; the least that is allowed
GOLD_SHARE = 0.7  # of all rows, at most: some have to be left to be labelled weakly
GOLD_OF_RARER_CLASS = 10  # expected
TEST_OF_A_CLASS = 2  # rows, at least


def gold_rows(train: pd.DataFrame, most: int | None) -> int:
    """A gold budget in which the rarer class is likely to be; 0 where labels are too few.

    All labels, where those are few among the rows. Of a draw of `most` rows, no more than it is
    sure to hold.
    """
    labels = train.loc[train["label"] != "", "label"]
    if labels.nunique() < 2:
        return 0
    rarer = labels.value_counts(normalize=True).min()
    wanted = max(GOLD_ROWS, math.ceil(GOLD_OF_RARER_CLASS / rarer))
    held = len(labels)
    if most is not None and most < len(train):
        held = int(held * most / len(train) * GOLD_SHARE)
    budget = min(wanted, held, int(len(train) * GOLD_SHARE))
    return budget if budget >= LEAST_GOLD_ROWS else 0


def fits(train: pd.DataFrame, test: pd.DataFrame, most: int | None, gold: int) -> bool:
    """Whether a run on at most `most` rows has both classes in test part and gold rows."""
    train, test = rows.draw(train, test, most, SEED)
    if test["label"].nunique() < 2 or test["label"].value_counts().min() < TEST_OF_A_CLASS:
        return False
    labeled = train[train["label"] != ""].reset_index(drop=True)
    if len(labeled) < gold or not rows.in_eval(train[ROW_ID], 0.2, SEED).any():
        return False
    drawn = [n for _, n in draw(SEED, list(labeled[ROW_ID]), gold)]
    return bool(labeled["label"].iloc[drawn].nunique() == 2)
