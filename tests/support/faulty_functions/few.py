"""Functions that leave most rows without a vote."""

from data.census.labeling_functions import (
    clerk,
    established_couple,
    higher_degree,
    large_capital_gain,
    never_married,
    no_diploma,
)

__all__ = [
    "clerk",
    "established_couple",
    "higher_degree",
    "large_capital_gain",
    "never_married",
    "no_diploma",
]
