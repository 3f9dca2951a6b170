"""A function that forgets that values may be missing."""

from collections.abc import Mapping
from typing import Any

from snorkel.labeling import labeling_function


@labeling_function()
def cleaner(row: Mapping[str, Any]) -> int:
    return 0 if row["occupation"].endswith("cleaners") else -1
