"""Which versions there are and which one is live, from folders, records and summaries."""

import json
from pathlib import Path

import pytest

from core import version_record
from core.targets import TARGETS
from core.version_record import Event, VersionRecord, next_version
from pipeline.versions.served import live, versions
from tests.support.records.versions import NAME, make_version


def write_summary(folder: Path, run_id: str, version: int | None) -> None:
    path = folder / "reports" / run_id / "summary.json"
    path.parent.mkdir(parents=True)
    values = {"run_id": run_id, "pushed": {"server": {"version": version}}}
    path.write_text(json.dumps(values))


def test_nothing_served_yet(tmp_path: Path) -> None:
    assert live(tmp_path, NAME, "server") is None
    assert versions(tmp_path, NAME, "server") == []


def test_the_highest_number_is_live(tmp_path: Path) -> None:
    for number in (9, 10):
        make_version(tmp_path, number, f"run-{number}")
    (TARGETS["server"].served(tmp_path, NAME) / "not a version").mkdir()
    make_version(tmp_path, 11, target="edge")
    found = live(tmp_path, NAME, "server")
    assert found is not None
    assert (found.version, found.run_id, found.status) == (10, "run-10", "live")
    assert found.path == tmp_path / "serving" / NAME / "10"
    assert found.model_sha256 == "digest 10"
    listed = [(version.version, version.status) for version in versions(tmp_path, NAME, "server")]
    assert listed == [(10, "live"), (9, "previous")]


def test_a_record_that_began_with_a_rollback_lets_summaries_say_the_run(
    tmp_path: Path,
) -> None:
    path = make_version(tmp_path, 7, run_id="")
    write_summary(tmp_path, "20260102T000000Z", 7)
    found = live(tmp_path, NAME, "server")
    assert found is not None
    assert (found.path, found.run_id) == (path, "20260102T000000Z")


def test_without_a_record_the_summaries_say_the_run(tmp_path: Path) -> None:
    make_version(tmp_path, 7, run_id=None)
    for run_id, version in (("20260101T000000Z", None), ("20260102T000000Z", 7)):
        write_summary(tmp_path, run_id, version)
    write_summary(tmp_path, "20260103T000000Z", 7)  # from the cache
    (tmp_path / "reports" / "20260101T000000Z" / "summary.json").write_text("{ half")
    found = live(tmp_path, NAME, "server")
    assert found is not None
    assert (found.run_id, found.model_sha256) == ("20260102T000000Z", None)


def test_versions_rolled_back_and_deleted_are_told(tmp_path: Path) -> None:
    make_version(tmp_path, 8)
    path = make_version(tmp_path, 9)
    withdrawn = version_record.withdrawn_folder(path.parent)
    withdrawn.mkdir()
    record = version_record.read_record(path)
    assert record is not None
    event = Event("rolled back", "2026-01-03T00:00:00Z", "me@here", "too slow", 8)
    version_record.write_record(path, VersionRecord("run", "then", record.model_sha256, (event,)))
    path.rename(withdrawn / "9")
    write_summary(tmp_path, "20260101T000000Z", 5)
    listed = {version.version: version for version in versions(tmp_path, NAME, "server")}
    assert {number: version.status for number, version in listed.items()} == {
        9: "rolled back",
        8: "live",
        5: "deleted",
    }
    assert listed[9].events == (event,)
    assert listed[9].path == withdrawn / "9"
    assert [n for n, version in listed.items() if version.status == "rolled back"] == [9]


@pytest.mark.parametrize("content", ["", "[]", '{"run_id": 1}', '{"run_id": "a", "events": [1]}'])
def test_a_damaged_record_is_no_record(tmp_path: Path, content: str) -> None:
    path = make_version(tmp_path, 7)
    (path / version_record.RECORD_FILE).write_text(content)
    found = live(tmp_path, NAME, "server")
    assert found is not None
    assert found.model_sha256 is None


def test_a_new_version_is_above_all_others_whatever_the_clock_says(tmp_path: Path) -> None:
    path = make_version(tmp_path, 100)
    withdrawn = version_record.withdrawn_folder(path.parent) / "200"
    withdrawn.mkdir(parents=True)
    assert next_version(path.parent, 50.5) == 201
    assert next_version(path.parent, 1000.5) == 1000
