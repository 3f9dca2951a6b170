"""`report`, and what `show` says of the page."""

from pathlib import Path

import pytest

from pipeline.cli.main import main
from pipeline.report import summary
from tests.support.records.reported import reported
from tests.support.records.summaries import RUN_ID

LATER = "20260103T030405Z"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with two runs of the census."""
    folder = tmp_path_factory.mktemp("runs") / "census"
    record = reported(folder)
    later = record.summary.model_copy(update={"run_id": LATER})
    summary.write(later, summary.path_of(folder, LATER))
    return folder.parent


def call(root: Path, *arguments: str) -> int:
    return main([*arguments, "--root", str(root)])


def test_it_writes_the_page_of_a_run_or_of_the_last_one_and_says_where(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments, run_id in (((RUN_ID,), RUN_ID), ((), LATER)):
        assert call(root, "report", *arguments) == 0
        path = Path(capsys.readouterr().out.strip())
        assert path == summary.page_of(root / "census", run_id)
        assert f"<title>census: run {run_id}</title>" in path.read_text(encoding="utf-8")


def test_it_puts_two_runs_side_by_side(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(root, "report", LATER, "--against", RUN_ID) == 0
    path = Path(capsys.readouterr().out.strip())
    assert path == root / "census" / "reports" / LATER / f"against-{RUN_ID}.html"
    assert f"run {LATER} against {RUN_ID}" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["NONE"], "there is no run NONE"),
        (["--against", "NONE"], "there is no run NONE"),
        ([LATER, "--against", LATER], "that is the run itself"),
    ],
)
def test_a_run_that_is_not_there_is_named(
    root: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], named: str
) -> None:
    assert call(root, "report", *arguments) == 2
    assert named in capsys.readouterr().err


def test_show_says_where_the_page_lies_if_it_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = reported(tmp_path / "census")
    page = summary.page_of(record.folder, RUN_ID)
    assert call(tmp_path, "show") == 0
    assert str(page) not in capsys.readouterr().out
    assert call(tmp_path, "report") == 0
    capsys.readouterr()
    assert call(tmp_path, "show") == 0
    assert f"report: {page}" in capsys.readouterr().out
