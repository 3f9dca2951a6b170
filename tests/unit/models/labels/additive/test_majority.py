"""A majority vote as a sum of columns."""

import numpy as np

from models.labels.additive.majority import MajorityByColumns, votes_for
from models.labels.rows import coded
from models.labels.votes import ABSTAIN

KINDS = ["a", "b", "c", "d"] * 100
NUMBERS = [float(n % 7) for n in range(400)]
COLUMNS = {"kind": coded(KINDS), "number": coded(NUMBERS)}
# Two functions vote 1 for kind a, one of them 0 for kind b.
VOTES = np.array(
    [[{"a": 1, "b": 0}.get(kind, ABSTAIN), 1 if kind == "a" else ABSTAIN] for kind in KINDS],
    dtype=np.int8,
)


def test_votes_are_counted_by_class() -> None:
    counts = votes_for(np.array([[0, 2, 2], [ABSTAIN, ABSTAIN, 1]], dtype=np.int8), 3)
    assert counts.tolist() == [[1, 0, 2], [0, 1, 0]]


def test_columns_say_what_functions_vote_above_the_average() -> None:
    majority = MajorityByColumns.of(VOTES, COLUMNS, 2)
    said = majority.of_encoded(majority.coding.encode(COLUMNS))
    cast = votes_for(VOTES, 2)
    np.testing.assert_allclose(said.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(said, cast - cast.mean(axis=0), atol=0.15)


def test_values_that_no_function_looks_at_are_judged_by_the_rows_that_have_them() -> None:
    twin = coded([kind.upper() for kind in KINDS])  # no function reads it; it goes with kind
    majority = MajorityByColumns.of(VOTES, {"twin": twin}, 2)
    said = majority.of_encoded(majority.coding.encode({"twin": coded(["A", "B", "C"])}))
    assert said[0, 1] > 1.2
    assert said[1, 0] > 0.5
    assert abs(said[2] - said[2].mean()).max() < 0.3


def test_without_columns_nothing_is_said() -> None:
    majority = MajorityByColumns.of(VOTES, {}, 2)
    assert majority.of_encoded(np.zeros((3, 0))).tolist() == [[0, 0]] * 3
