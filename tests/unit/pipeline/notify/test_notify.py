"""Notices of runs, and hooks: a program, a local HTTP server, and what goes wrong with each."""

import json
import logging
import resource
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from core.errors import InputError
from core.files import REPOSITORY
from core.lock import LockHeldError
from core.operation import NotifySection
from pipeline.config.load import load
from pipeline.notify.notices import Notice, NoticeOrigin, of_run
from pipeline.notify.notify import FILE, failures_told, notify, secrets_of
from pipeline.report.summary import Summary
from pipeline.run.run import RunRequest
from tests.support.hooks import KEEP
from tests.support.records.summaries import NODE, RUN_ID, VALUES

ORIGIN = NoticeOrigin(pipeline="census", config="mine", host="here", time="2026-01-02T03:10:00Z")
SECRET = "very-secret-token"
QUIET = NotifySection(
    events=("failure", "block", "push", "rollback"),
    command=None,
    webhook_variable=None,
    webhook_file=None,
    timeout=10,
    retries=1,
)
FAILED = {
    "state": "FAILED",
    "failure": {"node": "Trainer", "cause": "no rows", "code": None, "resume": "again"},
    "pushed": {t: {"version": None, "why": "stopped"} for t in ("server", "edge")},
}


def of(changes: dict[str, Any]) -> list[Notice]:
    summary = Summary.model_validate({**VALUES, **changes})
    return list(of_run(summary, ORIGIN, "/runs/census/summary.json"))


def test_a_push_is_told_once_and_a_blocked_target_with_its_reasons() -> None:
    failed = {**VALUES["gates"][0], "target": "edge", "passed": False, "value": 0.81}
    pushers = {f"Pusher.{target}": NODE for target in ("server", "edge")}
    block, push = of({"nodes": pushers, "gates": [*VALUES["gates"], failed]})
    assert (block.event, push.event) == ("block", "push")
    assert block.blocked == {"edge": "gap sex tpr 0.13 > 0.10"}
    assert block.text == "census: edge not pushed: gap sex tpr 0.13 > 0.10"
    [gate] = block.gates
    assert (gate.metric, gate.value, gate.bound) == ("auc", 0.81, ">= 0.85")
    assert push.text == "census: pushed server version 1767323045"
    assert push.pushed["server"].path == "serving/census/1767323045"
    assert {block.run_id, push.run_id} == {RUN_ID}
    assert block.summary == "/runs/census/summary.json"
    cached = {name: {**node, "state": "CACHED"} for name, node in pushers.items()}
    assert [notice.event for notice in of({"nodes": cached})] == ["block"]
    live = {**VALUES["pushed"]["server"], "already_live": True}
    again = {"nodes": pushers, "pushed": {**VALUES["pushed"], "server": live}}
    assert [notice.event for notice in of(again)] == ["block"]


def test_a_push_says_on_which_rows_it_was_not_to_be_compared() -> None:
    why = "not compared on 240 rows of the test split (before): left out by pusher.compare_on"
    checks = {"sample_rows": 1, "latency_ms": 1.0, "live_version": 3, "compared_on": "rows",
              "problem": None, "left_out": why}  # fmt: skip
    told = {"nodes": {"Pusher.server": NODE}, "push_checks": {"server": checks}}
    push = next(notice for notice in of(told) if notice.event == "push")
    assert push.text == f"census: pushed server version 1767323045; {why}"


def test_every_field_and_event_is_documented() -> None:
    page = (REPOSITORY / "docs" / "operations.md").read_text()
    told = {*Notice.model_fields, *load("census").notify.events}
    assert {name for name in told if f"`{name}`" not in page} == set()


def test_a_failure_is_told_with_its_cause_and_how_to_go_on() -> None:
    [notice] = of(FAILED)
    assert notice.event == "failure"
    assert notice.text == "census: Trainer failed: no rows"
    assert notice.failure is not None
    assert notice.failure.resume == "again"


def test_an_interrupted_run_is_not_told() -> None:
    assert of({**FAILED, "state": "INTERRUPTED", "failure": None}) == []


def records(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / FILE).read_text().splitlines()]


def test_a_program_gets_the_notice_on_standard_input(tmp_path: Path) -> None:
    command = (sys.executable, "-c", KEEP, str(tmp_path / "got"))
    settings = QUIET.model_copy(update={"command": command, "events": ("failure",)})
    assert notify(settings, [*of(FAILED), *of({})], tmp_path) == []
    [line] = (tmp_path / "got").read_text().splitlines()
    assert Notice.model_validate_json(line) == of(FAILED)[0]
    [record] = records(tmp_path)
    assert (record["event"], record["hook"], record["problem"]) == (
        "failure",
        "notify.command",
        None,
    )


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("import sys; print('no mail server'); sys.exit(3)", "ended with 3: no mail server"),
        ("import time; time.sleep(60)", "took more than 0.5 s and was killed"),
        ("import os; os.system('sleep 60')", "took more than 0.5 s and was killed"),
        ("import os; os.close(0)", None),
    ],
)
def test_a_program_that_fails_or_hangs_is_a_warning(
    tmp_path: Path, code: str, problem: str | None
) -> None:
    patience = 0.5 if problem and "killed" in problem else 10
    changes = {"command": (sys.executable, "-c", code), "timeout": patience}
    started = time.monotonic()
    warnings = notify(QUIET.model_copy(update=changes), of(FAILED), tmp_path)
    assert time.monotonic() - started < 8
    assert [problem in warning for warning in warnings if problem] == [True] * bool(problem)
    assert len(warnings) == len(records(tmp_path)) - (problem is None)


LOUD = """
import os, sys
for _ in range(3000):
    sys.stderr.write("x" * 100_000)
print("last words"); sys.exit(1)
"""


def test_a_program_may_print_much(tmp_path: Path) -> None:
    settings = QUIET.model_copy(update={"command": (sys.executable, "-c", LOUD), "timeout": 60})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    [warning] = notify(settings, of(FAILED), tmp_path)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert warning.endswith("last words")
    assert len(warning) < 400
    assert grown < 30_000, "kilobytes, for 300 MB"
    assert (tmp_path / FILE).stat().st_size < 1000


def test_a_program_that_leaves_another_at_work_is_not_waited_for(tmp_path: Path) -> None:
    code = "import subprocess, sys; print('gone'); sys.stdout.flush()"
    code += "; subprocess.Popen(['sleep', '30']); sys.exit(4)"
    settings = QUIET.model_copy(update={"command": (sys.executable, "-c", code), "timeout": 20})
    started = time.monotonic()
    [warning] = notify(settings, of(FAILED), tmp_path)
    assert time.monotonic() - started < 10
    assert warning.endswith("ended with 4: gone")


def test_no_word_of_a_program_gives_a_secret_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DB_PLACE", "mellon-of-the-database")
    monkeypatch.setenv("SLACK_TOKEN", "xoxb-1234")
    monkeypatch.setenv("HOOK_HERE", "https://hooks.example/T0/secretpath")
    (tmp_path / "file").write_text("from-a-file\nmore\n")
    config = load("census", ["notify.webhook_variable=HOOK_HERE"])
    places = {"password_variable": "DB_PLACE", "password_file": str(tmp_path / "file")}
    config = config.model_copy(update={"metadata": config.metadata.model_copy(update=places)})
    said = "no: mellon-of-the-database, xoxb-1234, from-a-file, https://hooks.example/T0/secretpath"
    code = f"import sys; print({said + ', https://other/hidden?t=1'!r}, '\\x1b[31m'); sys.exit(1)"
    settings = QUIET.model_copy(update={"command": (sys.executable, "-c", code), "timeout": 20})
    [warning] = notify(settings, of(FAILED), tmp_path, secrets_of(config))
    assert warning.endswith("ended with 1: no: ***, ***, ***, ***, https://***  [31m")
    for secret in ("mellon", "xoxb", "from-a-file", "secretpath", "hidden", "\x1b"):
        assert secret not in warning + (tmp_path / FILE).read_text()


def test_a_program_that_is_not_there_is_a_warning(tmp_path: Path) -> None:
    settings = QUIET.model_copy(update={"command": ("/no/such/program",)})
    [warning] = notify(settings, of(FAILED), tmp_path)
    assert "/no/such/program cannot be started: No such file" in warning


class Server(ThreadingHTTPServer):
    """Answers with the codes that it is given, one a request, the last one ever after."""

    daemon_threads = True
    answers: list[int | str]
    got: list[tuple[str, str, dict[str, Any]]]

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that give up are what is tested."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook/{SECRET}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, self.headers["Content-Type"], json.loads(body)))
        answers = self.server.answers
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if answer == "hang":
            time.sleep(5)
        elif answer == "drip":
            for _ in range(50):
                self.wfile.write(b"H")
                time.sleep(0.1)
        else:
            assert isinstance(answer, int)
            self.send_response(answer)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server(("127.0.0.1", 0), Handler)
    server.answers, server.got = [204], []
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def hooked(monkeypatch: pytest.MonkeyPatch, url: str, **changes: Any) -> NotifySection:
    monkeypatch.setenv("HOOK", url)
    return QUIET.model_copy(update={"webhook_variable": "HOOK", **changes})


def test_a_webhook_gets_the_notice(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert notify(hooked(monkeypatch, server.url), of(FAILED), tmp_path) == []
    [(path, kind, body)] = server.got
    assert (path, kind) == (f"/hook/{SECRET}", "application/json")
    assert Notice.model_validate(body) == of(FAILED)[0]
    assert body["text"] == "census: Trainer failed: no rows"


def test_the_url_may_be_in_a_file(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "url"
    settings = QUIET.model_copy(update={"webhook_file": str(file)})
    assert "cannot be read" in notify(settings, of(FAILED), tmp_path)[0]
    file.write_text("\n")
    assert "is empty" in notify(settings, of(FAILED), tmp_path)[0]
    file.write_text(server.url + "\n")
    assert notify(settings, of(FAILED), tmp_path) == []
    assert len(server.got) == 1


@pytest.mark.parametrize(
    ("answers", "requests", "problem"),
    [
        ([503, 200], 2, None),
        ([503], 2, "it answered 503"),
        ([404], 1, "it answered 404"),
        ([307], 1, "it answered 307"),
        (["hang"], 1, "it did not answer in time"),
        (["drip"], 1, "it did not answer in time"),
    ],
)
def test_a_webhook_that_fails_is_tried_again_within_the_limit(
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    answers: list[int | str],
    requests: int,
    problem: str | None,
) -> None:
    server.answers = answers
    timeout = 1 if isinstance(answers[0], str) else 5
    caplog.set_level(logging.INFO)
    started = time.monotonic()
    warnings = notify(hooked(monkeypatch, server.url, timeout=timeout), of(FAILED), tmp_path)
    assert time.monotonic() - started < 4
    assert [warning.rpartition(": ")[2] for warning in warnings] == ([problem] if problem else [])
    assert len(server.got) >= requests
    told = str(warnings) + caplog.text + (tmp_path / FILE).read_text()
    assert SECRET not in told


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        (f"http://127.0.0.1:9/{SECRET}", "it could not be reached (ConnectionError)"),
        (f"ftp://127.0.0.1/{SECRET}", "it could not be asked (InvalidSchema)"),
        (SECRET, "it could not be asked (MissingSchema)"),
        (f"http://[::{SECRET}", "it could not be asked (InvalidURL)"),
        ("", "$HOOK is not set"),
    ],
)
def test_a_wrong_url_is_a_warning_that_keeps_it_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, problem: str
) -> None:
    [warning] = notify(hooked(monkeypatch, url, retries=0), of(FAILED), tmp_path)
    assert warning == f"notification of 'failure' by notify.webhook_variable: {problem}"
    assert SECRET not in (tmp_path / FILE).read_text()


@pytest.mark.parametrize("error", [InputError("span-3: no rows"), LockHeldError("held")])
def test_what_stops_a_run_before_it_begins_is_told(tmp_path: Path, error: Exception) -> None:
    command = json.dumps([sys.executable, "-c", KEEP, str(tmp_path / "got")])
    config = load("smoke", [f"notify.command={command}"])
    (tmp_path / "smoke").mkdir()
    request = RunRequest("smoke", config, tmp_path, "python -m pipeline run")
    warned: list[list[str]] = []
    with pytest.raises(type(error)), failures_told(request, warned.append):
        raise error
    if isinstance(error, LockHeldError):
        assert not (tmp_path / "got").exists()
        return
    assert warned == [[]]
    notice = json.loads((tmp_path / "got").read_text())
    assert (notice["event"], notice["run_id"]) == ("failure", None)
    assert notice["text"] == "smoke: the run failed: span-3: no rows"
    assert notice["failure"]["resume"].endswith("python -m pipeline run")
