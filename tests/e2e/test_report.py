"""The page of a real run, and of the same run had it failed at each third of its nodes."""

from pathlib import Path

import pytest

from pipeline.report import config_file, summary
from pipeline.report.page import page
from pipeline.report.page.part import RunRecord
from pipeline.report.page.records import read_record
from tests.support.e2e.runs import NODES, Ran
from tests.support.records.reported import cut
from tests.support.servers.accessibility import grave_faults
from tests.support.servers.browser import chromium

MOST_BYTES = 5_000_000
EXECUTIONS = len(NODES)
DRAWN = "[...document.querySelectorAll('.chart')].every(chart => chart.dataset.drawn === 'yes')"


@pytest.fixture(scope="module")
def record(kept: Path, cold: str) -> RunRecord:
    """The first run."""
    return read_record(kept / "smoke", cold)


def test_a_run_leaves_its_page_and_says_where(first: Ran, root: Path) -> None:
    path = summary.page_of(root / "smoke", first.run_id)
    assert f"report: {path}" in first.finished.stdout
    assert path.stat().st_size < MOST_BYTES
    assert config_file.path_of(root / "smoke", first.run_id).is_file()


def test_the_page_of_a_real_run_is_whole_and_everyone_can_read_it(
    record: RunRecord, tmp_path: Path
) -> None:
    assert record.config is not None
    assert len(record.summary.upstream) == len(record.summary.nodes) == EXECUTIONS
    path = tmp_path / "index.html"
    path.write_text(page.render(record), encoding="utf-8")
    with chromium(tmp_path / "chromium") as browser:
        browser.open(path.as_uri())
        browser.wait_for(DRAWN)
        assert browser.problems == []
        assert set(browser.requests) == {path.as_uri()}
        assert grave_faults(browser) == []
        boxes = "document.querySelectorAll('.dag .box').length"
        assert browser.evaluate(boxes) == EXECUTIONS


@pytest.mark.parametrize("length", range(0, EXECUTIONS, 3))
def test_the_page_of_a_run_that_failed_shows_what_there_is(record: RunRecord, length: int) -> None:
    failed = cut(record, length)
    text = page.render(failed)
    assert f"The run failed at {failed.executions[-1].node}" in text
    assert text.count('class="box FAILED"') == 1
    assert ('id="models"' in text) == bool(failed.summary.models)
    assert ('id="labels"' in text) == bool(failed.summary.labels)
