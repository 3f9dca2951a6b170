"""What is measured of a variant, as it is reported and read back."""

import json
from typing import Any

import numpy as np
import pytest

from components.evaluation.variant_evaluator import VariantSettings, checked, evaluate
from core.sections.evaluation import Slicing
from models.metrics.evidence import evidence_of
from models.network.layout import Preprocessing
from pipeline.report.findings import finite
from pipeline.report.summary import MeasuredModel

ROWS = 2000
DRAW = np.random.RandomState(4)
LABELS = (DRAW.rand(ROWS) < 0.3).astype(int)
ANSWERS = np.clip(0.3 + 0.3 * LABELS + 0.2 * DRAW.randn(ROWS), 0, 1).astype(np.float32)
COLUMNS = {
    "sex": DRAW.choice(["F", "M"], ROWS),
    "race": DRAW.choice(["<b>A</b>", "\u00d6, B", "[c]"], ROWS, p=[0.6, 0.38, 0.02]),
}
SIZE = {"bytes": 1, "gzip_bytes": 1, "latency_us": {}, "sparsity": 0.0}


def report(
    labels: np.ndarray = LABELS,
    answers: np.ndarray = ANSWERS,
    classes: tuple[str, ...] = ("no", "yes"),
    teacher: np.ndarray | None = None,
) -> dict[str, Any]:
    """What `evaluate` says, after a journey through JSON."""
    of_classes: dict[str, Any] = {"classes": classes}
    settings = VariantSettings.model_construct(
        preprocessing=Preprocessing.model_construct(**of_classes),
        evaluation=Slicing(slices=(("sex",), ("race",), ("sex", "race")), min_slice_rows=100),
    )
    made = finite(json.loads(json.dumps(evaluate(labels, answers, COLUMNS, settings, teacher))))
    assert isinstance(made, dict)
    return made


def test_gaps_have_intervals_for_each_list_of_columns() -> None:
    model = MeasuredModel.model_validate({**report(teacher=ANSWERS), **SIZE})
    assert list(model.gap_intervals) == ["sex", "race", "sex,race"] == list(model.gap_growth)
    assert list(model.gaps) == ["sex", "race"], "values of single columns"
    for column, rates in model.gaps.items():
        for rate, value in rates.items():
            gap = model.gap_intervals[column][rate]
            assert gap is not None
            assert gap.value == value
            tpr = [model.slices[name][rate] for name in (gap.highest, gap.lowest)]
            assert value == pytest.approx((tpr[0] or 0) - (tpr[1] or 0))
    crossed = model.gap_intervals["sex,race"]["tpr"]
    assert crossed is not None
    assert {crossed.highest, crossed.lowest} <= set(model.slices)
    assert crossed.highest.startswith("sex=")
    assert set(model.evidence) == {"overall", *model.slices}
    assert model.scores is not None
    assert set(model.scores["groups"]) == {"overall", *model.slices}
    assert model.worst["auc"].slice in model.slices
    assert model.worst["auc"].rows >= 100


def test_a_group_with_a_comma_in_its_name_counts_and_a_small_one_does_not() -> None:
    gap = MeasuredModel.model_validate({**report(), **SIZE}).gap_intervals["race"]["tpr"]
    assert gap is not None
    assert {gap.highest, gap.lowest} == {"race=<b>A</b>", "race=\u00d6, B"}


def test_the_teacher_has_grown_from_nobody() -> None:
    assert report()["gap_growth"] == {}
    assert report()["against_teacher"] == []


def test_it_is_read_back_as_evidence() -> None:
    seen = evidence_of(report(teacher=ANSWERS))
    growth = seen.gap_growth["sex"]["tpr"]
    assert growth is not None
    assert (growth.value, growth.is_wider(0.0)) == (0, False)
    of_before = {k: v for k, v in report().items() if not k.startswith("gap_")}
    assert evidence_of(of_before).gap_intervals == {}


@pytest.mark.parametrize("constant", [0.0, 0.2, 1.0])
def test_a_constant_model_is_measured(constant: float) -> None:
    made = report(answers=np.full(ROWS, constant))
    assert made["gaps"]["sex"] == {"tpr": 0, "fpr": 0, "selection_rate": 0}
    at = {0.0: 0, 0.2: 39, 1.0: 199}[constant]
    assert made["scores"]["groups"]["overall"]["positive"][at] == LABELS.sum()


def test_a_group_without_positives_has_no_gap_and_is_not_the_worst() -> None:
    labels = LABELS * (COLUMNS["sex"] == "M")
    made = report(labels)
    assert made["gaps"]["sex"]["tpr"] is None
    assert made["gap_intervals"]["sex"]["tpr"] is None
    assert made["gaps"]["sex"]["fpr"] is not None
    assert "F" not in made["worst"]["auc"]["slice"]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_answers_that_are_no_numbers_are_refused(bad: float) -> None:
    answers = ANSWERS.copy()
    answers[3] = bad
    with pytest.raises(ValueError, match="student: 1 of 2000 answers are not numbers; lower tra"):
        checked("student", answers)
    assert checked("student", ANSWERS) is ANSWERS


def test_three_classes_have_gaps_by_class_and_no_scores() -> None:
    codes = DRAW.randint(0, 3, ROWS)
    shares = 0.7 * np.eye(3)[codes] + 0.3 * DRAW.dirichlet([1, 1, 1], ROWS)
    made = report(codes, shares, ("car", "bus", "tram"), shares)
    assert "scores" not in made
    assert set(made["gap_intervals"]["sex"]) == {
        f"{kind}[{called}]"
        for kind in ("recall", "selection_rate")
        for called in ("car", "bus", "tram")
    }
    assert made["worst"]["recall[bus]"]["slice"]
    model = MeasuredModel.model_validate({**made, **SIZE})
    assert model.scores is None
    assert model.gap_growth["sex,race"]["recall[tram]"] is not None
