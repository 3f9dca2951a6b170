"""What a scheduler does at each look: exit codes, slots, jumps of the clock, what it remembers."""

import logging
import os
import signal
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from core import lock
from pipeline.config.load import load
from pipeline.schedule import schedule_state
from pipeline.schedule.child import Child
from pipeline.schedule.cron import parse
from pipeline.schedule.schedule import Job, Worker, once
from pipeline.schedule.schedule_state import ScheduleState

CONFIG = load("census", ["schedule.cron='0 * * * *'"])
START = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)


class Clock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def turn(self, hours: float) -> None:
        self.now += timedelta(hours=hours)


class Bench:
    """A worker with a clock of the test and a shell command in place of `retrain`."""

    def __init__(self, folder: Path, command: str) -> None:
        self.signals: list[int] = []
        self.clock = Clock()
        self.folder = folder
        self.failed: list[tuple[int, str]] = []
        self.job = Job(
            ["sh", "-c", command],
            CONFIG.schedule,
            parse("0 * * * *", "UTC"),
            folder,
            lambda: lambda code, line: self.failed.append((code, line)),
            self.clock,
        )
        self.worker = Worker(self.job, START, self.signals)

    def look(self, hours: float) -> ScheduleState | None:
        self.clock.turn(hours)
        self.worker.look()
        return schedule_state.read(self.folder)

    def runs(self) -> int:
        file = self.folder / "runs"
        return len(file.read_text().splitlines()) if file.exists() else 0


COUNT = "echo run >>{}/runs"


@pytest.mark.parametrize(
    ("command", "code", "failures"),
    [
        ("exit 0", 0, 0),
        ("echo no reason; exit 3", 3, 0),
        ("echo broken; exit 1", 1, 1),
        ("echo bad row >&2; echo; exit 2", 2, 1),
        ("echo half; kill -9 $$", -9, 1),
    ],
)
def test_how_a_run_ended_is_recorded(
    tmp_path: Path, command: str, code: int, failures: int
) -> None:
    bench = Bench(tmp_path, command)
    state = bench.look(1)
    assert state is not None
    assert state.last is not None
    assert (state.last.exit_code, state.failures) == (code, failures)
    assert (state.last_slot, state.last.slot) == (bench.clock.now, bench.clock.now)
    assert state.running is None
    words = {1: "broken", 2: "bad row", -9: "half"}
    assert bench.failed == ([(code, words[code])] if failures else [])


def test_a_success_ends_the_row_of_failures(tmp_path: Path) -> None:
    bench = Bench(tmp_path, f"test -e {tmp_path}/good")
    for _ in range(2):
        bench.look(1)
    (tmp_path / "good").touch()
    state = bench.look(1)
    assert state is not None
    assert state.failures == 0
    assert len(bench.failed) == 2


def test_after_failures_in_a_row_slots_are_passed_over(tmp_path: Path) -> None:
    bench = Bench(tmp_path, f"{COUNT.format(tmp_path)}; exit 1")
    for _ in range(3):
        bench.look(1)
    bench.look(0.9999)
    assert bench.runs() == 3
    bench.clock.now = START + timedelta(hours=3, minutes=59)
    state = bench.look(2)
    assert bench.runs() == 4
    assert state is not None
    assert state.failures == 4
    bench.look(1)
    assert bench.runs() == 4


def test_a_slot_counts_before_its_run_ends(tmp_path: Path) -> None:
    bench = Bench(tmp_path, f"cp {tmp_path}/schedule.json {tmp_path}/seen; sleep 0.1")
    bench.look(1)
    seen = ScheduleState.model_validate_json((tmp_path / "seen").read_bytes())
    assert seen.last_slot == bench.clock.now
    assert seen.running is not None


def test_clocks_that_jump(tmp_path: Path) -> None:
    bench = Bench(tmp_path, COUNT.format(tmp_path))
    runs = []
    for hours in (1, -0.9, 0.9, 0.99, 0.01, 72.5, -10, 9.9, 0.6):
        bench.look(hours)
        runs.append(bench.runs())
    assert runs == [1, 1, 1, 1, 2, 3, 3, 3, 4]


def test_slots_that_pass_during_a_run_are_made_up_for_by_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bench = Bench(tmp_path, f"{COUNT.format(tmp_path)}; sleep 0.5")
    clock = lambda: START + timedelta(hours=4.2 if bench.runs() else 1)  # noqa: E731
    object.__setattr__(bench.job, "clock", clock)
    bench.worker.look()
    assert caplog.text.count("the run still goes on; it makes up for this slot") == 1
    state = schedule_state.read(tmp_path)
    assert state is not None
    assert state.last_slot == START + timedelta(hours=4)
    assert state.last is not None
    assert state.last.seconds == pytest.approx(3.2 * 3600)


def test_a_run_by_hand_is_waited_for(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    bench = Bench(tmp_path, COUNT.format(tmp_path))
    with lock.hold(tmp_path / lock.FILE):
        bench.look(1)
        bench.look(0.1)
        assert (bench.runs(), bench.worker.waiting) == (0, True)
    assert caplog.text.count("waiting: another run is under way") == 1
    bench.look(0.1)
    assert (bench.runs(), bench.worker.waiting) == (1, False)


def remember_running(folder: Path, pid: int, created: float) -> None:
    run = schedule_state.Running(slot=START, pid=pid, created=created)
    state = ScheduleState(cron="0 * * * *", timezone="UTC", last_slot=START, running=run)
    state.write(folder)


def test_a_run_of_a_killed_scheduler_is_waited_for_then_the_next_slot_is_run(
    tmp_path: Path,
) -> None:
    process = subprocess.Popen(["sleep", "60"])
    created = psutil.Process(process.pid).create_time()
    remember_running(tmp_path, process.pid, created)
    bench = Bench(tmp_path, COUNT.format(tmp_path))
    bench.look(1)
    assert (bench.runs(), bench.worker.waiting) == (0, True)
    process.kill()
    process.wait()
    bench.look(0.1)
    assert bench.runs() == 1


def test_a_run_that_was_cut_off_is_begun_again_at_once(tmp_path: Path) -> None:
    remember_running(tmp_path, os.getpid(), created=1.0)
    bench = Bench(tmp_path, COUNT.format(tmp_path))
    state = bench.look(0.1)
    assert bench.runs() == 1
    assert state is not None
    assert (state.last_slot, state.running) == (START, None)


def test_a_program_that_is_not_there_is_a_failed_run(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "")
    object.__setattr__(bench.job, "command", ["/no/such/program"])
    bench.worker = Worker(bench.job, START)
    bench.look(1)
    assert bench.failed == [(1, "/no/such/program: No such file or directory")]


def test_a_fault_of_the_scheduler_costs_a_slot_and_no_more(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> Callable[[int, str], None]:
        raise PermissionError("notifications.jsonl")

    bench = Bench(tmp_path, COUNT.format(tmp_path))
    watch = bench.job.watch
    object.__setattr__(bench.job, "watch", fail)
    bench.look(1)
    assert "PermissionError: notifications.jsonl" in caplog.text
    object.__setattr__(bench.job, "watch", watch)
    bench.look(0.5)
    assert bench.runs() == 0
    bench.look(0.5)
    assert bench.runs() == 1


def test_a_damaged_state_is_begun_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / schedule_state.FILE).write_text('{"format": 1')
    bench = Bench(tmp_path, COUNT.format(tmp_path))
    assert "schedule.json is damaged" in caplog.text
    state = bench.look(1)
    assert state is not None
    assert state.last_slot == bench.clock.now


def test_a_full_disk_does_not_end_the_schedule(
    tmp_path: Path, small_disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bench = Bench(small_disk, COUNT.format(tmp_path))
    with open(small_disk / "ballast", "wb") as file:
        file.write(b"\0" * 4 * 2**20)
    bench.look(1)
    assert "the state cannot be written: No space left on device" in caplog.text
    bench.look(0.1)
    assert len((tmp_path / "runs").read_text().splitlines()) == 1


def test_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path, f"{COUNT.format(tmp_path)}; exit 3")
    assert (once(bench.job), bench.runs()) == (3, 1)
    assert (once(bench.job), bench.runs()) == (0, 1)
    bench.clock.turn(1)
    with lock.hold(tmp_path / lock.FILE):
        assert (once(bench.job), bench.runs()) == (1, 1)
    assert (once(bench.job), bench.runs()) == (3, 2)


def ended(child: Child) -> int:
    while (code := child.poll()) is None:
        time.sleep(0.01)
    return code


def test_lines_of_a_child() -> None:
    lines: list[str] = []
    child = Child(
        ["sh", "-c", r"printf 'a\n\nb\r\n\377\n'; echo err >&2; printf end"], lines.append
    )
    assert ended(child) == 0
    assert lines == ["a", "", "b", "\ufffd", "err", "end"]


def test_a_long_line_comes_in_parts() -> None:
    lines: list[str] = []
    child = Child(["sh", "-c", "head -c 200000 /dev/zero | tr '\\0' x; echo"], lines.append)
    ended(child)
    assert "".join(lines) == "x" * 200000
    assert max(map(len, lines)) <= 2 * 65536


def test_nothing_is_begun_after_a_stop(tmp_path: Path) -> None:
    bench = Bench(tmp_path, COUNT.format(tmp_path))
    bench.signals.append(signal.SIGTERM)
    bench.worker.remember()
    state = bench.look(1)
    assert bench.runs() == 0
    assert state is not None
    assert (state.last_slot, state.running) == (START, None)
