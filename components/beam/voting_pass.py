"""The first pass of labelling over files of Examples: votes.

Of a file it keeps the distinct vote vectors, which of them each row has, the file's share of the
draw of gold rows, and its share of a sample of all rows.
"""

import heapq
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field

from components.beam import record_batches
from components.beam.record_batches import UNKNOWN
from core.names import ROW_ID
from core.sections.columns import TrueLabel
from core.sections.fairness import GroupRate
from core.sections.labeling import Labeler
from core.sections.section import Section
from models.labels import functions as labeling
from models.labels import groups as label_groups
from models.labels.additive.sample import Drawing, Sample
from models.labels.by_group.rows import counts_of_groups
from models.labels.rows import CodedColumn, Value
from models.labels.votes import ABSTAIN, Counts, Votes, distinct
from models.labels.voting import Voter


@dataclass(frozen=True)
class AnsweredLabel:
    """A label that people gave; `random` tells rows drawn at random from rows chosen to inform."""

    label: int
    random: bool


class LabelerSettings(Section):
    """How to label.

    Attributes:
      columns: The column with the true label, and its classes.
      labeling: The section of the configuration, as far as labels follow from it.
      features: The columns that the labelling functions may read.
      groups: The columns by whose values coverage and error are reported.
      by_group: The rate of labels that is made alike in groups; None: labels are left as they are.
      seed: Draws the gold rows and the label model's initial weights.
      answers: By row id, what people said; these are gold rows beside the budget.
    """

    columns: TrueLabel
    labeling: Labeler
    features: tuple[str, ...]
    groups: tuple[str, ...]
    by_group: GroupRate | None = None
    seed: int
    answers: dict[str, AnsweredLabel] = Field(default_factory=dict)


@dataclass(frozen=True)
class Shard:
    """One file of a split, and where its labelled rows go."""

    source: str
    destination: str


@dataclass(frozen=True, order=True)
class Candidate:
    """A row that was answered, or a labelled one that the draw of gold rows may take.

    `groups` and `values` are in the order of the settings' `groups` and `features`.
    """

    order: int
    row_id: str
    label: int
    votes: bytes
    groups: tuple[Value, ...]
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Tally:
    """What the votes on one shard come to.

    Attributes:
      vectors: int8 [vectors, functions], distinct vote vectors.
      counts: int64 [vectors], rows behind each vector.
      candidates: The shard's share of the draw of gold rows.
      of_class: The first of each class in the order of the draw, by class.
      answered: The rows that people labelled.
      labeled: Rows with a true label, by class.
      groups: Rows and covered rows of each group.
      by_group: Of each group whose labels are corrected, int64 [vectors], rows behind each vector.
      sample: The shard's share of a sample of all rows; None in gold mode or without a row.
    """

    vectors: NDArray[np.int8]
    counts: NDArray[np.int64]
    candidates: tuple[Candidate, ...]
    of_class: tuple[tuple[Candidate, ...], ...]
    answered: tuple[Candidate, ...]
    labeled: tuple[int, ...]
    groups: label_groups.Counts
    by_group: Mapping[str, Counts]
    sample: Sample | None = None


@dataclass(frozen=True)
class VotedShard:
    """A shard, its tally, and of each row the number of its vote vector: unsigned [rows]."""

    shard: Shard
    tally: Tally
    vector_of_row: NDArray[Any]


class Counter:
    """Distinct vote vectors, numbered as they come, and how often each was seen."""

    def __init__(self, functions: int) -> None:
        self._functions = functions
        self._number_of: dict[bytes, int] = {}
        self._counts: list[int] = []

    def add(self, votes: Votes) -> NDArray[np.int32]:
        """Counts the vectors of a batch and returns their numbers, int32 [rows]."""
        vectors, counts, vector_of_row = distinct(votes)
        numbers = np.empty(len(vectors), dtype=np.int32)
        for n, (vector, count) in enumerate(zip(vectors, counts.tolist(), strict=True)):
            number = self._number_of.setdefault(vector.tobytes(), len(self._number_of))
            if number == len(self._counts):
                self._counts.append(0)
            self._counts[number] += count
            numbers[n] = number
        return numbers[vector_of_row]

    def vectors(self) -> tuple[Votes, Counts]:
        """int8 [vectors, functions] by number, and int64 [vectors], their counts."""
        joined = np.frombuffer(b"".join(self._number_of), dtype=np.int8)
        return joined.reshape(len(self._counts), self._functions), np.array(self._counts, np.int64)


class GroupNumbers:
    """Groups, numbered as they come."""

    def __init__(self) -> None:
        self._number_of: dict[str, int] = {}
        self._numbers = [np.empty(0, dtype=np.int64)]

    def add(self, column: CodedColumn) -> None:
        """The groups of a batch of rows."""
        names = [label_groups.name_of(value) for value in column.values]
        known = self._number_of
        self._numbers.append(
            np.array([known.setdefault(n, len(known)) for n in names])[column.codes]
        )

    def counts(self, vector_of_row: NDArray[np.int32], vectors: int) -> dict[str, Counts]:
        """By group with a row, how many of its rows have each vote vector: int64 [vectors]."""
        column = CodedColumn(np.concatenate(self._numbers), list(self._number_of))
        return counts_of_groups(column, vector_of_row, vectors)


def make_voter(settings: LabelerSettings) -> Voter:
    """What applies the labelling functions; in gold mode there are none."""
    weak = settings.labeling.mode == "weak"
    functions = labeling.load(settings.labeling.functions or "") if weak else []
    return Voter(functions, settings.columns.names)


def vote(shard: Shard, settings: LabelerSettings, voter: Voter) -> VotedShard:
    """Applies the labelling functions to one shard, batch by batch.

    Of each row only the number of its vote vector is kept.
    """
    counter, told = Counter(len(voter.functions)), settings.labeling
    of_class: list[list[Candidate]] = [[] for _ in settings.columns.classes]
    numbers, counted = [np.empty(0, dtype=np.int32)], list[label_groups.Counts]()
    candidates, answered = list[Candidate](), list[Candidate]()
    corrected, drawing = GroupNumbers(), Drawing()
    labeled = np.zeros(len(of_class), dtype=np.int64)
    for batch in record_batches.read(shard.source):
        row_ids = [str(row_id) for row_id in record_batches.values(batch, ROW_ID)]
        columns = {name: record_batches.coded(batch, name) for name in settings.features}
        votes = voter.vote(columns, row_ids)
        numbers.append(counter.add(votes))
        groups = {name: record_batches.coded(batch, name) for name in settings.groups}
        if settings.by_group is not None:
            corrected.add(groups[settings.by_group.column])
        covered = (votes != ABSTAIN).any(axis=1)
        counted = [label_groups.merge([*counted, label_groups.count(groups, covered)])]
        labels = truth_of(batch, settings)
        known = np.flatnonzero(labels != UNKNOWN)
        order = np.array([labeling.draw_order(settings.seed, i) for i in row_ids], dtype=np.uint64)
        if told.mode == "weak":
            drawing.add(Sample(order, row_ids, labels, votes, columns, groups))
        labeled += np.bincount(labels[known], minlength=len(of_class))

        def candidate(n: int, label: int) -> Candidate:
            of_row = tuple(column.at(n) for column in groups.values())  # noqa: B023
            values = tuple(column.at(n) for column in columns.values())  # noqa: B023
            place = int(order[n])  # noqa: B023
            return Candidate(place, row_ids[n], label, votes[n].tobytes(), of_row, values)  # noqa: B023

        def drawn(rows: NDArray[np.int64], count: int) -> list[Candidate]:
            first = rows[np.argsort(order[rows], kind="stable")][:count]  # noqa: B023
            return [candidate(n, int(labels[n])) for n in first.tolist()]  # noqa: B023

        fresh = drawn(known, told.gold_rows)
        candidates = heapq.nsmallest(told.gold_rows, [*candidates, *fresh])
        if told.gold_rows:
            for kind, before in enumerate(of_class):
                more = drawn(known[labels[known] == kind], told.gold_of_class)
                of_class[kind] = heapq.nsmallest(told.gold_of_class, [*before, *more])
        answered += [
            candidate(n, settings.answers[i].label)
            for n, i in enumerate(row_ids)
            if i in settings.answers
        ]
    vectors, counts = counter.vectors()
    number_of_row = np.concatenate(numbers)
    tally = Tally(
        vectors,
        counts,
        tuple(candidates),
        tuple(map(tuple, of_class)),
        tuple(answered),
        tuple(labeled.tolist()),
        label_groups.merge(counted),
        corrected.counts(number_of_row, len(vectors)) if settings.by_group else {},
        drawing.sample() if drawing.used else None,
    )
    smallest = np.min_scalar_type(max(len(vectors) - 1, 0))
    return VotedShard(shard, tally, number_of_row.astype(smallest))


def truth_of(batch: pa.RecordBatch, settings: LabelerSettings) -> NDArray[np.int8]:
    """True label of each row, UNKNOWN where there is none: int8 [rows]."""
    return record_batches.true_labels(batch, settings.columns)
