"""The log of requests: whole lines, in bounds, without what must not be kept; read by retrain."""

import json
import math
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core.files import REPOSITORY
from core.operation import LogSection
from pipeline.config.load import load
from pipeline.retraining.span_rows import read_requests
from pipeline.serving.request_log import LogEntry, RequestLog, log_files, mend
from pipeline.serving.rows import RequestRows

NAMES = ("age", "hours-per-week", "sex", "workclass")


def settings(**changes: Any) -> LogSection:
    values = {"sample": 1.0, "file_bytes": 2**20, "bytes": 2**22, "leave_out": (), **changes}
    return LogSection(**values)


def entry(number: int, count: int = 1) -> LogEntry:
    rows = RequestRows([(number, math.nan)] * count, [("Male", "")] * count)
    return LogEntry(f"r{number}", 1.5e9, "edge", 7, NAMES, rows, [0.25] * count, 1.234)


def write(folder: Path, count: int, **changes: Any) -> RequestLog:
    log = RequestLog(folder, "edge", settings(**changes))
    for number in range(count):
        log.add(entry(number))
    log.close()
    return log


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for path in log_files(folder) for line in path.open("rb")]


def test_a_line_for_each_row(tmp_path: Path) -> None:
    log = RequestLog(tmp_path / "requests", "edge", settings())
    log.add(entry(3, 2))
    log.close()
    first, second = lines(tmp_path / "requests")
    assert first == {
        "request": "r3",
        "time": "2017-07-14T02:40:00.000Z",
        "target": "edge",
        "version": 7,
        "row": 0,
        "columns": {"age": 3, "hours-per-week": None, "sex": "Male", "workclass": None},
        "answer": 0.25,
        "latency_ms": 1.234,
    }
    assert second == {**first, "row": 1}


def test_columns_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, 1, leave_out=("sex", "age"))
    assert set(lines(tmp_path)[0]["columns"]) == {"hours-per-week", "workclass"}


def test_a_sample_is_a_share_of_the_requests(tmp_path: Path) -> None:
    write(tmp_path, 4000, sample=0.25)
    assert len(lines(tmp_path)) == pytest.approx(1000, abs=150)
    assert len({line["request"] for line in lines(tmp_path)}) == len(lines(tmp_path))


def test_files_are_bounded_and_so_are_all_of_them(tmp_path: Path) -> None:
    for start in range(6):
        log = RequestLog(tmp_path, "edge", settings(file_bytes=8192, bytes=32768))
        for number in range(100):
            log.add(entry(1000 * start + number))
        log.close()
        files = log_files(tmp_path)
        assert all(path.stat().st_size <= 8192 for path in files)
        assert sum(path.stat().st_size for path in files) <= 32768
    assert lines(tmp_path)[-1]["request"] == "r5099", "the newest stay"
    assert len(log_files(tmp_path)) > 2


KILLED = """
import sys
import time
from pathlib import Path
from core.operation import LogSection
from pipeline.serving.request_log import LogEntry, RequestLog
from pipeline.serving.rows import RequestRows
section = LogSection(sample=1.0, file_bytes=2**20, bytes=2**28, leave_out=())
log = RequestLog(Path(sys.argv[1]), "edge", section)
print("up", flush=True)
number = 0
while True:
    rows = RequestRows([(number, 1.5)], [("Male", "x" * (number % 500))])
    log.add(LogEntry(str(number), 1e9, "edge", 7, ("a", "b", "c", "d"), rows, [0.5], 1.0))
    number += 1
    time.sleep(0.0001)
"""


def test_a_killed_process_leaves_whole_lines(tmp_path: Path) -> None:
    for _ in range(3):
        killed = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(tmp_path)], cwd=REPOSITORY, stdout=subprocess.PIPE
        )
        assert killed.stdout is not None
        assert killed.stdout.readline() == b"up\n"
        while not any(path.stat().st_size for path in log_files(tmp_path)):
            pass
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        killed.stdout.close()
        [*_, last] = log_files(tmp_path)
        with last.open("ab") as file:
            file.write(b'{"request": "cut o')
        write(tmp_path, 1)
        found = lines(tmp_path)
        assert found[-1]["request"] == "r0"
        assert len(found) > 1
        for path in log_files(tmp_path):
            path.unlink()


def test_the_file_of_a_process_that_lives_is_left_alone(tmp_path: Path) -> None:
    log = RequestLog(tmp_path, "edge", settings())
    log.add(entry(1))
    while not any(path.stat().st_size for path in log_files(tmp_path)):
        pass
    [path] = log_files(tmp_path)
    with path.open("ab") as file:
        file.write(b"half")
    mend(tmp_path)
    assert path.read_bytes().endswith(b"half")
    log.close()
    mend(tmp_path)
    assert path.read_bytes().endswith(b"}\n")


def test_a_full_disk_stops_no_answer_and_leaves_no_half_line(small_disk: Path) -> None:
    (small_disk / "filler").write_bytes(b"0" * (4 * 2**20 - 64 * 2**10))
    log = write(small_disk / "requests", 3000, file_bytes=2**21, bytes=2**22)
    assert log.dropped > 0
    for path in log_files(small_disk / "requests"):
        assert path.read_bytes()[-1:] in (b"", b"\n")


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        RequestLog(tmp_path / "file" / "requests", "edge", settings())


def test_retrain_reads_the_log_as_it_is(tmp_path: Path) -> None:
    write(tmp_path, 30, leave_out=("workclass",))
    [path] = log_files(tmp_path)
    os.truncate(path, path.stat().st_size - 5)  # of a server that writes now
    (tmp_path / "other.jsonl").write_text('{"columns": {"age": 50, "sex": "Female"}}\n')
    config = load("census", ["retrain.request_rows=12"])
    for log, ages in ((tmp_path, [*range(18, 29), 50]), (path, [*range(17, 29)])):
        read = read_requests(log, config)
        assert read.table["age"].tolist() == [str(age) for age in ages]
        assert set(read.table["sex"][:-1]) == {"Male"}
