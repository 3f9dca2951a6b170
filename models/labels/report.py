"""The label report: what each labelling function and the label model did, as JSON values."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from core.intervals import wilson_interval
from core.names import BOTH
from models.labels import findings as label_findings
from models.labels import groups as label_groups
from models.labels.by_group.correction import findings as findings_by_group
from models.labels.by_group.shifts import Correction
from models.labels.label_model import Fitted
from models.labels.rows import Value
from models.labels.scores import most_likely
from models.labels.votes import ABSTAIN, Counts, Floats, Gold, Votes

Groups = Mapping[str, Sequence[Value]]

_SHARES = ("coverage", "overlap", "conflict", "accuracy_on_gold", "accuracy_interval")
_OF_FUNCTIONS = (*_SHARES, "method", "method_reason")  # what there is only with functions


def weak(
    names: Sequence[str],
    vectors: Votes,
    counts: Counts,
    gold_rows: Gold,
    fitted: Fitted,
    answered: int = 0,
    group_counts: label_groups.Counts | None = None,
    gold_groups: Groups | None = None,
    classes: Sequence[str] = BOTH,
    by_group: Correction | None = None,
) -> dict[str, Any]:
    """Coverage, overlap, conflict, accuracy on gold rows and learned weight: totals, each function.

    Shares of all rows that functions were applied to. `accuracy_on_gold` of a function is over the
    gold rows on which it votes (`gold_votes`), `accuracy_interval` its 95% Wilson interval; null
    where it votes on none. `polarity` lists the classes that it votes for. `findings`: what is
    wrong with functions (models/labels/findings.py). `groups`: coverage and error by group
    (models/labels/groups.py). `methods`: each method's score on gold rows, `method` the one taken,
    `method_reason` why; `trials`: ways to train Snorkel's label model. All of these rest on the
    gold rows drawn at random, `gold_rows_random` of the `gold_rows`. `by_group`: what was done to
    labels by group (models/labels/by_group/); null where nothing was.

    Args:
      names: Names of the functions.
      vectors: int8 [vectors, functions], distinct vote vectors.
      counts: int64 [vectors], rows behind each vector.
      gold_rows: Votes and labels of the gold rows.
      fitted: The label model, what it says of gold rows as labels are.
      answered: How many of the gold rows people labelled, besides the budget.
      group_counts: Rows and covered rows of each group; None where there are no groups.
      gold_groups: Group of each gold row, by column.
      classes: What the classes are called, by code.
      by_group: What was done to labels by group; None: nothing.
    """
    total, random, gold_rows = len(gold_rows.labels), gold_rows.at_random, gold_rows.drawn
    share = counts / counts.sum()
    cast = np.stack([(vectors == code).sum(axis=1) for code in range(len(classes))], axis=1)
    voted, own = vectors != ABSTAIN, np.take_along_axis(cast, np.maximum(vectors, 0), axis=1)
    several = voted.sum(axis=1) > 1
    opposed = voted & (own < cast.sum(axis=1, keepdims=True))
    gold_voted = gold_rows.votes != ABSTAIN
    gold_votes = [int(votes) for votes in gold_voted.sum(axis=0)]
    right = [int(votes) for votes in (gold_rows.votes == gold_rows.labels[:, None]).sum(axis=0)]
    functions = {
        name: {
            "coverage": float(share @ voted[:, n]),
            "overlap": float(share @ (voted[:, n] & several)),
            "conflict": float(share @ opposed[:, n]),
            "polarity": [
                word for code, word in enumerate(classes) if (vectors[:, n] == code).any()
            ],
            "gold_votes": gold_votes[n],
            "accuracy_on_gold": right[n] / gold_votes[n] if gold_votes[n] else None,
            "accuracy_interval": wilson_interval(right[n], gold_votes[n]),
            "weight": None if np.isnan(fitted.weight[n]) else float(fitted.weight[n]),
        }
        for n, name in enumerate(names)
    }
    wrong = most_likely(fitted.held_out[random]) != gold_rows.labels
    of_gold = {
        column: [value for value, kept in zip(values, random, strict=True) if kept]
        for column, values in (gold_groups or {}).items()
    }
    return {
        "mode": "weak",
        "gold_rows": total,
        "gold_rows_random": len(gold_rows.labels),
        "rows": int(counts.sum()),
        "class_balance": _balance(fitted.class_balance, classes),
        "coverage": float(share @ voted.any(axis=1)),
        "overlap": float(share @ several),
        "conflict": float(share @ opposed.any(axis=1)),
        "accuracy_on_gold": fitted.accuracy_on_gold,
        "accuracy_interval": wilson_interval(int((~wrong).sum()), len(wrong)),
        "groups": label_groups.report(group_counts or {}, of_gold, wrong),
        "method": fitted.method,
        "method_reason": fitted.reason,
        "methods": {name: asdict(score) for name, score in fitted.scores.items()},
        "trials": [asdict(trial) for trial in fitted.trials],
        "functions": functions,
        "findings": [
            asdict(finding)
            for finding in (
                *label_findings.find(names, vectors, counts, gold_rows, classes),
                *(findings_by_group(by_group) if by_group else ()),
            )
        ],
        "gold_rows_answered": answered,
        "by_group": asdict(by_group) if by_group else None,
    }


def _balance(balance: Floats, classes: Sequence[str]) -> float | dict[str, float]:
    """The share of the positive of two classes; of more, of each by name."""
    if len(classes) == 2:
        return float(balance[1])
    return {name: float(share) for name, share in zip(classes, balance, strict=True)}


def gold(rows: int, balance: Floats, classes: Sequence[str] = BOTH) -> dict[str, Any]:
    """The label report when all true labels are used and no function is applied."""
    return {
        "mode": "gold",
        "gold_rows": rows,
        "gold_rows_random": rows,
        "rows": rows,
        "class_balance": _balance(balance, classes),
        **dict.fromkeys(_OF_FUNCTIONS),
        "groups": {},
        "methods": {},
        "trials": [],
        "functions": {},
        "findings": [],
        "by_group": None,
    }
