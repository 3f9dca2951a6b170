"""Files of rows to be answered, read a chunk at a time, and files of answers, written whole."""

import csv
import gzip
import zlib
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from core import csv_text
from core.errors import InputError

CHUNK_ROWS = 4096
OUTPUTS = (".csv", ".parquet")
_TFRECORD = (".tfrecord", ".tfrecords", ".gz")
INPUTS = (*OUTPUTS, *_TFRECORD)


class Chunk(NamedTuple):
    """Some rows of a file.

    Attributes:
      first: Number of the first, from 1.
      columns: Their names; None where rows are serialized tf.Examples.
      rows: A list of cells each, texts in CSV; or bytes.
      table: The same rows, of Parquet: what is written out has their types.
    """

    first: int
    columns: tuple[str, ...] | None
    rows: Sequence[Any]
    table: pa.Table | None = None


def read(path: Path) -> Iterator[Chunk]:
    """The rows of a CSV, Parquet or TFRecord file, by its ending.

    Raises:
        InputError: there is no such file, or it is none of these.
    """
    if path.suffix not in INPUTS:
        raise InputError(f"{path}: rows are read from files that end in {', '.join(INPUTS)}")
    if not path.is_file():
        raise InputError(f"{path}: there is no such file")
    reader = {".csv": _csv, ".parquet": _parquet}.get(path.suffix, _tfrecord)
    first = 1
    for chunk in reader(path):
        yield Chunk(first, chunk.columns, chunk.rows, chunk.table)
        first += len(chunk.rows)
    if first == 1:
        raise csv_text.no_rows(str(path))


def _csv(path: Path) -> Iterator[Chunk]:
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            lines = (line for line in file)
            rows = csv_text.read(_not_blank(lines, path), str(path))
            header = tuple(next(rows))
            _check_header(header, path)
            while cells := list(islice(rows, CHUNK_ROWS)):
                yield Chunk(0, header, cells)
    except UnicodeDecodeError:
        csv_text.decode(path.read_bytes(), str(path))  # names the row
        raise


def _not_blank(lines: Iterator[str], path: Path) -> Iterator[str]:
    first = next((line for line in lines if line.strip()), None)
    if first is None:
        csv_text.decode(b"", str(path))
        return
    yield first
    yield from lines


def _parquet(path: Path) -> Iterator[Chunk]:
    try:
        with pq.ParquetFile(path) as file:
            names = tuple(file.schema_arrow.names)
            _check_header(names, path)
            for batch in file.iter_batches(CHUNK_ROWS):
                cells = [column.to_pylist() for column in batch.columns]
                rows = [list(row) for row in zip(*cells, strict=True)]
                yield Chunk(0, names, rows, pa.Table.from_batches([batch]))
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path}: no Parquet file: {error}") from error


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


def _check_header(names: Sequence[str], path: Path) -> None:
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"{path}: {names.count(name)} columns are called '{name}'; keep one")


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
