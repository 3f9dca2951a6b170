"""True labels that come later: what is kept, and what of a file is refused."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.config import Config
from core.errors import InputError
from pipeline.monitoring import outcomes
from tests.support.records.request_lines import line, log

NOW = datetime(2026, 11, 26, 13, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    log(tmp_path, line("one"), line("two", 0), line("two", 1))
    return tmp_path


def bring(config: Config, folder: Path, text: str) -> outcomes.OutcomeCounts:
    path = folder / "later.csv"
    path.write_text(text, encoding="utf-8")
    return outcomes.import_file(config, folder, path, NOW)


def test_labels_are_kept_by_request_and_row(census: Config, folder: Path) -> None:
    done = bring(census, folder, "request,row,label\none,,>50K\ntwo,1,<=50K\ntwo,0,\ngone,0,>50K\n")
    assert (done.taken, done.skipped, done.unlogged, done.corrected) == (3, 1, 1, 0)
    [one] = outcomes.read_all(folder)
    assert (one.file, one.config, one.imported, one.id) == ("later.csv", "census", NOW, done.id)
    assert outcomes.labels_of([one]) == {
        ("one", 0): ">50K", ("two", 1): "<=50K", ("gone", 0): ">50K",
    }  # fmt: skip


def test_the_same_file_twice_is_taken_once_and_a_newer_one_corrects(
    census: Config, folder: Path
) -> None:
    first = bring(census, folder, "request,label\none,>50K\n")
    again = bring(census, folder, "request,label\none,>50K\n")
    assert again.known
    assert again.id == first.id
    path = folder / "corrected.csv"
    path.write_text("request;label\none;<=50K\n", encoding="utf-8")
    done = outcomes.import_file(census, folder, path, NOW.replace(hour=14))
    assert done.corrected == 1
    assert outcomes.labels_of(outcomes.read_all(folder)) == {("one", 0): "<=50K"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("request,label\none,rich\n", "later.csv: row 1, column 'label': 'rich' is neither"),
        ("request,label\n,>50K\n", "row 1, column 'request': empty"),
        ("request,label\ntwo,>50K\n", "row 1, column 'row': request two has 2 rows; say which"),
        ("request,row,label\ntwo,2,>50K\n", "row 1, column 'row': .* there is no 2"),
        ("request,row,label\ntwo,x,>50K\n", "row 1, column 'row': 'x' is no row number"),
        ("request,row,label\ntwo,-1,>50K\n", "row 1, column 'row': '-1' is no row number"),
        ("request,label\none,>50K\none,<=50K\n", "row 2, column 'label': .* row 1 says '>50K'"),
        ("id,label\none,>50K\n", "column 'request' is missing"),
        ("request,label,label\none,>50K,>50K\n", "2 columns are called 'label'"),
        ("request,label\none\n", "row 1 has 1 cells"),
        ("request,label\none,\n", "column 'label' is empty in all 1 rows"),
        ("request,label\nnobody,>50K\n", "none of its 1 requests is in the log"),
        ("", "the file is empty"),
    ],
)
def test_a_fault_is_named_and_nothing_kept(
    census: Config, folder: Path, text: str, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        bring(census, folder, text)
    assert not (folder / outcomes.FOLDER).exists()


def test_a_damaged_import_is_named(census: Config, folder: Path) -> None:
    bring(census, folder, "request,label\none,>50K\n")
    [path] = (folder / outcomes.FOLDER).iterdir()
    path.write_text(path.read_text()[:50])
    with pytest.raises(InputError, match=f"{path.name}: damaged"):
        outcomes.read_all(folder)
