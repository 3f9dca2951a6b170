"""Labels from the votes on all files of Examples.

Between the first pass over the files (voting_pass.py) and the second (writing_pass.py): gold rows
are drawn, the label model is fitted on distinct vote vectors, and labels are shifted by group.
"""

import heapq
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.beam.voting_pass import Candidate, LabelerSettings, Tally
from core.answers import spread
from core.errors import InputError
from models.labels import functions as labeling
from models.labels import groups as label_groups
from models.labels import label_model
from models.labels import report as label_report
from models.labels.additive.choice import informative
from models.labels.additive.decisions import moved
from models.labels.additive.majority import MajorityByColumns
from models.labels.additive.model import ColumnScores
from models.labels.additive.sample import SIZE, Sample, joined
from models.labels.by_group.correction import correct
from models.labels.by_group.shifts import Correction
from models.labels.label_model import SeenRows
from models.labels.rows import CodedColumn, coded
from models.labels.votes import Counts, Gold, Votes, merge


@dataclass(frozen=True)
class Labels:
    """The outcome of labelling.

    Attributes:
      label: What stands for a label by vote vector: float64 [1], P(positive), of two classes,
        [classes], a share of each, of more.
      gold: True label by row id, of drawn and answered rows; empty in gold mode, which takes all.
      class_balance: The same of a row of which nothing is known: shares among gold rows.
      columns: What the columns of a row add to what its votes say; None: nothing.
      by_group: What is done to labels by group of a row; None: nothing.
      report: The label report.
    """

    label: dict[bytes, NDArray[np.float64]]
    gold: dict[str, int]
    class_balance: NDArray[np.float64]
    columns: ColumnScores | None
    by_group: Correction | None
    report: dict[str, Any]


def find_labels(tallies: list[Tally], settings: LabelerSettings) -> Labels:
    """Draws the gold rows and fits the label model on the votes on all shards.

    In gold mode every labelled row is a gold row and there is nothing to fit.
    """
    classes = settings.columns.names
    called = settings.columns.called
    labeled = np.sum([tally.labeled for tally in tallies], axis=0).tolist()
    if settings.labeling.mode == "gold":
        if sum(labeled) == 0:
            raise InputError(
                f"column {settings.columns.label}: missing, or empty in every row of train and "
                "eval; labeling.mode=gold needs true labels, labeling.mode=weak a few"
            )
        shares = label_model.class_balance(labeled, classes)
        report = label_report.gold(sum(labeled), shares, called)
        return Labels({}, {}, label_column(shares[None])[0], None, None, report)
    sample = joined([tally.sample for tally in tallies if tally.sample]).drawn(SIZE)
    budget = _spend(tallies, sample, settings)
    gold_rows = [*budget.rows, *budget.answered]
    label_model.check_gold(len(gold_rows))
    gold, balance = _gold(gold_rows, budget.random), None
    if budget.at_random:
        gold, balance = label_model.measurable(gold, labeled, classes)
    vectors, counts = merge([(tally.vectors, tally.counts) for tally in tallies])
    names = [f.name for f in labeling.load(settings.labeling.functions or "")]
    groups = label_groups.merge(tally.groups for tally in tallies)
    of_gold = {name: [c.groups[n] for c in gold_rows] for n, name in enumerate(settings.groups)}
    majority = MajorityByColumns.of(sample.votes, sample.columns, len(classes))
    seen = SeenRows(majority, _columns(gold_rows, settings))
    fitted = label_model.fit(
        vectors, counts, gold, names, settings.labeling, settings.seed, balance, classes, seen
    )
    fitted = moved(fitted, settings.labeling.even_errors, vectors, counts, gold, sample)
    correction = None
    if settings.by_group is not None:
        named = [label_groups.name_of(value) for value in of_gold[settings.by_group.column]]
        totals = _counts_of_groups(tallies, vectors)
        fitted, correction = correct(
            fitted, settings.by_group, totals, vectors, gold, named, sample
        )
    report = label_report.weak(
        names,
        vectors,
        counts,
        gold,
        fitted,
        len(budget.answered),
        groups,
        of_gold,
        called,
        correction,
    )
    keys = [vector.tobytes() for vector in vectors]
    label = dict(zip(keys, label_column(spread(fitted.probability)), strict=True))
    truth = {c.row_id: c.label for c in gold_rows}
    nothing = label_column(fitted.class_balance[None])[0]
    return Labels(label, truth, nothing, fitted.columns, correction, report)


@dataclass(frozen=True)
class _Budget:
    """The gold rows.

    Attributes:
      rows: Those whose label in the data is seen.
      answered: Those that people answered, besides.
      at_random: How many of `rows` were drawn at random.
      random: Ids of all rows drawn at random.
    """

    rows: list[Candidate]
    answered: list[Candidate]
    at_random: int
    random: set[str]


def _spend(tallies: list[Tally], sample: Sample, settings: LabelerSettings) -> _Budget:
    told, classes = settings.labeling, len(settings.columns.names)
    drawn = heapq.nsmallest(told.gold_rows, (c for tally in tallies for c in tally.candidates))
    if len(drawn) < told.gold_rows:
        raise InputError(
            f"column {settings.columns.label}: {len(drawn)} rows of train and eval have a label, "
            f"labeling.gold_rows asks for {told.gold_rows}; label more rows or lower it"
        )
    least = told.gold_of_class
    first = [
        heapq.nsmallest(least, (c for tally in tallies for c in tally.of_class[code]))
        for code in range(classes)
    ]
    at_random, of_class = labeling.of_all_classes(drawn[: told.random_rows], first, least)
    rows, random = [*at_random, *of_class], {c.row_id for c in at_random}

    def answered() -> list[Candidate]:
        taken = {c.row_id for c in rows}
        return sorted(c for tally in tallies for c in tally.answered if c.row_id not in taken)

    said = {c.row_id for c in answered() if settings.answers[c.row_id].random}
    if told.random_rows < told.gold_rows:
        rows += _chosen(sample, [*rows, *answered()], random | said, settings)
    return _Budget(rows, answered(), len(at_random), random | said)


def _chosen(
    sample: Sample, known: list[Candidate], random: set[str], settings: LabelerSettings
) -> list[Candidate]:
    """What is left of the budget, spent on the rows whose label tells most."""
    if not known:
        return []
    count = settings.labeling.gold_rows - settings.labeling.random_rows
    gold, columns = _gold(known, random), _columns(known, settings)
    ids = {c.row_id for c in known}
    found = informative(sample, gold, columns, ids, count, len(settings.columns.names))
    return [
        Candidate(
            int(sample.order[n]),
            sample.row_ids[n],
            int(sample.labels[n]),
            sample.votes[n].tobytes(),
            tuple(column.at(n) for column in sample.groups.values()),
            tuple(column.at(n) for column in sample.columns.values()),
        )
        for n in found
    ]


def _gold(rows: list[Candidate], random: set[str]) -> Gold:
    return Gold(
        np.stack([np.frombuffer(c.votes, dtype=np.int8) for c in rows]),
        np.array([c.label for c in rows], dtype=np.int8),
        np.array([c.row_id in random for c in rows]),
    )


def _columns(rows: list[Candidate], settings: LabelerSettings) -> dict[str, CodedColumn]:
    return {name: coded([c.values[n] for c in rows]) for n, name in enumerate(settings.features)}


def _counts_of_groups(tallies: list[Tally], vectors: Votes) -> dict[str, Counts]:
    """By group, int64 [vectors], its rows behind each vote vector on all shards."""
    number_of = {vector.tobytes(): n for n, vector in enumerate(vectors)}
    totals: dict[str, Counts] = {}
    for tally in tallies:
        at = [number_of[vector.tobytes()] for vector in tally.vectors]
        for name, counts in tally.by_group.items():
            totals.setdefault(name, np.zeros(len(vectors), dtype=np.int64))[at] += counts
    return totals


def label_column(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """The column `label` from shares of each class: float64 [rows, 1] of two, else [rows, K]."""
    return shares[:, 1:] if shares.shape[1] == 2 else shares
