"""A module that cannot be imported."""

LIMITS = {"age": 26}
YOUNG = LIMITS["years"]
