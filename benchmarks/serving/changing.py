"""Versions that change, processes that are killed, and memory, while clients ask."""

import json
import os
import signal
import time
from pathlib import Path

from benchmarks import measure
from benchmarks.served.serving_load import Clients, TimedAnswer, serving, wrk
from core.targets import TARGETS
from core.version_record import version_folders

PATH = "/v1/models/smoke:predict"
CHANGES = 20
ASKED_WHILE_CHANGING = 20_000
_SAME = 1e-6  # the last bit of an answer differs with the size of the batch


def changes(root: Path, one: bytes) -> dict[str, int]:
    """Pushes and rollbacks while clients ask; how many asked, failed, and got a wrong answer.

    A version that was live at any time between question and answer may have given it.
    """
    served = TARGETS["server"].served(root / "smoke", "smoke")
    aside = served.with_name(".aside")
    older, newer = sorted(version_folders(served))[-2:]
    live: list[tuple[float, float, int]] = []  # from, to, version

    def value(clients: Clients) -> float:
        time.sleep(0.5)
        return clients.answers[-1].value

    with serving(root, "server") as up, Clients(up, PATH, one, 4) as clients:
        values = {newer: value(clients)}
        began, done = 0.0, 0
        while done < CHANGES or len(clients.answers) < ASKED_WHILE_CHANGING:
            out, back = (served / str(newer), aside), (aside, served / str(newer))
            for (source, target), before, after in ((out, newer, older), (back, older, newer)):
                moved = time.time()
                source.rename(target)
                while up.ready()["live"] != after:
                    time.sleep(0.01)
                live.append((began, time.time(), before))
                began = moved
                done += 1
                values.setdefault(after, value(clients))
        live.append((began, time.time() + 60, newer))
    if abs(values[older] - values[newer]) < 10 * _SAME:
        raise measure.MeasurementError("both versions answer alike: nothing tells them apart")
    wrong = [
        a
        for a in clients.answers
        if all(abs(a.value - value) > _SAME for value in possible(a, live, values))
    ]
    asked = len(clients.answers) + len(clients.failed)
    return {"asked": asked, "failed": len(clients.failed), "wrong": len(wrong), "changes": done}


def possible(
    answer: TimedAnswer, live: list[tuple[float, float, int]], values: dict[int, float]
) -> set[float]:
    """Answers of the versions that were live between question and answer."""
    return {values[v] for began, ended, v in live if began <= answer.came and answer.asked <= ended}


def half_lines(root: Path, one: bytes) -> int:
    """Lines that are not whole after a server was killed under load and started again."""
    folder = root / "smoke" / "requests"
    with serving(root, "server") as up, Clients(up, PATH, one, 8):
        time.sleep(2)
        os.kill(up.process.pid, signal.SIGKILL)
    with serving(root, "server"):
        lines = [line for path in sorted(folder.glob("*.jsonl"))[-2:] for line in path.open("rb")]
    return sum(not whole(line) for line in lines)


def whole(line: bytes) -> bool:
    """Whether a line is JSON and ends."""
    try:
        return bool(json.loads(line)) and line.endswith(b"\n")
    except ValueError:
        return False


def grown(root: Path, scratch: Path, one: bytes, count: int) -> float:
    """By how much memory grows from 50,000 requests to `count`, as a share."""
    with serving(root, "server") as up:
        done = 0.0
        first = 0.0
        while done < count:
            done += wrk(up, PATH, one, scratch, 32, 10).per_second * 10
            if not first and done >= 50_000:
                first = up.memory_mb()
        return up.memory_mb() / first - 1
