"""Which variant of a model a target ships, of several that differ in quality and in cost.

A variant has four costs: what it loses of the teacher's AUC, by how much it widens a gap between
groups, its bytes, as they lie there and compressed, and the time of a row. Another one dominates it
that is in none of them dearer and in one cheaper; those that nothing dominates are the frontier
(Pareto). The limits are bounds on the same costs. So whatever keeps the limits is dominated, if at
all, by what keeps them too, and the choice is made on the frontier alone.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter

from core.errors import InputError
from core.files import write_json
from core.sections import Limits

AUTO = "auto"
SAME_BYTES = 1.01
"""Files that are larger by less are as small: names and padding differ, too."""

SAME_TIME = 1.1
"""Medians that are longer by less are as short: so much they differ from one time to the next."""


@dataclass(frozen=True)
class Candidate:
    """A variant as it was measured on the eval rows.

    Attributes:
      name: Of the variant.
      auc: Of its answers; None where it cannot be measured.
      auc_loss: The teacher's AUC minus its own, on the same rows; below 0 where it is better.
      loss_interval: Ends of the 95% interval of that.
      gap_growth: By how much a gap between groups is wider than the teacher's, of all gaps the one
        that grew most; None where no column has two groups that are large enough.
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
class Judged:
    """A variant and how it stands.

    Attributes:
      measured: As it was measured.
      dominated_by: A variant that is in nothing dearer and in something cheaper; None of one on
        the frontier.
      broken: The limits that it breaks, in words.
    """

    measured: Candidate
    dominated_by: str | None
    broken: Sequence[str] = ()


@dataclass(frozen=True)
class Choice:
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
    variants: Sequence[Judged]

    @property
    def note(self) -> str | None:
        """What is to be said of a choice that breaks a limit; None where it keeps all."""
        return None if self.keeps_limits else f"{self.target}: {self.reason}"


_CHOICE = TypeAdapter(Choice)


def choose(
    target: str,
    candidates: Sequence[Candidate],
    limits: Limits,
    asked: str,
    rows: int,
    key: str,
) -> Choice:
    """The choice of a target.

    Without a variant that keeps all limits it is the one that loses least, and says so.

    Args:
      target: Of core/targets.py.
      candidates: At least one; of equal ones the first is taken.
      limits: `selection.<target>`.
      asked: The variant that the configuration fixes, or "auto".
      rows: Eval rows that the candidates were measured on.
      key: The configuration key of `asked`.

    Raises:
      InputError: There is no variant that is called as `asked`.
    """
    bounds = {
        name: bound
        for name in Limits.model_fields
        if name != "prefer" and (bound := getattr(limits, name)) is not None
    }
    judged = [
        Judged(
            each,
            next((other.name for other in candidates if _dominates(other, each)), None),
            [*_broken(each, bounds, f"selection.{target}")],
        )
        for each in candidates
    ]
    if asked == AUTO:
        chosen, reason = _chosen(judged, limits.prefer, rows, target)
    else:
        chosen, reason = _fixed(judged, asked, key)
    return Choice(
        target,
        chosen.measured.name,
        asked,
        reason,
        not chosen.broken,
        rows,
        bounds,
        limits.prefer,
        judged,
    )


def _dominates(one: Candidate, other: Candidate) -> bool:
    """Whether one is in no cost dearer and in some cheaper; what is not known is the dearest."""
    mine, theirs = ([*each.costs.values(), float(each.gzip_bytes)] for each in (one, other))
    pairs = [
        [math.inf if cost is None else cost for cost in pair]
        for pair in zip(mine, theirs, strict=True)
    ]
    return all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)


def _broken(candidate: Candidate, bounds: Mapping[str, float], above: str) -> Sequence[str]:
    found = []
    for limit, bound in bounds.items():
        cost, what = candidate.costs[limit], limit.removeprefix("max_")
        if cost is None:
            found.append(f"{what} not measurable, {above}.{limit} {bound:,g}")
        elif cost > bound:
            found.append(f"{what} {_plain(cost)} above {above}.{limit} {_plain(bound)}")
    return found


def _plain(number: float) -> str:
    """`12,552`, or `0.0123`."""
    return f"{number:,.0f}" if float(number).is_integer() else f"{number:,.4g}"


def _fixed(judged: Sequence[Judged], asked: str, key: str) -> tuple[Judged, str]:
    names = [each.measured.name for each in judged]
    if asked not in names:
        raise InputError(f"{key}={asked}: there is no such variant; give {' or '.join(names)}")
    found = judged[names.index(asked)]
    said = [f"{key}={asked} says so"]
    if found.dominated_by is not None:
        said.append(f"{found.dominated_by} is in nothing dearer and in something cheaper")
    if found.broken:
        said.append(f"it breaks a limit: {', '.join(found.broken)}")
    return found, "; ".join(said)


def _chosen(judged: Sequence[Judged], prefer: str, rows: int, target: str) -> tuple[Judged, str]:
    keep = [each for each in judged if not each.broken]
    if not keep:
        least = min(judged, key=_loss)
        why = "; ".join(f"{each.measured.name}: {', '.join(each.broken)}" for each in judged)
        name = least.measured.name
        return least, (
            f"no variant keeps the limits ({why}): {name} is taken, which loses least of the "
            f"AUC; raise a limit of selection.{target}"
        )
    front = [each for each in keep if each.dominated_by is None]
    found, why = {"bytes": _smallest, "latency": _fastest, "quality": _best}[prefer](front)
    counts = f"{len(keep)} of {len(judged)} variants keep the limits"
    if len(front) < len(keep):
        counts += f", {len(front)} of them on the frontier"
    told = found.measured
    loss = "" if told.auc_loss is None else f", AUC {-told.auc_loss:+.4f} from the teacher's"
    return found, f"{counts}: {told.name} is {why}{loss} on {rows:,} eval rows"


def _loss(one: Judged) -> float:
    loss = one.measured.costs["max_auc_loss"]
    return math.inf if loss is None else loss


def _smallest(front: Sequence[Judged]) -> tuple[Judged, str]:
    """The smallest; of those that are as small, the one that compresses best."""
    least = min(each.measured.bytes for each in front)
    as_small = [each for each in front if each.measured.bytes <= least * SAME_BYTES]
    found = min(as_small, key=lambda each: (each.measured.gzip_bytes, _loss(each)))
    return found, f"the smallest ({found.measured.bytes:,} bytes)"


def _fastest(front: Sequence[Judged]) -> tuple[Judged, str]:
    """The fastest; of those that are as fast, the smallest."""
    times = [each.measured.costs["max_latency_us"] for each in front]
    known = [time for time in times if time is not None]
    if not known:
        found, why = _smallest(front)
        return found, f"{why}, as no time is known"
    as_fast = [
        each
        for each, time in zip(front, times, strict=True)
        if time is not None and time <= min(known) * SAME_TIME
    ]
    found, _ = _smallest(as_fast)
    among = "" if len(as_fast) == 1 else f", the smallest of {len(as_fast)} that are as fast"
    return found, f"the fastest ({found.measured.row_us:,.1f} us a row){among}"


def _best(front: Sequence[Judged]) -> tuple[Judged, str]:
    """The best; of those that these rows cannot tell from it, the smallest."""
    best = min(front, key=_loss)
    alike = [each for each in front if each.measured.name in (best.measured.name, *_tied(best))]
    found, _ = _smallest(alike)
    if found is best:
        return found, "the best"
    return found, f"the smallest of {len(alike)} that chance cannot tell from {best.measured.name}"


def _tied(one: Judged) -> Sequence[str]:
    return one.measured.tied


def write_choice(path: Path, choice: Choice) -> None:
    """Writes a choice as JSON, null for what is no number."""
    variants = [replace(each, measured=_without_nan(each.measured)) for each in choice.variants]
    write_json(path, asdict(replace(choice, variants=variants)))


def _without_nan(one: Candidate) -> Candidate:
    known = one.costs
    auc = None if one.auc is None or math.isnan(one.auc) else one.auc
    return replace(one, auc=auc, auc_loss=known["max_auc_loss"], gap_growth=known["max_gap_growth"])


def choice_of(values: Any) -> Choice:
    """A choice of the JSON values that were written."""
    return _CHOICE.validate_python(values)


def read_choice(path: Path) -> Choice:
    """Reads what `write_choice` wrote."""
    return _CHOICE.validate_json(path.read_bytes())
