"""Labels by group: what gold rows vouch for is done, and no more."""

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import pytest

from core.sections.fairness import GroupRate, Rate
from core.sections.labeling import LabelFitting, LabelTuning
from models.labels import label_model
from models.labels import report as label_report
from models.labels.by_group.correction import correct, findings
from models.labels.by_group.rows import GroupRows, counts_of_groups, rows_of_groups
from models.labels.by_group.shifts import TRUST_ROWS, Correction, GroupShift, shifted
from models.labels.by_group.shifts import find as find_shifts
from models.labels.rows import coded
from models.labels.votes import ABSTAIN, NEGATIVE, POSITIVE, Gold, distinct

NO_TUNING = LabelTuning(learning_rate=(), l2=(), epochs=(), prec_init=())
RATES: tuple[Rate, ...] = ("tpr", "fpr", "selection_rate")
SEEN = [0.1, 0.3, 0.7, 0.9]  # labels of one group
DIM = [0.1, 0.2, 0.4, 0.6]  # of one of which the functions say less
MANY = 100_000


def rows(
    probability: Sequence[float], gold: int = 0, positives: int = 0, each: int = 100
) -> GroupRows:
    counts = np.full(len(probability), each, dtype=np.int64)
    return GroupRows(np.array(probability, dtype=np.float64), counts, gold, positives)


def vouched(probability: Sequence[float], each: int = 100) -> GroupRows:
    """So many gold rows, positive as often as the labels say, that a shift goes the whole way."""
    return rows(probability, MANY, round(float(np.mean(probability)) * MANY), each)


def find(rate: Rate = "tpr", **groups: GroupRows) -> dict[str, GroupShift]:
    return find_shifts("group", rate, groups).groups


def test_a_shift_is_added_to_log_odds() -> None:
    moved = shifted(np.array([0.0, 0.2, 0.5, 1.0]), np.log(4))
    np.testing.assert_allclose(moved, [0.0, 0.5, 0.8, 1.0])
    np.testing.assert_array_equal(shifted(moved, 0.0), moved)


@pytest.mark.parametrize("rate", RATES)
def test_labels_that_are_alike_in_groups_are_left_as_they_are(rate: Rate) -> None:
    found = find(rate, a=vouched(SEEN), b=vouched(SEEN, each=7))
    assert found["a"].full_shift == pytest.approx(0, abs=1e-6)
    assert found["b"].full_shift == pytest.approx(0, abs=1e-6)


def test_a_group_of_which_labels_find_fewer_positives_is_raised_and_the_other_lowered() -> None:
    found = find(dim=vouched(DIM), seen=vouched(SEEN))
    assert found["dim"].rate_before == pytest.approx(0.6 / 1.3, abs=1e-3)
    assert found["seen"].rate_before == pytest.approx(1.6 / 2.0, abs=1e-3)
    assert found["dim"].shift > 0.3
    assert found["seen"].shift < 0


@pytest.mark.parametrize("rate", RATES)
def test_vouched_for_groups_get_the_same_rate_and_as_many_positives_as_before(rate: Rate) -> None:
    generator = np.random.default_rng(3)
    dim, seen = generator.beta(1, 4, 2000), generator.beta(1, 2, 3000)
    groups = {"dim": vouched(dim.tolist(), 1), "seen": vouched(seen.tolist(), 1)}
    found = find(rate, **groups)
    assert abs(found["dim"].rate_before - found["seen"].rate_before) > 0.05  # type: ignore[operator]
    assert found["dim"].rate_after == pytest.approx(found["seen"].rate_after, abs=0.01)
    after = [shifted(groups[n].probability, found[n].shift) for n in groups]
    positive = sum((each > 0.5).sum() for each in after)
    assert positive == pytest.approx((dim > 0.5).sum() + (seen > 0.5).sum(), rel=0.02)


def test_gold_rows_say_how_much_of_the_way_labels_go() -> None:
    shifts = []
    for gold in (0, 3, TRUST_ROWS, 10 * TRUST_ROWS):
        found = find(dim=rows(DIM, gold, round(0.325 * gold)), seen=vouched(SEEN))["dim"]
        assert found.shift == pytest.approx(found.full_shift * gold / (gold + TRUST_ROWS))
        shifts.append(found.shift)
    assert shifts[0] == 0.0
    assert 0 < shifts[1] < 0.05 * found.full_shift
    assert shifts == sorted(shifts)


def test_three_gold_rows_hardly_move_a_class_balance_and_many_make_it() -> None:
    few = find(a=rows(DIM, 3, 3), b=rows(SEEN, 100, 50))["a"]
    many = find(a=rows(DIM, MANY, MANY // 10), b=rows(SEEN, 100, 50))["a"]
    assert few.class_balance == pytest.approx(0.325, abs=0.03)
    assert many.class_balance == pytest.approx(0.1, abs=0.001)


def test_a_rare_class_that_no_label_decides_for_is_made_alike_below_one_half() -> None:
    found = find(dim=vouched([0.01, 0.02, 0.05]), seen=vouched([0.01, 0.1, 0.4]))
    assert found["dim"].full_shift > found["seen"].full_shift
    assert all(np.isfinite(list(asdict(group).values())).all() for group in found.values())


@pytest.mark.parametrize(
    "groups",
    [
        {},
        {"only": rows(SEEN, 50, 20)},
        {"one": rows(SEEN, 50, 20), "empty": rows([], 2, 1)},
        {"one": rows(SEEN, 50, 20), "never": rows([0.0, 0.0], 5, 0)},
        {"never": rows([0.0], 5, 0), "always": rows([1.0], 5, 5)},
        {"flat": rows([0.2], 9, 2), "level": rows([0.2], 9, 2)},
    ],
)
@pytest.mark.parametrize("rate", RATES)
def test_odd_groups(groups: dict[str, GroupRows], rate: Rate) -> None:
    found = find(rate, **groups)
    assert list(found) == list(groups)
    for group in found.values():
        assert np.isfinite([group.full_shift, group.shift]).all()
        for share in (group.class_balance, group.rate_before, group.rate_after):
            assert share is None or 0 <= share <= 1


def test_a_group_without_a_row_with_a_vote_is_not_known() -> None:
    found = find(a=vouched(SEEN), b=vouched(DIM), empty=rows([], 2, 1))["empty"]
    assert (found.rows, found.class_balance, found.rate_before, found.shift) == (0, None, None, 0.0)


@pytest.mark.parametrize(
    ("rate", "gold", "positives", "told"),
    [
        ("tpr", 34, 0, "no positive one among its 34"),
        ("fpr", 5, 5, "no negative one among its 5"),
        ("selection_rate", 0, 0, "none among its 0"),
    ],
)
def test_a_group_of_whose_rate_no_gold_row_tells_is_named(
    rate: Rate, gold: int, positives: int, told: str
) -> None:
    done = find_shifts("sex", rate, {"x": rows(DIM, gold, positives), "y": rows(SEEN, 50, 20)})
    [finding] = findings(done)
    assert (finding.severity, finding.function) == ("note", "sex=x")
    assert told in finding.message


def test_rows_of_groups_are_those_with_a_vote_and_gold_rows_drawn_at_random() -> None:
    votes = np.array([[1, 0], [-1, -1], [0, -1], [1, 0]], dtype=np.int8)
    vectors, _, vector_of_row = distinct(votes)
    named = coded(["a", "a", "b", "b"])
    counts = counts_of_groups(named, vector_of_row, len(vectors))
    assert sum(each.sum() for each in counts.values()) == 4
    gold = Gold(
        np.array([[1, 0], [-1, -1], [0, -1], [0, -1]], dtype=np.int8),
        np.array([1, 1, 0, 1], dtype=np.int8),
        np.array([True, True, True, False]),
    )
    said = np.linspace(0.2, 0.8, len(vectors))
    found = rows_of_groups(counts, vectors, said, gold, ["a", "a", "b", "b"])
    assert {n: int(group.counts.sum()) for n, group in found.items()} == {"a": 1, "b": 2}
    assert (found["a"].gold_rows, found["a"].gold_positives) == (1, 1)
    assert (found["b"].gold_rows, found["b"].gold_positives) == (1, 0)


def test_rows_without_a_vote_and_of_unknown_groups_are_not_moved() -> None:
    shift = GroupShift(10, 5, 2, 0.4, 0.5, 0.6, 1.0, 0.5)
    done = Correction("sex", "tpr", {"a": shift})
    votes = np.array([[1], [ABSTAIN], [0]], dtype=np.int8)
    assert done.shifts(["a", "a", "new"], votes).tolist() == [0.5, 0.0, 0.0]
    assert done.shifts(["a", "new"]).tolist() == [0.5, 0.0]


def biased(seed: int, count: int = 20_000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Votes, labels and groups of a table whose functions overlook half of a group's positives.

    A third of the rows are of group b, where positives are half as frequent; the functions for the
    positive class vote on 60% of the positives of a, and on 30% of those of b.
    """
    generator = np.random.default_rng(seed)
    group = (generator.random(count) < 1 / 3).astype(np.int64)
    labels = (generator.random(count) < np.where(group == 1, 0.15, 0.3)).astype(np.int8)
    votes = np.full((count, 8), ABSTAIN, dtype=np.int8)
    seen = np.where(group == 1, 0.3, 0.6)
    for n in range(4):
        hit = generator.random(count) < np.where(labels == 1, seen, 0.05)
        votes[hit, n] = POSITIVE
        quiet = generator.random(count) < np.where(labels == 0, 0.5, 1.05 - seen) * 0.8
        votes[quiet, 4 + n] = NEGATIVE
    return votes, labels, group


def gap(probability: np.ndarray, labels: np.ndarray, group: np.ndarray) -> float:
    rates = [(probability > 0.5)[(labels == 1) & (group == g)].mean() for g in (0, 1)]
    return abs(float(rates[0] - rates[1]))


@pytest.mark.parametrize(("gold_rows", "left"), [(200, 0.75), (2000, 0.35)])
def test_the_gap_of_biased_functions_closes_as_gold_rows_grow(gold_rows: int, left: float) -> None:
    before, after = [], []
    for seed in (1, 2, 3):
        votes, labels, group = biased(seed)
        vectors, counts, vector_of_row = distinct(votes)
        gold = Gold(votes[:gold_rows], labels[:gold_rows])
        how = LabelFitting(method="auto", epochs=100, tuning=NO_TUNING)
        names = [f"function_{n}" for n in range(votes.shape[1])]
        fitted = label_model.fit(vectors, counts, gold, names, how, seed)
        named = coded(["ab"[g] for g in group])
        totals = counts_of_groups(named, vector_of_row, len(vectors))
        of_gold = [str(named.at(n)) for n in range(gold_rows)]
        alike = GroupRate(column="group", rate="tpr")
        moved, done = correct(fitted, alike, totals, vectors, gold, of_gold)
        probability = fitted.probability[vector_of_row]
        shifts = done.shifts(["ab"[g] for g in group], votes)
        before.append(gap(probability, labels, group))
        after.append(gap(shifted(probability, shifts), labels, group))
        assert moved.accuracy_on_gold > 0.7
        assert moved.held_out is not fitted.held_out
        report = label_report.weak(names, vectors, counts, gold, moved, by_group=done)
        assert report["by_group"] == asdict(done)
        assert report["accuracy_on_gold"] == moved.accuracy_on_gold
    assert np.mean(before) > 0.15
    assert np.mean(after) < left * np.mean(before)
