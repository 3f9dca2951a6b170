"""A bound, what was measured against it, and the verdict: a row of the table of gates.

The one form of a gate, from the node that judges it to `gates.json`, `summary.json`, notices and
what is printed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, TypeAdapter

OVERALL = "overall"
"""The slice of all rows."""

Sign = Literal[">=", "<="]
_MAY_SAY_MORE = ConfigDict(extra="ignore")
_BEYOND: dict[Sign | None, str] = {">=": "<", "<=": ">", None: "breaks"}


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
      why: What went wrong, or why it is undecided, where the numbers do not say it.
      interval: Ends of the 95% interval of the value.
      rows: Rows that it was measured on.
      sign: On which side of `limit` the value has to be; None where the bound is no number.
      limit: The bound as a number.
      undecided: Whether the rows are too few to tell, or there is nothing to measure on them;
        `passed` then follows `evaluation.when_too_few`.
    """

    __pydantic_config__ = _MAY_SAY_MORE

    target: str
    metric: str
    slice: str
    value: float | None
    bound: str
    passed: bool
    key: str
    why: str | None = None
    interval: tuple[float, float] | None = None
    rows: int | None = None
    sign: Sign | None = field(default=None, compare=False)  # `bound` says it, too
    limit: float | None = field(default=None, compare=False)
    undecided: bool = False

    @property
    def verdict(self) -> str:
        """In a word, two where a gate fails because nothing can be told."""
        if not self.passed:
            return "undecided, failed" if self.undecided else "failed"
        return "undecided" if self.undecided else "passed"

    @property
    def margin(self) -> float | None:
        """How far the value is inside its bound, below 0 beyond it; None without numbers."""
        if self.value is None or self.limit is None:
            return None
        return self.value - self.limit if self.sign == ">=" else self.limit - self.value

    @property
    def reason(self) -> str:
        """`gap sex tpr 0.13 > 0.1`: why it failed, the bound turned round where `why` is silent."""
        if self.why is not None:
            return self.why
        place = "" if self.slice == OVERALL else f" on {self.slice}"
        value = "not measurable" if self.value is None else f"{self.value:.4g}"
        bound = self.bound.removeprefix(self.sign or "").strip()
        return f"{self.metric}{place} {value} {_BEYOND[self.sign]} {bound}"


@dataclass(frozen=True)
class PushChecks:
    """How a model did in a fresh process, and what it was compared with before it was pushed.

    Attributes:
      sample_rows: Rows that the process had to answer.
      latency_ms: Median time of a single request; None where it gave no answers.
      live_version: The version of another model that is live; None without one.
      compared_on: The rows of the comparison in words; None without one.
      problem: What went wrong with the process, or None.
      left_out: Rows that the configuration says it is not to be compared on, in words, or None.
    """

    __pydantic_config__ = _MAY_SAY_MORE

    sample_rows: int
    latency_ms: float | None
    live_version: int | None
    compared_on: str | None
    problem: str | None
    left_out: str | None = None


def at_least(
    target: str, metric: str, where: str, value: float | None, limit: float, key: str
) -> Gate:
    """A gate on a value from below, in a slice; a missing value fails."""
    passed = value is not None and value >= limit
    bound = f">= {limit:g}"
    return Gate(target, metric, where, value, bound, passed, key, sign=">=", limit=limit)


def at_most(
    target: str, metric: str, where: str, value: float | None, limit: float, key: str
) -> Gate:
    """A gate on a value from above, in a slice; a missing value fails."""
    passed = value is not None and value <= limit
    bound = f"<= {limit:g}"
    return Gate(target, metric, where, value, bound, passed, key, sign="<=", limit=limit)


_GATES = TypeAdapter(list[Gate])


def write_gates(path: Path, gates: Sequence[Gate]) -> None:
    """Writes the rows of a node that judges."""
    path.write_bytes(_GATES.dump_json(list(gates), indent=1))


def gates_of(rows: Any) -> list[Gate]:
    """The gates in the JSON values that `write_gates` wrote, or one of before, which says less.

    Raises:
      ValidationError: They are no gates.
    """
    return _GATES.validate_python(rows)
