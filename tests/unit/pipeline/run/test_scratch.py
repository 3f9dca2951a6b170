"""The folder for temporary files: gone with its process, or when the next one begins."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from core.files import REPOSITORY
from pipeline.run.scratch import PREFIX, own_temporary_folder

HOLD = """
import subprocess, sys, tempfile
from pipeline.run.scratch import own_temporary_folder
with own_temporary_folder():
    tempfile.mkstemp()
    child = [sys.executable, "-c", "import tempfile; tempfile.mkstemp(prefix='child')"]
    subprocess.run(child, check=True)
    print(tempfile.gettempdir(), flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def holding() -> "tuple[subprocess.Popen[str], Path]":
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD], cwd=REPOSITORY, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_temporary_files_go_with_the_block(base: Path) -> None:
    with own_temporary_folder():
        assert Path(tempfile.gettempdir()).parent == base
        assert os.environ["TMPDIR"] == tempfile.gettempdir()
        assert Path(tempfile.mkdtemp()).parent == Path(tempfile.gettempdir())
    assert (tempfile.gettempdir(), os.environ["TMPDIR"]) == (str(base), str(base))
    assert list(base.iterdir()) == []


def test_what_a_killed_process_left_goes_and_what_a_living_one_has_stays(base: Path) -> None:
    process, folder = holding()
    assert folder.name.startswith(PREFIX)
    assert any(path.name.startswith("child") for path in folder.iterdir())
    with own_temporary_folder():
        assert folder.is_dir()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert folder.is_dir()
    (base / "another").mkdir()
    with own_temporary_folder():
        assert not folder.exists()
    assert [path.name for path in base.iterdir()] == ["another"]


def test_a_link_of_that_name_is_left_alone(base: Path) -> None:
    (base / "mine").mkdir()
    (base / f"{PREFIX}x").symlink_to(base / "mine")
    with own_temporary_folder():
        pass
    assert (base / "mine").is_dir()
    assert (base / f"{PREFIX}x").is_symlink()


def test_without_a_place_for_it_all_goes_on(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "mkdtemp", lambda **given: os.mkdir("/proc/none"))
    with own_temporary_folder():
        assert tempfile.gettempdir() == str(base)
