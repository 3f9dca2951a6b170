"""A store that is cut off, garbled, flipped or gone: named, with what to do, by every verb."""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from core import lock
from pipeline.cli.main import main
from pipeline.metadata import seal
from pipeline.metadata.connection import SQLITE
from pipeline.metadata.seal import StoreDamagedError
from tests.support.mini_runs import Runs, printed

READING = (["runs"], ["show"], ["lineage", "server"], ["gc", "--keep", "1", "--dry-run"])
WRITING = (["gc", "--keep", "1"], ["rebase"], ["run"], ["retrain"])


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 4
    path.write_bytes(content)


def damage(path: Path, how: str) -> None:
    size = path.stat().st_size
    if how == "cut off":
        os.truncate(path, size // 2 + 100)
    elif how == "garbled":
        path.write_bytes(os.urandom(size))
    elif how == "one bit":
        flip(path, size // 2)
    elif how == "its header":
        path.write_bytes(b"\0" * 100 + path.read_bytes()[100:])


def test_a_damaged_store_is_named_by_every_verb_and_nothing_is_written(
    runs: Runs, capsys: pytest.CaptureFixture[str]
) -> None:
    assert runs.run() == 0
    whole = runs.root.rename(runs.root.with_name("whole"))
    for how in ("cut off", "garbled", "one bit", "its header"):
        for sealed in (True, False):
            if not sealed and how == "one bit":
                continue  # after a kill nothing tells how it was
            shutil.rmtree(runs.root, ignore_errors=True)
            shutil.copytree(whole, runs.root)
            file = runs.folder / SQLITE
            damage(file, how)
            if not sealed:
                (runs.folder / seal.FILE).unlink()
            before = {p: p.read_bytes() for p in runs.folder.rglob("*") if p.is_file()}
            del before[runs.folder / lock.FILE]
            capsys.readouterr()
            for verb in (*READING, *WRITING):
                assert main(runs.arguments(*verb)) == 2, (how, sealed, verb)
                said = printed(capsys.readouterr().err)
                assert f"{file}: damaged (" in said, (how, sealed, verb)
                assert f"mv {file} {file}.damaged" in said
            left = {p: p.read_bytes() for p in before}
            assert left == before


def test_a_store_that_was_changed_on_purpose(
    runs: Runs, capsys: pytest.CaptureFixture[str]
) -> None:
    assert runs.run() == 0
    with closing(sqlite3.connect(runs.folder / SQLITE)) as database:
        database.execute("CREATE TABLE mine (x INT)")
        database.commit()
    assert main(runs.arguments("runs")) == 2
    said = printed(capsys.readouterr().err)
    assert f"is not that in {seal.FILE}; if it was changed on purpose, remove that file" in said
    (runs.folder / seal.FILE).unlink()
    assert main(runs.arguments("runs")) == 0
    assert runs.run() == 0
    assert set(runs.states().values()) == {"CACHED"}
    assert (runs.folder / seal.FILE).is_file()


@pytest.mark.parametrize("how", ["removed", "emptied"])
def test_a_lost_store_is_written_anew(
    runs: Runs, capsys: pytest.CaptureFixture[str], how: str
) -> None:
    assert runs.run() == 0
    first = runs.summary()["run_id"]
    file = runs.folder / SQLITE
    if how == "removed":
        file.unlink()
    else:
        os.truncate(file, 0)
    assert main(runs.arguments("runs")) == 0
    for verb in (["lineage", "server"], ["gc", "--keep", "1"], ["rebase"]):
        assert main(runs.arguments(*verb)) == 2
        assert f"{file}: gone, though runs were reported." in printed(capsys.readouterr().err)
    made = set(runs.folder.glob("artifacts/*/*/*"))
    assert runs.run() == 0, "outputs of before are in nobody's way"
    assert set(runs.states().values()) == {"RAN"}
    assert made < set(runs.folder.glob("artifacts/*/*/*"))
    assert runs.summary()["run_id"] > first
    assert runs.run() == 0
    assert set(runs.states().values()) == {"CACHED"}


def test_what_a_killed_writer_began_is_undone(runs: Runs) -> None:
    assert runs.run() == 0
    file = runs.folder / SQLITE
    child = os.fork()
    if child == 0:  # dies in the midst of a transaction that has reached the file
        database = sqlite3.connect(file, isolation_level=None)
        database.execute("PRAGMA cache_size = 1")
        database.execute("BEGIN")
        database.execute("UPDATE Artifact SET uri = 'nowhere' || uri")
        database.execute("CREATE TABLE more AS SELECT randomblob(90000) FROM Artifact")
        os._exit(9)
    os.waitpid(child, 0)
    (runs.folder / seal.FILE).unlink()
    assert file.with_name(f"{SQLITE}-journal").stat().st_size
    assert main(runs.arguments("runs")) == 0
    assert runs.run() == 0
    assert set(runs.states().values()) == {"CACHED"}


def test_a_reader_does_not_take_a_running_writer_for_damage(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / SQLITE)) as database:
        database.execute("CREATE TABLE t (x)")
    with lock.hold(tmp_path / lock.FILE), seal.writing(tmp_path):
        assert not (tmp_path / seal.FILE).exists()
    seal.check(tmp_path)
    flip(tmp_path / SQLITE, 50)
    with lock.hold(tmp_path / lock.FILE):
        seal.check(tmp_path)
    with pytest.raises(StoreDamagedError):
        seal.check(tmp_path)
