"""Which labelled rows the budget is spent on: some at random, the others chosen to inform.

The rows drawn at random are like all rows, so they alone measure. The others are those whose label
would tell most about all rows, by what votes and columns say once the random ones are known
(models/labels/selection.py).
"""

import numpy as np

from models.labels.additive.majority import MajorityByColumns
from models.labels.additive.model import Fitting
from models.labels.additive.sample import NO_LABEL, Sample, joined_columns
from models.labels.rows import Columns
from models.labels.selection import most_informative
from models.labels.votes import Gold


def informative(
    sample: Sample, gold: Gold, columns: Columns, row_ids: set[str], count: int, classes: int
) -> list[int]:
    """Chooses labelled rows of a sample, by their votes and columns alone.

    Args:
      sample: Rows to choose from, which stand for all rows, too.
      gold: Rows whose label is known already, at least one.
      columns: Their columns.
      row_ids: Their ids: rows that are not to be chosen.
      count: How many, at most.
      classes: How many there are.

    Returns:
      Places in the sample, the most informative first.
    """
    majority = MajorityByColumns.of(sample.votes, sample.columns, classes)
    known = np.arange(len(gold.labels)) + len(sample.labels)
    together = joined_columns([sample.columns, columns])
    fitted = Fitting(gold, majority, columns, classes).fit(np.vstack([sample.votes, gold.votes]))
    probability = fitted.scores.added(fitted.probability, together)
    free = [
        label != NO_LABEL and row_id not in row_ids
        for label, row_id in zip(sample.labels, sample.row_ids, strict=True)
    ]
    features = np.hstack([np.ones((len(probability), 1)), majority.coding.encode(together)])
    return most_informative(features, probability, known, np.flatnonzero(free), count)
