"""Three sound labelling functions, and one of each fault that only their votes show."""

from collections.abc import Mapping
from typing import Any

from snorkel.labeling import labeling_function

from data.census import labeling_functions as census

NEGATIVE, POSITIVE, ABSTAIN = 0, 1, -1

never_married = census.never_married
low_expected_pay = census.low_expected_pay
couple_with_degree = census.couple_with_degree


@labeling_function()
def always_negative(row: Mapping[str, Any]) -> int:
    return NEGATIVE if row["age"] > 0 else ABSTAIN


@labeling_function()
def turned(row: Mapping[str, Any]) -> int:
    return POSITIVE if row["relationship"] == "Own-child" else ABSTAIN


@labeling_function()
def single(row: Mapping[str, Any]) -> int:
    return NEGATIVE if row["marital-status"] == "Never-married" else ABSTAIN


@labeling_function()
def misspelt(row: Mapping[str, Any]) -> int:
    return POSITIVE if row["education"] == "Doctorat" else ABSTAIN
