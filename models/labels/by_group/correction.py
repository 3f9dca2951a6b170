"""What is done to labels by group, and what is to be said of it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from core.sections.fairness import GroupRate
from models.labels.additive.sample import Sample
from models.labels.by_group.rows import GroupRows, rows_of_groups
from models.labels.by_group.shifts import Correction, find, shifted
from models.labels.findings import Finding
from models.labels.groups import name_of
from models.labels.label_model import Fitted
from models.labels.scores import most_likely
from models.labels.votes import ABSTAIN, Counts, Gold, Votes


def correct(
    fitted: Fitted,
    alike: GroupRate,
    counts: Mapping[str, Counts],
    vectors: Votes,
    gold: Gold,
    gold_groups: Sequence[str],
    sample: Sample | None = None,
) -> tuple[Fitted, Correction]:
    """What is done to labels by group, and what the label model then says of gold rows.

    `probability` is left as it is: a vote vector has another label in another group. The shifts
    were found with the help of all gold rows.

    Args:
      fitted: The label model.
      alike: The column and the rate.
      counts: By group, int64 [vectors], its rows behind each vector.
      vectors: int8 [vectors, functions], distinct vote vectors.
      gold: Votes and labels of the gold rows.
      gold_groups: Group of each of them.
      sample: Rows of all groups, by which it is seen what columns add; None: they are left out.
    """
    rows = rows_of_groups(counts, vectors, fitted.probability, gold, gold_groups)
    if fitted.columns is not None and sample is not None:
        rows = {
            name: replace(group, **_as_sampled(fitted, vectors, sample, alike.column, name, group))
            for name, group in rows.items()
        }
    done = find(alike.column, alike.rate, rows)
    held_out = shifted(fitted.held_out, done.shifts(gold_groups, gold.votes))
    right = most_likely(held_out[gold.at_random]) == gold.drawn.labels
    return replace(fitted, held_out=held_out, accuracy_on_gold=float(right.mean())), done


def _as_sampled(
    fitted: Fitted, vectors: Votes, sample: Sample, column: str, name: str, group: GroupRows
) -> dict[str, Any]:
    """Probabilities and counts of a group by its rows in the sample; none where it has none."""
    groups = sample.groups[column]
    named = np.array([name_of(value) == name for value in groups.values])[groups.codes]
    seen = np.flatnonzero(named & (sample.votes != ABSTAIN).any(axis=1))
    if not len(seen):
        return {}
    number_of = {vector.tobytes(): n for n, vector in enumerate(vectors)}
    rows = sample.take(seen)
    at = np.array([number_of[votes.tobytes()] for votes in rows.votes])
    counts = np.full(len(seen), float(group.counts.sum()) / len(seen))
    return {"probability": fitted.answers(at, rows.columns), "counts": counts}


def findings(done: Correction) -> list[Finding]:
    """The groups of whose rate no gold row tells anything."""
    found = []
    for name, group in done.groups.items():
        positives, negatives = group.gold_positives, group.gold_rows - group.gold_positives
        of_rate = {
            "tpr": (positives, "no positive one"),
            "fpr": (negatives, "no negative one"),
            "selection_rate": (group.gold_rows, "none"),
        }
        count, lacking = of_rate[done.rate]
        if count == 0:
            message = (
                f"has {lacking} among its {group.gold_rows} gold rows: how the {done.rate} of its "
                "labels compares with that of other groups, its votes alone say; its log-odds are "
                f"moved by {group.shift:+.2f}"
            )
            action = "have rows of it labelled (to-label), or raise labeling.gold_rows"
            found.append(
                Finding("note", "group_without_gold", f"{done.column}={name}", message, action)
            )
    return found
