"""`why`: which run a version is of, and what is printed."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from core.files import REPOSITORY
from core.targets import TARGETS
from core.version_record import Event, read_record, withdrawn_folder, write_record
from pipeline.cli.main import main
from pipeline.config.load import load
from pipeline.report import summary
from pipeline.report.summary import Summary
from tests.support.mini_runs import printed
from tests.support.records.one_run import Store
from tests.support.records.summaries import RUN_ID, VALUES
from tests.support.records.versions import make_version

LATER = "20260103T000000Z"
FAILED = {
    "target": "edge",
    "metric": "gap [red]sex[/] tpr",
    "slice": "race=\x1b[31m<script>",
    "value": 0.13,
    "bound": "<= 0.1",
    "passed": False,
    "key": "evaluation.edge.max_gap.sex.tpr",
    "interval": [0.09, 0.17],
    "rows": 900,
    "sign": "<=",
    "limit": 0.1,
}


def write(folder: Path, run_id: str, **more: Any) -> None:
    values = {**VALUES, "run_id": run_id, "gates": [*VALUES["gates"], FAILED], **more}
    summary.write(Summary.model_validate(values), summary.path_of(folder, run_id))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """<root>/census with two runs; the first one pushed server and not edge."""
    folder = tmp_path / "census"
    folder.mkdir()
    write(folder, RUN_ID)
    nothing = {"version": None, "why": "gap sex tpr 0.13 > 0.10"}
    write(folder, LATER, gates=[FAILED], pushed={"server": nothing, "edge": nothing})
    return folder


def why(folder: Path, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["why", *words, "--root", str(folder.parent)]) == 0
    return printed(capsys.readouterr().out)


def test_the_last_run_is_meant_and_both_targets(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = why(folder, capsys)
    assert f"server of run {LATER}: not pushed" in out
    assert f"edge of run {LATER}: not pushed: bounds were not kept to" in out
    assert "server" not in why(folder, capsys, "edge")


def test_a_gate_that_failed_is_put_in_words_and_its_text_is_text(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["why", "edge", "--root", str(folder.parent)]) == 0
    raw = capsys.readouterr().out
    assert "\x1b" not in raw
    out = printed(raw)
    assert (
        "gap [red]sex[/] tpr on race=\\x1b[31m<script> is 0.13, 0.03 beyond the bound (at most "
        "0.1), which may be chance: its 95% interval of 900 rows, 0.09 to 0.17, holds the bound"
    ) in out
    assert "--set evaluation.edge.max_gap.sex.tpr=0.13; or: about 701 more test rows" in out
    assert "run again as that run was started, with --set evaluation.edge.max_gap.sex.tpr" in out


def test_the_command_is_whole_where_the_configuration_is_that_of_the_run(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder, LATER, gates=[FAILED], config_sha256=load("census").config_sha256)
    out = why(folder, capsys, "edge")
    flag = "--set evaluation.edge.max_gap.sex.tpr=0.13"
    assert f"all the same: python -m pipeline run {flag} --root {folder.parent}" in out


def test_a_run_is_named_by_its_id(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert f"server of run {RUN_ID}: pushed as version 1767323045" in why(folder, capsys, RUN_ID)
    assert f"edge of run {RUN_ID}: not pushed" in why(folder, capsys, "edge", RUN_ID)


def test_a_version_is_of_the_run_in_its_record(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_version(folder, 12, LATER)
    assert f"server of run {LATER}" in why(folder, capsys, "server", "12")


def test_a_version_without_a_record_is_of_the_run_whose_summary_has_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_version(folder, 1767323045, None)
    out = why(folder, capsys, "server", "1767323045")
    assert f"server of run {RUN_ID}: pushed as version 1767323045" in out
    assert "version 1767323045 is live" in out


def test_a_version_that_only_metadata_knows_is_of_its_run(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Store(folder)
    pushed: dict[str, int | str] = {
        "pushed": 1,
        "pushed_version": "44",
        "pushed_destination": str(folder),
    }
    store.add("Pusher.server", "PushedModel", {}, pushed)
    make_version(folder, 44, None)
    assert f"server of run {RUN_ID}" in why(folder, capsys, "server", "44")


def test_a_rolled_back_version_says_who_and_why(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = make_version(folder, 1767323045, RUN_ID)
    record = read_record(path)
    assert record is not None
    event = Event("rolled back", "2026-01-03T00:00:00Z", "ann@host", "[b]slow[/b]", 7)
    write_record(path, type(record)(record.run_id, record.pushed_at, "d", (event,)))
    away = withdrawn_folder(TARGETS["server"].served(folder, "census"))
    away.mkdir()
    path.rename(away / path.name)
    out = why(folder, capsys, "server", "1767323045")
    assert "rolled back at 2026-01-03T00:00:00Z by ann@host: [b]slow[/b] (live since: 7)" in out
    assert "python -m pipeline rollback server 1767323045" in out


def test_json_has_what_to_set(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["why", "edge", "--json", "--root", str(folder.parent)]) == 0
    [found] = json.loads(capsys.readouterr().out)
    assert found["set"] == ["evaluation.edge.max_gap.sex.tpr=0.13"]
    assert found["reasons"][0]["within_chance"] is True
    assert found["reasons"][0]["gate"]["slice"] == FAILED["slice"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["sever"], "'sever' is neither a target (server, edge) nor the id of a run"),
        (["edge", "12"], "edge has no version 12 under"),
        (["edge", "x"], "'x' is neither a version nor the id of a run"),
        (["edge", "20200101T000000Z"], "there is no run 20200101T000000Z"),
    ],
)
def test_what_is_not_there_is_named(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert main(["why", *words, "--root", str(folder.parent)]) == 2
    assert message in printed(capsys.readouterr().err)


def test_make_hands_on_target_and_version() -> None:
    def asked(*words: str) -> str:
        done = subprocess.run(
            ["make", "-n", "why", *words], cwd=REPOSITORY, capture_output=True, text=True
        )
        return printed(done.stdout)

    assert "-m pipeline why edge 12 --config census" in asked("TARGET=edge", "VERSION=12")
    assert "-m pipeline why edge 2026 --config census" in asked("TARGET=edge", "RUN=2026")
