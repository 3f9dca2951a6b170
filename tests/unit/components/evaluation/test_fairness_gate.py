"""Gates over metrics by slice."""

from dataclasses import asdict

import numpy as np
import pytest

from components.evaluation.fairness_gate import apply_gates, without_teacher
from core.sections.evaluation import Bounds, Judging
from models.metrics.comparison import compare
from models.metrics.evidence import VariantEvidence, evidence, evidence_of
from models.metrics.gaps import gaps_between
from models.metrics.gates import Gate
from models.metrics.registry import OF_TWO

METRICS = {
    "overall": {"auc": 0.90, "examples": 1000},
    "sex=Female": {"auc": 0.88, "tpr": 0.5, "examples": 400},
    "sex=Male": {"auc": 0.70, "tpr": 0.6, "examples": 600},
    "race=Other": {"auc": 0.10, "tpr": 0.1, "examples": 20},
}
BOUNDS = Bounds(
    min={},
    min_by_slice={},
    min_by_class={},
    max_drop={},
    max_gap={},
    max_gap_growth={},
    max_drop_from_teacher={},
    min_over_reference={},
    better_than_chance=True,
)
RULE = Judging(min_slice_rows=100, few_rows=50, when_too_few="warn")
STRICT = RULE.model_copy(update={"when_too_few": "fail"})


def gates(
    baseline: dict[str, float] | None = None, rule: Judging = RULE, **bounds: object
) -> list[Gate]:
    return apply_gates("server", METRICS, baseline, BOUNDS.model_copy(update=bounds), rule)


def test_overall_bound_names_value_bound_and_key() -> None:
    assert gates(min={"auc": 0.85}) == [
        Gate("server", "auc", "overall", 0.90, ">= 0.85", True, "evaluation.server.min.auc")
    ]


def test_a_bound_on_a_metric_without_an_entry_is_an_error() -> None:
    with pytest.raises(KeyError, match="log_loss"):
        gates(min={"log_loss": 0.1})


@pytest.mark.parametrize(("bound", "text"), [(0.95, "auc 0.9 < 0.95"), (0.915, "auc 0.9 < 0.915")])
def test_the_reason_turns_the_bound_round(bound: float, text: str) -> None:
    (gate,) = gates(min={"auc": bound})
    assert gate.reason == text
    assert gate.margin == pytest.approx(0.9 - bound)


def test_bound_on_a_missing_metric_fails() -> None:
    (gate,) = gates(min={"f1": 0.1})
    assert not gate.passed
    assert gate.value is None


def test_slices_are_gated_when_large_enough() -> None:
    verdicts = {gate.slice: gate.passed for gate in gates(min_by_slice={"auc": 0.8})}
    assert verdicts == {"sex=Female": True, "sex=Male": False}


def test_fall_against_the_baseline() -> None:
    (gate,) = gates({"auc": 0.93}, max_drop={"auc": 0.02})
    assert gate.value == pytest.approx(0.03)
    assert not gate.passed
    assert gate.bound == "<= 0.02"


def test_no_baseline_no_fall() -> None:
    assert gates(None, max_drop={"auc": 0.02}) == []


@pytest.mark.parametrize("baseline", [{}, {"auc": 0.93}, {"f1": 0.5}])
def test_fall_of_a_metric_missing_on_either_side_fails(baseline: dict[str, float]) -> None:
    (gate,) = gates(baseline, max_drop={"f1": 0.02})
    assert gate.value is None
    assert not gate.passed


@pytest.mark.parametrize(("bound", "passed"), [(0.15, True), (0.05, False)])
def test_gap_between_groups(bound: float, passed: bool) -> None:
    (gate,) = gates(max_gap={"sex": {"tpr": bound}})
    assert gate.metric == "gap sex tpr"
    assert gate.value == pytest.approx(0.1)
    assert gate.passed is passed
    assert gate.key == "evaluation.server.max_gap.sex.tpr"


@pytest.mark.parametrize("rule", [RULE, STRICT])
def test_a_gap_without_two_large_groups_is_undecided_and_says_why(rule: Judging) -> None:
    (gate,) = gates(rule=rule, max_gap={"race": {"tpr": 0.5}})
    assert gate.undecided
    assert gate.passed is (rule is RULE)
    assert gate.verdict == ("undecided" if rule is RULE else "undecided, failed")
    assert gate.reason == (
        "gap race tpr not measurable: 0 groups have evaluation.min_slice_rows=100 test rows or "
        f"more, two are needed; race=Other has 20 (evaluation.when_too_few={rule.when_too_few})"
    )


def test_a_gap_of_a_rate_that_is_missing_fails_and_names_the_group() -> None:
    metrics = {**METRICS, "sex=Female": {"auc": 0.88, "examples": 400}}
    bounds = BOUNDS.model_copy(update={"max_gap": {"sex": {"tpr": 0.5}}})
    (gate,) = apply_gates("server", metrics, None, bounds, RULE)
    assert not gate.passed
    assert gate.reason == "gap sex tpr not measurable: no tpr of sex=Female"


def rows(
    count: int, share: float, noise: float = 0.2, seed: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Labels, and probabilities that know them up to noise."""
    draw = np.random.RandomState(seed)
    labels = (np.arange(count) < round(share * count)).astype(float)
    return labels, np.clip(0.5 + 0.15 * (2 * labels - 1) + noise * draw.randn(count), 0, 1)


def judged(
    labels: np.ndarray,
    probabilities: np.ndarray,
    groups: dict[str, np.ndarray] | None = None,
    teacher: np.ndarray | None = None,
    rule: Judging = RULE,
    **bounds: object,
) -> dict[tuple[str, str], Gate]:
    """Gates by metric and slice, with all that they rest on."""
    members = {"overall": np.ones(len(labels), bool), **(groups or {})}
    found = {name: OF_TWO.of_slice(labels[at], probabilities[at]) for name, at in members.items()}
    metrics = {n: {k: v for k, v in row.items() if v is not None} for n, row in found.items()}
    columns = {name.partition("=")[0] for name in groups or {}}
    gaps = {
        column: gaps_between(
            labels,
            probabilities,
            {n: at for n, at in members.items() if n.startswith(f"{column}=")},
            OF_TWO,
            rule.min_slice_rows,
            teacher,
        )
        for column in columns
    }
    seen = VariantEvidence(
        {name: evidence(labels[at], probabilities[at]) for name, at in members.items()},
        [] if teacher is None else compare(labels, probabilities, teacher, {}, ["auc", "accuracy"]),
        gap_intervals={column: found for column, (found, _) in gaps.items()},
        gap_growth={column: grown for column, (_, grown) in gaps.items()},
    )
    made = apply_gates(
        "edge", metrics, None, BOUNDS.model_copy(update=bounds), rule, evidence_of(asdict(seen))
    )
    return {(gate.metric, gate.slice): gate for gate in made}


def test_every_gate_has_an_interval_and_rows() -> None:
    labels, probabilities = rows(2000, 0.3)
    sex = {"sex=F": np.arange(2000) % 2 == 0, "sex=M": np.arange(2000) % 2 == 1}
    found = judged(
        labels,
        probabilities,
        sex,
        np.clip(probabilities + 0.001, 0, 1),
        min={"auc": 0.6, "accuracy": 0.5, "f1": 0.3, "average_precision": 0.3},
        min_by_slice={"recall_at_precision": 0.1},
        max_gap={"sex": {"tpr": 0.3, "selection_rate": 0.3}},
        max_drop_from_teacher={"auc": 0.01},
    )
    assert len(found) == 4 + 2 + 2 + 1 + 1
    for gate in found.values():
        assert gate.interval is not None
        assert gate.rows in (1000, 2000)
        assert gate.interval[0] <= (gate.value or 0) <= gate.interval[1]
        assert gate.passed
        assert not gate.undecided
        assert gate.why is None


@pytest.mark.parametrize("rule", [RULE, STRICT])
def test_few_rows_that_cannot_tell_are_said(rule: Judging) -> None:
    labels, probabilities = np.array([1, 1, 1, 0, 0, 0, 0, 0, 0]), np.linspace(0.9, 0.1, 9)
    found = judged(labels, probabilities, rule=rule, min={"accuracy": 0.85, "auc": 0.2})
    gate = found["accuracy", "overall"]
    assert gate.value == pytest.approx(8 / 9)
    assert (gate.rows, gate.undecided) == (9, True)
    assert gate.passed is (rule is RULE)
    assert "9 rows, 3 of them positive: its 95% interval" in gate.reason
    assert "holds the bound 0.85" in gate.reason
    assert found["auc", "overall"].verdict == "passed", "the interval is above this bound"


def test_many_rows_decide_by_the_value() -> None:
    labels, probabilities = rows(400, 0.4)
    accuracy = float(np.mean((probabilities > 0.5) == labels))
    for bound, passed in ((accuracy - 0.005, True), (accuracy + 0.005, False)):
        gate = judged(labels, probabilities, min={"accuracy": bound})["accuracy", "overall"]
        assert (gate.passed, gate.undecided) == (passed, False)


@pytest.mark.parametrize("only", [0, 1])
def test_a_slice_of_one_class_has_no_auc_and_says_so(only: int) -> None:
    labels, probabilities = rows(600, 0.5)
    groups = {"sex=F": labels == only}
    gate = judged(labels, probabilities, groups, min_by_slice={"auc": 0.6})["auc", "sex=F"]
    assert (gate.value, gate.undecided, gate.passed, gate.rows) == (None, True, True, 300)
    assert f"auc not measurable on 300 rows, {300 * only} of them positive" in gate.reason
    strict = judged(labels, probabilities, groups, rule=STRICT, min_by_slice={"auc": 0.6})
    assert not strict["auc", "sex=F"].passed


def test_a_group_without_positives_leaves_the_gap_undecided() -> None:
    labels, probabilities = rows(600, 0.5)
    groups = {"sex=F": labels == 0, "sex=M": np.ones(600, bool)}
    gate = judged(labels, probabilities, groups, max_gap={"sex": {"tpr": 0.2}})
    found = gate["gap sex tpr", "overall"]
    assert found.undecided
    assert "no tpr of sex=F, which has no positive row" in found.reason


def test_one_answer_is_refused_by_name() -> None:
    labels, probabilities = rows(600, 0.05)
    gate = judged(labels, 0.4 * probabilities)["auc above chance", "overall"]
    assert not gate.passed
    assert gate.reason == "one answer only: it says no on all 600 test rows"
    assert judged(labels, 0.4 * probabilities, better_than_chance=False) == {}


@pytest.mark.parametrize("seed", range(3))
def test_random_scores_are_refused_by_name(seed: int) -> None:
    labels, _ = rows(900, 0.3)
    gate = judged(labels, np.random.RandomState(seed).rand(900))["auc above chance", "overall"]
    assert not gate.passed
    assert not gate.undecided
    assert "its scores may be random" in gate.reason


def test_scores_the_wrong_way_round_are_refused_by_name() -> None:
    labels, probabilities = rows(900, 0.3)
    gate = judged(labels, 1 - probabilities)["auc above chance", "overall"]
    assert "worse than random" in gate.reason


def test_too_few_rows_to_tell_from_chance_are_undecided() -> None:
    labels = np.array([1.0] * 3 + [0.0] * 6)
    gate = judged(labels, np.array([0.9, 0.4, 0.3, 0.35, 0.6, 0.1, 0.1, 0.1, 0.1]))
    found = gate["auc above chance", "overall"]
    assert found.undecided
    assert found.passed
    assert "9 rows, 3 of them positive, cannot tell" in found.reason


def test_a_fall_from_the_teacher_is_bounded() -> None:
    labels, teacher = rows(4000, 0.4, noise=0.1)
    worse = np.clip(teacher + 0.2 * np.random.RandomState(2).randn(4000), 0, 1)
    bounds = {"auc": 0.01, "accuracy": 0.01}
    found = judged(labels, worse, teacher=teacher, max_drop_from_teacher=bounds)
    gate = found["accuracy drop from teacher", "overall"]
    assert not gate.passed
    assert not gate.undecided
    assert gate.key == "evaluation.edge.max_drop_from_teacher.accuracy"
    same = judged(labels, teacher, teacher=teacher, max_drop_from_teacher=bounds)
    assert same["auc drop from teacher", "overall"].passed


def test_a_fall_within_chance_is_undecided() -> None:
    labels, teacher = rows(60, 0.4)
    worse = teacher.copy()
    worse[[0, 1, 30]] = [0.1, 0.2, 0.9]
    found = judged(labels, worse, teacher=teacher, max_drop_from_teacher={"accuracy": 0.01})
    gate = found["accuracy drop from teacher", "overall"]
    assert gate.undecided
    assert gate.passed
    assert (gate.value or 0) > 0.01
    assert "cannot tell a fall of 0.01 in accuracy from chance" in gate.reason


def grown(
    labels: np.ndarray, worse: np.ndarray, rule: Judging = RULE, bound: float = 0.03
) -> tuple[Gate, np.ndarray]:
    """The gate where one group's positives lose what `worse` says; and the group."""
    female = np.arange(len(labels)) % 2 == 0
    teacher = np.clip(0.5 + 0.2 * (2 * labels - 1), 0, 1)
    groups = {"sex=F": female, "sex=M": ~female}
    answers = np.where(worse, 0.1, teacher)
    found = judged(labels, answers, groups, teacher, rule, max_gap_growth={"sex": {"tpr": bound}})
    return found["gap sex tpr growth", "overall"], female


def test_a_gap_that_grew_beyond_its_bound_is_refused() -> None:
    labels = (np.arange(4000) % 4 < 2).astype(int)
    worse = (labels == 1) & (np.arange(4000) % 2 == 0) & (np.arange(4000) % 20 == 0)
    gate, female = grown(labels, worse)
    lost = worse.sum() / ((labels == 1) & female).sum()
    assert gate.value == pytest.approx(lost) == pytest.approx(0.2)
    assert (gate.passed, gate.undecided) == (False, False)
    assert (gate.bound, gate.rows) == ("<= 0.03 beyond chance", 4000)
    assert gate.key == "evaluation.edge.max_gap_growth.sex.tpr"
    assert gate.interval is not None
    assert gate.interval[0] < lost < gate.interval[1]
    assert grown(labels, worse, bound=0.25)[0].verdict == "passed"


@pytest.mark.parametrize("rule", [RULE, STRICT])
def test_a_gap_that_grew_within_chance_is_undecided(rule: Judging) -> None:
    labels = np.tile([1, 1, 0, 0, 0], 60)
    worse = np.zeros(300, bool)
    worse[[0, 6, 10]] = True
    gate, _ = grown(labels, worse, rule)
    assert gate.undecided
    assert gate.passed is (rule is RULE)
    assert "cannot tell a growth of 0.03 from chance" in gate.reason
    assert "60 of them of sex=F" in gate.reason


def test_growth_between_groups_without_positives_or_rows_is_undecided_and_says_why() -> None:
    none = np.zeros(600, int)
    gate, _ = grown(none, none == 1)
    assert gate.verdict == "undecided"
    assert "no tpr of sex=F, sex=M, which has no positive row" in gate.reason
    few, _ = grown(none[:150], none[:150] == 1)
    assert "sex=F has 75, sex=M has 75" in few.reason, few.reason


def test_growth_that_nobody_measured_fails() -> None:
    labels, probabilities = rows(600, 0.5)
    gate = judged(
        labels,
        probabilities,
        {"sex=F": np.arange(600) % 2 == 0, "sex=M": np.arange(600) % 2 == 1},
        max_gap_growth={"sex": {"tpr": 0.1}},
    )["gap sex tpr growth", "overall"]
    assert (gate.passed, gate.undecided, gate.value) == (False, False, None)
    assert "was not measured" in gate.reason


def test_a_group_whose_name_has_a_comma_counts_in_a_gap() -> None:
    labels, probabilities = rows(900, 0.5)
    third = np.arange(900) % 3
    probabilities = np.where((third == 2) & (labels == 1), 0.1, probabilities)
    names = ("race=A, B", "race=C", "race=D,E=")
    groups = {name: third == number for number, name in enumerate(names)}
    found = judged(labels, probabilities, groups, max_gap={"race": {"tpr": 0.1}})
    gate = found["gap race tpr", "overall"]
    assert gate.rows == 600, "the third looks like a group of two columns"
    groups = {name.replace("E=", "E"): at for name, at in groups.items()}
    gate = judged(labels, probabilities, groups, max_gap={"race": {"tpr": 0.1}})[
        "gap race tpr", "overall"
    ]
    assert not gate.passed
    assert (gate.value or 0) >= 0.8


def test_slices_are_named_as_the_configuration_lists_their_columns() -> None:
    labels, probabilities = rows(20, 0.5)
    seen = VariantEvidence({"sex=F,race=A, b": evidence(labels, probabilities)})
    assert seen.called("race=A, b,sex=F") == "sex=F,race=A, b"
    assert seen.called("race=B,sex=F") == "race=B,sex=F", "nobody measured that"
    assert seen.of_slice("race=A, b,sex=F") is seen.evidence["sex=F,race=A, b"]
    assert seen.of_slice("race=B") is None


def test_the_teacher_is_not_compared_with_itself() -> None:
    bounds = BOUNDS.model_copy(
        update={
            "min": {"auc": 0.85},
            "max_gap": {"sex": {"tpr": 0.2}},
            "max_gap_growth": {"sex": {"tpr": 0.1}},
            "max_drop_from_teacher": {"auc": 0.01},
        }
    )
    kept = without_teacher(bounds)
    assert (kept.max_drop_from_teacher, kept.max_gap_growth) == ({}, {})
    assert (kept.min, kept.max_gap) == (bounds.min, bounds.max_gap)
