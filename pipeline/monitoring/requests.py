"""Requests of the server's log, as rows: the newest ones that a version of a target answered."""

import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np

from core.config import Config
from core.errors import InputError
from pipeline.monitoring.records import RequestWindow
from pipeline.retraining.span_rows import SpanRows, rows_of
from pipeline.serving.request_log import log_files

Place = tuple[str, int]
_READ, _AT_LEAST = 4, 10_000  # of a file, times the rows that are wanted


@dataclass(frozen=True)
class Requests:
    """Rows that were answered, the oldest first.

    Attributes:
      rows: What was asked; None where there are no rows.
      answers: Probabilities, float64 [rows].
      places: Id and row of each in its request.
      lines: As they were logged.
      window: Counts.
    """

    rows: SpanRows | None
    answers: np.ndarray
    places: list[Place]
    lines: list[dict[str, Any]]
    window: RequestWindow


def read(
    folder: Path, config: Config, target: str, version: int | None, since: datetime | None
) -> Requests:
    """The newest `monitor.rows` rows that a version answered; none where there is no log.

    Args:
      folder: The log.
      config: The configuration.
      target: Whose answers.
      version: Of the target; None: of any version.
      since: Older ones are left out.

    Raises:
      InputError: A file cannot be read, or rows of it hold what no server takes.
    """
    most, others, unreadable = config.monitor.rows, 0, 0
    newest: list[dict[str, Any]] = []
    first = _text(since) if since else ""
    for path in reversed(log_files(folder)):
        try:
            written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            # processes write side by side: an earlier file may hold later lines
            if len(newest) >= most and _text(written) < newest[0]["time"]:
                break
            with open(path, "rb") as file:
                lines = deque(file, max(_READ * most, _AT_LEAST))
        except OSError as error:
            raise InputError(f"{path}: cannot be read: {error.strerror}") from error
        for record in map(_record, lines):
            if record is None:
                unreadable += 1
            elif record["target"] == target and record["time"] >= first:
                if version is None or record["version"] == version:
                    newest.append(record)
                else:
                    others += 1
        newest = sorted(newest, key=itemgetter("time"))[-most:]
    return _requests(newest, folder, config, others, unreadable)


def _text(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _requests(
    found: Sequence[dict[str, Any]], folder: Path, config: Config, others: int, unreadable: int
) -> Requests:
    window = RequestWindow(
        rows=len(found),
        requests=len({record["request"] for record in found}),
        first=found[0]["time"] if found else None,
        last=found[-1]["time"] if found else None,
        others=others,
        unreadable=unreadable,
    )
    rows = rows_of([record["columns"] for record in found], folder, config) if found else None
    answers = np.array([record["answer"] for record in found], np.float64)
    places = [(record["request"], record["row"]) for record in found]
    return Requests(rows, answers, places, list(found), window)


_FIELDS = {"request": str, "row": int, "time": str, "target": str, "version": int,
           "columns": dict, "answer": float}  # fmt: skip


def _record(line: bytes) -> dict[str, Any] | None:
    """A line of the log; None where it is none, or cut off."""
    try:
        record = json.loads(line)
    except ValueError:
        return None
    if not isinstance(record, dict):
        return None
    if isinstance(record.get("answer"), int):
        record["answer"] = float(record["answer"])
    whole = all(isinstance(record.get(name), kind) for name, kind in _FIELDS.items())
    return record if whole and 0 <= record["answer"] <= 1 else None


def rows_by_request(folder: Path) -> dict[str, int]:
    """How many rows each request of the log has: the number of its last one, and one."""
    found: dict[str, int] = {}
    for path in log_files(folder):
        with open(path, "rb") as file:
            for record in map(_record, file):
                if record is not None:
                    request = record["request"]
                    found[request] = max(found.get(request, 0), record["row"] + 1)
    return found
