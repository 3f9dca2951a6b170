"""What a report leads to: evidence for retrain, gauges, a notice, a line that is read back."""

from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from core.config import Config
from core.errors import InputError
from pipeline.config.load import load
from pipeline.monitoring import records
from pipeline.monitoring.gauges import add_gauges
from pipeline.monitoring.monitor import monitor
from pipeline.monitoring.records import BoundCheck, MonitorReport, Unknown
from pipeline.notify import notices
from pipeline.retraining.monitored import of_monitoring
from tests.support.records.request_lines import NOW

ORIGIN = notices.NoticeOrigin("census", "census", "here", "2026-11-26T13:00:00Z")


def check(value: float) -> BoundCheck:
    return BoundCheck(
        kind="missing", of="age", value=value, bound=0.05, exceeded=value > 0.05,
        key="monitor.max_missing",
    )  # fmt: skip


def report(*checks: BoundCheck, **changes: Any) -> MonitorReport:
    window = {"rows": 900, "requests": 9, "first": None, "last": None, "others": 0, "unreadable": 0}
    values = {
        "at": "2026-11-26T13:00:00Z", "config": "census", "target": "server", "version": 7,
        "run_id": None, "window": window, "checks": checks, **changes,
    }  # fmt: skip
    return MonitorReport.model_validate(values)


def test_a_bound_that_is_crossed_is_a_reason_while_the_version_is_live(tmp_path: Path) -> None:
    assert of_monitoring(tmp_path, {"server": 7}).state == "quiet"
    records.append(tmp_path, report(check(0.5)))
    found = of_monitoring(tmp_path, {"server": 7})
    assert found.state == "reason"
    assert found.message == "server: missing age 0.500 > 0.05"
    assert [m.key for m in found.measurements] == ["monitor.max_missing"]
    assert of_monitoring(tmp_path, {"server": 8}).state == "quiet"
    records.append(tmp_path, report(check(0.01)))
    assert of_monitoring(tmp_path, {"server": 7}).state == "quiet"
    records.append(tmp_path, report(unknown=[Unknown(what="everything", why="too few")]))
    assert of_monitoring(tmp_path, {"server": 7}).state == "unknown"


def test_a_damaged_report_is_named_and_unknown_to_retrain(tmp_path: Path) -> None:
    (tmp_path / "monitoring").mkdir()
    (tmp_path / records.FILE).write_text('{"at": 3}\n')
    with pytest.raises(InputError, match=r"reports.jsonl: a line is not of this log"):
        records.newest(tmp_path)
    assert of_monitoring(tmp_path, {"server": 7}).state == "unknown"


def test_a_notice_names_what_is_beyond_and_there_is_none_without() -> None:
    [notice] = notices.of_monitoring(report(check(0.5), check(0.01)), ORIGIN)
    assert notice.event == "monitor"
    assert notice.text == "census: server version 7: missing age 0.500 > 0.05"
    assert len(notice.checks) == 1
    assert list(notices.of_monitoring(report(check(0.01)), ORIGIN)) == []


def test_gauges_of_both_targets_stand_side_by_side() -> None:
    registry = CollectorRegistry()
    add_gauges(registry, "census", [report(check(0.5)), report(target="edge")])
    page = generate_latest(registry).decode()
    labels = 'kind="missing",of="age",pipeline="census",target="server"'
    assert f"tfx_monitor_exceeded{{{labels}}} 1.0" in page
    assert 'tfx_monitor_rows{pipeline="census",target="edge"} 900.0' in page


def test_without_versions_or_requests_everything_is_unknown(census: Config, tmp_path: Path) -> None:
    found = monitor(census, "census", tmp_path, "edge", NOW, print)
    assert found.version is None
    assert [unknown.what for unknown in found.unknown] == ["everything"]
    (tmp_path / "edge" / "census" / "7").mkdir(parents=True)
    found = monitor(census, "census", tmp_path, "edge", NOW, print)
    assert found.version == 7
    assert "monitor.min_rows=500 are needed" in found.unknown[0].why


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("monitor.max_drop={acuracy: 0.1}", "there is no metric 'acuracy'"),
        ("monitor.max_gap={sexx: {tpr: 0.1}}", r"evaluation.slices has no \[sexx\]"),
        ("monitor.max_gap={sex: {selection_rate: 0.1}}", "no rate 'selection_rate' to estimate"),
    ],
)
def test_bounds_on_what_is_not_there_stop_at_the_start(override: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        load("census", [override])
