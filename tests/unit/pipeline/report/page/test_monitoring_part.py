"""What `monitor` found last, on the page of a run."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.monitoring import records
from pipeline.report.page.part import Part, RunRecord
from pipeline.report.page.parts.served.monitoring import monitoring
from pipeline.report.summary import Summary
from tests.support.records.explained import MONITORED, monitored
from tests.support.records.measured import HOSTILE
from tests.support.records.summaries import RUN_ID, VALUES


@pytest.fixture
def record(tmp_path: Path) -> RunRecord:
    return RunRecord(Summary.model_validate(VALUES), [], tmp_path, None)


def part_of(record: RunRecord) -> Part:
    found = monitoring(record)
    assert found is not None
    return found


def test_nothing_was_looked_at(record: RunRecord) -> None:
    assert monitoring(record) is None


def test_a_damaged_record_is_said(record: RunRecord) -> None:
    path = record.folder / records.FILE
    path.parent.mkdir()
    path.write_text('{"at": "<b>"}\n')
    assert "cannot be read" in part_of(record).html
    assert "<b>" not in part_of(record).html


def test_the_last_look_at_each_target_is_shown(record: RunRecord) -> None:
    monitored(record.folder, at="2026-01-01T00:00:00Z", version=1)
    monitored(record.folder)
    monitored(record.folder, target="edge", version=5, run_id="20250101T000000Z")
    text = part_of(record).html
    assert "server: version 7" in text
    assert "server: version 1<" not in text
    assert f"Looked at on {MONITORED['at']}. The version is of this run." in text
    assert "The version is of run 20250101T000000Z, not of this one." in text
    assert MONITORED["run_id"] == RUN_ID


def test_a_version_that_nobody_looked_at_is_named(record: RunRecord) -> None:
    monitored(record.folder, run_id="20250101T000000Z")
    told = "not of this one, whose version 1767323045 nobody has looked at yet."
    assert told in part_of(record).html


def test_what_was_found_is_drawn_and_told(record: RunRecord) -> None:
    monitored(record.folder)
    part = part_of(record)
    assert HOSTILE not in part.html
    checks = part.charts["monitoring-0-checks"]["data"]["values"]
    assert [(c["check"], c["verdict"], round(c["times"], 6)) for c in checks] == [
        (f"drift: {HOSTILE}", "beyond", 4.0), ("estimate: accuracy drop", "within", 0.2),
    ], "a bound of 0 has no multiple"  # fmt: skip
    quality = part.charts["monitoring-0-accuracy"]["data"]["values"]
    assert {(p["group"], p["target"]): p["value"] for p in quality} == {
        ("all rows (3,000)", "test rows"): 0.84, ("all rows (3,000)", "estimated"): 0.85,
        ("all rows (3,000)", "measured"): 0.86, (f"sex={HOSTILE} (900)", "test rows"): 0.9,
        (f"sex={HOSTILE} (900)", "estimated"): 0.88,
    }, "nothing of a slice of three rows"  # fmt: skip
    assert "0.123" not in part.html
    gap = part.charts["monitoring-0-gaps"]["layer"][0]["encoding"]["x"]["scale"]
    assert gap == {"zero": True, "nice": True}, "an interval may reach below 0"
    answers = part.charts["monitoring-0-answers"]["data"]["values"]
    assert answers[0] == {"answer": "0.0 to 0.1", "rows": "requests", "share": 0.7}
    for text in (
        "1 of 3", "Shadow: edge version 9", "Canary: version 8", "go on", "10 rows with a label",
        "requests are logged without it", "decides 5.0% (2.0% to 8.0%)", "sex=Männer",
    ):  # fmt: skip
        assert text in part.html, text


def test_too_few_requests_say_why_and_draw_nothing(record: RunRecord) -> None:
    empty: dict[str, Any] = {"checks": [], "slices": {}, "gaps": [], "errors": []}
    nothing = {**empty, "answers": None, "shadow": None, "canary": None}
    monitored(record.folder, **nothing)
    part = part_of(record)
    assert not part.charts
    assert "requests are logged without it" in part.html


def test_classes_are_told_one_by_one(record: RunRecord) -> None:
    share = {"value": 0.4, "low": 0.3, "high": 0.5}
    everything = {
        "rows": 500, "share": 1.0, "classes": {"<i>walk</i>": share},
        "test_classes": {"<i>walk</i>": 0.5}, "test": {"recall[<i>walk</i>]": 0.77},
    }  # fmt: skip
    shares = {"requests": [0.4, 0.6], "test": [0.5, 0.5], "classes": ["<i>walk</i>", "ride"]}
    monitored(record.folder, slices={"all": everything}, answers=shares)
    part = part_of(record)
    assert "Answers class by class" in part.html
    assert "0.770" in part.html
    assert "<i>walk" not in part.html
    answers = part.charts["monitoring-0-answers"]["data"]["values"]
    assert {p["answer"] for p in answers} == {"<i>walk</i>", "ride"}
