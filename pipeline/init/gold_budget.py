"""How many labelled rows of a new data set a run may see, and whether a run can do with them."""

import math

import pandas as pd

from core.names import ROW_ID
from models.labels.functions import draw
from pipeline.ingestion import rows

SEED, EVAL_FRACTION = 1, 0.2  # of the pipeline, as in base.yaml
GOLD_ROWS, LEAST_GOLD_ROWS = 1000, 10  # as many as there are, up to; the least that is allowed
GOLD_SHARE = 0.7  # of all rows, at most: some have to be left to be labelled weakly
GOLD_OF_RARER_CLASS = 10  # expected
TEST_OF_A_CLASS = 2  # rows, at least; of one of more classes than two one row
ROWS_OF_EACH = 40  # of more classes than two, on average


def gold_rows(train: pd.DataFrame, most: int | None, classes: int) -> int:
    """A gold budget in which the rarer class is likely to be; 0 where labels are too few.

    All labels, where those are few among the rows. Of a draw of `most` rows, no more than it is
    sure to hold. Of more classes than two some rows of each are drawn for their class
    (`labeling.gold_of_class`).
    """
    labels = train.loc[train["label"] != "", "label"]
    if labels.nunique() < classes:
        return 0
    if classes == 2:
        rarer = labels.value_counts(normalize=True).min()
        wanted = max(GOLD_ROWS, math.ceil(GOLD_OF_RARER_CLASS / rarer))
    else:
        wanted = max(GOLD_ROWS, ROWS_OF_EACH * classes)
    held = len(labels)
    if most is not None and most < len(train):
        held = int(held * most / len(train) * GOLD_SHARE)
    budget = min(wanted, held, int(len(train) * GOLD_SHARE))
    return budget if budget >= LEAST_GOLD_ROWS else 0


def fits(
    train: pd.DataFrame, test: pd.DataFrame, most: int | None, gold: int | None, classes: int
) -> bool:
    """Whether a run on at most `most` rows has all classes in test part and training rows.

    Args:
        train: ids and labels of the training part.
        test: those of the test part.
        most: rows that are drawn of both; None: all.
        gold: the gold budget, in which two classes must both be; None: all labels are used.
        classes: how many there are.
    """
    train, test = rows.draw(train, test, most, SEED)
    least = TEST_OF_A_CLASS if classes == 2 else 1
    if test["label"].nunique() < classes or test["label"].value_counts().min() < least:
        return False
    in_eval = rows.in_eval(train[ROW_ID], EVAL_FRACTION, SEED)
    if not in_eval.any():
        return False
    if gold is None:
        known = train["label"][~in_eval]
        return bool(known[known != ""].nunique() == classes)
    labeled = train[train["label"] != ""].reset_index(drop=True)
    if len(labeled) < gold:
        return False
    if classes > 2:  # some rows of each are drawn for their class
        return bool(labeled["label"].nunique() == classes)
    drawn = [n for _, n in draw(SEED, list(labeled[ROW_ID]), gold)]
    return bool(labeled["label"].iloc[drawn].nunique() == classes)
