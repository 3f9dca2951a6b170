"""The log of requests: JSON lines that appear whole, in files that are bounded.

A line for each row: `request` (id, as in the answer's header X-Request-Id), `row` (from 0), `time`
(UTC, of the answer), `target`, `version`, `columns` (as the model was asked; null where missing),
`answer` (probability of the positive class; with more than two classes the probability of each, in
their order, and `class`, the one that is answered), `latency_ms` (of the request), and more as it
comes.
`retrain.request_log` reads the folder as it is.

Lines are made when a request was answered: that costs a few microseconds while its values are at
hand, and a thread that did it later would keep the interpreter from answers for milliseconds. A
thread writes, a few times a second, whole lines with one write. A process that is killed loses what
it had not written; when it was cut off in a write, the next one to start takes the half line off.
Files of a process that lives are locked.
"""

import fcntl
import logging
import os
import random
import threading
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from core.operation import LogSection

if TYPE_CHECKING:  # loads TensorFlow, which who reads the log need not
    from pipeline.serving.rows import RequestRows

_LOG = logging.getLogger(__name__)
ENDING = ".jsonl"
_PAUSE = 0.2  # seconds between writes
_MOST_WAITING = 2**25  # bytes; what comes when the disk is that far behind is dropped
_TAIL = 2**16


class LogEntry(NamedTuple):
    """A request that was answered.

    Attributes:
      request: Its id.
      at: When it was answered, seconds since the epoch.
      target, version: Who answered.
      names: Columns of `rows`, numbers first.
      rows: What was asked.
      answers: Probabilities, [rows], or [rows, K].
      latency_ms: From the whole request to the answer.
      classes: As those of `ServedModel`.
      canary: Of a canary: its version, whether it was chosen, and why it did not answer then.
      shadow: Of a shadow: target, version, answers or error.
    """

    request: str
    at: float
    target: str
    version: int
    names: Sequence[str]
    rows: "RequestRows"
    answers: Sequence[Any]
    latency_ms: float
    classes: Sequence[str] | None = None
    canary: dict[str, Any] | None = None
    shadow: dict[str, Any] | None = None


class RequestLog:
    """Writes entries to files below a folder, in a thread.

    Attributes:
      dropped: Requests that were not written because the disk was full, slow or gone.
    """

    def __init__(self, folder: Path, prefix: str, settings: LogSection) -> None:
        """Begins.

        Args:
          folder: Made when it is not there.
          prefix: Of the names of the files.
          settings: Sample, bounds, and what is left out.

        Raises:
          OSError: The folder cannot be made.
        """
        folder.mkdir(parents=True, exist_ok=True)
        mend(folder)
        self.dropped = 0
        self._taken = self._written = 0  # bytes; each is counted by one thread alone
        self._folder, self._prefix, self._settings = folder, prefix, settings
        self._left_out = frozenset(settings.leave_out)
        self._queue: deque[bytes] = deque()  # the lines of a request each
        self._closing = threading.Event()
        self._second = self._millisecond = -1, ""
        self._descriptor: int | None = None
        self._size = 0
        self._thread = threading.Thread(target=self._run, name="request log", daemon=True)
        self._thread.start()

    def add(self, entry: LogEntry) -> None:
        """Takes an entry, if it is in the sample; never waits."""
        sample = self._settings.sample
        if sample < 1 and random.random() >= sample:
            return
        if self._taken - self._written >= _MOST_WAITING:
            self.dropped += 1
            return
        lines = self._lines(entry)
        content = lines[0] if len(lines) == 1 else b"".join(lines)
        self._taken += len(content)
        self._queue.append(content)

    def close(self) -> None:
        """Writes what waits, and ends."""
        self._closing.set()
        self._thread.join()

    def _run(self) -> None:
        going = True
        while going:
            going = not self._closing.wait(_PAUSE)
            requests = [self._queue.popleft() for _ in range(len(self._queue))]
            content = b"".join(requests)
            try:
                self._write(content)
            except OSError as error:
                if not self.dropped:
                    _LOG.error("requests are not written down: %s", error)
                self.dropped += len(requests)
                self._end_file()
            self._written += len(content)
        self._end_file()

    def _lines(self, entry: LogEntry) -> list[bytes]:
        at, lines, names = self._time(entry.at), [], entry.names
        rows = zip(entry.rows.numbers, entry.rows.texts, entry.answers, strict=True)
        for row, (numbers, texts, answer) in enumerate(rows):
            columns = entry.rows.cells or dict(zip(names, numbers + texts, strict=True))
            if "" in texts:
                for name, cell in columns.items():
                    if cell == "":
                        columns[name] = None
            for name in self._left_out:
                columns.pop(name, None)
            record: dict[str, Any] = {
                "request": entry.request,
                "row": row,
                "time": at,
                "target": entry.target,
                "version": entry.version,
                "columns": columns,
                "answer": answer,
                "latency_ms": entry.latency_ms,
            }
            if entry.canary is not None:
                record["canary"] = entry.canary
            if entry.classes is not None:
                record["class"] = _most_probable(answer, entry.classes)
            if entry.shadow is not None:
                record["shadow"] = _of_row(entry.shadow, row, answer, entry.classes)
            lines.append(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))
        return lines

    def _time(self, at: float) -> str:
        """UTC in ISO 8601, to the millisecond; each text is made once."""
        whole = int(at * 1000)
        if whole != self._millisecond[0]:
            second, milliseconds = divmod(whole, 1000)
            if second != self._second[0]:
                text = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
                self._second = second, text
            self._millisecond = whole, f"{self._second[1]}.{milliseconds:03d}Z"
        return self._millisecond[1]

    def _write(self, content: bytes) -> None:
        """Writes lines, file by file, none of them over two."""
        most = self._settings.file_bytes
        while content:
            end = len(content)
            if self._size + end > most:
                end = content.rfind(b"\n", 0, max(0, most - self._size)) + 1
                if not end and not self._size:  # a line that is larger than a file may be
                    end = content.index(b"\n") + 1
            if end:
                self._append(content[:end])
            if end < len(content):
                self._end_file()
            content = content[end:]

    def _append(self, content: bytes) -> None:
        if self._descriptor is None or self._size + len(content) > self._settings.file_bytes:
            self._end_file()
            self._make_room(len(content))
            self._descriptor, self._size = self._open(), 0
        written = os.write(self._descriptor, content)
        if written < len(content):  # the disk is full: no half line stays
            os.ftruncate(self._descriptor, self._size)
            raise OSError("the disk is full")
        self._size += written

    def _open(self) -> int:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        path = self._folder / f"{stamp}-{self._prefix}-{os.getpid()}{ENDING}"
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o640)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return descriptor

    def _end_file(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._descriptor, self._size = None, 0

    def _make_room(self, coming: int) -> None:
        """Removes the oldest files, so that one that is full is within the bound of all."""
        files = log_files(self._folder)
        sizes = {path: _size(path) for path in files}
        room = self._settings.bytes - max(coming, self._settings.file_bytes)
        for path in files:
            if sum(sizes.values()) <= room:
                return
            if not _is_locked(path):
                path.unlink(missing_ok=True)
                del sizes[path]


def _most_probable(shares: Sequence[float], classes: Sequence[str]) -> str:
    return classes[max(range(len(shares)), key=shares.__getitem__)]


def _of_row(
    shadow: dict[str, Any], row: int, answer: Any, classes: Sequence[str] | None
) -> dict[str, Any]:
    """What a shadow answered to one row, and how that differs from the live answer.

    With more than two classes `difference` is the largest of them, without a sign.
    """
    told = {name: value for name, value in shadow.items() if name != "answers"}
    if "answers" in shadow:
        told["answer"] = shadow["answers"][row]
        if classes is None:
            told["difference"] = told["answer"] - answer
        else:
            pairs = zip(told["answer"], answer, strict=True)
            told["class"] = _most_probable(told["answer"], classes)
            told["difference"] = max(abs(one - other) for one, other in pairs)
    return told


def log_files(folder: Path) -> list[Path]:
    """The files of a log, the oldest first: their names begin with the time."""
    return sorted(folder.glob(f"*{ENDING}"))


def mend(folder: Path) -> None:
    """Takes off half lines that killed processes left at the ends of their files."""
    for path in log_files(folder):
        try:
            with open(path, "r+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _cut_off_half_line(file.fileno())
        except OSError:
            continue  # of a process that lives, or not ours to write


def _cut_off_half_line(descriptor: int) -> None:
    end = size = os.fstat(descriptor).st_size
    while end:
        first = max(0, end - _TAIL)
        found = os.pread(descriptor, end - first, first).rfind(b"\n")
        if found >= 0:
            end = first + found + 1
            break
        end = first
    if end < size:
        os.ftruncate(descriptor, end)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _is_locked(path: Path) -> bool:
    try:
        with open(path, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return False
    except BlockingIOError:
        return True
    except OSError:
        return False
