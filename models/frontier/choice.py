"""Which variant of a model a target ships, of several that differ in quality and in cost.

A variant has four costs: what it loses of the teacher's AUC, by how much it widens a gap between
groups, its bytes, as they lie there and compressed, and the time of a row. Another one dominates it
that is in none of them dearer and in one cheaper; those that nothing dominates are the frontier
(Pareto). The limits are bounds on the same costs; as everywhere, a loss or a growth breaks its
limit only if chance does not explain it. The choice is made on the frontier of those that keep all.
"""

import math
from collections.abc import Mapping, Sequence

from core.errors import InputError
from core.names import TEACHER
from core.sections.variants import Limits
from models.frontier.record import AUTO, JudgedVariant, MeasuredVariant, VariantSelection

SAME_BYTES = 1.01
"""Files that are larger by less are as small: names and padding differ, too."""

SAME_TIME = 1.1
"""Medians that are longer by less are as short: so much they differ from one time to the next."""


def choose(
    target: str,
    candidates: Sequence[MeasuredVariant],
    limits: Limits,
    asked: str,
    rows: int,
    key: str,
) -> VariantSelection:
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
        JudgedVariant(
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
    return VariantSelection(
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


def _dominates(one: MeasuredVariant, other: MeasuredVariant) -> bool:
    """Whether one is in no cost dearer and in some cheaper; what is not known is the dearest."""
    mine, theirs = ([*each.costs.values(), float(each.gzip_bytes)] for each in (one, other))
    pairs = [
        [math.inf if cost is None else cost for cost in pair]
        for pair in zip(mine, theirs, strict=True)
    ]
    return all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)


def _broken(candidate: MeasuredVariant, bounds: Mapping[str, float], above: str) -> Sequence[str]:
    found = []
    for limit, bound in bounds.items():
        cost, what = candidate.costs[limit], limit.removeprefix("max_")
        low = candidate.lowest.get(limit)
        if cost is None:
            found.append(f"{what} not measurable on these rows, {above}.{limit} {bound:,g}")
        elif cost > bound and (low is None or low > 0):
            said = f"{what} {_plain(cost)} above {above}.{limit} {_plain(bound)}"
            found.append(said if low is None else f"{said} beyond chance")
    return found


def _plain(number: float) -> str:
    """`12,552`, or `0.0123`."""
    return f"{number:,.0f}" if float(number).is_integer() else f"{number:,.4g}"


def _fixed(judged: Sequence[JudgedVariant], asked: str, key: str) -> tuple[JudgedVariant, str]:
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


def _chosen(
    judged: Sequence[JudgedVariant], prefer: str, rows: int, target: str
) -> tuple[JudgedVariant, str]:
    keep = [each for each in judged if not each.broken]
    if not keep:
        least = min(judged, key=_loss)
        why = "; ".join(f"{each.measured.name}: {', '.join(each.broken)}" for each in judged)
        name = least.measured.name
        return least, (
            f"no variant keeps the limits ({why}): {name} is taken, which loses least of the "
            f"AUC; raise a limit of selection.{target}, or set it to null"
        )
    front = [
        each
        for each in keep
        if not any(_dominates(other.measured, each.measured) for other in keep)
    ]
    found, why = {"bytes": _smallest, "latency": _fastest, "quality": _best}[prefer](front)
    counts = f"{len(keep)} of {len(judged)} variants keep the limits"
    if len(front) < len(keep):
        counts += f", {len(front)} of them on the frontier"
    told = found.measured
    loss = ""
    if told.auc_loss is not None and told.name != TEACHER:
        loss = f", AUC {0.0 - told.auc_loss:+.4f} from the teacher's"
    return found, f"{counts}: {told.name} is {why}{loss} on {rows:,} eval rows"


def _loss(one: JudgedVariant) -> float:
    loss = one.measured.costs["max_auc_loss"]
    return math.inf if loss is None else loss


def _smallest(front: Sequence[JudgedVariant]) -> tuple[JudgedVariant, str]:
    """The smallest; of those that are as small, the one that compresses best."""
    least = min(each.measured.bytes for each in front)
    as_small = [each for each in front if each.measured.bytes <= least * SAME_BYTES]
    found = min(as_small, key=lambda each: (each.measured.gzip_bytes, _loss(each)))
    return found, f"the smallest ({found.measured.bytes:,} bytes)"


def _fastest(front: Sequence[JudgedVariant]) -> tuple[JudgedVariant, str]:
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


def _best(front: Sequence[JudgedVariant]) -> tuple[JudgedVariant, str]:
    """The best; of those that these rows cannot tell from it, the smallest."""
    best = min(front, key=_loss)
    alike = [each for each in front if each.measured.name in (best.measured.name, *_tied(best))]
    found, _ = _smallest(alike)
    if found is best:
        return found, "the best"
    return found, f"the smallest of {len(alike)} that chance cannot tell from {best.measured.name}"


def _tied(one: JudgedVariant) -> Sequence[str]:
    return one.measured.tied
