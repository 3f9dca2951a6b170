"""Labelling functions that vote three classes, by their names and by their codes."""

from collections.abc import Mapping
from typing import Any

from snorkel.labeling import labeling_function

from tests.support.three_classes import CLASSES

BAG, BOX, CRATE = CLASSES
ABSTAIN = -1


@labeling_function()
def light(row: Mapping[str, Any]) -> str | int:
    """Votes by a class's name."""
    return BAG if row["mass"] is not None and row["mass"] < 11 else ABSTAIN


@labeling_function()
def heavy_and_short(row: Mapping[str, Any]) -> int:
    """Votes by a class's code."""
    return 1 if row["mass"] > 13 and row["length"] < 170 and row["shape"] != "long" else ABSTAIN


@labeling_function()
def heavy_and_not_short(row: Mapping[str, Any]) -> str | int:
    """Takes `long` for what it is not."""
    return CRATE if row["mass"] > 13 and row["length"] > 190 else ABSTAIN


@labeling_function()
def long_things(row: Mapping[str, Any]) -> str | int:
    """Right for those that are short."""
    return CRATE if row["shape"] == "long" and row["length"] < 150 else ABSTAIN


@labeling_function()
def any_short_thing(row: Mapping[str, Any]) -> str | int:
    """Weak."""
    return BOX if row["length"] < 90 and row["shape"] != "long" else ABSTAIN
