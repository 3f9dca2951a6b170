"""Figures of runs: what Prometheus reads, what the history keeps, and that neither stops a run."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from core.files import REPOSITORY, append_line, read_lines
from pipeline.config.load import load
from pipeline.notify.after import after
from pipeline.notify.metrics import FAMILIES, HISTORY, PREFIX, record_of, registry_of
from pipeline.notify.notices import Blocked
from pipeline.report import summary
from pipeline.report.summary import Summary
from pipeline.versions.rollback import Rollback
from tests.support.records.summaries import RUN_ID, VALUES

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def summary_of(**changes: Any) -> Summary:
    return Summary.model_validate({**VALUES, **changes})


def parsed(text: str) -> Samples:
    return {
        (sample.name.removeprefix(PREFIX), frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def of(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return name, frozenset({"pipeline": "census", **labels}.items())


def test_every_family_of_a_run() -> None:
    record = record_of(summary_of(), "census", 1767323100.5, {"server": 1767323045}, None)
    samples = parsed(generate_latest(registry_of(record)).decode())
    assert {name for name, _ in samples} == {name for name, *_ in FAMILIES}
    edge = {"target": "server", "variant": "teacher_pruned"}
    expected = {
        of("run_state", state="COMPLETE"): 1,
        of("run_state", state="FAILED"): 0,
        of("run_end_timestamp_seconds"): 1767323100.5,
        of("last_success_timestamp_seconds"): 1767323100.5,
        of("run_duration_seconds"): 181.2,
        of("run_cpu_seconds"): 176.0,
        of("run_peak_rss_bytes"): 1430 * 2**20,
        of("rows", split="train"): 26029,
        of("node_duration_seconds", node="Trainer", state="RAN"): 13.4,
        of("gates", target="server", verdict="passed"): 1,
        of("gates", target="server", verdict="failed"): 0,
        of("model_metric", metric="auc", **edge): 0.905,
        of("model_gap", column="sex", metric="tpr", **edge): 0.09,
        of("model_size_bytes", **edge): 120000,
        of("live_version", target="server"): 1767323045,
        of("label_coverage_ratio"): 0.93,
        of("label_conflict_ratio"): 0.21,
        of("label_accuracy_ratio"): 0.84,
    }
    assert {key: samples[key] for key in expected} == expected


def test_every_family_is_documented() -> None:
    page = (REPOSITORY / "docs" / "operations.md").read_text()
    assert [name for name, *_ in FAMILIES if f"`{name}`" not in page] == []


def test_what_was_not_measured_is_left_out() -> None:
    record = record_of(
        summary_of(state="FAILED", labels=None, models={}, gates=[]), "census", 5.0, {}, None
    )
    names = {name for name, _ in parsed(generate_latest(registry_of(record)).decode())}
    assert "run_state" in names
    assert not {"last_success_timestamp_seconds", "model_metric", "label_coverage_ratio"} & names


def test_names_and_labels_with_special_characters() -> None:
    rows = {'a"b\\c\nd': 3}
    record = record_of(summary_of(data={"spans": [1], "rows": rows}), "census", 5.0, {}, None)
    samples = parsed(generate_latest(registry_of(record)).decode())
    assert samples[of("rows", split='a"b\\c\nd')] == 3


def test_the_last_success_outlives_failed_runs(tmp_path: Path) -> None:
    folder, textfile = tmp_path / "census", tmp_path / "collector" / "census.prom"
    (folder / "serving" / "census" / "41").mkdir(parents=True)
    textfile.parent.mkdir()
    config = load("census", [f"metrics.textfile={textfile}"])
    assert after(summary_of(), config, "census", folder) == []
    first = parsed(textfile.read_text())
    assert after(summary_of(run_id="later", state="FAILED"), config, "census", folder) == []
    second = parsed(textfile.read_text())
    success = of("last_success_timestamp_seconds")
    assert second[success] == first[success] > 1.7e9
    assert second[of("run_end_timestamp_seconds")] > first[success]
    assert second[of("run_state", state="FAILED")] == 1
    assert second[of("live_version", target="server")] == 41
    assert [record["run_id"] for record in read_lines(folder / HISTORY)] == [RUN_ID, "later"]
    assert os.listdir(textfile.parent) == ["census.prom"]


def test_a_rollback_puts_the_live_version_right_and_is_told(tmp_path: Path) -> None:
    textfile, told = tmp_path / "census.prom", tmp_path / "told"
    command = json.dumps(["sh", "-c", f"cat >>{told}"])
    config = load("census", [f"metrics.textfile={textfile}", f"notify.command={command}"])
    rollback = Rollback(target="server", before=42, live=41, withdrawn=(42,))
    assert after(rollback, config, "census", tmp_path) == []
    assert not textfile.exists()
    (tmp_path / "serving" / "census" / "42").mkdir(parents=True)
    assert after(summary_of(state="INTERRUPTED"), config, "census", tmp_path) == []
    (tmp_path / "serving" / "census" / "42").rename(tmp_path / "serving" / "census" / "41")
    before = parsed(textfile.read_text())
    assert after(rollback, config, "census", tmp_path) == []
    now = parsed(textfile.read_text())
    assert {key for key in before if before[key] != now[key]} == {
        of("live_version", target="server")
    }
    notice = json.loads(told.read_text()[told.read_text().rindex('{"format"') :])
    assert notice["text"] == "census: server version 41 made live instead of 42"
    assert notice["event"] == "rollback"
    assert notice["rollback"] == {
        "target": "server", "before": 42, "live": 41, "restored": [], "withdrawn": [42],
    }  # fmt: skip


def test_a_retraining_that_is_blocked_before_a_run_is_told(tmp_path: Path) -> None:
    told = tmp_path / "told"
    command = json.dumps(["sh", "-c", f"cat >{told}"])
    config = load("census", [f"notify.command={command}"])
    blocked = Blocked(reasons=["span 3 is odd", "no gold"])
    assert after(blocked, config, "census", tmp_path) == []
    notice = json.loads(told.read_text())
    assert (notice["event"], notice["run_id"]) == ("block", None)
    assert notice["text"] == "census: retraining blocked: span 3 is odd; no gold"
    assert not (tmp_path / HISTORY).exists()


def test_a_textfile_that_cannot_be_written_is_a_warning(tmp_path: Path) -> None:
    config = load("census", [f"metrics.textfile={tmp_path}/none/census.prom"])
    [warning] = after(summary_of(), config, "census", tmp_path)
    assert warning.startswith(f"metrics: {tmp_path}/none/census.prom")
    assert "cannot be written: No such file or directory" in warning


def test_whatever_goes_wrong_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> Path:
        raise ValueError("a fault")

    monkeypatch.setattr(summary, "path_of", fail)
    [warning] = after(summary_of(), load("census"), "census", tmp_path)
    assert warning == "figures and notices: ValueError: a fault"


def test_a_history_goes_on_after_a_line_that_was_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    assert read_lines(path) == []
    append_line(path, json.dumps({"a": 1}))
    with path.open("a") as file:
        file.write('{"a": 2, "b')
    append_line(path, json.dumps({"a": 3}))
    assert [line["a"] for line in read_lines(path)] == [1, 3]
