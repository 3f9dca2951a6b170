"""Benchmarks of labels by group: targets, gaps and tables."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import quality, report
from benchmarks.labels import by_group
from models.labels.votes import ABSTAIN

VARIANTS = ("teacher_pruned", "student_int8")
WHEN = ("before", "after")


def values(gap: float, auc: float) -> quality.Values:
    of = {"auc": [auc - 0.01, auc + 0.01], quality.GAP: [gap, gap]}
    return {variant: dict(of) for variant in VARIANTS}  # type: ignore[misc]


@pytest.mark.parametrize(
    ("gap", "auc", "passed"),
    [(0.05, 0.89, True), (0.09, 0.89, False), (0.05, 0.88, False)],
)
def test_a_small_gap_and_little_auc_lost_are_asked_for(
    gap: float, auc: float, passed: bool
) -> None:
    measured = {"weak": values(0.19, 0.895), "weak_fair": values(gap, auc)}
    checks = quality.fair_checks(measured)
    assert len(checks) == 4
    assert all(check.passed for check in checks) == passed


def test_only_the_census_has_labels_by_group() -> None:
    assert quality.CENSUS.modes["weak_fair"][-3:] == [
        "fairness.labels=by_group",
        "fairness.column=sex",
        "labeling.gold_choice=random",
    ]
    other = quality.Study("a", "sms_spam", 100, (1,), "", (), lambda found: [])
    assert set(other.modes) == {"weak", "gold"}


@pytest.mark.parametrize(("rate", "gap"), [("tpr", 0.5), ("fpr", 0.0), ("selection_rate", 0.25)])
def test_gaps_are_between_large_groups(rate: str, gap: float) -> None:
    groups = np.repeat(["a", "b", "small"], [400, 400, 10])
    truth = np.tile([0.0, 1.0], 405)
    answers = np.where(truth == 1, 0.9, 0.1)
    answers[1:400:4] = 0.2  # half of the positives of a
    assert by_group.gap(answers, truth, groups, rate) == pytest.approx(gap)  # type: ignore[arg-type]


def test_labels_are_moved_by_group_but_for_gold_rows_and_rows_without_a_vote() -> None:
    votes = np.array([[1]] * 4 + [[0]] * 4 + [[ABSTAIN]] * 2, dtype=np.int8)
    probability = np.array([0.6] * 4 + [0.1] * 4 + [0.3] * 2)
    sex = ["f", "m", "m", "m", "f", "f", "f", "m", "f", "m"]
    applied = SimpleNamespace(
        gold={4: 0, 7: 0, 1: 1},
        chosen=frozenset(),
        votes=votes,
        table=SimpleNamespace(groups={"sex": sex}),
    )
    label = probability[:, None].astype(np.float32)
    moved = by_group.labels_by_group(applied, probability, label, "sex", "tpr")  # type: ignore[arg-type]
    same = np.isclose(moved, label)[:, 0]
    assert same.tolist() == [False, True, False, False, True, False, False, True, True, True]
    assert moved[0] > label[0]
    assert moved[2] < label[2]


def test_the_table_has_a_line_for_each_case() -> None:
    figures = {f"{name} {when}": [0.1, 0.2] for name in by_group.FIGURES for when in WHEN}
    page = by_group.tables({"tpr by sex": figures}, (1, 2), 200)
    assert "| tpr by sex | 0.150 ± 0.071 |" in page


def test_the_printed_command_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(module: str, name: str, folder: Path, measured: object) -> int:
        assert (name, folder) == ("labels_by_group_1000", tmp_path)
        return 1

    monkeypatch.setattr(report, "run", failing)
    told = ["--gold", "1000", "--name", "labels_by_group_1000", "--results", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["by_group", *told])
    assert by_group.main() == 1
