"""Which rows of the log are looked at."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.config import Config
from core.errors import InputError
from pipeline.config.load import load
from pipeline.monitoring import requests
from tests.support.records.request_lines import COLUMNS, line, log


def test_the_newest_rows_of_a_version_whatever_file_they_are_in(
    census: Config, tmp_path: Path
) -> None:
    few = load("census", ["monitor.rows=3"])
    times = [f"2026-11-26T12:00:0{n}.000Z" for n in range(6)]
    folder = log(tmp_path, *(line(f"a{n}", time=times[n]) for n in (0, 3, 5)), name="1-server-1")
    log(tmp_path, *(line(f"b{n}", time=times[n]) for n in (1, 2, 4)), name="2-server-2")
    log(tmp_path, line("edge", target="edge"), line("old", version=6), name="3-server-3")
    found = requests.read(folder, few, "server", 7, None)
    assert [request for request, _ in found.places] == ["a3", "b4", "a5"]
    assert (found.window.rows, found.window.others, found.window.first) == (3, 1, times[3])
    since = datetime(2026, 11, 26, 12, 0, 5, tzinfo=UTC)
    assert [r for r, _ in requests.read(folder, few, "server", 7, since).places] == ["a5"]


def test_lines_that_are_none_are_counted(census: Config, tmp_path: Path) -> None:
    folder = log(
        tmp_path, "no json\n", "[]\n", line("one", answer=2.0), line("two", columns=3),
        line("good", answer=1), line("cut off")[:40],
    )  # fmt: skip
    found = requests.read(folder, census, "server", 7, None)
    assert found.places == [("good", 0)]
    assert found.answers.tolist() == [1.0]
    assert found.window.unreadable == 5


def test_no_log_is_no_rows(census: Config, tmp_path: Path) -> None:
    found = requests.read(tmp_path / "requests", census, "server", 7, None)
    assert found.rows is None
    assert found.window.rows == 0


def test_a_cell_that_is_no_number_is_named(census: Config, tmp_path: Path) -> None:
    folder = log(tmp_path, line("one", columns={**COLUMNS, "age": "forty"}))
    with pytest.raises(InputError, match="row 1, column 'age': 'forty'"):
        requests.read(folder, census, "server", 7, None)
