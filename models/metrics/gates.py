"""A bound, what was measured against it, and the verdict: a row of the table of gates."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Gate:
    """A bound and whether what was measured keeps to it.

    Attributes:
      target: labels, server or edge.
      metric: auc, accuracy, f1, "auc drop", "gap sex tpr" ...
      slice: "overall", or columns and values, e.g. "sex=Female,race=White".
      value: What was measured; None where it could not be.
      bound: The bound as text, e.g. ">= 0.85".
      passed: Whether the value keeps to the bound.
      key: Configuration key that holds the bound.
    """

    target: str
    metric: str
    slice: str
    value: float | None
    bound: str
    passed: bool
    key: str


def at_least(value: float | None, bound: float) -> tuple[float | None, str, bool]:
    """Value, bound as text and verdict; a missing value fails."""
    return value, f">= {bound:g}", value is not None and value >= bound


def at_most(value: float | None, bound: float) -> tuple[float | None, str, bool]:
    """Value, bound as text and verdict; a missing value fails."""
    return value, f"<= {bound:g}", value is not None and value <= bound
