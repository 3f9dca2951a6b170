"""Rows to explain: from a file, from the data that was staged, from the log of requests."""

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core import csv_text
from core.errors import InputError
from core.names import ROW_ID, SPLITS
from pipeline.prediction import batch_files
from pipeline.prediction.cells import cell_of
from pipeline.serving.contract import ServedColumn
from pipeline.serving.errors import CellError, RequestError
from pipeline.serving.options import REQUESTS_FOLDER
from pipeline.serving.request_log import log_files
from pipeline.serving.rows import RequestRows, RowChecker

MOST_ROWS = 20
_JSON, _CSV = ".json", ".csv"


@dataclass(frozen=True)
class NamedRows:
    """Rows as they were found.

    Attributes:
      source: Where they are from, for messages.
      names: What each is called.
      values: Of each row the cells by column: JSON values, null where missing; or texts.
      are_texts: Whether numbers are written as texts, too.
    """

    source: str
    names: tuple[str, ...]
    values: tuple[Mapping[str, Any], ...]
    are_texts: bool


def read_file(path: Path) -> NamedRows:
    """The rows of a CSV file with a header, or of a JSON file: an object, a list, `instances`.

    Raises:
        InputError: there is no such file, it is none of these, or it has too many rows.
    """
    if path.suffix not in (_CSV, _JSON):
        raise InputError(f"{path}: rows are read from files that end in {_CSV} or {_JSON}")
    are_texts = path.suffix == _CSV
    values = _of_csv(path) if are_texts else _of_json(path)
    if len(values) > MOST_ROWS:
        raise InputError(f"{path}: more than {MOST_ROWS} rows, which is the most that is explained")
    names = tuple(f"row {number}" for number in range(1, len(values) + 1))
    return NamedRows(str(path), names, tuple(values), are_texts)


def _of_csv(path: Path) -> list[Mapping[str, Any]]:
    chunk = next(batch_files.read(path, ()))  # more rows than are explained
    assert chunk.columns is not None
    for number, row in enumerate(chunk.rows, 1):
        csv_text.check_width(chunk.columns, row, number, str(path))
    return [dict(zip(chunk.columns, row, strict=True)) for row in chunk.rows]


def _of_json(path: Path) -> list[Mapping[str, Any]]:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file") from None
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: not JSON: {error}") from error
    if isinstance(content, dict) and isinstance(content.get("instances"), list):
        content = content["instances"]
    rows = content if isinstance(content, list) else [content]
    if not rows:
        raise csv_text.no_rows(str(path))
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise InputError(f"{path}: row {number} is no object of columns and values")
    return rows


def find_row(run_folder: Path, row_id: str) -> NamedRows:
    """A row by its id in the staged data, such as `test:17`, or in the log of requests.

    Raises:
        InputError: no row has that id.
    """
    found = next(_staged(run_folder, row_id), None)
    are_texts = found is not None
    found = found or next(_logged(run_folder, row_id), None)
    if found is None:
        raise InputError(
            f"--row-id {row_id}: no such row in {run_folder / 'staged'} (span-1:1 is the first row "
            f"of span 1, test:1 of the test part), nor a request of that id in "
            f"{run_folder / REQUESTS_FOLDER}; --config and --root name other folders"
        )
    return NamedRows(f"--row-id {row_id}", (row_id,), (found,), are_texts)


def _staged(run_folder: Path, row_id: str) -> Iterator[Mapping[str, Any]]:
    """Rows of that id, the data that was staged last first."""
    folders = [path for path in run_folder.glob("staged/*") if path.is_dir()]
    for folder in sorted(folders, key=lambda path: path.stat().st_mtime, reverse=True):
        for path in (folder / split / "data.csv" for split in SPLITS):
            if not path.is_file():
                continue
            with open(path, encoding="utf-8", newline="") as file:
                lines = csv_text.read(file, str(path))
                header = next(lines)
                at = header.index(ROW_ID)
                for row in lines:
                    if row[at] == row_id:
                        yield dict(zip(header, row, strict=True))


def _logged(run_folder: Path, row_id: str) -> Iterator[Mapping[str, Any]]:
    """Rows of a request, `REQUEST` for its first one or `REQUEST:ROW`, the newest first."""
    request, _, row = row_id.rpartition(":")
    wanted = {(row_id, 0), *([(request, int(row))] if request and row.isdecimal() else [])}
    folder = run_folder / REQUESTS_FOLDER
    for path in reversed(log_files(folder)):
        with open(path, encoding="utf-8", errors="replace") as file:
            for line in file:
                if row_id not in line and (not request or request not in line):
                    continue
                try:
                    entry = json.loads(line)
                except ValueError:
                    continue
                if (entry.get("request"), entry.get("row")) in wanted:
                    yield entry["columns"]


def checked(
    rows: NamedRows,
    checker: RowChecker,
    contract: Mapping[str, ServedColumn],
    others: Sequence[str],
) -> RequestRows:
    """Rows held against the contract, as `serve` does it.

    Args:
      rows: As they were found.
      checker: Of the model.
      contract: Its columns, and others that a row may have, by name.
      others: More columns that a row may have, such as those that staging adds.

    Raises:
      InputError: A row lacks a column or has one that nobody knows, or a value is refused.
    """
    known = {*contract, *checker.names, *others}
    columns: dict[str, list[Any]] = {name: [] for name in checker.names}
    for number, row in enumerate(rows.values):
        for name in row:
            if name not in known:
                near = difflib.get_close_matches(name, sorted(known), 1)
                hint = f"; the nearest is '{near[0]}'" if near else ""
                shown = csv_text.shown(name)
                raise InputError(f"{rows.source}: column '{shown}' is not in the contract{hint}")
        for column in checker.columns():
            if column.name not in row:
                raise InputError(
                    f"{rows.source}: {rows.names[number]} lacks column '{column.name}'; the model "
                    f"takes {', '.join(checker.names)}"
                )
            columns[column.name].append(_value(rows, number, column, row[column.name]))
    try:
        return checker.of_columns(columns)
    except CellError as error:
        raise _refused(rows, error) from error
    except RequestError as error:
        raise InputError(f"{rows.source}: {error.message}") from error


def _value(rows: NamedRows, number: int, column: ServedColumn, value: Any) -> Any:
    if value is None:
        return "" if column.kind == "BYTES" else float("nan")
    if not (rows.are_texts and isinstance(value, str)):
        return value
    try:
        return cell_of(number, column, value)
    except CellError as error:
        raise _refused(rows, error) from error


def _refused(rows: NamedRows, error: CellError) -> InputError:
    where = "" if rows.names[error.row] in rows.source else f"{rows.names[error.row]}, "
    return InputError(f"{rows.source}: {where}column '{error.column}': {error.args[0]}")
