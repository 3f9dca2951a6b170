"""A function that returns a class that there is not."""

from collections.abc import Mapping
from typing import Any

from snorkel.labeling import labeling_function


@labeling_function()
def three_classes(row: Mapping[str, Any]) -> int:
    return 2 if row["education"] == "Doctorate" else -1
