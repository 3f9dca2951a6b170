"""Votes on rows given one by one, as the tests write them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from snorkel.labeling import LabelingFunction

from models.labels import voting
from models.labels.functions import Row
from models.labels.rows import coded


def apply_functions(
    functions: Sequence[LabelingFunction], rows: Sequence[Row], row_ids: Sequence[str]
) -> NDArray[np.int8]:
    """Votes of every function on every row: int8 [rows, functions].

    Args:
      functions: What `collect` returns.
      rows: One mapping a row, all of the same columns.
      row_ids: Name of each row, for messages.

    Raises:
      InputError: A function raises, or returns something else than 0, 1 or -1.
    """
    names = list(rows[0]) if rows else []
    columns = {name: coded([row[name] for row in rows]) for name in names}
    return voting.Voter(functions).vote(columns, row_ids[: len(rows)])
