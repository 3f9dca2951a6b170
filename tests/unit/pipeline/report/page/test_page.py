"""The page of a run: what stands on it, in whatever state the run ended, whatever its data is."""

import dataclasses
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from core.errors import InputError
from pipeline.report import config_file, summary
from pipeline.report.page import page
from pipeline.report.page.after import after_run
from pipeline.report.page.part import RunRecord
from pipeline.report.page.records import read_record
from pipeline.report.summary import Summary
from tests.support.records.reported import NASTY, cut, reported
from tests.support.records.summaries import RUN_ID, VALUES

LATER = "20260103T030405Z"
PARTS = [
    "outcome", "models", "gates", "nodes", "data", "anomalies", "labels", "features", "trials",
    "training", "fairness", "variants", "lineage", "configuration", "again",
]  # fmt: skip
MOST_BYTES = 5_000_000


class Elements(HTMLParser):
    """Sections, links, scripts and texts of a page as a browser would read them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.sections: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.outside: list[str] = []
        self.tags: set[str] = set()
        self.data: dict[str, str] = {}
        self.texts: list[str] = []
        self._script: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.tags.add(tag)
        self.ids += [found["id"]] if "id" in found else []
        self.sections += [found["id"]] if tag == "section" else []
        self.links += [found["href"]] if tag == "a" else []
        self.outside += [v for n, v in found.items() if n in ("src", "href", "action", "srcset")]
        assert not any(name.startswith("on") for name in found), found
        self._script = found.get("id", "code") if tag in ("script", "style") else None

    def handle_endtag(self, tag: str) -> None:
        self._script = None

    def handle_data(self, data: str) -> None:
        if self._script is None:
            self.texts.append(data)
        else:
            self.data[self._script] = data


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> RunRecord:
    """A run with a harmful text wherever one of data or people may stand."""
    return reported(tmp_path_factory.mktemp("runs") / "census")


@pytest.fixture(scope="module")
def text(record: RunRecord) -> str:
    """Its page."""
    return page.render(record)


def test_the_parts_stand_in_their_order_and_every_link_leads_somewhere(text: str) -> None:
    found = Elements(text)
    assert found.sections == PARTS
    assert len(found.ids) == len(set(found.ids))
    assert {link.removeprefix("#") for link in found.links} <= set(found.ids)


def test_every_part_could_be_made(record: RunRecord, text: str) -> None:
    assert "could not be made" not in text
    assert "could not be made" not in page.render_against(record, cut(record, 6))


def test_a_damaged_report_spoils_its_own_part_alone(tmp_path: Path) -> None:
    record = reported(tmp_path / "census")
    [path] = record.folder.rglob("label_report.json")
    path.write_text('{"mode": "weak", "functions": {"f": 1}}')
    text = page.render(record)
    assert Elements(text).sections == PARTS
    assert text.count("could not be made") == 1
    path.write_text("{")
    assert page.render(record).count("could not be made: JSONDecodeError") == 1


def test_it_needs_nothing_beside_it_and_is_small(text: str) -> None:
    found = Elements(text)
    assert {place for place in found.outside if not place.startswith("#")} == {"data:,"}
    assert len(text.encode()) < MOST_BYTES


def test_a_text_of_data_is_a_text_wherever_it_stands(text: str) -> None:
    found = Elements(text)
    assert "img" not in found.tags
    said = " ".join(found.texts)
    visible = NASTY.replace("\u202e", "\\u202e")
    assert said.count(visible) >= 10
    assert "\u202e" not in text
    specs = json.loads(found.data["page-charts"])
    [functions] = [spec for key, spec in specs.items() if key == "labels-functions"]
    assert NASTY in {point["function"] for point in functions["data"]["values"]}
    assert "</script><img" not in text


def test_a_value_that_few_rows_have_is_not_named(text: str) -> None:
    [cell] = re.findall(r"<td>3 values: (.*?)</td>", text)
    assert "Private 39.8%" in cell
    assert "x 0.4%" not in cell


def test_failed_gates_come_first_and_those_that_hold_are_folded(text: str) -> None:
    section = text[text.index('<section id="gates"') : text.index('<section id="nodes"')]
    places = [section.index(part) for part in ("do not hold: edge", "undecided: edge", "<details>")]
    assert places == sorted(places)
    assert section.index("evaluation.server.min.auc") > places[-1]


@pytest.mark.parametrize("length", range(9))
def test_a_run_that_failed_at_a_node_shows_what_there_is(record: RunRecord, length: int) -> None:
    failed = cut(record, length)
    found = Elements(page.render(failed))
    assert set(found.sections) <= set(PARTS)
    assert {"outcome", "nodes", "data", "configuration", "again"} <= set(found.sections)
    assert f"The run failed at {failed.executions[-1].node}" in " ".join(found.texts)


@pytest.mark.parametrize("state", ["FAILED", "INTERRUPTED", "RUNNING"])
def test_a_run_that_came_to_nothing_has_a_page(tmp_path: Path, state: str) -> None:
    nothing: dict[str, Any] = {
        "labels": None, "nodes": {}, "models": {}, "gates": [], "state": state,
        "data": {"spans": [], "rows": {}},
        "pushed": {"server": {"version": None}, "edge": {"version": None}},
    }  # fmt: skip
    summary_of = Summary.model_validate({**VALUES, **nothing})
    text = page.render(RunRecord(summary_of, [], tmp_path, None))
    assert Elements(text).sections == ["outcome", "configuration", "again"]
    assert len(text) < 100_000, "without charts it needs nothing to draw them"


def test_a_run_of_before_without_its_configuration_says_so(record: RunRecord) -> None:
    old = dataclasses.replace(record, config=None, settings=None)
    said = " ".join(Elements(page.render(old)).texts)
    assert "The run left no config.yaml" in said


def test_statistics_that_are_damaged_are_left_out(tmp_path: Path) -> None:
    record = reported(tmp_path / "census")
    for path in record.folder.rglob("FeatureStats.pb"):
        path.write_bytes(b"\xff no statistics")
    text = page.render(record)
    assert "Columns of the part train" not in text
    assert "Rows by part" in text


def test_after_a_run_the_page_lies_beside_its_summary(tmp_path: Path) -> None:
    record = reported(tmp_path / "census")
    assert after_run(record.summary, record.folder) == []
    path = summary.page_of(record.folder, RUN_ID)
    assert path.read_text(encoding="utf-8") == page.render(record)
    assert sorted(file.name for file in path.parent.iterdir()) == [
        "config.yaml", "index.html", "summary.json",
    ]  # fmt: skip


def test_a_page_that_cannot_be_written_is_a_warning(tmp_path: Path) -> None:
    record = reported(tmp_path / "census")
    path = summary.page_of(record.folder, RUN_ID)
    path.mkdir()
    [warning] = after_run(record.summary, record.folder)
    assert "report: IsADirectoryError" in warning


def test_the_run_before_and_the_last_one_of_other_data_are_found(tmp_path: Path) -> None:
    record = reported(tmp_path / "census")
    later = record.summary.model_copy(update={"run_id": LATER})
    summary.write(later, summary.path_of(record.folder, LATER))
    found = read_record(record.folder, None)
    assert found.previous is not None
    assert found.previous.summary.run_id == RUN_ID
    assert found.window_before is None
    assert "left no config.yaml" in page.render(found)
    rows = later.data.model_copy(update={"rows": {"train": 1}})
    summary.write(later.model_copy(update={"data": rows}), summary.path_of(record.folder, LATER))
    found = read_record(record.folder, LATER)
    assert found.window_before is not None
    assert found.window_before.summary.run_id == RUN_ID


def test_of_a_run_that_is_not_there_the_error_names_those_that_are(tmp_path: Path) -> None:
    record = reported(tmp_path / "census")
    with pytest.raises(InputError, match=RUN_ID):
        read_record(record.folder, LATER)


def test_two_runs_stand_side_by_side_with_their_differences(record: RunRecord) -> None:
    other = cut(record, 6)
    settings = {**(record.settings or {}), "seed": 77}
    other = dataclasses.replace(other, settings=settings)
    text = page.render_against(record, other)
    found = Elements(text)
    assert found.sections == [
        "outcome", "models", "gates", "data", "labels", "features", "training", "nodes",
        "configuration",
    ]  # fmt: skip
    assert "<code>seed</code></th><td><code>1</code></td><td><code>77</code>" in text
    assert "img" not in found.tags


def test_a_configuration_of_another_code_is_shown_as_it_was_written(record: RunRecord) -> None:
    path = config_file.path_of(record.folder, RUN_ID)
    path.write_text(path.read_text() + "gone_key: 1\n")
    found = read_record(record.folder, RUN_ID)
    assert found.config is None
    assert "gone_key" in page.render(found)
