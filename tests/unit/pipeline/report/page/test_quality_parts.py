"""Parts of the page that draw: groups, calibration, variants, attributions."""

import json
from dataclasses import replace
from typing import Any

import pytest

from models.metrics.gates import OVERALL, at_most
from pipeline.report.page import html
from pipeline.report.page.part import Part, RunRecord
from pipeline.report.page.parts.quality.attributions import attributions
from pipeline.report.page.parts.quality.calibration import calibration
from pipeline.report.page.parts.quality.explorer import explorer
from pipeline.report.page.parts.quality.fairness import fairness
from pipeline.report.page.parts.quality.variants import variants
from tests.support.records.explained import BY_CLASS, EXPLAINED, with_explanation
from tests.support.records.measured import HOSTILE, record_of, rows_of_three, rows_of_two

CLASSES = ("walk", "<b>ride</b>", "carry")
DRAWING = (fairness, explorer, calibration, variants, attributions)


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> RunRecord:
    return with_explanation(record_of(rows_of_two(), tmp_path_factory.mktemp("run")), EXPLAINED)


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> RunRecord:
    found = record_of(rows_of_three(), tmp_path_factory.mktemp("run"), CLASSES, (("sex",),))
    return with_explanation(found, BY_CLASS)


def changed(record: RunRecord, **changes: Any) -> RunRecord:
    """The record with other values in each measured model."""
    models = {n: m.model_copy(update=changes) for n, m in record.summary.models.items()}
    return replace(record, summary=record.summary.model_copy(update={"models": models}))


def values_of(part: Part, chart: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = part.charts[chart]["data"]["values"]
    return found


@pytest.mark.parametrize("make", DRAWING)
@pytest.mark.parametrize("kind", ["record", "three"])
def test_texts_of_data_are_text_and_each_chart_has_a_place(
    make: Any, kind: str, request: pytest.FixtureRequest
) -> None:
    part = make(request.getfixturevalue(kind))
    assert HOSTILE not in part.html
    assert "<b>ride" not in part.html
    for chart in part.charts:
        assert f'id="{chart}" role="img" aria-label="' in part.html
    json.dumps(part.charts, allow_nan=False)


@pytest.mark.parametrize("make", DRAWING)
def test_a_run_that_measured_nothing_has_no_such_part(make: Any, record: RunRecord) -> None:
    bare = record.summary.model_copy(update={"models": {}})
    assert make(replace(record, summary=bare, executions=[])) is None


def test_groups_stand_with_their_intervals_and_all_rows_beside_them(record: RunRecord) -> None:
    part = fairness(record)
    assert part is not None
    points = {(p["group"], p["target"]): p for p in values_of(part, "fairness-0-tpr")}
    model = record.summary.models["teacher_pruned"]
    point = points["Männer (530)", "server"]
    assert point["value"] == model.slices["sex=Männer"]["tpr"]
    assert (point["low"], point["high"]) == model.evidence["sex=Männer"].intervals["tpr"]
    [overall] = [
        layer["data"]["values"]
        for layer in part.charts["fairness-0-accuracy"]["layer"]
        if "data" in layer
    ]
    assert overall[0] == {"target": "server", "value": model.metrics["accuracy"]}
    pale = {p["group"]: p["few"] for p in values_of(part, "fairness-1-accuracy")}
    assert [group for group, few in pale.items() if few] == ["tiny (11)"]


def test_gaps_have_the_measured_intervals_and_bounds(record: RunRecord) -> None:
    told = {"value": 0.21, "low": 0.05, "high": 0.33, "highest": "sex=Männer",
            "lowest": f"sex={HOSTILE}"}  # fmt: skip
    both = {**told, "highest": "sex=Männer,land=東京", "lowest": "sex=Männer,land=a,b=c"}
    intervals = {"sex": {"tpr": told, "fpr": None}, "sex,land": {"tpr": both}}
    grown = {"sex": {"tpr": {"value": 0.02, "low": -0.01, "high": 0.05}, "fpr": None}}
    part = fairness(changed(record, gap_intervals=intervals, gap_growth=grown))
    assert part is not None
    gaps = {(p["gap"], p["target"]): p for p in values_of(part, "fairness-gaps")}
    assert gaps["sex: tpr", "server"]["high"] == 0.33
    assert gaps["sex and land: tpr", "edge"]["low"] == 0.05
    bounds = [
        layer["data"]["values"]
        for layer in part.charts["fairness-gaps"]["layer"]
        if layer["mark"]["type"] == "tick"
    ]
    assert {(b["gap"], b["bound"]) for b in bounds[0]} == {("sex: tpr", 0.3), ("sex: fpr", 0.2)}
    assert "<td>Männer, 東京</td><td>Männer, a,b=c</td>" in part.html
    assert "0.050 to 0.330" in part.html
    assert f"{html.MINUS}0.010 to +0.050" in part.html


def test_gaps_of_a_run_without_intervals_are_shown_too(record: RunRecord) -> None:
    part = fairness(record)
    assert part is not None
    assert "&lt;script&gt;" in part.html
    lone = changed(record, gaps={"sex": {"tpr": None}})
    bare = fairness(replace(lone, summary=lone.summary.model_copy(update={"gates": []})))
    assert bare is not None
    assert "No gap could be measured." in bare.html
    assert "Not measured, for groups or their rows are too few: sex: tpr." in bare.html
    assert "fairness-gaps" not in bare.charts


def test_a_gap_beyond_its_bound_is_said_first(record: RunRecord) -> None:
    key = "evaluation.server.max_gap.sex.tpr"
    gate = at_most("server", "gap sex tpr", OVERALL, 0.08, 0.01, key)
    part = fairness(replace(record, summary=record.summary.model_copy(update={"gates": [gate]})))
    assert part is not None
    assert "1 gap has a bound; 1 of them beyond it" in part.html
    assert 'class="badge bad">failed' in part.html


def test_the_worst_groups_are_named(record: RunRecord) -> None:
    worst = {"auc": {"slice": f"sex={HOSTILE}", "value": 0.7, "low": None, "high": None, "rows": 9}}
    part = fairness(changed(record, worst=worst))
    assert part is not None
    assert "The group in which each metric is worst" in part.html
    assert "sex=&lt;script&gt;" in part.html


def test_a_run_that_slices_by_nothing_says_so(record: RunRecord) -> None:
    part = fairness(changed(record, slices={}, gaps={}))
    assert part is not None
    assert "names no column" in part.html


def test_each_class_of_three_has_its_recall_in_each_group(three: RunRecord) -> None:
    part = fairness(three)
    assert part is not None
    cells = {(c["group"], c["class"]): c["value"] for c in values_of(part, "fairness-0-recall-0")}
    model = three.summary.models["teacher_pruned"]
    assert cells["Männer (329)", "carry"] == model.slices["sex=Männer"]["recall[carry]"]
    kinds = {p["gap"] for p in values_of(part, "fairness-gaps")}
    assert kinds == {"sex: recall", "sex: selection rate"}, "the widest class of each"


@pytest.mark.parametrize("make", [explorer, calibration])
def test_what_is_for_two_classes_says_so(make: Any, three: RunRecord) -> None:
    part = make(three)
    assert "two classes" in part.html
    assert not part.charts
    assert not part.script


@pytest.mark.parametrize("make", [explorer, calibration])
def test_a_run_that_counted_no_scores_has_no_such_part(make: Any, record: RunRecord) -> None:
    assert make(changed(record, scores=None)) is None


def test_calibration_by_group_is_that_of_its_rows(record: RunRecord) -> None:
    part = calibration(record)
    assert part is not None
    points = values_of(part, "calibration-0-0")
    assert {p["series"] for p in points} == {f"{HOSTILE} (370)", "Männer (530)"}
    rows = sum(p["rows"] for p in points if p["series"].startswith("Männer"))
    assert rows == 530
    assert all(p["low"] - 1e-9 <= p["share"] <= p["high"] + 1e-9 for p in points)
    assert "by chance alone" in part.html


def test_variants_stand_by_what_they_cost_and_lose(record: RunRecord) -> None:
    part = variants(record)
    assert part is not None
    points = {p["variant"]: p for p in values_of(part, "variants-bytes")}
    assert points["teacher"]["quality"] == 0
    assert points["student_int8"]["deployed"] == "edge"
    told = record.summary.models["student_int8"].against_teacher
    [auc] = [difference for difference in told if difference.metric == "auc"]
    assert points["student_int8"]["quality"] == auc.value
    assert points["student_int8"]["cost"] == record.summary.models["student_int8"].bytes
    assert "edge (student_int8) is, compressed, 3.0 times smaller than the teacher" in part.html


def test_variants_of_a_run_of_before_stand_by_their_auc(record: RunRecord) -> None:
    part = variants(changed(record, against_teacher=[], evidence={}, latency_us={}))
    assert part is not None
    assert list(part.charts) == ["variants-bytes"]
    [point, *_] = values_of(part, "variants-bytes")
    assert point["quality"] == record.summary.models["teacher"].metrics["auc"]
    assert point["low"] == point["high"] == point["quality"]


def test_attributions_stand_strongest_first_with_their_stability(record: RunRecord) -> None:
    part = attributions(record)
    assert part is not None
    points = values_of(part, "attributions-columns")
    assert [p["column"] for p in points if p["target"] == "edge"] == [HOSTILE, "age", "所得"]
    assert (points[0]["low"], points[0]["high"]) == (0.06, 0.1)
    assert points[-1]["low"] == points[-1]["high"] == 0.01, "no interval was measured"
    shares = {
        (c["group"], c["column"]): c["value"] for c in values_of(part, "attributions-groups-0")
    }
    assert shares[f"sex={HOSTILE}", "age"] == pytest.approx(0.75)
    assert shares["sex=Männer", "age"] == 0, "nothing is attributed in this group"
    assert "carries 57% (server, edge)" in part.html


def test_values_that_single_rows_have_are_not_shown(record: RunRecord) -> None:
    part = attributions(record)
    assert part is not None
    shown = {p["value"] for p in values_of(part, "attributions-dependence-0")}
    assert shown == {HOSTILE, "(missing)"}
    assert "only me" not in part.html


def test_attributions_of_more_classes_are_summed_and_told_class_by_class(three: RunRecord) -> None:
    part = attributions(three)
    assert part is not None
    points = {p["column"]: p for p in values_of(part, "attributions-columns")}
    assert points["age"]["value"] == pytest.approx(0.07)
    assert (points["age"]["low"], points["age"]["high"]) == pytest.approx((0.05, 0.09))
    curves = {p["series"] for p in values_of(part, "attributions-dependence-0")}
    assert curves == {"walk, server", "ride, server", "walk, edge", "ride, edge"}
    assert "Mean absolute attribution to each class, edge" in part.html
