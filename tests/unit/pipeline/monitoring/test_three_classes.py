"""What `monitor` finds of three classes, and what it says of it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from rich.console import Console

from core.config import Config
from core.errors import InputError
from core.sections.evaluation import Slicing
from pipeline.monitoring import outcomes, requests
from pipeline.monitoring.display import print_report
from pipeline.monitoring.gauges import add_gauges
from pipeline.monitoring.monitor import _check_gaps, _check_quality
from pipeline.monitoring.quality import Answered, Judge, errors_of
from pipeline.monitoring.records import ALL_ROWS, BoundCheck, MonitorReport
from pipeline.monitoring.reference import Reference
from pipeline.monitoring.side_by_side import compare
from tests.support.records.request_lines import NOW, line, log
from tests.support.servers.in_process import of_classes
from tests.support.three_classes import CLASSES
from tests.support.three_classes.answers import drawn

SLICING = Slicing(slices=(("group",),), min_slice_rows=1)


@pytest.fixture(scope="module")
def three(census: Config) -> Config:
    return of_classes(census, CLASSES)


@pytest.fixture(scope="module")
def judge() -> Judge:
    """4,000 requests, of which 3,000 were labelled later; group b has grown."""
    answers, groups, labels = drawn(20_000, 0.1, 1)
    test = Reference(groups, labels, answers)
    now, columns, truth = drawn(4_000, 0.8, 2)
    known = np.where(np.arange(4_000) < 3_000, truth, -1).astype(np.int8)
    return Judge(Answered(columns, now, known), test, SLICING, 100, CLASSES)


@pytest.fixture(scope="module")
def report(judge: Judge) -> MonitorReport:
    slices = judge.slices()
    window = {"rows": 4_000, "requests": 4_000, "first": None, "last": None, "others": 0,
              "unreadable": 0}  # fmt: skip
    return MonitorReport.model_validate(
        {"at": "2026-11-26T13:00:00Z", "config": "c", "target": "server", "version": 7,
         "run_id": None, "window": window, "answers": judge.answers(), "slices": slices,
         "gaps": list(judge.gaps()), "errors": errors_of(slices[ALL_ROWS])}
    )  # fmt: skip


def test_slices_have_shares_estimates_and_measurements_by_class(judge: Judge) -> None:
    everything = judge.slices()[ALL_ROWS]
    assert everything.positive is None
    assert [*everything.classes] == list(CLASSES)
    assert sum(share.value for share in everything.classes.values()) == pytest.approx(1)
    assert sum(everything.test_classes.values()) == pytest.approx(1)
    true = everything.measured["accuracy"]
    assert true.low < everything.estimated["accuracy"].value < true.high
    errors = {error.metric: error for error in errors_of(everything)}
    assert set(errors) == {"accuracy", *(f"recall[{name}]" for name in CLASSES)}
    unchanged = errors["accuracy"].unchanged
    assert unchanged is not None
    assert errors["accuracy"].error < 0.02 < unchanged


def test_gaps_are_of_recall_by_class(judge: Judge) -> None:
    found = {(gap.rate, gap.how): gap for gap in judge.gaps()}
    names = [f"recall[{name}]" for name in CLASSES]
    assert set(found) == {(name, how) for name in names for how in ("estimated", "measured")}
    gap = found["recall[Crate[1]]", "estimated"]
    assert (gap.column, gap.higher, gap.lower) == ("group", "group=a", "group=b")
    true = found["recall[Crate[1]]", "measured"].gap
    assert gap.gap.low < true.value < gap.gap.high


def test_the_answers_are_distributed_by_class(judge: Judge) -> None:
    answers = judge.answers()
    assert answers is not None
    assert answers.classes == list(CLASSES)
    assert len(answers.requests) == len(answers.test) == 3
    assert sum(answers.requests) == pytest.approx(1)


def test_a_bound_on_recall_holds_for_every_class(judge: Judge, three: Config) -> None:
    bounds = {"group": {"recall": 0.01}}
    settings = three.monitor.model_copy(update={"max_gap": bounds})
    checks = [*_check_gaps(list(judge.gaps()), settings)]
    assert {getattr(check, "of", "") for check in checks} == {
        f"group recall[{name}]" for name in CLASSES
    }
    assert all(getattr(check, "exceeded", False) for check in checks)
    assert {getattr(check, "key", "") for check in checks} == {"monitor.max_gap.group.recall"}


def test_a_loss_that_has_grown_is_a_fall(judge: Judge, three: Config) -> None:
    everything = judge.slices()[ALL_ROWS]
    bounds = {"log_loss": 0.1, "macro_f1": 0.5}
    settings = three.monitor.model_copy(update={"max_drop": bounds})
    checks = {getattr(check, "of", ""): check for check in _check_quality(everything, settings)}
    grown = checks["log_loss drop"]
    assert isinstance(grown, BoundCheck)
    more = everything.measured["log_loss"].value - everything.test["log_loss"]
    assert grown.value == pytest.approx(more)
    assert grown.low is not None
    assert 0.1 < grown.low < more
    assert grown.exceeded
    fallen = checks["macro_f1 drop"]
    assert isinstance(fallen, BoundCheck)
    assert not fallen.exceeded
    assert fallen.value > 0


def test_rows_that_are_all_right_are_no_estimate() -> None:
    rows = {"group": np.array(["a"] * 6, object)}
    sure, codes = np.eye(3)[[0, 1, 2] * 2], np.array([0, 1, 2] * 2)
    answered = Answered(rows, sure, np.full(6, -1, np.int8))
    found = Judge(answered, Reference(rows, codes, sure), SLICING, 1, CLASSES)
    assert found.uncalibrated == "of the test rows all 6 rows with a label are answered rightly"
    assert found.slices()[ALL_ROWS].estimated == {}


def test_the_text_has_a_table_of_classes(report: MonitorReport) -> None:
    out = Console(width=120, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    print_report(report, out)
    text = out.export_text()
    [row] = [line for line in text.splitlines() if line.strip().startswith("Crate[1]")]
    share = report.slices[ALL_ROWS].classes["Crate[1]"].value
    assert f"{share:.1%}" in row
    assert "positive" not in text
    assert "gap group recall[b=o,x], estimated" in text


def test_gauges_have_a_label_of_the_class(report: MonitorReport) -> None:
    registry = CollectorRegistry()
    add_gauges(registry, "census", [report])
    page = generate_latest(registry).decode()
    share = report.slices[ALL_ROWS].classes["b=o,x"].value
    labels = 'class="b=o,x",pipeline="census",slice="all",target="server"'
    assert f"tfx_monitor_class_ratio{{{labels}}} {share}" in page
    for family, words in (
        ("class_metric", 'class="Crate[1]",end="low",how="estimated",metric="recall"'),
        ("metric", 'end="value",how="measured",metric="macro_f1"'),
        (
            "class_gap",
            'class="small bag",column="group",end="high",how="measured"',
        ),
        ("class_estimate_error", 'class="small bag",metric="recall"'),
        ("estimate_error", 'metric="accuracy"'),
    ):
        assert f"tfx_monitor_{family}{{{words}" in page, family


def test_lines_of_other_classes_are_no_requests(three: Config, tmp_path: Path) -> None:
    folder = log(
        tmp_path, line("good", answer=[0.2, 0.3, 0.5]), line("two", answer=0.5),
        line("narrow", answer=[0.5, 0.5]), line("text", answer=["a", "b", "c"]),
        line("large", answer=[2.0, 0.0, 0.0]), line("whole", answer=[0, 1, 0]),
    )  # fmt: skip
    found = requests.read(folder, three, "server", 7, None)
    assert found.answers.tolist() == [[0.2, 0.3, 0.5], [0, 1, 0]]
    assert found.window.unreadable == 4
    nothing = requests.read(folder, three, "edge", 7, None)
    assert nothing.answers.shape == (0, 3)


def test_labels_that_come_later_are_any_of_the_classes(three: Config, tmp_path: Path) -> None:
    log(tmp_path, *(line(name, answer=[0.2, 0.3, 0.5]) for name in "abc"))
    path = tmp_path / "later.csv"
    path.write_text('request,label\na,Crate[1]\nb,"b=o,x"\nc,\n')
    counts = outcomes.import_file(three, tmp_path, path, NOW)
    assert (counts.taken, counts.skipped) == (2, 1)
    known = outcomes.labels_of(outcomes.read_all(tmp_path))
    assert known == {("a", 0): "Crate[1]", ("b", 0): "b=o,x"}
    path.write_text("request,label\na,crate\n")
    with pytest.raises(InputError, match=r"'crate' is none of small bag, b=o,x, Crate\[1\]; an"):
        outcomes.import_file(three, tmp_path, path, NOW)


def test_a_shadow_of_three_classes() -> None:
    live, other = [0.6, 0.3, 0.1], [0.2, 0.3, 0.5]
    told: dict[str, Any] = {"target": "edge", "version": 8}
    lines: list[dict[str, Any]] = [{"answer": live, "shadow": {**told, "answer": live}}] * 150
    lines += [{"answer": live, "shadow": {**told, "answer": other}}] * 50
    lines += [{"answer": live, "shadow": {**told, "answer": 0.5}}]
    found = compare(lines, np.zeros(201, np.int8), 100, 0.05, 3)
    assert found is not None
    assert (found.rows, found.failed) == (200, 1)
    assert found.largest == pytest.approx(0.4)
    assert found.difference == pytest.approx(0.1)
    assert found.other_decisions is not None
    assert found.other_decisions.value == 0.25
    assert found.accuracy_gain is not None
    assert found.accuracy_gain.value == pytest.approx(-0.25)
    assert found.verdict == "go back"
    assert compare([], np.zeros(0, np.int8), 100, 0.05, 3) is None
