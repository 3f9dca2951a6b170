"""A table as a user brings it."""

from dataclasses import dataclass

import pandas as pd

LABEL = "answer"


@dataclass(frozen=True)
class StudyTable:
    """Rows with their label in the column `answer`.

    Attributes:
      frame: The rows.
      positive: The value of the label that is detected.
    """

    frame: pd.DataFrame
    positive: str
