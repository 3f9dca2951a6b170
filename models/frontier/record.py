"""What a Selector says: the variants as they were measured, how they stand, and the choice."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter

from core.files import write_json

AUTO = "auto"
"""What is asked where no variant is fixed."""


@dataclass(frozen=True)
class MeasuredVariant:
    """A variant as it was measured on the eval rows.

    Attributes:
      name: Of the variant.
      auc: Of its answers; None where it cannot be measured.
      auc_loss: The teacher's AUC minus its own, on the same rows; below 0 where it is better.
      loss_interval: Ends of the 95% interval of that.
      gap_growth: By how much a gap between groups is wider than the teacher's, of all gaps the one
        that grew most; None where no column has two groups that are large enough.
      growth_interval: Ends of the 95% interval of that.
      gap: Which gap that is, `sex tpr`.
      bytes: Of its files.
      gzip_bytes: The same, compressed.
      latency_us: Median times in microseconds, by what was asked; `batch_1` is one row.
      tied: The variants whose AUC cannot be told from its own by these rows.
    """

    name: str
    auc: float | None
    auc_loss: float | None
    loss_interval: tuple[float, float] | None
    gap_growth: float | None
    growth_interval: tuple[float, float] | None
    gap: str | None
    bytes: int
    gzip_bytes: int
    latency_us: Mapping[str, float]
    tied: Sequence[str] = ()

    @property
    def row_us(self) -> float | None:
        """Median time of one row in microseconds."""
        return self.latency_us.get("batch_1")

    @property
    def lowest(self) -> dict[str, float]:
        """Lower ends of the intervals of costs that are measured on rows, by the limit on each."""
        ends = {"max_auc_loss": self.loss_interval, "max_gap_growth": self.growth_interval}
        return {limit: found[0] for limit, found in ends.items() if found is not None}

    @property
    def costs(self) -> dict[str, float | None]:
        """The four costs, by the limit on each; None where one is not known."""
        found = {
            "max_auc_loss": self.auc_loss,
            "max_gap_growth": self.gap_growth,
            "max_bytes": self.bytes,
            "max_latency_us": self.row_us,
        }
        return {
            limit: None if cost is None or math.isnan(cost) else cost
            for limit, cost in found.items()
        }


@dataclass(frozen=True)
class JudgedVariant:
    """A variant and how it stands.

    Attributes:
      measured: As it was measured.
      dominated_by: A variant that is in nothing dearer and in something cheaper; None of one on
        the frontier.
      broken: The limits that it breaks, in words.
    """

    measured: MeasuredVariant
    dominated_by: str | None
    broken: Sequence[str] = ()


@dataclass(frozen=True)
class VariantSelection:
    """Which variant a target ships, and why.

    Attributes:
      target: Of core/targets.py.
      variant: The one that ships.
      asked: What the configuration says: its name, or "auto".
      reason: In words.
      keeps_limits: Whether the variant that ships keeps all limits.
      rows: Eval rows that it was measured on.
      limits: By key of `selection.<target>`, those that are set.
      prefer: What counts among variants that keep them.
      variants: All, in the order in which they were made.
    """

    __pydantic_config__ = ConfigDict(extra="ignore")

    target: str
    variant: str
    asked: str
    reason: str
    keeps_limits: bool
    rows: int
    limits: Mapping[str, float]
    prefer: str
    variants: Sequence[JudgedVariant]

    @property
    def note(self) -> str | None:
        """What is to be said of a choice that breaks a limit; None where it keeps all."""
        return None if self.keeps_limits else f"{self.target}: {self.reason}"


_CHOICE = TypeAdapter(VariantSelection)


def write_choice(path: Path, choice: VariantSelection) -> None:
    """Writes a choice as JSON, null for what is no number."""
    variants = [replace(each, measured=_without_nan(each.measured)) for each in choice.variants]
    write_json(path, asdict(replace(choice, variants=variants)))


def _without_nan(one: MeasuredVariant) -> MeasuredVariant:
    known = one.costs
    auc = None if one.auc is None or math.isnan(one.auc) else one.auc
    return replace(one, auc=auc, auc_loss=known["max_auc_loss"], gap_growth=known["max_gap_growth"])


def choice_of(values: Any) -> VariantSelection:
    """A choice of the JSON values that were written."""
    return _CHOICE.validate_python(values)


def read_choice(path: Path) -> VariantSelection:
    """Reads what `write_choice` wrote."""
    return _CHOICE.validate_json(path.read_bytes())
