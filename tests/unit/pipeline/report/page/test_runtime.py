"""The JavaScript of the page's charts: where it is kept."""

from pathlib import Path

import pytest

from pipeline.report.page import runtime as module
from pipeline.report.page.runtime import keep, runtime


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(module, "_OF_ENVIRONMENT", tmp_path / "environment")
    return tmp_path / "environment"


def test_the_script_of_the_environment_is_taken(environment: Path, tmp_path: Path) -> None:
    keep(environment)
    [kept] = environment.iterdir()
    kept.write_text("of the environment")
    assert runtime(tmp_path / "reports") == "of the environment"
    assert not (tmp_path / "reports").exists()


@pytest.mark.usefixtures("environment")
def test_without_it_the_first_page_keeps_one_for_later_pages(tmp_path: Path) -> None:
    script = runtime(tmp_path / "reports")
    assert "window.vegaEmbed=" in script
    assert "</script" not in script
    [kept] = (tmp_path / "reports").iterdir()
    assert kept.read_text() == script
    kept.write_text("kept")
    assert runtime(tmp_path / "reports") == "kept"
    kept.write_bytes(b"\xff")
    assert runtime(tmp_path / "reports") == script
    assert kept.read_text() == script
