"""The second pass of labelling over files of Examples: `label` and `weight` are added to rows."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from components.beam import record_batches
from components.beam.finding_labels import Labels, label_column
from components.beam.record_batches import UNKNOWN
from components.beam.voting_pass import LabelerSettings, Shard, VotedShard, truth_of
from core.errors import InputError
from core.names import LABEL, ROW_ID, WEIGHT
from models.labels import groups as label_groups
from models.labels.additive.model import ColumnScores
from models.labels.by_group.shifts import Correction, shifted
from models.labels.votes import ABSTAIN


def write_labeled(voted: VotedShard, labels: Labels, settings: LabelerSettings) -> None:
    """Writes the rows of a shard of train or eval with `label` and `weight`.

    Rows without a vote, and in gold mode those without a true label, get the class balance as label
    and no weight (`distill`: the student alone sees them, with the teacher's opinion), weight 1
    (`prior`), or are left out (`drop`, in weak mode).
    """
    vectors = voted.tally.vectors
    nothing = np.full(settings.columns.width, np.nan)
    label = np.array([labels.label.get(v.tobytes(), nothing) for v in vectors])
    label = label.reshape(len(vectors), settings.columns.width)
    of_class = label_column(np.eye(len(settings.columns.classes)))
    covered = (vectors != ABSTAIN).any(axis=1)
    weak = settings.labeling.mode == "weak"
    uncovered = settings.labeling.uncovered if weak else "distill"
    gold_weight = settings.labeling.gold_weight if weak else 1.0
    weight = np.where(covered, 1.0, float(uncovered == "prior"))
    label[~covered] = labels.class_balance

    def batches() -> Iterator[pa.RecordBatch]:
        first = 0
        for batch in record_batches.read(voted.shard.source):
            vector = voted.vector_of_row[first : first + batch.num_rows]
            first += batch.num_rows
            if weak:
                row_ids = map(str, record_batches.values(batch, ROW_ID))
                truth = np.array([labels.gold.get(i, UNKNOWN) for i in row_ids], dtype=np.int8)
            else:
                truth = truth_of(batch, settings)
            gold = truth != UNKNOWN
            of_row = label[vector]
            if labels.columns is not None:
                of_row = _with_columns(of_row, batch, covered[vector], labels.columns)
            if labels.by_group is not None:
                of_row = _shifted(of_row, batch, covered[vector], labels.by_group)
            labeled = _labeled(
                batch,
                settings.columns.label,
                gold,
                np.where(gold[:, None], of_class[truth], of_row),
                np.where(gold, gold_weight, weight[vector]),
            )
            kept = covered[vector] | gold | (uncovered != "drop")
            yield labeled if kept.all() else labeled.filter(pa.array(kept))

    record_batches.write(voted.shard.destination, batches())


def _with_columns(
    label: NDArray[np.float64],
    batch: pa.RecordBatch,
    covered: NDArray[np.bool_],
    scores: ColumnScores,
) -> NDArray[np.float64]:
    """Labels float64 [rows, width] of a batch, those with a vote with what the columns add."""
    columns = {name: record_batches.coded(batch, name) for name in scores.coding.columns}
    answers = label[:, 0] if label.shape[1] == 1 else label
    added = scores.added(answers, columns).reshape(label.shape)
    return np.where(covered[:, None], added, label)


def _shifted(
    label: NDArray[np.float64],
    batch: pa.RecordBatch,
    covered: NDArray[np.bool_],
    done: Correction,
) -> NDArray[np.float64]:
    """Labels float64 [rows, 1] of a batch, those with a vote moved as their groups are."""
    column = record_batches.coded(batch, done.column)
    shifts = done.shifts([label_groups.name_of(value) for value in column.values])
    return shifted(label, np.where(covered, shifts[column.codes], 0.0)[:, None])


def write_test(shard: Shard, settings: LabelerSettings) -> None:
    """Writes the rows of a shard of the test split with their true label and weight 1.

    Raises:
      InputError: A row has no label.
    """
    of_class = label_column(np.eye(len(settings.columns.classes)))

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in record_batches.read(shard.source):
            truth = truth_of(batch, settings)
            if (truth == UNKNOWN).any():
                row_id = record_batches.values(batch, ROW_ID)[int(np.argmin(truth))]
                raise InputError(
                    f"row {row_id}, column {settings.columns.label}: empty; every test row needs "
                    "its true label, because models are measured on it"
                )
            everywhere = np.ones(batch.num_rows, dtype=bool)
            yield _labeled(batch, settings.columns.label, everywhere, of_class[truth], everywhere)

    record_batches.write(shard.destination, batches())


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
