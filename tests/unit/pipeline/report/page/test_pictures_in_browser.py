"""The pictures and the threshold explorer in a real browser."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.answers import THRESHOLD
from core.intervals import wilson_interval
from models.metrics.evidence import evidence
from models.metrics.gates import at_least
from models.metrics.judging import weighed
from models.metrics.registry import METRICS
from pipeline.config.load import load
from pipeline.report.page import page
from pipeline.report.page.head import head_of
from pipeline.report.page.part import Part, RunRecord
from pipeline.report.page.parts.quality.attributions import attributions
from pipeline.report.page.parts.quality.calibration import calibration
from pipeline.report.page.parts.quality.explorer import explorer
from pipeline.report.page.parts.quality.fairness import fairness
from pipeline.report.page.parts.quality.variants import variants
from pipeline.report.page.parts.served.monitoring import monitoring
from tests.support.records.explained import BY_CLASS, EXPLAINED, monitored, with_explanation
from tests.support.records.measured import (
    HOSTILE,
    SLICES,
    Rows,
    at_threshold,
    config_of,
    groups_of,
    record_of,
    rows_of_three,
    rows_of_two,
)
from tests.support.servers.accessibility import grave_faults
from tests.support.servers.browser import Page, chromium

MAKERS = (fairness, explorer, calibration, variants, attributions, monitoring)
VARIANTS = {"server": "teacher_pruned", "edge": "student_int8"}
CHARTS = "[...document.querySelectorAll('.chart')]"
SEEN = f"{CHARTS}.filter(chart => chart.offsetParent !== null)"
DRAWN = f"{SEEN}.every(chart => chart.dataset.drawn === 'yes')"
MARKS = f"{SEEN}.map(chart => chart.querySelectorAll('[role=graphics-symbol]').length)"
OPEN = "document.querySelectorAll('details').forEach(fold => { fold.open = true; })"


@pytest.fixture(scope="module")
def rows() -> Rows:
    return rows_of_two()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("run")


@pytest.fixture(scope="module")
def record(rows: Rows, folder: Path) -> RunRecord:
    monitored(folder)
    return with_explanation(record_of(rows, folder), EXPLAINED)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with chromium(tmp_path_factory.mktemp("chromium")) as found:
        yield found


def show(browser: Page, record: RunRecord, makers: Any = MAKERS, width: int = 1440) -> None:
    """Opens a page of some parts."""
    parts: list[Part] = [part for make in makers if (part := make(record)) is not None]
    path = record.folder / "index.html"
    path.write_text(page.assemble(head_of(record), parts, record.folder), encoding="utf-8")
    browser.call(
        "Emulation.setDeviceMetricsOverride",
        width=width, height=900, deviceScaleFactor=1, mobile=width < 500,
    )  # fmt: skip
    browser.requests.clear()
    browser.problems.clear()
    browser.open(path.as_uri())


def move(browser: Page, threshold: float) -> None:
    """Moves the slider by keys alone, from one end."""
    browser.evaluate("document.getElementById('explorer-threshold').focus()")
    browser.press("Home")
    for _ in range(round(threshold / 0.1)):
        browser.press("PageUp")
    shown = "document.getElementById('explorer-shown').textContent"
    while float(browser.evaluate(shown)) < threshold - 1e-9:
        browser.press("ArrowRight")
    while float(browser.evaluate(shown)) > threshold + 1e-9:
        browser.press("ArrowLeft")


def numbers(browser: Page) -> dict[tuple[str, int, str], str]:
    """What the cells show, by target, place of the group and metric."""
    cells = browser.evaluate(
        "JSON.stringify([...document.querySelectorAll('[data-live]')].map(c => [c.dataset.live,"
        " Number(c.dataset.group), c.dataset.metric, c.textContent]))"
    )
    return {(target, group, metric): text for target, group, metric, text in json.loads(cells)}


def verdicts(browser: Page, target: str) -> dict[str, tuple[str, str]]:
    """By gate its value and verdict at the threshold."""
    rows = browser.evaluate(
        f"JSON.stringify([...document.querySelectorAll('[data-gate={target}][data-what=verdict]')]"
        ".map(cell => cell.closest('tr')).map(row => [...row.children].map(c => c.textContent)))"
    )
    return {row[0]: (row[1], row[3]) for row in json.loads(rows)}


@pytest.mark.parametrize("width", [390, 1440])
def test_every_picture_has_marks_and_nothing_is_wider_than_the_window(
    browser: Page, record: RunRecord, width: int
) -> None:
    show(browser, record, width=width)
    browser.evaluate(OPEN)
    browser.wait_for(DRAWN)
    assert browser.problems == []
    assert browser.evaluate("window.hurt") is None
    marks = browser.evaluate(MARKS)
    assert len(marks) >= 30
    assert all(marks), marks
    assert browser.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("make", MAKERS)
def test_axe_finds_nothing_grave(browser: Page, record: RunRecord, make: Any) -> None:
    show(browser, record, [make])
    browser.wait_for(DRAWN)
    assert grave_faults(browser) == []


@pytest.mark.parametrize("threshold", [0.0, 0.345, 0.7])
def test_the_keys_move_the_numbers_to_what_the_rows_say(
    browser: Page, record: RunRecord, rows: Rows, threshold: float
) -> None:
    show(browser, record, [explorer])
    move(browser, threshold)
    shown = numbers(browser)
    part = explorer(record)
    assert part is not None
    members = {"all rows": groups_of(rows, SLICES)["overall"], **groups_of(rows, SLICES)}
    checked = 0
    for target, variant in VARIANTS.items():
        for place, group in enumerate(part.data["targets"][target]["groups"]):
            among = members[group["label"]]
            if among.sum() < 50:
                continue
            for metric, value in at_threshold(rows, variant, among, threshold).items():
                if (text := shown.get((target, place, metric))) is not None:
                    assert float(text) == pytest.approx(value, abs=5.1e-5), (place, metric)
                    checked += 1
    assert checked >= 2 * (6 + 3 * 7)
    assert browser.problems == []


def test_at_the_start_it_is_as_the_run_judged(browser: Page, record: RunRecord) -> None:
    show(browser, record, [explorer])
    gates = [gate for gate in record.summary.gates if gate.target == "server"]
    shown = verdicts(browser, "server")
    for gate in gates:
        if gate.metric in shown and ".min_by_slice." not in gate.key:
            value, verdict = shown[gate.metric]
            assert float(value) == pytest.approx(gate.value, abs=5.1e-5)
            assert verdict == gate.verdict
    assert set(shown) == {"accuracy", "accuracy drop", "f1", "gap sex tpr", "gap sex fpr"}
    said = browser.wait_for("document.getElementById('explorer-said').textContent")
    assert said.startswith("At 0.500: server: all 5 gates that depend on it would hold")
    assert browser.evaluate("document.querySelector('pre.command').hidden")


def test_a_gate_that_fails_is_said_in_words_with_the_bound_that_would_hold(
    browser: Page, record: RunRecord, rows: Rows
) -> None:
    show(browser, record, [explorer])
    move(browser, 0.95)
    members = groups_of(rows, SLICES)["overall"]
    accuracy = at_threshold(rows, "student_int8", members, 0.95)["accuracy"]
    assert accuracy < 0.7
    assert verdicts(browser, "edge")["accuracy"][1] == "failed"
    said = browser.wait_for(
        "document.getElementById('explorer-said').textContent.startsWith('At 0.950')"
        " && document.getElementById('explorer-said').textContent"
    )
    assert "edge: " in said
    assert "would fail (" in said
    command = browser.evaluate("document.getElementById('explorer-lines').textContent")
    flags = dict(
        line.split("--set ")[1].removesuffix(" \\").split("=") for line in command.splitlines()[1:]
    )
    bound = float(flags["evaluation.edge.min.accuracy"])
    assert accuracy - 0.001 < bound <= accuracy
    assert "a run judges at 0.5" in browser.evaluate(
        "document.getElementById('explorer-lines-said').textContent"
    )
    overrides = [f"{key}={value}" for key, value in flags.items()]
    assert load("smoke", overrides).evaluation.edge.min["accuracy"] == bound
    browser.evaluate("document.getElementById('explorer-back').click()")
    assert verdicts(browser, "edge")["accuracy"][1] == "passed"


def test_pictures_follow_the_slider(browser: Page, record: RunRecord, rows: Rows) -> None:
    show(browser, record, [explorer])
    move(browser, 0.7)
    among = groups_of(rows, SLICES)["sex=Männer"]
    value = at_threshold(rows, "teacher_pruned", among, 0.7)["tpr"]
    dot = '#explorer-tpr [aria-roledescription=point][aria-label*="Männer (530); target: server"]'
    label = f"document.querySelector('{dot}')?.getAttribute('aria-label')"
    browser.wait_for(f"({label} ?? '').startsWith('value: {value:.2f};')")
    members = among & (rows.labels == 1)
    low, high = wilson_interval(round(value * members.sum()), int(members.sum())) or (0, 1)
    assert f"low: {low:.4f}; high: {high:.4f}" in browser.evaluate(label)


def expected(
    record: RunRecord, rows: Rows, target: str, threshold: float
) -> dict[str, list[tuple[str, float | None]]]:
    """Verdict and value of each gate of quality as the judge of runs has them, by metric.

    Answers are moved so that the threshold is where the judge has it.
    """
    moved = rows.answers[VARIANTS[target]].astype(float) - (threshold - THRESHOLD)
    members, rule = groups_of(rows, SLICES), config_of().evaluation
    found: dict[str, list[tuple[str, float | None]]] = {}
    for gate in record.summary.gates:
        if gate.target == target and gate.metric in ("accuracy", "f1"):
            among = members[gate.slice]
            seen = evidence(rows.labels[among], moved[among])
            value = METRICS[gate.metric].measure(rows.labels[among], moved[among])
            anew = at_least(target, gate.metric, gate.slice, value, gate.limit or 0.0, gate.key)
            judged = weighed(anew, gate.metric, seen, rule)
            found.setdefault(gate.metric, []).append((judged.verdict, judged.value))
    return found


@pytest.mark.parametrize("count", [150, 900])
def test_gates_are_decided_as_a_run_decides_them(browser: Page, tmp_path: Path, count: int) -> None:
    rows = rows_of_two(count=count)
    record = record_of(rows, tmp_path)
    show(browser, record, [explorer])
    seen = set()
    for threshold in (0.1, 0.25, 0.5, 0.75, 0.9):
        slider = "document.getElementById('explorer-threshold')"
        browser.evaluate(f"{slider}.value = {threshold}")
        browser.evaluate(f"{slider}.dispatchEvent(new Event('input'))")
        for target in VARIANTS:
            shown = verdicts(browser, target)
            for metric, judged in expected(record, rows, target, threshold).items():
                order = ("failed", "undecided", "passed")
                worst = min((verdict for verdict, _ in judged), key=order.index)
                assert shown[metric][1].partition(",")[0] == worst, (threshold, metric)
                near = [value for verdict, value in judged if verdict == worst]
                assert any(float(shown[metric][0]) == pytest.approx(v, abs=5.1e-5) for v in near)
                seen.add(worst)
    assert seen >= {"failed", "passed"}
    assert ("undecided" in seen) == (count == 150), "only where rows are few"


def odd(kind: str) -> Rows:
    """Rows that are not as one would like them."""
    rows = rows_of_two()
    labels, answers, columns = rows.labels.copy(), dict(rows.answers), dict(rows.columns)
    if kind == "a group without positives":
        labels[columns["sex"] == HOSTILE] = 0
    if kind == "one answer":
        answers = {name: np.full(len(labels), 0.5) for name in answers}
    if kind == "only 0 and 1":
        answers = {name: (values > 0.5).astype(float) for name, values in answers.items()}
    if kind == "one group":
        columns = {name: np.full(len(labels), "x") for name in columns}
    if kind == "every row its own group":
        columns["land"] = np.arange(len(labels)).astype(str)
    return Rows(labels, answers, columns)


@pytest.mark.parametrize(
    "kind",
    ["a group without positives", "one answer", "only 0 and 1", "one group",
     "every row its own group"],
)  # fmt: skip
def test_odd_rows_are_shown_as_far_as_they_go(browser: Page, tmp_path: Path, kind: str) -> None:
    show(browser, record_of(odd(kind), tmp_path))
    browser.evaluate(OPEN)
    browser.wait_for(DRAWN)
    move(browser, 1.0)
    assert browser.problems == []
    said = browser.wait_for(
        "document.getElementById('explorer-said').textContent.startsWith('At 1.000')"
        " && document.getElementById('explorer-said').textContent"
    )
    assert "edge: " in said
    assert (tmp_path / "index.html").stat().st_size < 2_000_000


def test_a_group_called_like_a_script_is_text(browser: Page, record: RunRecord) -> None:
    show(browser, record, [explorer, fairness])
    move(browser, 0.4)
    where = "[...document.querySelectorAll('[data-what=where]')].map(c => c.textContent).join()"
    assert HOSTILE in browser.evaluate(where)
    assert browser.evaluate("document.querySelectorAll('main script').length") == 0


def test_three_classes_are_drawn(browser: Page, tmp_path: Path) -> None:
    record = record_of(rows_of_three(), tmp_path, ("walk", "<b>ride</b>", "carry"), (("sex",),))
    show(browser, with_explanation(record, BY_CLASS))
    browser.evaluate(OPEN)
    browser.wait_for(DRAWN)
    assert browser.problems == []
    marks = browser.evaluate(MARKS)
    assert all(marks), marks
    assert grave_faults(browser) == []
