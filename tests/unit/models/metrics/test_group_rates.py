"""Counts by group and bin, what follows from them, and the worst group."""

from collections.abc import Mapping

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from models.metrics.evidence import evidence
from models.metrics.group_rates import BINS, WorstGroup, rates_at, scores, worst_groups
from models.metrics.registry import OF_TWO, metrics_of

LABELS = np.array([1, 1, 0, 0, 1, 0])
PROBABILITIES = np.array([0.0, 0.5, 0.5, 0.501, 1.0, 0.005], np.float32)
EVERY = {"overall": np.ones(6, bool)}


def test_a_bin_holds_its_upper_end_and_the_first_one_0() -> None:
    found = scores(LABELS, PROBABILITIES, EVERY)
    counts = found["groups"]["overall"]
    assert found["bins"] == BINS == 200
    assert {b: n for b, n in enumerate(counts["positive"]) if n} == {0: 1, 99: 1, 199: 1}
    assert {b: n for b, n in enumerate(counts["negative"]) if n} == {0: 1, 99: 1, 100: 1}


def test_every_threshold_decides_as_the_rule_does() -> None:
    """Also at thresholds that binary fractions cannot write, and for answers that are on them."""
    ends = np.arange(BINS + 1) / BINS
    labels = np.arange(3 * len(ends)) % 2
    single = ends.astype(np.float32)
    probabilities = np.concatenate([ends, single, np.nextafter(single, 2).clip(0, 1)])
    counts = scores(labels, probabilities, {"all": np.ones(len(labels), bool)})["groups"]["all"]
    for k, threshold in [*enumerate(ends)][1:-1]:
        above = probabilities > threshold
        assert sum(counts["positive"][k:]) == (above & (labels == 1)).sum(), threshold
        assert sum(counts["negative"][k:]) == (above & (labels == 0)).sum(), threshold


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7])
def test_rates_are_those_of_scikit_learn(threshold: float) -> None:
    draw = np.random.RandomState(3)
    labels, probabilities = draw.randint(0, 2, 500), draw.rand(500)
    groups = {"sex=F": draw.rand(500) < 0.4, "sex=M,race=\u00c4": draw.rand(500) < 0.4}
    found = scores(labels, probabilities, groups)["groups"]
    for name, rows in groups.items():
        decisions = (probabilities[rows] > threshold).astype(int)
        (tn, fp), (fn, tp) = confusion_matrix(labels[rows], decisions)
        assert rates_at(found[name], threshold) == {
            "tpr": pytest.approx(tp / (tp + fn)),
            "fpr": pytest.approx(fp / (fp + tn)),
            "selection_rate": pytest.approx((tp + fp) / rows.sum()),
        }


def test_a_rate_of_no_rows_is_none() -> None:
    counts = scores(LABELS, PROBABILITIES, {"no": LABELS == 0, "none": LABELS == 2})["groups"]
    assert rates_at(counts["no"], 0.5) == {
        "tpr": None,
        "fpr": pytest.approx(1 / 3),
        "selection_rate": pytest.approx(1 / 3),
    }
    assert set(rates_at(counts["none"], 0.5).values()) == {None}


def worst(
    labels: np.ndarray,
    answers: np.ndarray,
    groups: Mapping[str, np.ndarray],
    least: int,
    classes: tuple[str, ...] = ("no", "yes"),
) -> dict[str, WorstGroup]:
    measured = metrics_of(classes)
    by_slice = {name: measured.of_slice(labels[at], answers[at]) for name, at in groups.items()}
    seen = {name: evidence(labels[at], answers[at], classes) for name, at in groups.items()}
    return worst_groups(by_slice, seen, measured, least)


def test_the_worst_group_is_the_lowest_or_the_highest_as_the_metric_wants() -> None:
    labels = np.array([1, 1, 0, 0] * 3)
    answers = np.array([0.9, 0.9, 0.1, 0.1, 0.9, 0.1, 0.1, 0.9, 0.1, 0.1, 0.9, 0.9])
    groups = {name: np.arange(12) // 4 == n for n, name in enumerate("abc")}
    found = worst(labels, answers, groups, 4)
    assert set(found) == {*OF_TWO.quality, "tpr", "fpr"}
    assert (found["tpr"].slice, found["tpr"].value) == ("c", 0.0)
    assert (found["fpr"].slice, found["fpr"].value) == ("c", 1.0)
    assert found["accuracy"].low == 0.0
    assert found["accuracy"].high == pytest.approx(0.4899, abs=1e-4), "Wilson, 0 of 4"
    assert found["accuracy"].rows == 4
    assert worst(labels, answers, groups, 5) == {}, "no group is large enough"


def test_a_group_in_which_it_cannot_be_measured_is_not_the_worst() -> None:
    groups = {"a": LABELS == 0, "b": np.arange(6) < 4}
    found = worst(LABELS, PROBABILITIES, groups, 1)
    assert found["auc"].slice == found["tpr"].slice == "b"
    assert "auc" not in worst(LABELS, PROBABILITIES, {"a": LABELS == 0}, 1)


def test_of_three_classes_each_has_its_worst_group() -> None:
    codes = np.array([0, 1, 2, 0, 1, 2])
    shares = np.eye(3)[[0, 1, 2, 1, 1, 2]] * 0.8 + 0.2 / 3
    groups = {"g=a": np.arange(6) < 3, "g=b": np.arange(6) >= 3}
    found = worst(codes, shares, groups, 1, ("car", "bus", "tram"))
    assert (found["recall[car]"].slice, found["recall[car]"].value) == ("g=b", 0.0)
    assert found["log_loss"].slice == "g=b", "more of it is worse"
    assert not [name for name in found if name.startswith("selection_rate")]
