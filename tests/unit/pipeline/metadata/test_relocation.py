"""A folder of runs that was moved, copied or mounted elsewhere."""

import json
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from ml_metadata import MetadataStore
from ml_metadata.errors import InternalError

from pipeline.cli.main import main
from pipeline.metadata import seal
from pipeline.metadata.connection import SQLITE
from pipeline.metadata.relocation import Relocation
from pipeline.metadata.store import Metadata
from tests.support.mini_runs import Runs, printed

OLD, NEW = "/disk/zähl ung/census", "/other/mnt/census"
AWKWARD = "/mnt/a 'b' \"c\" é\\d/census"


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (f"{OLD}/artifacts/Trainer/model/1", f"{NEW}/artifacts/Trainer/model/1"),
        (f'{{"base": "{OLD}/serving/census"}}', f'{{"base": "{NEW}/serving/census"}}'),
        (json.dumps([f"{OLD}/edge/x"]), json.dumps([f"{NEW}/edge/x"])),
        (json.dumps({"a": json.dumps([f"{OLD}/x"])}), json.dumps({"a": json.dumps([f"{NEW}/x"])})),
        (f"{OLD}/a {OLD}/b", f"{NEW}/a {NEW}/b"),
        (f"/mnt{OLD}/artifacts", f"/mnt{OLD}/artifacts"),
        (f"{OLD}-2/artifacts", f"{OLD}-2/artifacts"),
        ("no path", "no path"),
        ("", ""),
    ],
)
def test_paths_wherever_they_stand(before: str, now: str) -> None:
    relocation = Relocation((OLD,), NEW)
    assert relocation.text(before) == now
    assert relocation.text(now) == now, "putting right twice changes nothing"
    assert Relocation((), NEW).text(before) == before


@pytest.mark.parametrize(("old", "new"), [("/a/x", AWKWARD), (AWKWARD, "/a/x")])
def test_json_stays_json(old: str, new: str) -> None:
    def nested(folder: str) -> str:
        return json.dumps({"a": [1, 0.5, json.dumps({"b": f"{folder}/x"})], "c": f"{folder}/y"})

    assert json.loads(Relocation((old,), new).text(nested(old))) == json.loads(nested(new))
    assert Relocation((old,), new).text(f"{old}/artifacts") == f"{new}/artifacts"
    assert Relocation((old,), new).text("{old}/" + old + "/z") == "{old}/" + new + "/z"


@pytest.mark.parametrize(("old", "new"), [("/a/x", "/a/x/b/x"), ("/a/x/b/x", "/a/x")])
def test_one_folder_inside_the_other(old: str, new: str) -> None:
    relocation = Relocation((old,), new)  # put right once more, if a kill came in between
    once = relocation.text(f"{old}/artifacts/1")
    assert once == f"{new}/artifacts/1"
    assert relocation.text(once) == once
    assert relocation.text("/a/other") == "/a/other"


def naming(folder: Path, text: str) -> list[Path]:
    """The files below a folder that hold a text, as it is or in JSON."""
    words = (text.encode(), json.dumps(text)[1:-1].encode())
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if any(word in path.read_bytes() for word in words)]


def contents(folder: Path) -> dict[Path, bytes | None]:
    return {p: p.read_bytes() if p.is_file() else None for p in sorted(folder.rglob("*"))}


@pytest.fixture
def moved(runs: Runs, tmp_path: Path) -> tuple[Runs, Path]:
    """Runs after one of them, in another folder; and the folder before, whose copy it is."""
    before = runs.root = tmp_path / "first 'place' é"
    assert runs.run() == 0
    runs.root = tmp_path / "now"
    shutil.copytree(before, runs.root)
    for path in runs.root.rglob("data.csv"):
        os.utime(path)  # as a copy without times has them
    return runs, before


def test_a_copy_reads_writes_and_removes_nothing_of_the_folder_before(
    moved: tuple[Runs, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    runs, before = moved
    there = contents(before)
    run_id = runs.summary()["run_id"]
    for verb in (["lineage", run_id], ["gc", "--keep", "1", "--dry-run"], ["runs"]):
        assert main(runs.arguments(*verb)) == 0, verb
    assert main(runs.arguments("lineage", "--span", "1", "--json")) == 0
    assert str(before) not in capsys.readouterr().out
    made = [artifact for e in Metadata(runs.folder).executions(run_id) for artifact in e.made]
    assert [Path(artifact.uri).is_relative_to(runs.folder) for artifact in made] == [True] * 3
    shutil.rmtree(before)
    assert runs.run() == 0
    assert set(runs.states().values()) == {"CACHED"}
    assert not before.exists()
    assert naming(runs.root, str(before)) == []
    assert main(runs.arguments("gc", "--keep", "1")) == 0
    assert all(
        Path(artifact.uri.replace(str(before), str(runs.root))).is_dir() for artifact in made
    )
    assert len(there) > 20


def test_the_folder_before_goes_on_by_itself(moved: tuple[Runs, Path]) -> None:
    runs, before = moved
    there = contents(before)
    assert runs.run("finish", "--set", "seed=2") == 0
    assert contents(before) == there
    runs.root = before
    assert runs.run() == 0
    assert set(runs.states().values()) == {"CACHED"}


def test_moved_to_and_fro(runs: Runs, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert runs.run() == 0
    for name in ("a", "b 'c' \"d\" é", "a"):
        runs.root = runs.root.rename(tmp_path / name)
        assert main(runs.arguments("rebase")) == 0
        assert "are about this folder now" in printed(capsys.readouterr().out)
        assert main(runs.arguments("rebase")) == 0
        assert "not moved; nothing to do" in printed(capsys.readouterr().out)
        assert runs.run() == 0
        assert set(runs.states().values()) == {"CACHED"}


def test_a_store_of_before_the_folder_was_noted(moved: tuple[Runs, Path]) -> None:
    runs, before = moved
    (runs.folder / seal.FILE).unlink()
    with closing(sqlite3.connect(runs.folder / SQLITE)) as database, database:
        kind = "SELECT id FROM Type WHERE name = 'run_folder'"
        changed = database.execute(f"UPDATE Context SET name = 'none' WHERE type_id = ({kind})")
        assert changed.rowcount == 1
    assert runs.run() == 0
    assert set(runs.states().values()) == {"CACHED"}
    made = Metadata(runs.folder).artifacts("Model")
    assert not [artifact for artifact in made if str(before) in artifact.uri]


def test_cut_off_while_paths_are_put_right(
    moved: tuple[Runs, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    runs, before = moved
    with monkeypatch.context() as patched:

        def cut_off(self: MetadataStore, records: object) -> None:
            raise KeyboardInterrupt

        patched.setattr(MetadataStore, "put_artifacts", cut_off)
        assert main(runs.arguments("rebase")) == 130
    run_id = runs.summary()["run_id"]
    made = [artifact for e in Metadata(runs.folder).executions(run_id) for artifact in e.made]
    assert [Path(artifact.uri).is_relative_to(runs.folder) for artifact in made] == [True] * 3
    assert runs.run() == 0
    assert set(runs.states().values()) == {"CACHED"}
    assert naming(runs.root, str(before)) == []


def test_a_full_disk_while_paths_are_put_right_is_named(
    moved: tuple[Runs, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    runs, _ = moved
    with monkeypatch.context() as patched:

        def full(self: MetadataStore, records: object) -> None:
            raise InternalError("query: COMMIT; database or disk is full")

        patched.setattr(MetadataStore, "put_artifacts", full)
        for verb in (["rebase"], ["gc", "--keep", "1"]):
            assert main(runs.arguments(*verb)) == 2
            assert f"the disk of {runs.root} is full (" in printed(capsys.readouterr().err)
    assert main(runs.arguments("gc", "--keep", "1")) == 0


def test_rebase_without_runs(runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(runs.arguments("rebase")) == 2
    assert "no runs there yet" in printed(capsys.readouterr().err)
