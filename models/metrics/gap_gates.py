"""Gates on the gaps between groups: how wide they are, and how much wider than the teacher's.

Their intervals are those that tables and the report show (models/metrics/gaps.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from core.sections.evaluation import Judging
from models.metrics.evidence import VariantEvidence, extremes, groups_of, names_of, trials
from models.metrics.gates import OVERALL, Gate, at_most
from models.metrics.judging import few, undecided
from models.metrics.registry import EXAMPLES

BySlice = Mapping[str, Mapping[str, float | None]]


def gap_gate(
    target: str,
    by_slice: BySlice,
    seen: VariantEvidence,
    bounded: tuple[str, str, float],
    rule: Judging,
) -> Gate:
    """The gate on the largest gap of a rate between the groups of a column.

    Args:
      target: server or edge.
      by_slice: Metrics by slice name, with the `examples` of each.
      seen: What they rest on.
      bounded: The column, the rate (of more than two classes with its class) and the bound.
      rule: Of the configuration.
    """
    column, rate, bound = bounded
    key = f"evaluation.{target}.max_gap.{column}.{rate.partition('[')[0]}"
    gate = at_most(target, f"gap {column} {rate}", OVERALL, None, bound, key)
    groups = groups_of(by_slice, column)
    rows = {name: int(row[EXAMPLES] or 0) for name, row in groups.items()}
    large = {name: row for name, row in groups.items() if rows[name] >= rule.min_slice_rows}
    if len(large) < 2:
        return _too_few_groups(gate, rows, rule)
    evidence = {name: seen.of_slice(name) for name in large}
    if missing := sorted(name for name, row in large.items() if row.get(rate) is None):
        counts = [trials(e, rate) for name in missing if (e := evidence[name]) is not None]
        if counts and not any(counts):
            return _without_rows(gate, rate, missing, rule)
        return replace(gate, why=f"{gate.metric} not measurable: no {rate} of {names_of(missing)}")
    pair = extremes(large, rate)
    assert pair is not None
    first, second = evidence[pair[0]], evidence[pair[1]]
    (high, low) = (float(large[name][rate] or 0.0) for name in pair)
    gate = at_most(target, gate.metric, OVERALL, high - low, bound, key)
    found = seen.gap_intervals.get(column, {}).get(rate)
    if first is None or second is None or found is None:
        return gate
    gate = replace(gate, interval=(found.low, found.high), rows=first.rows + second.rows)
    counts = [trials(first, rate), trials(second, rate)]
    of_what = f"{counts[0]} rows of {pair[0]} and {counts[1]} of {pair[1]}"
    return few(gate, min(counts), of_what, rule)


def growth_gate(
    target: str, seen: VariantEvidence, bounded: tuple[str, str, float], rule: Judging
) -> Gate:
    """The gate on how much wider a gap is than the teacher's on the same rows.

    It fails where the gap is wider by more than the bound and by more than chance explains; beyond
    the bound but within chance it is undecided.

    Args:
      target: server or edge.
      seen: What is known of the target's variant.
      bounded: The column, the rate (of more than two classes with its class) and the bound.
      rule: Of the configuration.
    """
    column, rate, bound = bounded
    key = f"evaluation.{target}.max_gap_growth.{column}.{rate.partition('[')[0]}"
    name = f"gap {column} {rate} growth"
    gate = at_most(target, name, OVERALL, None, bound, key)
    groups = groups_of(seen.evidence, column)
    rows = {name: each.rows for name, each in groups.items()}
    large = {name: each for name, each in groups.items() if rows[name] >= rule.min_slice_rows}
    if len(large) < 2:
        return _too_few_groups(gate, rows, rule)
    counts = {name: trials(each, rate) for name, each in large.items()}
    if missing := sorted(name for name, count in counts.items() if not count):
        return _without_rows(gate, rate, missing, rule)
    growth = seen.gap_growth.get(column, {}).get(rate)
    if growth is None:
        return replace(gate, why=f"{name} was not measured: the report of variants lacks it")
    gate = replace(
        at_most(target, name, OVERALL, growth.value, bound, key),
        bound=f"<= {bound:g} beyond chance",
        passed=not growth.is_wider(bound),
        interval=(growth.low, growth.high),
        rows=growth.rows,
    )
    fewest = min(counts, key=counts.__getitem__)
    too_few = counts[fewest] < rule.few_rows and growth.high > bound
    if gate.passed and (growth.value > bound or too_few):
        why = (
            f"{growth.rows} rows, {counts[fewest]} of them of {fewest} that its {rate} is a share "
            f"of, cannot tell a growth of {bound:g} from chance: {growth.value:.4g}, 95% interval "
            f"{growth.low:.3g} to {growth.high:.3g}"
        )
        return undecided(gate, why, rule)
    return gate


def _too_few_groups(gate: Gate, rows: Mapping[str, int], rule: Judging) -> Gate:
    """Undecided: fewer than two groups are large enough.

    Args:
      gate: The gate.
      rows: Of each group.
      rule: Of the configuration.
    """
    small = {name: count for name, count in rows.items() if count < rule.min_slice_rows}
    of_each = [f"{name} has {small[name]}" for name in sorted(small)]
    why = (
        f"{gate.metric} not measurable: {len(rows) - len(small)} groups have "
        f"evaluation.min_slice_rows={rule.min_slice_rows} test rows or more, two are needed"
    )
    return undecided(gate, f"{why}; {names_of(of_each)}" if of_each else why, rule)


def _without_rows(gate: Gate, rate: str, missing: Sequence[str], rule: Judging) -> Gate:
    """Undecided: some groups have no row that the rate would be a share of."""
    of = {"tpr": "positive", "fpr": "negative"}.get(rate, "such")
    why = f"{gate.metric} not measurable: no {rate} of {names_of(missing)}"
    return undecided(gate, f"{why}, which has no {of} row among its rows", rule)
