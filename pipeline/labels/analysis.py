"""The loop of those who write labelling functions: analyses them without running the DAG.

Stages the data as a run would, applies the functions to train and eval, fits the label model, and
reports what a run's labeler would, with examples. Of the true labels only those of the gold rows
are read, drawn as the labeler draws them. No TensorFlow, no TFX.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from snorkel.labeling import LabelingFunction

from core.answers import folded
from core.config import Config
from core.errors import InputError
from models.labels import analysis as label_analysis
from models.labels import functions as labeling
from models.labels import gates as label_gates
from models.labels import groups as label_groups
from models.labels import label_model
from models.labels import report as label_report
from models.labels.additive.choice import informative
from models.labels.additive.decisions import moved
from models.labels.additive.majority import MajorityByColumns
from models.labels.additive.sample import NO_LABEL, SIZE, Sample, taken
from models.labels.by_group.correction import correct
from models.labels.by_group.rows import counts_of_groups
from models.labels.label_model import Fitted, SeenRows
from models.labels.rows import Columns, coded
from models.labels.votes import ABSTAIN, Counts, Floats, Gold, Votes, distinct
from models.labels.voting import Voter
from pipeline.ingestion import staged_rows, staging
from pipeline.ingestion.staged_rows import StagedRows
from pipeline.labels import answers
from pipeline.labels import report as labels_report
from pipeline.labels.report import ExampleRow, LfReport

PAIRS = 10  # pairs of functions that disagree most
COMMON = 6  # columns that set the uncovered rows apart
EXAMPLES = 3  # rows shown for each pair, and for the uncovered rows


@dataclass(frozen=True)
class Analysis:
    """A report without its changes, and the votes it is made from: int8 [rows, functions]."""

    report: LfReport
    votes: Votes


@dataclass(frozen=True)
class Applied:
    """Functions and what they vote on which rows.

    Attributes:
      columns: The same rows as columns.
      gold: True label of each gold row by its index: those of the budget, then answered ones.
      answered: How many were answered besides the budget.
      chosen: Indices of those that were not drawn at random.
    """

    functions: list[LabelingFunction]
    table: StagedRows
    rows: list[labeling.Row]
    columns: Columns
    votes: Votes
    gold: dict[int, int]
    answered: int
    chosen: frozenset[int]


def analyse(config: Config, run_folder: Path, now: datetime) -> Analysis:
    """Applies and judges the labelling functions of a configuration.

    Args:
      config: The configuration.
      run_folder: <root>/<name>; data is staged there.
      now: Time of the call.

    Raises:
      InputError: Configuration, data or a labelling function are at fault.
    """
    module = _module(config)
    staged = staging.stage(config, run_folder)
    applied = apply(config, run_folder, staged)
    labels, called = _labels(applied, config), config.columns.called
    gates = label_gates.judge(labels.model_dump(), config.labeling.gates)
    report = LfReport(
        format=1,
        config=config.name,
        module=module,
        created=now,
        data_sha256=staged.digest,
        seed=config.seed,
        epochs=config.labeling.epochs,
        classes=list(config.columns.names),
        labels=labels,
        gates=gates,
        disagreements=_disagreements(applied, config),
        uncovered=_uncovered(applied, called),
        changes=None,
    )
    return Analysis(report, applied.votes)


def _module(config: Config) -> str:
    if config.labeling.functions is None:
        raise InputError("labeling.functions: null; name the module of labelling functions")
    return config.labeling.functions


def apply(config: Config, run_folder: Path, staged: staging.Staged) -> Applied:
    """Applies the labelling functions and finds the gold rows of a run that would start now."""
    functions = labeling.load(_module(config))
    table = staged_rows.read(staged, config)
    rows = table.rows()
    columns = {name: coded(values) for name, values in table.columns.items()}
    votes = Voter(functions, config.columns.names).vote(columns, table.row_ids)
    applied = Applied(functions, table, rows, columns, votes, {}, 0, frozenset())
    return with_gold(applied, config, run_folder, staged)


def with_gold(
    applied: Applied, config: Config, run_folder: Path, staged: staging.Staged
) -> Applied:
    """The same rows and votes with the gold rows as they are now."""
    table = applied.table
    ids = [table.row_ids[n] for n in table.labeled]
    told, truth = config.labeling, table.true_labels(table.labeled)
    drawn = labeling.draw(config.seed, ids, told.random_rows)
    every = labeling.draw(config.seed, ids, len(ids)) if told.gold_rows else []
    first = [
        [row for row in every if truth[row[1]] == k][: told.gold_of_class]
        for k in range(len(config.columns.classes))
    ]
    drawn, of_class = labeling.of_all_classes(drawn, first, told.gold_of_class)
    at = [table.labeled[n] for _, n in (*drawn, *of_class)]
    gold = dict(zip(at, table.true_labels(at).tolist(), strict=True))
    given = answers.in_use(config, staged, run_folder)
    index_of = {row_id: n for n, row_id in enumerate(table.row_ids) if row_id in given}
    new = {n: given[row_id][1] for row_id, n in index_of.items() if n not in gold}
    said = {n: answers.label_of(answer, config) for n, answer in new.items()}
    chosen = frozenset(n for n, answer in new.items() if answer.selection != "random")
    chosen |= {table.labeled[n] for _, n in of_class}
    found = replace(applied, gold=gold | said, answered=len(new), chosen=chosen)
    if told.random_rows < told.gold_rows and found.gold:
        more = _informative(found, config)
        labels = dict(zip(more, table.true_labels(more).tolist(), strict=True))
        found = replace(found, gold=gold | labels | said, chosen=chosen | set(more))
    return found


def sample_of(applied: Applied, config: Config) -> tuple[Sample, NDArray[np.int64]]:
    """The labeler's sample of the rows, and the index of each of them."""
    table = applied.table
    order = np.array(
        [labeling.draw_order(config.seed, row_id) for row_id in table.row_ids], dtype=np.uint64
    )
    labels = np.full(len(order), NO_LABEL, dtype=np.int8)
    labels[table.labeled] = table.true_labels(table.labeled)
    every = Sample(order, table.row_ids, labels, applied.votes, applied.columns, {})
    drawn = every.drawn(SIZE)
    index_of = {row_id: n for n, row_id in enumerate(table.row_ids)}
    return drawn, np.array([index_of[row_id] for row_id in drawn.row_ids], dtype=np.int64)


def _informative(applied: Applied, config: Config) -> list[int]:
    """What is left of the budget, spent on the rows whose label tells most: their indices."""
    sample, index = sample_of(applied, config)
    ids = {applied.table.row_ids[n] for n in applied.gold}
    count = config.labeling.gold_rows - config.labeling.random_rows
    of_gold, classes = _gold_columns(applied), len(config.columns.names)
    found = informative(sample, _gold(applied), of_gold, ids, count, classes)
    return [int(index[n]) for n in found]


def _gold_columns(applied: Applied) -> Columns:
    at = np.array(list(applied.gold), dtype=np.int64)
    return {name: taken(column, at) for name, column in applied.columns.items()}


def _fitted(
    applied: Applied,
    config: Config,
    vectors: Votes,
    counts: Counts,
    gold: Gold,
    balance: Floats | None = None,
) -> Fitted:
    """The label model as a run would fit it."""
    sample, _ = sample_of(applied, config)
    classes = config.columns.names
    majority = MajorityByColumns.of(sample.votes, sample.columns, len(classes))
    seen = SeenRows(majority, _gold_columns(applied))
    told, names = config.labeling, _names(applied)
    fitted = label_model.fit(
        vectors, counts, gold, names, told, config.seed, balance, classes, seen
    )
    return moved(fitted, told.even_errors, vectors, counts, gold, sample)


def _gold(applied: Applied) -> Gold:
    label_model.check_gold(len(applied.gold))
    at = list(applied.gold)
    labels = np.array(list(applied.gold.values()), dtype=np.int8)
    return Gold(applied.votes[at], labels, np.array([n not in applied.chosen for n in at]))


def probability(applied: Applied, config: Config) -> NDArray[np.float64]:
    """P(positive) of every row by the label model, float64 [rows]; shares of more than two classes.

    As long as the gold rows drawn at random are not of all classes there is no label model: the
    shares of the votes, with one vote more for each class, stand for it.
    """
    classes = config.columns.names
    random = {label for n, label in applied.gold.items() if n not in applied.chosen}
    if len(random) < len(classes):
        cast = [(applied.votes == code).sum(axis=1) + 1.0 for code in range(len(classes))]
        shares = np.stack(cast, axis=1)
        return folded(shares / shares.sum(axis=1, keepdims=True))
    vectors, counts, vector_of_row = distinct(applied.votes)
    fitted = _fitted(applied, config, vectors, counts, _gold(applied))
    return fitted.answers(vector_of_row, applied.columns)


def _names(applied: Applied) -> list[str]:
    return [function.name for function in applied.functions]


def _labels(applied: Applied, config: Config) -> labels_report.FunctionsReport:
    """The label report that a run would write."""
    vectors, counts, vector_of_row = distinct(applied.votes)
    covered = (applied.votes != ABSTAIN).any(axis=1)
    groups = label_groups.count(
        {name: coded(values) for name, values in applied.table.groups.items()}, covered
    )
    of_gold = {
        column: [values[n] for n in applied.gold] for column, values in applied.table.groups.items()
    }
    names, gold, balance = _names(applied), _gold(applied), None
    classes = config.columns.names
    if config.labeling.gold_rows:
        truth = applied.table.true_labels(applied.table.labeled)
        counted = label_model.rows_of_classes(truth, len(classes))
        gold, balance = label_model.measurable(gold, counted, classes)
    fitted = _fitted(applied, config, vectors, counts, gold, balance)
    correction, alike = None, config.fairness.of_labels
    if alike is not None:
        values = coded([label_groups.name_of(v) for v in applied.table.groups[alike.column]])
        of_groups = counts_of_groups(values, vector_of_row, len(vectors))
        named = [str(values.at(n)) for n in applied.gold]
        sample, index = sample_of(applied, config)
        grouped = replace(sample, groups={alike.column: taken(values, index)})
        fitted, correction = correct(fitted, alike, of_groups, vectors, gold, named, grouped)
    report = label_report.weak(
        names,
        vectors,
        counts,
        gold,
        fitted,
        applied.answered,
        groups,
        of_gold,
        config.columns.called,
        correction,
    )
    return labels_report.FunctionsReport.model_validate(report)


def _disagreements(applied: Applied, config: Config) -> list[labels_report.DisagreementReport]:
    found, classes = [], config.columns.names
    for pair in label_analysis.disagreements(applied.votes, _gold(applied), PAIRS):
        both = [applied.functions[pair.first], applied.functions[pair.second]]
        at = label_analysis.rows_of_disagreement(applied.votes, pair.first, pair.second)
        chosen = sorted(at.tolist(), key=lambda n: n not in applied.gold)[:EXAMPLES]
        columns = labeling.columns_read(both, [applied.rows[n] for n in chosen], classes)
        values = asdict(pair) | {"first": both[0].name, "second": both[1].name}
        examples = _examples(applied, chosen, columns, config.columns.called)
        found.append(labels_report.DisagreementReport(**values, examples=examples))
    return found


def _uncovered(applied: Applied, called: Sequence[str]) -> labels_report.Uncovered:
    silent = (applied.votes == ABSTAIN).all(axis=1)
    common = label_analysis.in_common(applied.table.columns, silent, COMMON)
    chosen = np.flatnonzero(silent)[:EXAMPLES].tolist()
    shown = [each.column for each in common] or list(applied.table.columns)
    return labels_report.Uncovered(
        rows=int(silent.sum()),
        in_common=common,
        examples=_examples(applied, chosen, shown, called),
    )


def _examples(
    applied: Applied, at: Sequence[int], columns: Sequence[str], called: Sequence[str]
) -> list[ExampleRow]:
    words: dict[int | None, str | None] = {None: None, **dict(enumerate(called))}
    return [
        ExampleRow.model_validate(
            {
                "row_id": applied.table.row_ids[n],
                "columns": {column: applied.rows[n][column] for column in columns},
                "label": words[applied.gold.get(n)],
            }
        )
        for n in at
    ]
