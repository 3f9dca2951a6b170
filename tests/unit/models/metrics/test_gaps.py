"""Gaps between groups and their growth, against rows that are drawn one by one."""

import numpy as np
import pytest

from core.answers import decided
from core.intervals import newcombe_interval
from models.metrics.gaps import gaps_between
from models.metrics.registry import OF_TWO, RATES, groups_by, metrics_of

ROWS = 3000
DRAW = np.random.RandomState(5)
LABELS = (DRAW.rand(ROWS) < 0.4).astype(int)
COLUMNS = {
    "sex": DRAW.choice(["F", "M"], ROWS, p=[0.3, 0.7]),
    "race": DRAW.choice(["A", "B", "C"], ROWS, p=[0.5, 0.3, 0.2]),
}
_HARDER = 0.15 * (COLUMNS["sex"] == "F") * LABELS
TEACHER = np.clip(0.35 + 0.3 * LABELS - _HARDER + 0.2 * DRAW.randn(ROWS), 0, 1)
STUDENT = np.clip(TEACHER - 0.5 * _HARDER + 0.05 * DRAW.randn(ROWS), 0, 1)
SEX, RACE, BOTH = (
    groups_by(COLUMNS, [keys])[",".join(keys)] for keys in (["sex"], ["race"], ["sex", "race"])
)


def rate(name: str, rows: np.ndarray, answers: np.ndarray) -> float:
    found = RATES[name].measure(LABELS[rows], answers[rows])
    assert found is not None
    return found


def test_groups_are_named_as_the_columns_are_listed() -> None:
    assert list(groups_by(COLUMNS, [["sex", "race"], ["race"]])) == ["sex,race", "race"]
    assert next(iter(BOTH)) == "sex=F,race=A"
    assert sum(rows.sum() for rows in BOTH.values()) == ROWS


@pytest.mark.parametrize("groups", [SEX, RACE, BOTH])
def test_a_gap_is_between_the_groups_that_are_furthest_apart(groups: dict[str, np.ndarray]) -> None:
    found, grown = gaps_between(LABELS, STUDENT, groups, OF_TWO, 100)
    assert list(found) == list(RATES)
    assert grown == {}
    for name, gap in found.items():
        values = {n: rate(name, np.flatnonzero(rows), STUDENT) for n, rows in groups.items()}
        assert gap is not None
        assert gap.value == pytest.approx(max(values.values()) - min(values.values()))
        assert gap.highest == max(values, key=values.__getitem__)
        assert gap.lowest == min(values, key=values.__getitem__)
        assert 0 <= gap.low <= gap.value <= gap.high


@pytest.mark.parametrize("name", [*RATES])
def test_intervals_are_those_of_rows_drawn_one_by_one(name: str) -> None:
    found, grown = gaps_between(LABELS, STUDENT, SEX, OF_TWO, 100, TEACHER)
    gap, growth, random = found[name], grown[name], np.random.RandomState(11)
    assert gap is not None
    assert growth is not None
    before = gaps_between(LABELS, TEACHER, SEX, OF_TWO, 100)[0][name]
    assert before is not None
    drawn = []
    for _ in range(1000):
        rows = random.randint(0, ROWS, ROWS)
        high, low = (rows[SEX[group][rows]] for group in (gap.highest, gap.lowest))
        now = rate(name, high, STUDENT) - rate(name, low, STUDENT)
        then = rate(name, high, TEACHER) - rate(name, low, TEACHER)
        drawn.append((now, abs(now) - abs(then)))
    (low, growth_low), (high, growth_high) = np.quantile(drawn, [0.025, 0.975], axis=0)
    assert (gap.low, gap.high) == pytest.approx((max(0, low), high), abs=0.012)
    assert (growth.low, growth.high) == pytest.approx((growth_low, growth_high), abs=0.005)
    assert growth.before == pytest.approx(before.value)
    assert growth.value == pytest.approx(gap.value - before.value)
    assert growth.rows == ROWS


def test_growth_is_known_better_than_either_gap() -> None:
    """The same rows are hard for both models."""
    found, grown = gaps_between(LABELS, STUDENT, SEX, OF_TWO, 100, TEACHER)
    gap, growth = found["tpr"], grown["tpr"]
    assert gap is not None
    assert growth is not None
    assert growth.high - growth.low < 0.8 * (gap.high - gap.low)
    assert growth.is_wider(0.03)
    assert not growth.is_wider(0.5)


def test_growth_is_known_where_the_other_group_is_the_lower_one() -> None:
    """Both gaps are near 0: that they turned round says nothing about how wide they are."""
    teacher = STUDENT.copy()
    male = np.flatnonzero(SEX["sex=M"] & (LABELS == 1) & (teacher > 0.5))
    female = np.flatnonzero(SEX["sex=F"] & (LABELS == 1) & (teacher <= 0.5))
    gaps = {}
    for count in range(0, len(male), 20):
        answers = teacher.copy()
        answers[male[:count]] = 0.1
        answers[female[: count // 10]] = 0.9
        gap = gaps_between(LABELS, answers, SEX, OF_TWO, 100)[0]["tpr"]
        assert gap is not None
        gaps[count] = answers, gap
    before, after = sorted(gaps.values(), key=lambda found: found[1].value)[:2]
    assert before[1].highest != after[1].highest
    growth = gaps_between(LABELS, after[0], SEX, OF_TWO, 100, before[0])[1]["tpr"]
    assert growth is not None
    assert growth.high - growth.low < after[1].high


def test_the_same_model_has_not_grown() -> None:
    growth = gaps_between(LABELS, TEACHER, SEX, OF_TWO, 100, TEACHER)[1]["tpr"]
    assert growth is not None
    three = 3 / LABELS[SEX["sex=F"]].sum()
    assert (growth.value, growth.low, growth.high) == (0, -three, three), "no rows are certain"


def test_the_same_rows_have_the_same_interval() -> None:
    again = gaps_between(LABELS, STUDENT, RACE, OF_TWO, 100, TEACHER)
    assert gaps_between(LABELS, STUDENT, RACE, OF_TWO, 100, TEACHER) == again


def test_groups_that_are_all_alike_are_not_certain() -> None:
    """Rows that are drawn anew are all alike as well; Newcombe's interval is not of width 0."""
    labels, groups = np.ones(20, int), {"g=a": np.arange(20) < 8, "g=b": np.arange(20) >= 8}
    gap = gaps_between(labels, np.where(groups["g=a"], 0.9, 0.1), groups, OF_TWO, 1)[0]["tpr"]
    assert gap is not None
    low, high = newcombe_interval((8, 8), (0, 12))
    assert gap.value == 1
    assert (gap.low, gap.high) == (low, high)
    assert low < 0.7


def test_there_is_no_gap_without_two_groups_that_have_the_rate() -> None:
    groups = {"g=a": LABELS == 0, "g=b": LABELS == 1}
    found, grown = gaps_between(LABELS, STUDENT, groups, OF_TWO, 100, TEACHER)
    assert found["tpr"] is None, "one of the groups has no positive row"
    assert grown["tpr"] is None
    assert found["selection_rate"] is not None
    one = {"g=a": np.ones(ROWS, bool)}
    assert gaps_between(LABELS, STUDENT, one, OF_TWO, 100, TEACHER)[0] == dict.fromkeys(RATES)
    assert gaps_between(LABELS, STUDENT, {}, OF_TWO, 100)[0] == dict.fromkeys(RATES)


def test_small_groups_are_left_out() -> None:
    small = {"race=D,E": np.arange(ROWS) < 20}
    rest = {name: rows & ~small["race=D,E"] for name, rows in RACE.items()}
    found = gaps_between(LABELS, STUDENT, {**rest, **small}, OF_TWO, 100)[0]
    alone = gaps_between(LABELS[20:], STUDENT[20:], {n: r[20:] for n, r in rest.items()}, OF_TWO, 1)
    for name in RATES:
        gap, other = found[name], alone[0][name]
        assert gap is not None
        assert other is not None
        assert (gap.value, gap.highest) == (other.value, other.highest)


def test_many_groups_of_one_positive_each_have_a_gap_and_a_growth() -> None:
    """Hardly a draw has a positive row of every group."""
    labels = np.tile([1, 0, 0, 0], 60)
    answers = np.where(np.arange(240) < 120, 0.9, 0.1)
    groups = {f"g={n}": np.arange(240) // 4 == n for n in range(60)}
    found, grown = gaps_between(labels, answers, groups, OF_TWO, 1, 1 - answers)
    gap, growth = found["tpr"], grown["tpr"]
    assert gap is not None
    assert growth is not None
    assert (gap.value, gap.high) == (1, 1)
    assert gap.low < 0.3
    assert (growth.value, growth.low, growth.high) == (0, -1, 1)


def test_a_constant_model_has_no_gap() -> None:
    gap = gaps_between(LABELS, np.full(ROWS, 0.3), RACE, OF_TWO, 100)[0]["tpr"]
    assert gap is not None
    assert (gap.value, gap.low) == (0, 0)
    assert 0 < gap.high < 0.02


def test_of_three_classes_each_has_its_gaps() -> None:
    random = np.random.RandomState(2)
    codes = random.randint(0, 3, 1200)
    shares = random.dirichlet([1, 1, 1], 1200) + 0.8 * np.eye(3)[codes]
    shares /= shares.sum(axis=1, keepdims=True)
    shares[:600] = shares[:600][:, [0, 2, 1]]
    groups = {"g=a": np.arange(1200) < 600, "g=b": np.arange(1200) >= 600}
    measured = metrics_of(("car", "bus", "tram"))
    teacher = random.dirichlet([1, 1, 1], 1200)
    found, grown = gaps_between(codes, shares, groups, measured, 100, teacher)
    assert set(found) == set(grown) == set(measured.rates)
    for code, called in enumerate(("car", "bus", "tram")):
        right = (decided(shares) == code) & (codes == code)
        recalls = [right[g].sum() / (codes == code)[g].sum() for g in groups.values()]
        gap = found[f"recall[{called}]"]
        assert gap is not None
        assert gap.value == pytest.approx(abs(recalls[0] - recalls[1]))
        chosen = [float((decided(shares) == code)[g].mean()) for g in groups.values()]
        selected = found[f"selection_rate[{called}]"]
        assert selected is not None
        assert selected.value == pytest.approx(abs(chosen[0] - chosen[1]))
    bus = grown["recall[bus]"]
    assert bus is not None
    assert bus.is_wider(0.2)
