"""A canary over the network: a real server, two versions of the edge target, and what is told."""

import csv
import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.targets import EDGE
from pipeline.monitoring import records
from tests.support.e2e.runs import pipeline
from tests.support.servers.server import Server, serving

NUMBERS = ("age", "education-num", "capital-gain", "capital-loss", "hours-per-week")
TEXTS = ("workclass", "education", "marital-status", "occupation", "relationship", "race", "sex",
         "native-country")  # fmt: skip
LABEL, MODEL = "income-per-year", "/v1/models/smoke"
COLUMNS = {"signature_name": "serving_columns"}
SHARE = 0.4


@pytest.fixture(scope="module")
def pushed(kept: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with three versions of the edge target, all of one model; the oldest is the canary."""
    copy = tmp_path_factory.mktemp("canary")
    left_out = shutil.ignore_patterns("requests", "outcomes", "monitoring", "serving")
    shutil.copytree(kept / "smoke", copy / "smoke", ignore=left_out)
    served = EDGE.served(copy / "smoke", "smoke")
    live = max(served.iterdir(), key=lambda path: int(path.name))
    for number in (1, 2):
        shutil.copytree(live, served / str(number))
    return copy


@pytest.fixture(scope="module")
def rows(kept: Path) -> list[dict[str, Any]]:
    [path] = kept.glob("smoke/staged/*/test/data.csv")
    with path.open(newline="") as file:
        return [*csv.DictReader(file)]


@pytest.fixture(scope="module")
def server(pushed: Path) -> Iterator[Server]:
    flags = ("--canary", f"1:{SHARE}", "--canary-key", "X-User", "--set", "serving.workers=2")
    with serving(pushed, "--target", "edge", *flags) as up:
        yield up


def as_sent(row: dict[str, str]) -> dict[str, Any]:
    numbers = {name: float(row[name] or "nan") for name in NUMBERS}
    return {**numbers, **{name: row[name] for name in TEXTS}}


def test_a_share_of_the_users_is_answered_by_it_and_the_log_and_monitor_say_so(
    pushed: Path, rows: list[dict[str, Any]], server: Server
) -> None:
    [live] = [v for label, v in server.ask("/readyz")[1].items() if label == "live"]
    assert server.ask("/readyz") == (
        200, {"ready": True, "live": live, "previous": 2, "canary": 1}
    )  # fmt: skip
    outcomes = [("request", "label")]
    for at, row in enumerate(rows):
        headers = {"X-User": f"u{at % 50}", "X-Request-Id": f"r{at}"}
        code, found = server.ask(
            f"{MODEL}:predict", {**COLUMNS, "instances": [as_sent(row)]}, headers=headers
        )
        assert code == 200, found
        outcomes.append((f"r{at}", row[LABEL]))
    lines = written(pushed, len(rows))
    versions: dict[str, set[int]] = {}
    for line in lines:
        user = f"u{int(line['request'][1:]) % 50}"
        versions.setdefault(user, set()).add(line["version"])
        assert line["canary"] == {"version": 1, "chosen": line["version"] == 1}
    assert all(len(of_user) == 1 for of_user in versions.values()), "in both processes"
    share = sum(1 in of_user for of_user in versions.values()) / len(versions)
    assert 0.2 < share < 0.6
    with open(pushed / "later.csv", "w", newline="") as file:
        csv.writer(file).writerows(outcomes)
    run(pushed, "labels outcomes", str(pushed / "later.csv"))
    few = ("--set", "monitor.min_rows=100", "--set", "monitor.min_slice_rows=50",
           "--set", "monitor.max_drop={accuracy: 0.3}")  # fmt: skip
    told = run(pushed, "monitor", "--target", "edge", *few)
    canary = records.newest(pushed / "smoke")["edge"].canary
    assert canary is not None
    assert canary.rows == sum(line["version"] == 1 for line in lines)
    assert canary.rows + canary.live_rows == len(rows)
    assert (canary.labelled, canary.failed) == (canary.rows, 0)
    assert canary.accuracy_gain is not None
    assert canary.accuracy_gain.low < 0 < canary.accuracy_gain.high, "they are one model"
    assert canary.verdict == "go on"
    assert "canary version 1: " in told


def test_a_version_that_is_taken_away_is_answered_for(
    pushed: Path, rows: list[dict[str, Any]], server: Server
) -> None:
    served = EDGE.served(pushed / "smoke", "smoke")
    body = {**COLUMNS, "instances": [as_sent(rows[0])]}
    assert server.ask(f"{MODEL}/labels/canary:predict", body)[0] == 200
    (served / "1").rename(pushed / "away")
    deadline = time.monotonic() + 20
    while server.ask(f"{MODEL}/labels/canary:predict", body)[0] == 200:  # of either process
        assert time.monotonic() < deadline
        assert server.ask(f"{MODEL}:predict", body)[0] == 200
    for user in range(100):
        headers = {"X-User": f"u{user}"}
        assert server.ask(f"{MODEL}:predict", body, headers=headers)[0] == 200
    deadline = time.monotonic() + 20
    while "its folder is gone" not in str(state := server.ask(f"{MODEL}/versions/1")):
        assert time.monotonic() < deadline, state
    (pushed / "away").rename(served / "1")
    deadline = time.monotonic() + 20
    while server.ask("/readyz")[1].get("canary") != 1:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--canary", "3:0.1"], "no such version in"),
        (["--canary", "1:1.1"], "no share of the requests"),
        (["--canary", "live:0.1"], "give the number of a version"),
        (["--canary-key", "age"], "there is no --canary"),
        (["--shadow", "3"], "no such version in"),
    ],
)
def test_what_is_refused(pushed: Path, flags: list[str], words: str) -> None:
    done = pipeline("serve", "--config", "smoke", "--root", str(pushed), "--target", "edge",
                    "--port", "0", "--grpc-port", "-1", *flags)  # fmt: skip
    assert done.returncode == 2, done.stdout
    assert words in done.stdout
    assert "Traceback" not in done.stdout


def test_a_shadow_may_be_a_version_that_is_not_among_the_two(
    pushed: Path, rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    shutil.copytree(pushed / "smoke" / "edge", tmp_path / "smoke" / "edge")
    body = {**COLUMNS, "instances": [as_sent(row) for row in rows[:5]]}
    with serving(tmp_path, "--target", "edge", "--shadow", "1") as server:
        assert "canary" not in server.ask("/readyz")[1]
        assert server.ask(f"{MODEL}:predict", body)[0] == 200
        lines = written(tmp_path, 5)
    assert [line["shadow"]["version"] for line in lines] == [1] * 5
    assert [line["shadow"]["difference"] for line in lines] == [0.0] * 5


def run(root: Path, verb: str, *arguments: str) -> str:
    done = pipeline(*verb.split(), *arguments, "--config", "smoke", "--root", str(root))
    assert done.returncode == 0, done.stdout
    return done.stdout


def written(root: Path, count: int) -> list[dict[str, Any]]:
    """The lines of the log, once there are so many."""
    deadline = time.monotonic() + 20
    while True:
        files = (root / "smoke" / "requests").glob("*.jsonl")
        lines = [json.loads(line) for path in files for line in path.open() if line[-1] == "\n"]
        if len(lines) >= count:
            return lines
        assert time.monotonic() < deadline, len(lines)
        time.sleep(0.1)
