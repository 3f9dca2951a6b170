"""The two passes of labelling over files of Examples: votes, then labels.

The first pass applies the labelling functions to a file and keeps the distinct vote vectors, the
vector of each row and the file's share of the draw of gold rows. From all files' votes come the
labels of the vectors. The second pass reads the file again and writes it with `label` and `weight`.
"""

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from components import record_batches
from components.record_batches import ROW_ID, UNKNOWN, Value
from models import label_groups, label_model, label_report, labeling
from models.errors import InputError
from models.preprocessing import LABEL, WEIGHT


@dataclass(frozen=True)
class Answer:
    """A label that people gave; `random` tells rows drawn at random from rows chosen to inform."""

    label: int
    random: bool


@dataclass(frozen=True)
class Settings:
    """How to label.

    Attributes:
      label_column: Column with the true label.
      positive: Its value for the class to detect.
      negative: Its value for the other class.
      mode: `weak`, or `gold` for the true label of all rows and weight 1.
      functions: Dotted name of the module of labelling functions; unused in gold mode.
      columns: The columns that the functions may read.
      groups: The columns by whose values coverage and error are reported.
      gold_rows: How many true labels of train and eval may be seen.
      gold_weight: Weight of a gold row in weak mode.
      uncovered: Rows without a vote: `drop` gives weight 0, `prior` the class balance as label.
      epochs: Training steps of the label model.
      seed: Draws the gold rows and the label model's initial weights.
      answers: By row id, what people said; these are gold rows beside the budget.
    """

    label_column: str
    positive: str
    negative: str
    mode: str
    functions: str
    columns: tuple[str, ...]
    groups: tuple[str, ...]
    gold_rows: int
    gold_weight: float
    uncovered: str
    epochs: int
    seed: int
    answers: Mapping[str, Answer]


@dataclass(frozen=True)
class Shard:
    """One file of a split, and where its labelled rows go."""

    source: str
    destination: str


@dataclass(frozen=True, order=True)
class Candidate:
    """A row that was answered, or a labelled one that the draw of gold rows may take."""

    order: int
    row_id: str
    label: int
    votes: bytes
    groups: tuple[Value, ...]


@dataclass(frozen=True)
class Tally:
    """What the votes on one shard come to.

    Attributes:
      vectors: int8 [vectors, functions], distinct vote vectors.
      counts: int64 [vectors], rows behind each vector.
      candidates: The shard's share of the draw of gold rows.
      answered: The rows that people labelled.
      labeled: Rows with a true label, negative and positive.
      groups: Rows and covered rows of each group.
    """

    vectors: NDArray[np.int8]
    counts: NDArray[np.int64]
    candidates: tuple[Candidate, ...]
    answered: tuple[Candidate, ...]
    labeled: tuple[int, int]
    groups: label_groups.Counts


@dataclass(frozen=True)
class VotedShard:
    """A shard, its tally, and the vote vector of each row as int32 [rows], an index into it."""

    shard: Shard
    tally: Tally
    vector_of_row: NDArray[np.int32]


@dataclass(frozen=True)
class Labels:
    """The outcome of labelling.

    Attributes:
      probability: P(positive) by vote vector.
      gold: True label by row id, of drawn and answered rows; empty in gold mode, which takes all.
      class_balance: Share of positives among gold rows.
      report: The label report.
    """

    probability: dict[bytes, float]
    gold: dict[str, int]
    class_balance: float
    report: dict[str, Any]


def vote(shard: Shard, settings: Settings) -> VotedShard:
    """Applies the labelling functions to one shard; in gold mode there are none."""
    functions = []
    if settings.mode == "weak":
        functions = labeling.load(settings.functions)
    votes = [np.empty((0, len(functions)), dtype=np.int8)]
    counted: list[label_groups.Counts] = []
    candidates: list[Candidate] = []
    answered: list[Candidate] = []
    labeled = np.zeros(2, dtype=np.int64)
    for batch in record_batches.read(shard.source):
        row_ids = [str(row_id) for row_id in record_batches.values(batch, ROW_ID)]
        columns = [record_batches.values(batch, column) for column in settings.columns]
        rows = [dict(zip(settings.columns, row, strict=True)) for row in zip(*columns, strict=True)]
        votes.append(labeling.apply_functions(functions, rows, row_ids))
        groups = {column: record_batches.values(batch, column) for column in settings.groups}
        covered = (votes[-1] != label_model.ABSTAIN).any(axis=1)
        counted.append(label_groups.count(groups, covered))
        labels = _truth(batch, settings)
        known = np.flatnonzero(labels != UNKNOWN)
        labeled += np.bincount(labels[known], minlength=2)
        drawn = labeling.draw(settings.seed, [row_ids[n] for n in known], settings.gold_rows)
        fresh = [
            Candidate(
                order,
                row_ids[n],
                int(labels[n]),
                votes[-1][n].tobytes(),
                tuple(values[n] for values in groups.values()),
            )
            for order, n in ((order, known[k]) for order, k in drawn)
        ]
        candidates = heapq.nsmallest(settings.gold_rows, [*candidates, *fresh])
        answered += [
            Candidate(
                labeling.draw_order(settings.seed, row_id),
                row_id,
                settings.answers[row_id].label,
                votes[-1][n].tobytes(),
                tuple(values[n] for values in groups.values()),
            )
            for n, row_id in enumerate(row_ids)
            if row_id in settings.answers
        ]
    vectors, counts, vector_of_row = label_model.distinct(np.concatenate(votes))
    both = int(labeled[0]), int(labeled[1])
    by_group = label_groups.merge(counted)
    tally = Tally(vectors, counts, tuple(candidates), tuple(answered), both, by_group)
    return VotedShard(shard, tally, vector_of_row.astype(np.int32))


def find_labels(tallies: list[Tally], settings: Settings) -> Labels:
    """Draws the gold rows and fits the label model on the votes on all shards.

    In gold mode every labelled row is a gold row and there is nothing to fit.
    """
    if settings.mode == "gold":
        negative, positive = np.sum([tally.labeled for tally in tallies], axis=0).tolist()
        if positive + negative == 0:
            raise InputError(
                f"column {settings.label_column}: missing, or empty in every row of train and "
                "eval; labeling.mode=gold needs true labels, labeling.mode=weak a few"
            )
        balance = label_model.class_balance(positive, negative)
        report = label_report.gold(positive + negative, balance)
        return Labels({}, {}, balance, report)
    drawn = heapq.nsmallest(settings.gold_rows, (c for tally in tallies for c in tally.candidates))
    if len(drawn) < settings.gold_rows:
        raise InputError(
            f"column {settings.label_column}: {len(drawn)} rows of train and eval have a label, "
            f"labeling.gold_rows asks for {settings.gold_rows}; label more rows or lower it"
        )
    vectors, counts = label_model.merge([(tally.vectors, tally.counts) for tally in tallies])
    taken = {c.row_id for c in drawn}
    answered = sorted(c for tally in tallies for c in tally.answered if c.row_id not in taken)
    gold_rows = [*drawn, *answered]
    gold = label_model.Gold(
        np.stack([np.frombuffer(c.votes, dtype=np.int8) for c in gold_rows]),
        np.array([c.label for c in gold_rows], dtype=np.int8),
        np.array([c.row_id in taken or settings.answers[c.row_id].random for c in gold_rows]),
    )
    names = [f.name for f in labeling.load(settings.functions)]
    fitted = label_model.fit(vectors, counts, gold, names, settings.epochs, settings.seed)
    keys = [vector.tobytes() for vector in vectors]
    probability = dict(zip(keys, fitted.probability.tolist(), strict=True))
    groups = label_groups.merge(tally.groups for tally in tallies)
    of_gold = {name: [c.groups[n] for c in gold_rows] for n, name in enumerate(settings.groups)}
    report = label_report.weak(names, vectors, counts, gold, fitted, groups, of_gold)
    report["gold_rows_answered"] = len(answered)
    labels = {c.row_id: c.label for c in gold_rows}
    return Labels(probability, labels, fitted.class_balance, report)


def write_labeled(voted: VotedShard, labels: Labels, settings: Settings) -> None:
    """Writes the rows of a shard of train or eval with `label` and `weight`.

    Rows without a vote, and in gold mode those without a true label, get the class balance.
    """
    vectors = voted.tally.vectors
    probability = np.array([labels.probability.get(v.tobytes(), np.nan) for v in vectors])
    covered = (vectors != label_model.ABSTAIN).any(axis=1)
    keep_uncovered = settings.mode == "weak" and settings.uncovered == "prior"
    weight = np.where(covered, 1.0, float(keep_uncovered))
    probability[~covered] = labels.class_balance

    def batches() -> Iterator[pa.RecordBatch]:
        first = 0
        for batch in record_batches.read(voted.shard.source):
            vector = voted.vector_of_row[first : first + batch.num_rows]
            first += batch.num_rows
            if settings.mode == "weak":
                row_ids = map(str, record_batches.values(batch, ROW_ID))
                truth = np.array([labels.gold.get(i, UNKNOWN) for i in row_ids], dtype=np.int8)
            else:
                truth = _truth(batch, settings)
            gold = truth != UNKNOWN
            yield _labeled(
                batch,
                settings.label_column,
                gold,
                np.where(gold, truth, probability[vector]),
                np.where(gold, _gold_weight(settings), weight[vector]),
            )

    record_batches.write(voted.shard.destination, batches())


def write_test(shard: Shard, settings: Settings) -> None:
    """Writes the rows of a shard of the test split with their true label and weight 1.

    Raises:
      InputError: A row has no label.
    """

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in record_batches.read(shard.source):
            truth = _truth(batch, settings)
            if (truth == UNKNOWN).any():
                row_id = record_batches.values(batch, ROW_ID)[int(np.argmin(truth))]
                raise InputError(
                    f"row {row_id}, column {settings.label_column}: empty; every test row needs "
                    "its true label, because models are measured on it"
                )
            everywhere = np.ones(batch.num_rows, dtype=bool)
            yield _labeled(batch, settings.label_column, everywhere, truth, everywhere)

    record_batches.write(shard.destination, batches())


def _truth(batch: pa.RecordBatch, settings: Settings) -> NDArray[np.int8]:
    names = settings.label_column, settings.positive, settings.negative
    return record_batches.true_labels(batch, *names)


def _gold_weight(settings: Settings) -> float:
    return settings.gold_weight if settings.mode == "weak" else 1.0


def _labeled(
    batch: pa.RecordBatch,
    label_column: str,
    gold: NDArray[np.bool_],
    label: NDArray[Any],
    weight: NDArray[Any],
) -> pa.RecordBatch:
    columns = {}
    if label_column in batch.schema.names:
        columns[label_column] = record_batches.keep(batch, label_column, gold)
    columns[LABEL] = record_batches.floats(label)
    columns[WEIGHT] = record_batches.floats(weight)
    return record_batches.replaced(batch, columns)
