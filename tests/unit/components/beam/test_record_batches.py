"""Columns and true labels of record batches."""

import pyarrow as pa
import pytest

from components.beam import record_batches
from core.errors import InputError
from core.sections.columns import TrueLabel
from models.labels.votes import NEGATIVE, POSITIVE


def test_a_class_may_be_called_none() -> None:
    batch = pa.RecordBatch.from_pydict({"disease": pa.array([["None"], ["flu"], None])})
    found = record_batches.true_labels(
        batch, TrueLabel(label="disease", classes=("None", "flu"), positive="flu")
    )
    assert found.tolist() == [NEGATIVE, POSITIVE, record_batches.UNKNOWN]


def test_row_with_two_values() -> None:
    batch = pa.RecordBatch.from_pydict({"age": pa.array([[1], [2, 3]])})
    with pytest.raises(InputError, match="column age: a row has 2 values"):
        record_batches.values(batch, "age")
