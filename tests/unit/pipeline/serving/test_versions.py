"""Versions come and go with the folder; the old one answers until the new one can."""

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from pipeline.serving.batching import Batcher
from pipeline.serving.errors import RequestError
from pipeline.serving.versions import Servable, Versions, ask_columns
from tests.support.servers.columns_model import ColumnsModel, checker


class Loads:
    """Loads a version whose folder holds a file `model`; keeps which were loaded."""

    def __init__(self) -> None:
        self.loaded: list[int] = []
        self.seen: list[dict[str, int]] = []
        self.versions: Versions | None = None

    def __call__(self, version: int, folder: Path) -> Servable:
        if self.versions is not None:
            self.seen.append(dict(self.versions.labels))
        if not (folder / "model").exists():
            raise ValueError("no model in it")
        self.loaded.append(version)
        model = ColumnsModel()
        batcher = Batcher(ask_columns(model), 4, 0, lambda rows: None)
        return Servable(version, model, checker(), batcher, None)


def push(served: Path, version: int, content: str | None = "model") -> None:
    folder = served / str(version)
    folder.mkdir(parents=True)
    if content:
        (folder / content).touch()


@pytest.fixture
def loads() -> Loads:
    return Loads()


@pytest.fixture
def served(tmp_path: Path) -> Path:
    folder = tmp_path / "serving" / "m"
    push(folder, 1)
    return folder


@pytest.fixture
def versions(served: Path, loads: Loads) -> Versions:
    made = Versions("m", served, loads)
    loads.versions = made
    asyncio.run(made.look())
    return made


def look(versions: Versions) -> dict[str, int]:
    asyncio.run(versions.look())
    return versions.labels


def test_a_push_is_live_once_it_is_loaded(versions: Versions, served: Path, loads: Loads) -> None:
    push(served, 5)
    assert versions.labels == {"live": 1}
    assert look(versions) == {"live": 5, "previous": 1}
    assert loads.seen[-1] == {"live": 1}, "the old one was live while the new one was loaded"
    assert versions.find("m").version == 5
    assert versions.find("m", 1).version == versions.find("m", label="previous").version == 1
    look(versions)
    assert loads.loaded == [1, 5], "nothing is loaded twice"


def test_a_rollback_needs_no_loading(versions: Versions, served: Path, loads: Loads) -> None:
    push(served, 5)
    look(versions)
    (served / "5").rename(served.with_name("5"))
    assert look(versions) == {"live": 1}
    assert loads.loaded == [1, 5]
    with pytest.raises(RequestError, match=r"Servable not found for request: Specific\(m, 5\)"):
        versions.find("m", 5)
    assert {v: s.state for v, s in versions.status("m").items()} == {5: "END", 1: "AVAILABLE"}
    served.with_name("5").rename(served / "5")
    assert look(versions) == {"live": 5, "previous": 1}


def test_only_two_are_kept(versions: Versions, served: Path) -> None:
    push(served, 5)
    push(served, 7)
    assert look(versions) == {"live": 7, "previous": 5}
    with pytest.raises(RequestError):
        versions.find("m", 1)


def test_a_version_that_cannot_be_loaded_changes_nothing(versions: Versions, served: Path) -> None:
    push(served, 9, None)
    assert look(versions) == {"live": 1}
    state = versions.status("m", 9)[9]
    assert (state.state, state.error) == ("END", "ValueError: no model in it")
    push(served, 10, None)
    assert look(versions) == {"live": 1}, "although two newer ones are there"
    shutil.rmtree(served / "9")
    shutil.rmtree(served / "10")
    push(served, 10)
    assert look(versions) == {"live": 10, "previous": 1}


def test_another_folder_of_the_same_number_is_another_version(
    versions: Versions, served: Path, loads: Loads
) -> None:
    (served / "1").rename(served.with_name("old"))
    push(served, 1)
    look(versions)
    assert loads.loaded == [1, 1]


def test_an_empty_folder_takes_nothing_away(versions: Versions, served: Path) -> None:
    shutil.rmtree(served)
    assert look(versions) == {"live": 1}
    assert versions.find("m").version == 1


@pytest.mark.parametrize(
    ("asked", "code", "message"),
    [
        ({"name": "x"}, 404, "Servable not found for request: Latest(x)"),
        ({"name": "x", "version": 1}, 404, "Servable not found for request: Specific(x, 1)"),
        ({"name": "m", "version": 2}, 404, "Servable not found for request: Specific(m, 2)"),
        ({"name": "m", "label": "x"}, 400, "Unrecognized servable version label: x"),
        ({"name": "m", "label": "previous"}, 400, "Unrecognized servable version label: previous"),
        ({"name": "x", "label": "live"}, 400, "Unrecognized servable version label: live"),
        ({"name": "../m"}, 404, "Servable not found for request: Latest(../m)"),
    ],
)
def test_what_is_not_there(versions: Versions, asked: dict, code: int, message: str) -> None:
    with pytest.raises(RequestError) as error:
        versions.find(**asked)
    assert (error.value.http, error.value.message) == (code, message)


def test_status_of_what_is_not_there(versions: Versions) -> None:
    with pytest.raises(RequestError, match="Could not find version 2 of model m"):
        versions.status("m", 2)
    with pytest.raises(RequestError, match="Could not find any versions of model x"):
        versions.status("x")


def test_the_status_forgets_the_oldest(
    versions: Versions, served: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.serving.versions._REMEMBERED", 2)
    for version in range(2, 8):
        push(served, version)
        look(versions)
    assert [*versions.status("m")] == [7, 6, 5, 4]
    assert versions.status("m")[7].state == "AVAILABLE"


def test_a_folder_that_is_made_anew_is_another_version(
    versions: Versions, served: Path, loads: Loads
) -> None:
    """Also where the file system gives it the number of the one that was removed."""
    push(served, 9, None)
    look(versions)
    known = (served / "9").stat()
    (served / "9" / "model").touch()
    os.utime(served / "9", ns=(known.st_mtime_ns + 1_000, known.st_mtime_ns + 1_000))
    assert (served / "9").stat().st_ino == known.st_ino
    assert look(versions) == {"live": 9, "previous": 1}
    assert loads.loaded == [1, 9]
