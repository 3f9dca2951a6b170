"""Disagreements, what rows without votes have in common, and changes between two reports."""

import numpy as np

from models.labels import analysis as label_analysis
from models.labels.analysis import Common, Disagreement, compare, in_common
from models.labels.votes import Gold

Columns = dict[str, list[label_analysis.Value]]
VOTES = np.array(
    [[1, 0, -1], [1, 0, 0], [1, 1, 0], [-1, 0, 1], [1, -1, -1], [-1, -1, -1]], dtype=np.int8
)


def test_pairs_that_disagree_most_come_first_and_gold_says_who_is_right() -> None:
    gold = Gold(VOTES[:2], np.array([1, 0], dtype=np.int8))
    assert label_analysis.disagreements(VOTES, gold, most=5) == [
        Disagreement(first=0, second=1, rows=2, both=3, gold_rows=2, first_right=1, second_right=1),
        Disagreement(first=0, second=2, rows=2, both=2, gold_rows=1, first_right=0, second_right=1),
        Disagreement(first=1, second=2, rows=2, both=3, gold_rows=0, first_right=0, second_right=0),
    ]
    assert len(label_analysis.disagreements(VOTES, gold, most=1)) == 1
    assert label_analysis.rows_of_disagreement(VOTES, 1, 2).tolist() == [2, 3]


def test_of_three_classes_both_may_be_wrong() -> None:
    votes = np.array([[0, 1], [0, 2], [2, 2], [2, 1], [-1, 1]], dtype=np.int8)
    gold = Gold(votes, np.array([2, 0, 2, 1, 1], dtype=np.int8))
    assert label_analysis.disagreements(votes, gold, most=5) == [
        Disagreement(first=0, second=1, rows=3, both=4, gold_rows=3, first_right=1, second_right=1)
    ]


def test_functions_that_agree_are_no_pair() -> None:
    votes = VOTES[:1].repeat(3, axis=0)
    assert label_analysis.disagreements(votes[:, [0, 2]], Gold(votes[:0], votes[:0, 0]), 5) == []


def test_values_that_set_rows_apart() -> None:
    columns: Columns = {
        "job": ["cook", "cook", "clerk", "clerk", "clerk", None, "clerk", "clerk"],
        "age": [20, 21, 40, 41, 42, 43, 44, 45],
        "same": ["x"] * 8,
        "empty": [None] * 8,
    }
    chosen = np.array([True, True, False, False, False, True, False, False])
    job, age = in_common(columns, chosen, most=3)
    assert job == Common("job", "cook", share=2 / 3, share_of_all=0.25)
    assert age == Common("age", "20 to 21", share=2 / 3, share_of_all=0.25)
    assert in_common(columns, chosen, most=1) == [job]


def test_missing_values_and_number_values_are_named() -> None:
    columns: Columns = {"gain": [0, 0, 0, None, 0.5], "job": ["a", "a", "a", None, "a"]}
    chosen = np.array([False, False, False, True, False])
    assert {(c.column, c.value) for c in in_common(columns, chosen, 5)} == {
        ("gain", "missing"),
        ("job", "missing"),
    }
    [common] = in_common({"gain": columns["gain"]}, np.arange(5) == 4, 5)
    assert common.value == "0.5"


def test_no_rows_have_nothing_in_common() -> None:
    assert in_common({"age": [1, 2]}, np.zeros(2, dtype=bool), 5) == []


def row(coverage: float, weight: float | None = 0.9) -> dict[str, float | None]:
    known = {"coverage": coverage, "overlap": 0.1, "conflict": 0.0, "accuracy_on_gold": 0.8}
    return {**known, "weight": weight}


def test_changes_between_two_reports() -> None:
    before = {"same": row(0.2), "loosened": row(0.2), "gone": row(0.1), "quiet": row(0.1)}
    after = {"same": row(0.2), "loosened": row(0.3), "fresh": row(0.1), "quiet": row(0.1, None)}
    found = compare(before, after, {"same": 0, "loosened": 40})
    assert (found["new"], found["removed"]) == (["fresh"], ["gone"])
    assert list(found["functions"]) == ["loosened"]
    assert found["functions"]["loosened"] == {
        "changed_votes": 40,
        "coverage": 0.1,
        "overlap": 0.0,
        "conflict": 0.0,
        "accuracy_on_gold": 0.0,
        "weight": 0.0,
    }


def test_votes_that_moved_but_not_in_number_are_a_change() -> None:
    found = compare({"f": row(0.2)}, {"f": row(0.2)}, {"f": 7})
    assert found["functions"]["f"]["changed_votes"] == 7
