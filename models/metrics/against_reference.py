"""Gates that hold a model against the simplest models that could do the job."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from core.sections.evaluation import Judging
from models.metrics.comparison import Difference
from models.metrics.evidence import SliceEvidence
from models.metrics.gates import OVERALL, Gate, at_least
from models.metrics.judging import undecided
from models.metrics.registry import metric_of

WHAT_TO_TRY = (
    "give the network more to learn from (tuner.trials, trainer.epochs, trainer.hidden_units, "
    "features.buckets), leave out columns that say nothing, or take the simpler model"
)


def reference_gates(
    target: str,
    bounds: Mapping[str, float],
    against_reference: Mapping[str, Sequence[Difference]],
    seen: SliceEvidence,
    rule: Judging,
) -> list[Gate]:
    """A gate for each bound on the lead over the better reference, row by row.

    A bound below 0 is how far the model may be behind; beyond that it fails where chance does not
    explain the difference. A bound above 0 is a lead that it must have.

    Args:
      target: server or edge.
      bounds: `evaluation.<target>.min_over_reference`, by metric.
      against_reference: The model minus each reference; empty without references.
      seen: What the model's figures rest on, overall.
      rule: Of the configuration.
    """
    gates = []
    for metric, bound in bounds.items() if against_reference else ():
        key = f"evaluation.{target}.min_over_reference.{metric}"
        leads = [
            (_lead(difference), name, difference)
            for name, differences in against_reference.items()
            for difference in differences
            if difference.metric == metric
        ]
        gate = at_least(target, f"{metric} over reference", OVERALL, None, bound, key)
        gate = replace(gate, rows=seen.rows, bound=f">= {bound:g} beyond chance")
        if not leads:
            gates.append(undecided(gate, f"{metric} not measurable on {seen.in_words}", rule))
            continue
        lead, name, difference = min(leads, key=lambda each: each[0])
        ends = sorted(_lead(replace(difference, value=end)) for end in _ends(difference))
        passed = lead >= bound or (bound <= 0 and ends[1] >= 0)
        gate = replace(gate, value=lead, passed=passed, interval=(ends[0], ends[1]))
        if not passed:
            called = name.replace("_", " ")
            why = f"{called} on the same labels is ahead by {-lead:.4g} in {metric}"
            if lead > 0:
                why = f"the lead over {called} is {lead:.4g} in {metric}, {bound:g} is asked for"
            gate = replace(gate, why=f"{why}: {WHAT_TO_TRY}")
        gates.append(gate)
    return gates


def _ends(difference: Difference) -> tuple[float, float]:
    return difference.low, difference.high


def _lead(difference: Difference) -> float:
    """How much better the model is; for a loss, how much lower."""
    better = metric_of(difference.metric).greater_is_better
    return difference.value if better else -difference.value
