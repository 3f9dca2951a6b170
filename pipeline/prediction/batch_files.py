"""Files of rows to be answered, read a chunk at a time, and files of answers, written whole."""

import csv
import gzip
import zlib
from collections.abc import Collection, Iterator, Sequence
from itertools import compress, islice
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from core import csv_text
from core.errors import InputError
from core.raw import parquet_text
from core.raw.raw_files import SameColumns, csv_rows

CHUNK_ROWS = 4096
OUTPUTS = (".csv", ".parquet")
_TFRECORD = (".tfrecord", ".tfrecords", ".gz")
INPUTS = (*OUTPUTS, *_TFRECORD)


class Chunk(NamedTuple):
    """Some rows of a file.

    Attributes:
      first: Number of the first, from 1.
      columns: Their names; None where rows are serialized tf.Examples.
      rows: A list of cells each, all of them texts, "" where missing; or bytes.
      table: The same rows, of Parquet: what is written out has their types.
    """

    first: int
    columns: tuple[str, ...] | None
    rows: Sequence[Any]
    table: pa.Table | None = None


def read(path: Path, wanted: Collection[str]) -> Iterator[Chunk]:
    """The rows of a CSV, Parquet or TFRecord file, by its ending.

    Args:
        path: the file.
        wanted: columns whose values are asked for: of Parquet the others are in `table` alone.

    Raises:
        InputError: there is no such file, it is none of these, a wanted column of Parquet holds no
            texts or numbers, or columns of one name differ.
    """
    if path.suffix not in INPUTS:
        raise InputError(f"{path}: rows are read from files that end in {', '.join(INPUTS)}")
    if not path.is_file():
        raise InputError(f"{path}: there is no such file")
    if path.suffix == ".csv":
        chunks = _csv(path)
    else:
        chunks = _parquet(path, wanted) if path.suffix == ".parquet" else _tfrecord(path)
    first = 1
    for chunk in chunks:
        yield Chunk(first, chunk.columns, chunk.rows, chunk.table)
        first += len(chunk.rows)
    if first == 1:
        raise csv_text.no_rows(str(path))


def _csv(path: Path) -> Iterator[Chunk]:
    name, first = str(path), 1
    with open(path, "rb") as file:
        rows = csv_rows(file, name)
        same = SameColumns(next(rows), name)
        while chunk := list(islice(rows, CHUNK_ROWS)):
            if len(same.names) < same.width:
                for number, row in enumerate(chunk, first):
                    csv_text.check_width(same.header, row, number, name)
                columns = same.once(list(zip(*chunk, strict=True)), first)
                chunk = list(map(list, zip(*columns, strict=True)))
            yield Chunk(0, tuple(same.names), chunk)
            first += len(chunk)


def _parquet(path: Path, wanted: Collection[str]) -> Iterator[Chunk]:
    name, first = str(path), 1
    with open(path, "rb") as file, parquet_text.opened(file, name) as parquet:
        schema = parquet.schema_arrow
        same = SameColumns([column.strip() for column in schema.names], name)
        asked = [c in wanted or same.header.count(c) > 1 for c in same.header]
        parquet_text.check_types(list(compress(schema, asked)), name)
        for batch in parquet.iter_batches(CHUNK_ROWS):
            cells = [
                parquet_text.cells(values, column, first, name) if is_asked else values
                for column, values, is_asked in zip(same.header, batch.columns, asked, strict=True)
            ]
            texts = [
                column if isinstance(column, list) else [""] * batch.num_rows
                for column in same.once(cells, first)
            ]
            table = pa.Table.from_arrays([batch.columns[at] for at in same.places], same.names)
            yield Chunk(0, tuple(same.names), list(map(list, zip(*texts, strict=True))), table)
            first += batch.num_rows


def _tfrecord(path: Path) -> Iterator[Chunk]:
    import tensorflow as tf  # loads TensorFlow

    kind = ""
    if path.suffix == ".gz":
        kind = "GZIP"
        _check_gzip(path)
    try:
        records = tf.data.TFRecordDataset(str(path), compression_type=kind).as_numpy_iterator()
        while rows := list(islice(records, CHUNK_ROWS)):
            yield Chunk(0, None, rows)
    except (tf.errors.DataLossError, tf.errors.InvalidArgumentError) as error:
        raise InputError(f"{path}: no TFRecords, or truncated: {error.message}") from error


def _check_gzip(path: Path) -> None:
    """TensorFlow takes the end of a truncated file for the end of the records."""
    try:
        with gzip.open(path) as file:
            while file.read(2**20):
                pass
    except (EOFError, OSError, zlib.error) as error:
        raise InputError(f"{path}: truncated or damaged: {error}; bring it anew") from error


def write_table(path: Path, header: Sequence[str], parts: Iterator[pa.Table]) -> None:
    """Writes tables of the same columns, one after the other, as CSV or Parquet."""
    if path.suffix == ".csv":
        with open(path, "w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerow(header)
            for part in parts:
                cells = zip(*(column.to_pylist() for column in part.columns), strict=True)
                file.writelines(csv_text.to_lines([["" if c is None else str(c) for c in row]
                                                   for row in cells]))  # fmt: skip
        return
    writer: pq.ParquetWriter | None = None
    for part in parts:
        if writer is None:
            writer = pq.ParquetWriter(path, part.schema)
        writer.write_table(part)
    if writer is not None:
        writer.close()
