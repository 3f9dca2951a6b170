"""Which rows to show to people: diverse, uncertain, like many others."""

import numpy as np

from models.labels.selection import most_informative, one_hot, uncertainty


def test_one_hot_cuts_numbers_and_keeps_missing_values_apart() -> None:
    columns: dict[str, list[float | str | None]] = {
        "age": [20, 30, None, 40] * 10,
        "job": ["a", "b", "a", None] * 10,
        "note": [f"text {n}" for n in range(40)],
    }
    features = one_hot(columns)
    assert (features[:, 0] == 1).all()
    assert np.unique(features, axis=0).shape[0] == 4
    assert features[0] @ features[2] == 2  # the intercept and the job
    assert features[0] @ features[4] == 3
    assert (features.sum(axis=1) == 3).all()


def test_a_column_without_numbers_is_one_value() -> None:
    assert one_hot({"age": [None] * 20}).sum() == 40


GROUPS = np.repeat([0, 1, 2, 3], [400, 200, 100, 2])
FEATURES = np.hstack([np.ones((len(GROUPS), 1)), np.eye(4)[GROUPS]])
ALL = np.arange(len(GROUPS), dtype=np.int64)


def pick(probability: list[float], known: list[int], count: int) -> list[int]:
    candidates = np.setdiff1d(ALL, known)
    return most_informative(
        FEATURES,
        np.array(probability)[GROUPS],
        np.array(known, dtype=np.int64),
        candidates,
        count,
    )


def test_uncertain_rows_come_before_sure_ones() -> None:
    chosen = pick([0.01, 0.5, 0.01, 0.01], [], 5)
    assert [int(GROUPS[n]) for n in chosen] == [1] * 5


def test_two_classes_with_their_shares_are_as_uncertain_as_one_probability() -> None:
    one = np.array([0.0, 0.2, 0.5, 0.9])
    np.testing.assert_allclose(uncertainty(np.stack([1 - one, one], axis=1)), uncertainty(one))


def test_rows_that_may_be_of_many_classes_come_before_those_of_two() -> None:
    kinds = np.array([[1, 0, 0], [0.5, 0.5, 0], [1 / 3, 1 / 3, 1 / 3], [0.98, 0.01, 0.01]])
    assert uncertainty(kinds).argsort().tolist() == [0, 3, 1, 2]
    none = np.array([], dtype=np.int64)
    groups = np.repeat([0, 1, 2, 3], 50)
    features = np.hstack([np.ones((200, 1)), np.eye(4)[groups]])
    every = np.arange(200, dtype=np.int64)
    chosen = groups[most_informative(features, kinds[groups], none, every, 9)].tolist()
    assert chosen[0] == 2
    assert chosen.count(2) >= chosen.count(1) > 0
    assert {0, 3}.isdisjoint(chosen)


def test_frequent_kinds_come_first_and_no_kind_takes_all() -> None:
    chosen = [int(GROUPS[n]) for n in pick([0.5] * 4, [], 12)]
    assert chosen[0] == 0
    assert chosen.count(0) >= chosen.count(1) >= chosen.count(2) >= 1
    assert chosen.count(3) == 0


def test_what_is_known_is_not_asked_again() -> None:
    chosen = pick([0.5] * 4, list(range(50)), 4)
    assert 0 not in {int(GROUPS[n]) for n in chosen}


def test_no_row_twice_and_no_more_than_there_are() -> None:
    known = list(range(10, len(GROUPS)))
    assert sorted(pick([0.5] * 4, known, 50)) == list(range(10))


def test_each_pick_is_the_best_by_brute_force() -> None:
    draw = np.random.default_rng(3)
    features = np.hstack([np.ones((30, 1)), draw.normal(size=(30, 4))])
    probability = draw.uniform(0.1, 0.9, 30)
    known = np.array([0, 1], dtype=np.int64)
    candidates = np.arange(2, 30, dtype=np.int64)
    chosen = most_informative(features, probability, known, candidates, 3)
    noise = probability * (1 - probability)

    def open_variance(labeled: list[int]) -> float:
        information = (features[labeled].T * noise[labeled]) @ features[labeled] + np.eye(5)
        return float((noise**2 * ((features @ np.linalg.inv(information)) * features).sum(1)).sum())

    labeled = [0, 1]
    for found in chosen:
        rest = [n for n in range(2, 30) if n not in labeled]
        assert found == min(rest, key=lambda n: open_variance([*labeled, n]))
        labeled.append(found)
