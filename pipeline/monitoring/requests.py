"""Requests of the server's log, as rows: the newest ones that a version of a target answered."""

import json
from collections import deque
from collections.abc import Mapping, Sequence
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
      answers: Probabilities, float64 [rows], or [rows, K].
      places: Id and row of each in its request.
      lines: As they were logged.
      canary: Lines of other versions that answered as canaries, the newest `monitor.rows`.
      window: Counts.
    """

    rows: SpanRows | None
    answers: np.ndarray
    places: list[Place]
    lines: list[dict[str, Any]]
    canary: list[dict[str, Any]]
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
    canary: list[dict[str, Any]] = []
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
        for record in (_record(line, config.columns.width) for line in lines):
            if record is None:
                unreadable += 1
            elif record["target"] == target and record["time"] >= first:
                if version is None or record["version"] == version:
                    newest.append(record)
                else:
                    others += 1
                    if _is_of_canary(record):
                        canary.append(record)
        newest = sorted(newest, key=itemgetter("time"))[-most:]
        canary = sorted(canary, key=itemgetter("time"))[-most:]
    return _requests(newest, canary, folder, config, others, unreadable)


def _is_of_canary(record: dict[str, Any]) -> bool:
    told = record.get("canary")
    return isinstance(told, dict) and told.get("version") == record["version"]


def _text(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _requests(
    found: Sequence[dict[str, Any]],
    canary: list[dict[str, Any]],
    folder: Path,
    config: Config,
    others: int,
    unreadable: int,
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
    answers = answers_of(found, config.columns.width)
    return Requests(rows, answers, places_of(found), list(found), canary, window)


def places_of(records: Sequence[Mapping[str, Any]]) -> list[Place]:
    """Id and row of each record in its request."""
    return [(record["request"], record["row"]) for record in records]


_FIELDS = {"request": str, "row": int, "time": str, "target": str, "version": int,
           "columns": dict}  # fmt: skip


def answers_of(records: Sequence[Mapping[str, Any]], width: int) -> np.ndarray:
    """What was answered, float64 [records], or [records, K]."""
    answers = np.array([record["answer"] for record in records], np.float64)
    return answers if width == 1 else answers.reshape(len(records), width)


def _record(line: bytes, width: int) -> dict[str, Any] | None:
    """A line of the log; None where it is none, or cut off, or the answer is of other classes."""
    try:
        record = json.loads(line)
    except ValueError:
        return None
    if not isinstance(record, dict):
        return None
    whole = all(isinstance(record.get(name), kind) for name, kind in _FIELDS.items())
    return record if whole and is_answer(record.get("answer"), width) else None


def is_answer(answer: object, width: int) -> bool:
    """Whether it is a probability, or that many in a list."""
    if width == 1:
        return isinstance(answer, int | float) and 0 <= answer <= 1
    return (
        isinstance(answer, list) and len(answer) == width and all(is_answer(a, 1) for a in answer)
    )


def rows_by_request(folder: Path, width: int) -> dict[str, int]:
    """How many rows each request of the log has: the number of its last one, and one."""
    found: dict[str, int] = {}
    for path in log_files(folder):
        with open(path, "rb") as file:
            for record in (_record(line, width) for line in file):
                if record is not None:
                    request = record["request"]
                    found[request] = max(found.get(request, 0), record["row"] + 1)
    return found
