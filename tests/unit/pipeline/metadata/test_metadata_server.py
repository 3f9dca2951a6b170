"""Runs recorded on a database server: two pipelines on one database, secrets, refusals, outages."""

import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core import lock
from pipeline.cli.main import main
from pipeline.metadata.address import Address
from pipeline.metadata.connection import FILE, SQLITE
from pipeline.metadata.errors import ServerDownError, explain_refusal
from pipeline.metadata.store import Metadata
from tests.support import database_server
from tests.support.database_server import PASSWORD, Server
from tests.support.fork_server import Forks
from tests.support.tiny_data import write_config, write_raw

VARIABLE = "METADATA_PASSWORD"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    if reason := database_server.missing():
        pytest.skip(reason)
    with database_server.running() as running:
        yield running


@dataclass
class Pipelines:
    """Small pipelines under one root, recorded on the server."""

    folder: Path
    address: str
    forks: Forks
    config: str

    @property
    def root(self) -> Path:
        return self.folder / "runs"

    def arguments(self, verb: str, name: str, *more: str) -> list[str]:
        return [
            verb, "--config", self.config, "--root", str(self.root), "--set", f"name={name}",
            "--set", f"metadata.connection={self.address}",
            "--set", f"metadata.password_variable={VARIABLE}", *more,
        ]  # fmt: skip

    def start(self, name: str, work: str, *more: str) -> int:
        return self.forks.start(
            self.arguments("run", name, *more),
            self.folder / f"{name}.log",
            **{VARIABLE: PASSWORD, "MINI_WORK": work, "MINI_ROOT": str(self.folder)},
        )

    def run(self, name: str, *more: str) -> int:
        return self.forks.wait(self.start(name, "finish", *more))

    def summary(self, name: str) -> dict[str, Any]:
        last = max((self.root / name).glob("reports/*/summary.json"))
        return dict(json.loads(last.read_text()))

    def states(self, name: str) -> dict[str, str]:
        return {node: ended["state"] for node, ended in self.summary(name)["nodes"].items()}

    def await_work(self, file: str = "working") -> None:
        deadline = time.monotonic() + 60
        while not (self.folder / file).exists():
            assert time.monotonic() < deadline, "Work did not start"
            time.sleep(0.05)


@pytest.fixture
def pipelines(
    tmp_path: Path, server: Server, forks: Forks, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Pipelines]:
    monkeypatch.setenv(VARIABLE, PASSWORD)
    write_raw(tmp_path)
    yield Pipelines(tmp_path, server.address, forks, write_config(tmp_path))
    server.sql("DROP DATABASE metadata; CREATE DATABASE metadata;")


def test_two_pipelines_at_once_on_one_database(
    pipelines: Pipelines, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    both = [pipelines.start(n, "meet", "--set", f"seed={len(n)}") for n in ("one", "three")]
    pipelines.await_work("working-3")
    seen = subprocess.run(["ps", "axww", "-o", "args"], capture_output=True, text=True, check=True)
    assert [pipelines.forks.wait(process) for process in both] == [0, 0]
    for name in ("one", "three"):
        assert set(pipelines.states(name).values()) == {"RAN"}
        assert main(pipelines.arguments("runs", name, "--json")) == 0
        run_id = pipelines.summary(name)["run_id"]
        assert [row["run_id"] for row in json.loads(capsys.readouterr().out)] == [run_id]
        executions = Metadata(pipelines.root / name).executions(run_id)
        assert [e.node for e in executions] == ["Make", "Work", "Last"]
        for output in (a for e in executions for made in e.outputs.values() for a in made):
            assert Path(output.uri).is_relative_to(pipelines.root / name)
    assert pipelines.run("one", "--set", "seed=9") == 0
    assert pipelines.states("one") == {"Make": "CACHED", "Work": "RAN", "Last": "RAN"}
    assert pipelines.run("one", "--set", "seed=9") == 0
    assert set(pipelines.states("one").values()) == {"CACHED"}
    assert not list(pipelines.root.glob(f"*/{SQLITE}"))

    texts = [seen.stdout, server.dump(), str(capsys.readouterr())]
    files = [path for path in pipelines.folder.rglob("*") if path.is_file()]
    assert len(files) > 20
    secret = PASSWORD.encode()
    assert not [path for path in files if secret in path.read_bytes()]
    assert not [text for text in texts if PASSWORD in text or secret.hex() in text]


def test_a_run_leaves_another_pipelines_unfinished_nodes_alone(pipelines: Pipelines) -> None:
    other = pipelines.start("other", "sleep")
    pipelines.await_work()
    killed = pipelines.start("one", "sleep")
    pipelines.forks.wait(pipelines.start("one", "finish"))  # refused or first: either way over
    os.kill(killed, signal.SIGKILL)
    pipelines.forks.wait(killed)
    assert pipelines.run("one") == 0
    run_id = pipelines.summary("other")["run_id"]
    states = [e.state for e in Metadata(pipelines.root / "other").executions(run_id)]
    assert states == ["COMPLETE", "RUNNING"]
    os.kill(other, signal.SIGTERM)
    assert pipelines.forks.wait(other) == 128 + signal.SIGTERM


@pytest.mark.parametrize(
    ("old", "new", "code", "message"),
    [
        ("pipeline@", "nobody@", 2, "the server refuses user or password"),
        ("pipeline@", "modern@", 2, "plugin than mysql_native_password"),
        ("/metadata", "/metadata2", 2, "the database does not exist, or the user has no rights"),
        ("127.0.0.1", "no-such-host.invalid", 2, "there is no host 'no-such-host.invalid'"),
        ("127.0.0.1:", "127.0.0.1:1", 2, "not an address"),
        ("pipeline@", "pipeline:secret@", 2, "a password has no place in the configuration"),
        ("mysql:", "postgresql:", 2, "cannot store a text with a backslash in PostgreSQL"),
        ("mysql:", "oracle:", 2, "it does not begin with mysql://"),
        ("/metadata", "/metadata?tls=1", 2, "options after the database are not read"),
        ("/metadata", "", 2, "user, host or database is missing"),
    ],
)
def test_wrong_settings_are_told_and_nothing_is_written(
    pipelines: Pipelines, capsys: pytest.CaptureFixture[str], old: str, new: str, code: int,
    message: str,
) -> None:  # fmt: skip
    pipelines.address = pipelines.address.replace(old, new)
    assert main(pipelines.arguments("run", "one")) == code
    said = " ".join(str(capsys.readouterr()).split())
    assert message in said
    assert PASSWORD not in said
    assert "secret" not in said
    assert [path.name for path in pipelines.root.glob("one/*")] in ([], [lock.FILE])


def test_a_server_that_is_down_is_a_failure(
    pipelines: Pipelines, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.stop()
    try:
        assert main(pipelines.arguments("run", "one")) == 1
    finally:
        server.start()
    said = " ".join(capsys.readouterr().err.split())
    assert "the server does not answer (Connection refused); start it" in said
    assert "run the same command again" in said
    assert [path.name for path in pipelines.root.glob("one/*")] == [lock.FILE]


def test_a_server_that_takes_no_more_connections_is_down() -> None:
    with socket.create_server(("127.0.0.1", 0)) as full:

        def greet() -> None:
            with full.accept()[0] as connection:
                connection.sendall(b"\x17\0\0\0\xff\x10\x04Too many connections")

        threading.Thread(target=greet).start()
        address = Address("user", "127.0.0.1", full.getsockname()[1], "metadata")
        error = explain_refusal(address, "mysql_real_connect failed: errno: , error: ")
    assert isinstance(error, ServerDownError)
    assert str(error).endswith("the server takes no connections: Too many connections (1040)")


def test_a_server_that_stops_in_the_midst_of_a_run(pipelines: Pipelines, server: Server) -> None:
    process = pipelines.start("one", "meet")
    pipelines.await_work("working-1")
    server.stop()
    (pipelines.folder / "working-2").touch()
    try:
        assert pipelines.forks.wait(process) == 1
    finally:
        server.start()
    assert pipelines.summary("one")["state"] == "FAILED"
    assert pipelines.states("one") == {"Make": "RAN", "Work": "FAILED", "Last": "SKIPPED"}
    assert pipelines.run("one") == 0
    assert pipelines.states("one") == {"Make": "CACHED", "Work": "RAN", "Last": "RAN"}


def test_a_name_belongs_to_one_folder(
    pipelines: Pipelines, capsys: pytest.CaptureFixture[str]
) -> None:
    assert pipelines.run("one") == 0
    first = pipelines.root / "one"
    again = first.with_name("gone")
    first.rename(again)  # as if another machine had a folder of that name
    assert main(pipelines.arguments("run", "one")) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert f"name: 'one' is recorded on that server by {first} on " in said
    assert "give another name" in said
    assert [path.name for path in first.iterdir()] == [lock.FILE]
    identity = json.loads((again / FILE).read_text())["folder_id"]
    assert f"its folder_id {identity}" in said


def test_a_folder_that_was_moved_says_so_and_its_copy_is_locked_out(
    pipelines: Pipelines, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    assert pipelines.run("one") == 0
    assert pipelines.run("other") == 0
    before = pipelines.root / "one"
    pipelines.folder = pipelines.folder / "moved"
    pipelines.folder.mkdir()
    shutil.copytree(before, pipelines.root / "one")
    for verb in ("run", "gc"):
        more = ("--keep", "1") if verb == "gc" else ()
        assert main(pipelines.arguments(verb, "one", *more)) == 2
        said = " ".join(capsys.readouterr().err.split())
        assert f"its records on the server are about {before}; if this is that folder" in said
    run_id = pipelines.summary("one")["run_id"]
    made = [a for e in Metadata(pipelines.root / "one").executions(run_id) for a in e.made]
    assert [Path(a.uri).is_relative_to(pipelines.root / "one") for a in made] == [True] * 3
    assert main(pipelines.arguments("rebase", "one")) == 0
    assert pipelines.run("one") == 0
    assert set(pipelines.states("one").values()) == {"CACHED"}
    assert server.dump().count(f"{before}/") == 0
    assert server.dump().count(f"{before.with_name('other')}/") > 3
    capsys.readouterr()
    pipelines.folder = pipelines.folder.parent
    assert main(pipelines.arguments("run", "one")) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert f"'one' is recorded on that server by {pipelines.folder / 'moved'}" in said
    assert pipelines.run("other") == 0
    assert set(pipelines.states("other").values()) == {"CACHED"}


def test_a_folder_keeps_to_its_store(
    pipelines: Pipelines, capsys: pytest.CaptureFixture[str]
) -> None:
    assert pipelines.run("one") == 0
    sqlite = ["--config", pipelines.config, "--root", str(pipelines.root), "--set", "name=one"]
    assert main(["run", *sqlite]) == 2
    assert f"are recorded in {pipelines.address}" in " ".join(capsys.readouterr().err.split())
    assert main(["runs", *sqlite, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 1
    (pipelines.root / "two").mkdir()
    (pipelines.root / "two" / SQLITE).touch()
    assert main(pipelines.arguments("run", "two")) == 2
    assert f"are recorded in {SQLITE} there" in " ".join(capsys.readouterr().err.split())


def test_the_password_comes_from_a_variable_or_a_file(
    pipelines: Pipelines, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(VARIABLE)
    assert main(pipelines.arguments("run", "one")) == 2
    assert f"the environment variable {VARIABLE} is not set" in capsys.readouterr().err
    file = pipelines.folder / "password"
    by_file = [
        "--set",
        "metadata.password_variable=null",
        "--set",
        f"metadata.password_file={file}",
    ]
    assert main(pipelines.arguments("run", "one", *by_file)) == 2
    assert f"metadata.password_file: {file} cannot be read" in capsys.readouterr().err
    file.write_text(PASSWORD + "\n")
    assert pipelines.run("one", *by_file) == 0
    file.unlink()
    assert main(pipelines.arguments("runs", "one", *by_file)) == 2
