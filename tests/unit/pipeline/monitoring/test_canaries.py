"""The live version beside a canary: what differs, and whether to go on."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from core.config import Config
from pipeline.monitoring import requests
from pipeline.monitoring.canaries import CanaryBounds, Lines, compare
from pipeline.monitoring.display import print_report
from pipeline.monitoring.gauges import add_gauges
from pipeline.monitoring.records import CanaryReport, MonitorReport
from tests.support.records.request_lines import line, log

TWO, BOUNDS = ("<=50K", ">50K"), CanaryBounds(100, 0.02, 50.0)


def lines(
    answers: Sequence[Any], chosen: bool, latency: float = 1.0, **changes: Any
) -> list[dict[str, Any]]:
    """A request a row; half a millisecond of noise."""
    draw = np.random.default_rng(len(answers) + chosen)
    return [
        {"request": f"{chosen}{n}", "row": 0, "time": f"2026-11-26T12:00:{n / 100:09.6f}Z",
         "answer": answer, "latency_ms": latency + draw.random() / 2,
         "canary": {"version": 5, "chosen": chosen, **changes}}
        for n, answer in enumerate(answers)
    ]  # fmt: skip


def labelled(right: dict[str, float], classes: int = 2) -> Callable[[Lines], np.ndarray]:
    """Labels with which some share of the rows of either is answered rightly; -1 without."""

    def labels_of(of: Lines) -> np.ndarray:
        found = []
        for at, one in enumerate(of):
            answer = one["answer"]
            code = int(np.argmax(answer)) if isinstance(answer, list) else int(answer > 0.5)
            share = right.get(one["request"][0])
            is_right = share is not None and at % 100 < 100 * share
            found.append(-1 if share is None else code if is_right else (code + 1) % classes)
        return np.array(found, np.int8)

    return labels_of


NONE = labelled({})


def found(live: Any, canary: Any, labels: Any = NONE, most: int = 10**6) -> CanaryReport:
    report = compare(live, canary, labels, TWO, BOUNDS, most)
    assert report is not None
    return report


def test_without_a_canary_there_is_nothing() -> None:
    assert compare([{"answer": 0.5, "time": "x"}], [], NONE, TWO, BOUNDS, 10) is None


def test_how_they_differ() -> None:
    report = found(lines([0.2, 0.8] * 500, False), lines([0.8, 0.8, 0.2] * 100, True, 3.0))
    assert (report.version, report.rows, report.live_rows) == (5, 300, 1_000)
    assert (report.requests, report.live_requests) == (300, 1_000)
    more = report.decisions[">50K"]
    assert more.value == pytest.approx(1 / 6)
    assert 0.09 < more.low < more.value < more.high < 0.24
    assert set(report.decisions) == {">50K"}
    slower = report.latency_ms["difference"]
    assert slower.low < 2.0 < slower.high or slower.value == pytest.approx(2.0, abs=0.1)
    assert slower.low > 1.8
    assert report.latency_ms["live"].low <= report.latency_ms["live"].value
    assert (report.verdict, report.labelled) == ("unknown", 0)
    assert "0 rows with a label, monitor.min_slice_rows=100 are needed" in report.why


@pytest.mark.parametrize(
    ("right", "verdict"),
    [
        ({"F": 0.8, "T": 0.9}, "go on"),
        ({"F": 0.8, "T": 0.6}, "go back"),
        ({"F": 0.8, "T": 0.79}, "unknown"),
        ({"F": 0.8}, "unknown"),
        ({"T": 0.9}, "unknown"),
    ],
)
def test_what_labels_say(right: dict[str, float], verdict: str) -> None:
    live, canary = lines([0.2, 0.8] * 1_000, False), lines([0.2, 0.8] * 150, True)
    report = found(live, canary, labelled(right))
    assert report.verdict == verdict, report.why
    if len(right) == 2:
        assert report.accuracy_gain is not None
        assert report.accuracy_gain.value == pytest.approx(right["T"] - right["F"])
        assert (report.labelled, report.live_labelled) == (300, 2_000)
    else:
        assert report.accuracy_gain is None


def test_rows_that_it_did_not_answer_send_it_back() -> None:
    failed = lines([0.2], True, error="the model failed: x")
    live = [*lines([0.2, 0.8] * 500, False), *failed]
    report = found(live, lines([0.2] * 300, True), labelled({"F": 0.5, "T": 0.9}))
    assert (report.failed, report.error, report.live_rows) == (1, "the model failed: x", 1_000)
    assert report.verdict == "go back"
    everything = found(live, [])
    assert (everything.verdict, everything.rows) == ("go back", 0)


def test_one_that_is_too_slow_goes_back() -> None:
    canary = lines([0.2, 0.8] * 150, True, 80.0)
    report = found(lines([0.2, 0.8] * 500, False), canary, labelled({"F": 0.5, "T": 0.9}))
    assert report.verdict == "go back"
    assert "> pusher.max_latency_ms=50" in report.why
    both = found(lines([0.2, 0.8] * 500, False, 80.0), canary, labelled({"F": 0.5, "T": 0.9}))
    assert both.verdict == "go on", "the machine is slow, not the canary"


def test_the_newest_canary_is_compared_over_the_time_of_both() -> None:
    before = [{**one, "canary": {**one["canary"], "version": 4}} for one in lines([0.9], False)]
    live = [*before, *lines([0.2] * 400, False)]
    canary = lines([0.2] * 400, True)
    report = found(live, canary[300:], most=100)
    assert (report.version, report.rows, report.live_rows) == (5, 100, 100)


def test_three_classes() -> None:
    classes = ("ride", "carry", "other")
    live, canary = lines([[0.6, 0.3, 0.1]] * 300, False), lines([[0.1, 0.3, 0.6]] * 300, True)
    labels = labelled({"F": 0.9, "T": 0.5}, 3)
    report = compare(live, canary, labels, classes, BOUNDS, 10**6)
    assert report is not None
    assert {name: q.value for name, q in report.decisions.items()} == {
        "ride": -1.0, "carry": 0.0, "other": 1.0
    }  # fmt: skip
    assert report.verdict == "go back"


def test_the_log_gives_both(census: Config, tmp_path: Any) -> None:
    told = {"version": 5, "chosen": False}
    chosen = {"version": 5, "chosen": True}
    folder = log(
        tmp_path, line("a", canary=told), line("b", version=5, canary=chosen),
        line("c", canary={**chosen, "error": "x"}), line("d", version=5), line("e"),
        line("f", version=5, canary=5),
    )  # fmt: skip
    read = requests.read(folder, census, "server", 7, None)
    assert [request for request, _ in read.places] == ["a", "c", "e"]
    assert [one["request"] for one in read.canary] == ["b"]
    assert read.window.others == 3
    report = found(read.lines, read.canary)
    assert (report.rows, report.live_rows, report.failed) == (1, 1, 1)


def test_it_is_told_and_a_gauge() -> None:
    from prometheus_client import CollectorRegistry, generate_latest

    canary = found(
        lines([0.2, 0.8] * 500, False), lines([0.2, 0.8] * 150, True),
        labelled({"F": 0.8, "T": 0.9}),
    )  # fmt: skip
    window = {"rows": 9, "requests": 9, "first": None, "last": None, "others": 0, "unreadable": 0}
    report = MonitorReport.model_validate(
        {"at": "2026-11-26T13:00:00Z", "config": "c", "target": "server", "version": 7,
         "run_id": None, "window": window, "canary": canary}
    )  # fmt: skip
    assert MonitorReport.model_validate_json(report.model_dump_json()) == report
    out = Console(width=300, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    print_report(report, out)
    text = out.export_text()
    assert "canary version 5: 300 rows of 300 requests beside 1000 of 1000" in text
    assert "go on: accuracy +0.100" in text
    registry = CollectorRegistry()
    add_gauges(registry, "census", [report])
    page = generate_latest(registry).decode()
    gain = 'tfx_monitor_canary_accuracy_gain{end="value",pipeline="census",target="server"'
    assert gain + ',version="5"} 0.0999' in page or gain + ',version="5"} 0.1' in page
    assert 'of="difference"' in page
