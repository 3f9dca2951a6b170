"""Files of tf.Examples as Arrow record batches: read, taken apart, extended and written again.

Reading, decoding, encoding and writing are C++ (tf.data, tfx-bsl); no row is a Python proto.
"""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import pyarrow as pa
import tensorflow as tf
from numpy.typing import NDArray
from tfx_bsl.coders.example_coder import RecordBatchToExamplesEncoder
from tfx_bsl.tfxio.dataset_options import RecordBatchesOptions
from tfx_bsl.tfxio.tf_example_record import TFExampleRecord

from core.errors import InputError
from core.names import ROW_ID
from core.sections.columns import TrueLabel
from models.labels.rows import CodedColumn, Value

UNKNOWN = -1  # a row without a true label
BATCH_ROWS = 2048


def read(path: str) -> Iterator[pa.RecordBatch]:
    """Yields the rows of one TFRecord file in order; each column is a list, empty where missing.

    Raises:
      InputError: The file is truncated or damaged.
    """
    options = RecordBatchesOptions(
        batch_size=BATCH_ROWS, drop_final_batch=False, num_epochs=1, shuffle=False
    )
    try:
        yield from TFExampleRecord([path], telemetry_descriptors=[__name__]).RecordBatches(options)
    except tf.errors.DataLossError as error:
        raise InputError(
            f"{path}: truncated or damaged ({error.message}); delete its artifact folder "
            "and run again"
        ) from error


def values(batch: pa.RecordBatch, column: str) -> list[Value]:
    """One value a row: text, a number, or None where the column is missing or empty.

    Raises:
      InputError: A row has several values.
    """
    found = coded(batch, column)
    return [found.values[code] for code in found.codes.tolist()]


def coded(batch: pa.RecordBatch, column: str) -> CodedColumn:
    """The distinct values of a column, and which of them each row has.

    Raises:
      InputError: A row has several values.
    """
    index = batch.schema.get_field_index(column)
    if index < 0 or pa.types.is_null(batch.schema.types[index]):
        return CodedColumn(np.zeros(batch.num_rows, dtype=np.int64), [None])
    lists = batch.column(index)
    lengths = lists.value_lengths().fill_null(0).to_numpy()
    if lengths.max(initial=0) > 1:
        raise InputError(f"column {column}: a row has {lengths.max()} values; one is expected")
    encoded = lists.flatten().dictionary_encode()
    distinct = encoded.dictionary.to_pylist()
    if pa.types.is_large_binary(encoded.type.value_type) or pa.types.is_binary(
        encoded.type.value_type
    ):
        distinct = [word.decode("utf-8", errors="replace") for word in distinct]
    codes = np.full(batch.num_rows, len(distinct), dtype=np.int64)
    codes[np.flatnonzero(lengths)] = encoded.indices.to_numpy()
    return CodedColumn(codes, [*distinct, None])


def true_labels(batch: pa.RecordBatch, columns: TrueLabel) -> NDArray[np.int8]:
    """True label of each row as a class, UNKNOWN where there is none: int8 [rows].

    Raises:
      InputError: A label is none of the classes.
    """
    classes = {name: code for code, name in enumerate(columns.names)}
    found = coded(batch, columns.label)
    unknown = len(classes)
    class_of = np.array(
        [UNKNOWN if v is None else classes.get(str(v), unknown) for v in found.values],
        dtype=np.int8,
    )
    labels: NDArray[np.int8] = class_of[found.codes]
    if (labels == unknown).any():
        at = int(np.argmax(labels == unknown))
        raise InputError(
            f"row {values(batch, ROW_ID)[at]}, column {columns.label}: unknown label "
            f"'{found.at(at)}'; columns.classes are {', '.join(columns.classes)}"
        )
    return labels


def floats(column: NDArray[np.float32]) -> pa.Array:
    """A column with as many numbers in every row, from float32 [rows] or [rows, numbers]."""
    width = 1 if column.ndim == 1 else column.shape[1]
    offsets = pa.array(np.arange(0, width * len(column) + 1, width, dtype=np.int64))
    return pa.LargeListArray.from_arrays(offsets, pa.array(column.reshape(-1).astype(np.float32)))


def keep(batch: pa.RecordBatch, column: str, kept: NDArray[np.bool_]) -> pa.Array:
    """A column without its values in the rows that are not kept, by bool [rows]."""
    lists = batch.column(batch.schema.get_field_index(column))
    nothing = pa.nulls(batch.num_rows, lists.type)
    return pa.compute.if_else(pa.array(kept), lists, nothing)


def replaced(batch: pa.RecordBatch, columns: Mapping[str, pa.Array]) -> pa.RecordBatch:
    """The batch with these columns added or replaced, and without columns that are all empty."""
    arrays = dict(zip(batch.schema.names, batch.columns, strict=True)) | dict(columns)
    arrays = {name: array for name, array in arrays.items() if not pa.types.is_null(array.type)}
    return pa.RecordBatch.from_arrays(list(arrays.values()), names=list(arrays))


def write(path: str, batches: Iterable[pa.RecordBatch]) -> None:
    """Writes the rows as a gzipped TFRecord file of tf.Examples."""
    encoder = RecordBatchToExamplesEncoder()
    options = tf.io.TFRecordOptions(compression_type="GZIP", compression_level=1)  # the fastest
    with tf.io.TFRecordWriter(path, options) as file:
        for batch in batches:
            for example in encoder.encode(batch):
                file.write(example)
