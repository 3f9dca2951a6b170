"""Gates with what they rest on: intervals, rows, and what few rows cannot tell.

A gate is undecided where there is nothing to measure (one class only, groups that are too small),
and where a class has few rows and the bound lies inside the 95% interval. What then becomes of it
says `evaluation.when_too_few`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from core.intervals import newcombe_auc_interval
from core.sections.evaluation import Judging
from models.metrics.comparison import Difference
from models.metrics.evidence import SliceEvidence
from models.metrics.gates import OVERALL, Gate, at_most
from models.metrics.registry import metric_of

CHANCE = 0.5
"""The AUC of random scores."""

FAIR_AUC = 0.75  # rows that cannot tell even this from chance are too few
FEWEST = 5  # rows of each class that a model has to decide alike before it has one answer only


def undecided(gate: Gate, why: str, rule: Judging) -> Gate:
    """The gate as the rule wants it where nothing can be told."""
    why = f"{why} (evaluation.when_too_few={rule.when_too_few})"
    return replace(gate, undecided=True, passed=rule.when_too_few == "warn", why=why)


def weighed(gate: Gate, metric: str, seen: SliceEvidence | None, rule: Judging) -> Gate:
    """A gate on a metric of a slice with its interval and rows, undecided where they are too few.

    Args:
      gate: As the value alone has it.
      metric: A name in `Metrics.quality`.
      seen: What the value rests on; None where nobody measured that.
      rule: Of the configuration.
    """
    if seen is None:
        return gate
    interval = seen.intervals.get(metric)
    gate = replace(gate, interval=interval, rows=seen.rows)
    if gate.value is None:
        if interval is not None:
            return replace(gate, why=f"the Evaluator gave no {metric}, which {seen.rows} rows have")
        return undecided(gate, f"{metric} not measurable on {seen.in_words}", rule)
    return few(gate, seen.behind(metric), seen.in_words, rule)


def few(gate: Gate, fewest: int, of_what: str, rule: Judging) -> Gate:
    """The gate, undecided where few rows tell it and its interval holds the bound.

    Args:
      gate: With its interval.
      fewest: The rows that tell it.
      of_what: These rows in words.
      rule: Of the configuration.
    """
    if gate.interval is None or gate.limit is None or gate.value is None:
        return gate
    low, high = gate.interval
    if fewest >= rule.few_rows or not low < gate.limit < high:
        return gate
    why = (
        f"{gate.metric} {gate.value:.4g} on {of_what}: its 95% interval, {low:.3g} to {high:.3g}, "
        f"holds the bound {gate.limit:g}"
    )
    return undecided(gate, why, rule)


def chance_gate(
    target: str, overall: Mapping[str, float | None], seen: SliceEvidence, rule: Judging
) -> Gate:
    """Whether a model gives more than one answer, and orders rows better than at random."""
    auc, interval = overall.get("auc"), seen.intervals.get("auc")
    gate = Gate(
        target,
        "auc above chance",
        OVERALL,
        auc,
        f"> {CHANCE} beyond chance",
        False,
        f"evaluation.{target}.better_than_chance",
        interval=interval,
        rows=seen.rows,
        sign=">=",
        limit=CHANCE,
    )
    if (answer := _only_answer(overall, seen)) is not None:
        why = f"one answer only: it says {answer} on all {seen.rows} test rows"
        if seen.fewest < FEWEST:
            return undecided(gate, f"{why}, of {seen.in_words}", rule)
        return replace(gate, why=why)
    if auc is None or interval is None:
        return weighed(gate, "auc", seen, rule)
    if interval[0] > CHANCE:
        return replace(gate, passed=True)
    why = (
        f"its scores may be random: the 95% interval of its AUC {auc:.3f}, {interval[0]:.3f} to "
        f"{interval[1]:.3f}, holds {CHANCE}"
    )
    if interval[1] < CHANCE:
        why = f"its scores are worse than random: its AUC is {auc:.3f}"
    rows = seen.fewest, seen.rows - seen.fewest
    if auc > CHANCE and newcombe_auc_interval(FAIR_AUC, *rows)[0] <= CHANCE:
        why = f"{seen.in_words}, cannot tell an AUC of {FAIR_AUC} from chance: {why}"
        return undecided(gate, why, rule)
    return replace(gate, why=why)


def _only_answer(overall: Mapping[str, float | None], seen: SliceEvidence) -> str | None:
    """What a model always says; None where it has more than one answer."""
    if seen.by_class is None:
        share = overall.get("selection_rate")
        return None if share not in (0.0, 1.0) else "yes" if share else "no"
    rates = {called: overall.get(f"selection_rate[{called}]") for called in seen.by_class}
    return next((called for called, rate in rates.items() if rate == 1.0), None)


def teacher_gates(
    target: str,
    bounds: Mapping[str, float],
    against_teacher: Sequence[Difference],
    seen: SliceEvidence,
    rule: Judging,
) -> list[Gate]:
    """A gate for each bound on the fall from the teacher to what is pushed, row by row."""
    differences = {difference.metric: difference for difference in against_teacher}
    gates = []
    for metric, bound in bounds.items():
        key = f"evaluation.{target}.max_drop_from_teacher.{metric}"
        name, difference = f"{metric} drop from teacher", differences.get(metric)
        if difference is None:
            gate = replace(at_most(target, name, OVERALL, None, bound, key), rows=seen.rows)
            gates.append(undecided(gate, f"{metric} not measurable on {seen.in_words}", rule))
            continue
        ends = (difference.value, difference.low, difference.high)
        value, *interval = (metric_of(metric).fall(0.0, end) for end in ends)
        low, high = sorted(interval)
        gate = replace(
            at_most(target, name, OVERALL, value, bound, key),
            bound=f"<= {bound:g} beyond chance",
            passed=not difference.is_worse(bound),
            interval=(low, high),
            rows=difference.rows,
        )
        if gate.passed and (value > bound or (seen.fewest < rule.few_rows and high > bound)):
            why = (
                f"{seen.in_words}, cannot tell a fall of {bound:g} in {metric} from chance: "
                f"{value:.4g}, 95% interval {low:.3g} to {high:.3g}"
            )
            gate = undecided(gate, why, rule)
        gates.append(gate)
    return gates
