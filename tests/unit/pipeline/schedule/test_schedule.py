"""The scheduler as a process: kills of child and scheduler, two at once, signals, its log."""

import json
import logging
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest

from core import lock
from core.errors import InputError
from core.files import REPOSITORY
from pipeline.cli.main import main
from pipeline.schedule import schedule_state
from pipeline.schedule.json_log import JsonFormatter
from pipeline.schedule.schedule import LOCK_FILE, ClockWatch
from pipeline.schedule.schedule_state import ScheduleState
from tests.support.hooks import KEEP

START = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)


def test_a_watched_clock() -> None:
    wall, monotonic = [1000.0], [5.0]
    clock = ClockWatch(lambda: wall[0], lambda: monotonic[0])
    jumps = []
    for by, passed in ((10, 10), (10.5, 10), (3600, 10), (10, 10), (-3590, 10)):
        wall[0] += by
        monotonic[0] += passed
        jumps.append(clock.jump())
    assert jumps == [0, 0, 3590, 0, -3600]


def test_a_log_line_is_json_whatever_it_says() -> None:
    try:
        raise InputError("line one\nline two")
    except InputError:
        record = logging.LogRecord(
            "retrain", logging.ERROR, "", 0, 'a "b"\n\x1b[0m\ud800 %s', ("ü",), sys.exc_info()
        )
    record.fields = {"slot": START}
    line = JsonFormatter().format(record)
    assert line.isascii()
    assert "\n" not in line
    values = json.loads(line)
    assert values["message"] == 'a "b"\n\x1b[0m\ud800 ü'
    assert values["level"] == "ERROR"
    assert values["slot"] == str(START)
    assert values["exception"].endswith("line one\nline two")


def test_a_wrong_expression_is_an_input_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["schedule", "--cron", "*/5 * * *", "--root", str(tmp_path)]) == 2
    assert "'*/5 * * *' has 4 fields" in " ".join(capsys.readouterr().err.split())


class Scheduler:
    """A scheduler in a process of its own, with a slot every second."""

    def __init__(self, folder: Path, command: str, *settings: str) -> None:
        self.folder = folder
        number = len(list(folder.glob("log*")))
        self.log, self.errors = folder / f"log{number}", folder / f"errors{number}"
        with self.log.open("wb") as out, self.errors.open("wb") as err:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "tests.support.mini_schedule",
                    str(folder),
                    command,
                    *settings,
                ],
                cwd=REPOSITORY,
                stdout=out,
                stderr=err,
            )

    def lines(self) -> list[dict[str, Any]]:
        """Its log; every line has to be JSON."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def exit_codes(self) -> list[int]:
        return [line["exit_code"] for line in self.lines() if "exit_code" in line]

    def state(self) -> ScheduleState | None:
        return schedule_state.read(self.folder)

    def wait(self, until: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + 120
        while not (found := until()):
            assert self.process.poll() is None, self.errors.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)
        return found

    def child(self) -> psutil.Process:
        """The child, once the state names it."""

        def pid() -> int | None:
            state = self.state()
            return state.running.pid if state and state.running else None

        return psutil.Process(self.wait(pid))

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=120)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Scheduler]]:
    started: list[Scheduler] = []

    def start(command: str, *settings: str) -> Scheduler:
        started.append(Scheduler(tmp_path, command, *settings))
        return started[-1]

    yield start
    for scheduler in started:
        scheduler.process.kill()
        scheduler.process.wait()


Start = Callable[..., Scheduler]


def test_it_fires_every_slot_once_and_refuses_a_second_scheduler(
    start: Start, tmp_path: Path
) -> None:
    first = start("echo line; exit 3")
    first.wait(lambda: sum(line["message"] == "ended" for line in first.lines()) >= 2)
    second = start("echo second")
    assert second.process.wait(timeout=120) != 0
    error = second.errors.read_text()
    assert f"a scheduler is at work: process {first.process.pid} on " in error
    assert str(tmp_path / LOCK_FILE) in error
    assert first.end() == 128 + signal.SIGTERM
    lines = first.lines()
    slots = [line["slot"] for line in lines if line["message"] == "ended" and "slot" in line]
    assert slots == sorted(set(slots))
    assert {"logger": "retrain", "message": "line", "level": "INFO"}.items() <= lines[2].items()
    assert lines[-1]["signal"] == signal.SIGTERM
    assert not lock.is_held(tmp_path / LOCK_FILE)


def test_a_killed_child_is_recorded_and_told_and_the_scheduler_goes_on(
    start: Start, tmp_path: Path
) -> None:
    command = json.dumps([sys.executable, "-c", KEEP, str(tmp_path / "told")])
    scheduler = start(
        f"test -e {tmp_path}/once || {{ touch {tmp_path}/once; echo training; sleep 60; }}",
        f"notify.command={command}",
    )
    scheduler.wait((tmp_path / "once").exists)
    scheduler.child().kill()
    ends = scheduler.wait(
        lambda: (
            [line for line in scheduler.lines() if "exit_code" in line][1:] and scheduler.lines()
        )
    )
    codes = [line["exit_code"] for line in ends if "exit_code" in line]
    assert codes[:2] == [-signal.SIGKILL, 0]
    [notice] = map(json.loads, (tmp_path / "told").read_text().splitlines())
    cause = notice["failure"]["cause"]
    assert cause == "retrain was killed by SIGKILL (was memory short?): training"


def test_a_run_outlives_its_killed_scheduler_and_is_waited_for(
    start: Start, tmp_path: Path
) -> None:
    command = f"echo begun >>{tmp_path}/runs; while ! test -e {tmp_path}/go; do sleep 0.05; done; "
    command += f"echo ended; echo ended >>{tmp_path}/runs"
    first = start(command)
    child = first.child()
    first.process.kill()
    first.process.wait()
    second = start(command)
    waits = "waiting: a run that an earlier scheduler began goes on"
    second.wait(lambda: any(line["message"] == waits for line in second.lines()))
    time.sleep(1.2)  # a slot comes
    assert child.is_running()
    assert (tmp_path / "runs").read_text() == "begun\n"
    (tmp_path / "go").touch()
    second.wait(second.exit_codes)
    assert (tmp_path / "runs").read_text().startswith("begun\nended\nbegun\nended\n")
    assert second.end(signal.SIGINT) == 128 + signal.SIGINT


def test_a_signal_is_passed_on_and_the_run_is_begun_again_at_the_next_start(
    start: Start, tmp_path: Path
) -> None:
    command = f"trap 'echo told to end; exit 143' TERM; echo x >>{tmp_path}/runs; "
    command += "while :; do sleep 0.05; done"
    scheduler = start(command)
    scheduler.child()
    scheduler.wait((tmp_path / "runs").exists)
    assert scheduler.end() == 128 + signal.SIGTERM
    lines = scheduler.lines()
    assert "told to end" in [line["message"] for line in lines]
    cut_off = next(line for line in lines if line["message"] == "cut off by a signal")
    state = scheduler.state()
    assert state is not None
    assert state.failures == 0
    again = start("echo mended")
    ended = again.wait(lambda: [line for line in again.lines() if "exit_code" in line])[0]
    assert ended["slot"] >= cut_off["slot"]
    assert ended["exit_code"] == 0
