"""Raw rows outside a run, of files or of a request log, as the nodes of a run would see them."""

import csv
import json
import tempfile
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from core import csv_text
from core.config import Config
from core.errors import InputError
from core.sections.columns import TrueLabel
from models.metrics.registry import slice_rows
from pipeline.ingestion import rows, tables
from pipeline.ingestion.contract import raw_columns
from pipeline.ingestion.spans import SourceFile
from pipeline.ingestion.tables import ColumnKinds


@dataclass(frozen=True)
class SpanRows:
    """Raw rows: every cell as text, and the types that the contract gives the columns."""

    table: pd.DataFrame
    kinds: dict[str, str]

    def batches(self) -> list[pa.RecordBatch]:
        """The rows as CsvExampleGen hands them on."""
        from components.data.csv_example_gen import read_csv  # loads TensorFlow

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "rows.csv"
            with open(path, "w", encoding="utf-8", newline="") as file:
                cells = zip(*(self.table[c] for c in self.table), strict=True)
                file.writelines(csv_text.to_lines([list(self.table.columns), *cells]))
            return list(read_csv(str(path), self.kinds))

    def labeled(self, label: str) -> "SpanRows":
        """The rows that have a true label."""
        return SpanRows(self.table[self.table[label] != ""].reset_index(drop=True), self.kinds)

    def codes(self, columns: TrueLabel) -> NDArray[np.int64]:
        """The true class of each labelled row by its code, int64 [rows]."""
        codes = {name: code for code, name in enumerate(columns.names)}
        return self.table[columns.label].map(codes).to_numpy(np.int64)

    def slices(self, config: Config) -> dict[str, NDArray[np.bool_]]:
        """Which rows are in each slice of `evaluation.slices`, bool [rows] by name."""
        cells = {column: list(self.table[column]) for column in self.table}
        cells |= rows.groups(cells, config, ColumnKinds(self.kinds, ()))
        slices = config.evaluation.slices
        return slice_rows({c: np.array(cells[c]) for keys in slices for c in keys}, slices)


def read_files(files: Sequence[SourceFile], config: Config) -> SpanRows:
    """The rows of raw files.

    Raises:
        InputError: names the file, row and column at fault.
    """
    columns = raw_columns(config)
    parts = []
    for file in files:
        table = tables.whole(tables.read_file(file, columns), columns)
        rows.check_labels(table, file.path, config, must_have=False)
        parts.append(table)
    return SpanRows(pd.concat(parts, ignore_index=True), columns.kinds)


def read_requests(path: Path, config: Config) -> SpanRows:
    """The newest requests of a log: JSON objects a line (.jsonl) or CSV with a header.

    A folder is read as `serve` writes it: all its .jsonl files, the newest last. In a line with
    `columns`, the request is what these hold.

    Columns that the models do not take are left out; columns that a request lacks are empty.

    Raises:
        InputError: there is no log, or a line of it cannot be read.
    """
    files = sorted(path.glob("*.jsonl"), reverse=True) if path.is_dir() else [path]
    if not files or not files[0].is_file():
        raise InputError(f"retrain.request_log: there is no file {path}")
    newest: list[dict[str, Any]] = []
    for file in files:
        if (lacking := config.retrain.request_rows - len(newest)) > 0:
            newest = [*_newest_requests(file, lacking), *newest]
    return rows_of(newest, path, config)


def rows_of(requests: Sequence[Mapping[str, Any]], path: Path, config: Config) -> SpanRows:
    """Requests, each its columns by name, as rows; `path` is the log that they were read from.

    Raises:
        InputError: there are none, or they cannot be read by the contract.
    """
    if not requests:
        raise InputError(f"{path}: no requests in it")
    kinds = raw_columns(config).kinds
    wanted = {c: k for c, k in kinds.items() if c != config.columns.label}
    sent = [column for column in wanted if any(column in request for request in requests)]
    if not sent:
        raise InputError(f"{path}: its requests have none of the columns {', '.join(wanted)}")
    text = [sent, *([_cell(request.get(column)) for column in sent] for request in requests)]
    return _table(text, str(path), {column: wanted[column] for column in sent})


def _newest_requests(path: Path, count: int) -> list[dict[str, Any]]:
    with open(path, encoding="utf-8-sig", errors="replace", newline="") as file:
        if path.suffix == ".csv":
            return list(deque(csv.DictReader(file), count))
        lines = deque(filter(str.strip, file), count + 1)
    if lines and not lines[-1].endswith("\n") and not _is_json(lines[-1]):
        lines.pop()  # its writer is in the middle of it, or was killed there
    return [_request(line, path) for line in [*lines][-count:]]


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def _request(line: str, path: Path) -> dict[str, Any]:
    try:
        request = json.loads(line)
    except ValueError as error:
        raise InputError(f"{path}: not JSON: {line[:80]!r}: {error}") from error
    if not isinstance(request, dict):
        raise InputError(f"{path}: not a JSON object: {line[:80]!r}")
    columns = request.get("columns")
    return columns if isinstance(columns, dict) else request


def _cell(value: object) -> str:
    return "" if value is None else str(value)


def _table(text: list[list[str]], name: str, kinds: dict[str, str]) -> SpanRows:
    content = "".join(csv_text.to_lines(text)).encode()
    table = tables.read_table(content, name, ColumnKinds(kinds, ()))
    return SpanRows(table, kinds)
