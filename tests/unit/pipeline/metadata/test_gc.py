"""Retention: what goes, what stays, what the cache makes of it, and a kill in the midst of it."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core import lock
from core.errors import InputError
from core.files import REPOSITORY
from pipeline.cli.main import main
from pipeline.metadata.executions import Artifact, Execution, Properties
from pipeline.metadata.gc import plan
from pipeline.metadata.graph import Graph
from tests.support.mini_runs import Runs, printed

KILLED = """
import os, shutil, signal, sys
from pipeline.cli.main import main
remove = shutil.rmtree
def once(path, *more, **named):
    remove(path, *more, **named)
    os.kill(os.getpid(), signal.SIGKILL)
shutil.rmtree = once
main(sys.argv[1:])
"""


def models(runs: Runs) -> list[str]:
    found = [path.parent.name for path in runs.folder.glob("artifacts/Work/model/*/model.txt")]
    return sorted(found, key=int)


def test_old_runs_lose_their_files_and_the_cache_does_not_hand_them_on(
    runs: Runs, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed in (1, 2, 3):
        assert runs.run("finish", "--set", f"seed={seed}") == 0
    report = max(runs.folder.glob("reports/*")).parent / min(
        path.name for path in runs.folder.glob("reports/*")
    )
    (report / "index.html").write_text("old")
    before = models(runs)
    capsys.readouterr()
    assert main(runs.arguments("gc", "--keep", "1", "--dry-run")) == 0
    said = printed(capsys.readouterr().out)
    assert models(runs) == before
    assert "4 artifact artifacts/Work/model/" not in said  # 5 bytes: whole
    assert said.count("5 artifact artifacts/") == 4
    assert "3 report reports/" in said
    assert main(runs.arguments("gc", "--keep", "1")) == 0
    freed = printed(capsys.readouterr().out)
    assert freed.replace("bytes freed", "bytes would be freed") == said
    assert models(runs) == before[-1:]
    assert [path.name for path in report.iterdir()] == ["summary.json"]
    assert main(runs.arguments("gc", "--keep", "1")) == 0
    assert "0 bytes freed, 0 items" in printed(capsys.readouterr().out)
    assert runs.run("finish", "--set", "seed=3") == 0
    assert set(runs.states().values()) == {"CACHED"}
    assert runs.run("finish", "--set", "seed=1") == 0
    assert runs.states() == {"Make": "CACHED", "Work": "RAN", "Last": "RAN"}


def test_a_kill_in_the_midst_leaves_nothing_that_is_handed_on(runs: Runs) -> None:
    for seed in (1, 2):
        assert runs.run("finish", "--set", f"seed={seed}") == 0
    arguments = runs.arguments("gc", "--keep", "1")
    killed = subprocess.run([sys.executable, "-c", KILLED, *arguments], cwd=REPOSITORY, check=False)
    assert killed.returncode == -signal.SIGKILL
    left = list(runs.folder.glob("artifacts/*/*/*"))
    assert main(arguments) == 0
    assert len(list(runs.folder.glob("artifacts/*/*/*"))) < len(left)
    assert len(models(runs)) == 1
    assert runs.run("finish", "--set", "seed=2") == 0
    assert set(runs.states().values()) == {"CACHED"}
    assert runs.run("finish", "--set", "seed=1") == 0
    assert runs.states() == {"Make": "CACHED", "Work": "RAN", "Last": "RAN"}


def test_staged_data_that_no_kept_run_read_goes_and_comes_back(runs: Runs) -> None:
    assert runs.run() == 0
    assert runs.run("finish", "--set", "seed=2") == 0
    staged = runs.folder / "staged"
    assert len(list(staged.glob("*.json"))) == 2, "the seed draws the splits"
    assert main(runs.arguments("gc", "--keep", "1")) == 0
    [record] = staged.glob("*.json")
    assert (staged / json.loads(record.read_bytes())["digest"][:16]).is_dir()
    assert len(list(staged.glob("*/train"))) == 1
    assert runs.run() == 0
    assert len(list(staged.glob("*/train"))) == 2


def test_no_gc_while_a_run_goes_on(runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    assert runs.run() == 0
    with lock.hold(runs.folder / lock.FILE):
        assert main(runs.arguments("gc", "--keep", "1")) == 1
        assert "a run is under way" in capsys.readouterr().err
        assert main(runs.arguments("gc", "--keep", "1", "--dry-run")) == 0


@pytest.mark.parametrize(
    ("keep", "message"), [("0", "keep at least 1, the last run"), ("1", "no runs there yet")]
)
def test_what_cannot_be_is_named(
    runs: Runs, capsys: pytest.CaptureFixture[str], keep: str, message: str
) -> None:
    assert main(runs.arguments("gc", "--keep", keep)) == 2
    assert message in printed(capsys.readouterr().err)


@pytest.mark.parametrize("way", ["moved", "copied"])
def test_nothing_that_is_needed_goes_where_the_folder_was_moved(
    runs: Runs, capsys: pytest.CaptureFixture[str], tmp_path: Path, way: str
) -> None:
    assert runs.run("finish") == 0
    left, root = runs.folder.parent, tmp_path / "elsewhere"
    if way == "moved":
        left.rename(root)
    else:
        shutil.copytree(left, root)
        (root / "tiny" / "artifacts" / "Make" / "examples" / "99").mkdir()
    there = sorted(left.rglob("*"))
    runs.root = root
    before = sorted(root.rglob("*/artifacts/*/*/*/*"))
    for more in (["--dry-run"], []):
        assert main(runs.arguments("gc", "--keep", "1", *more)) == 0
        said = printed(capsys.readouterr().out)
        assert said.count(" artifacts/") == (way == "copied")
    assert sorted(root.rglob("*/artifacts/*/*/*/*")) == before
    assert sorted(left.rglob("*")) == there
    assert runs.run("finish") == 0
    assert set(runs.states().values()) == {"CACHED"}


def test_nothing_goes_that_records_speak_of_elsewhere(tmp_path: Path) -> None:
    folder = tmp_path / "census"
    made = [Artifact(1, "Model", str(tmp_path / "other" / "artifacts" / "Trainer" / "1"), {})]
    graph = Graph([Execution(1, "Trainer", "COMPLETE", 1.0, {"model": made}, {}, "a")], {"a": {}})
    with pytest.raises(InputError, match="its records speak of files elsewhere"):
        plan(graph, folder, 1)


def write(folder: Path, name: str) -> str:
    path = folder / "artifacts" / name
    path.mkdir(parents=True)
    (path / "file").write_text("12345")
    return str(path)


@pytest.mark.parametrize(
    ("place", "stays"),
    [
        ("serving/census/17", True),
        ("serving/.census.rolled-back/17", True),
        ("serving/census/18", False),
    ],
)
def test_what_is_behind_a_version_that_can_be_served_stays(
    tmp_path: Path, place: str, stays: bool
) -> None:
    folder = tmp_path / "census"
    (folder / place).mkdir(parents=True)
    names = ("Transform/graph/1", "Trainer/model/2", "Pusher.server/pushed_model/3", "Other/x/4")
    pushed: Properties = {"pushed_version": "17", "pushed": 1}
    one, two, three, four = (
        [Artifact(number, "X", write(folder, name), pushed if number == 3 else {})]
        for number, name in enumerate(names, start=1)
    )
    executions = [
        Execution(1, "Transform", "COMPLETE", 1.0, {"graph": one}, {}, "a"),
        Execution(2, "Trainer", "COMPLETE", 1.0, {"model": two}, {"graph": one}, "a"),
        Execution(3, "Pusher.server", "COMPLETE", 1.0, {"pushed": three}, {"model": two}, "a"),
        Execution(4, "Other", "COMPLETE", 1.0, {"x": four}, {}, "a"),
    ]
    graph = Graph(executions, {"a": {}, "b": {}})
    gone = {removal.artifact_id for removal in plan(graph, folder, 1)}
    assert gone == ({4} if stays else {1, 2, 3, 4})
    assert plan(graph, folder, 2) == []


def test_files_of_no_artifact_go(tmp_path: Path) -> None:
    folder = tmp_path / "census"
    write(folder, "Trainer/model/7")
    write(folder, "Trainer/.system/stateful_working_dir/now")
    (folder / "serving" / ".census.incoming").mkdir(parents=True)
    (folder / "data" / "span-1").mkdir(parents=True)
    found = {removal.path.relative_to(folder).as_posix() for removal in plan(EMPTY, folder, 1)}
    assert found == {
        "artifacts/Trainer/model/7",
        "artifacts/Trainer/.system/stateful_working_dir/now",
        "serving/.census.incoming",
    }


EMPTY = Graph([], {})
