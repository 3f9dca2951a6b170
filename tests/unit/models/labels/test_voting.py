"""Votes are what Snorkel's own calls on every row would give, each distinct case asked once."""

import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from snorkel.labeling import LabelingFunction, PandasLFApplier, labeling_function
from snorkel.preprocess import BasePreprocessor, Preprocessor, preprocessor

from core.errors import InputError
from models.labels import functions as labeling
from models.labels import voting
from models.labels.rows import CodedColumn, coded, plain_row
from tests.support.voted import apply_functions

NEGATIVE, POSITIVE, ABSTAIN = 0, 1, -1
Row = labeling.Row

JOBS = ["cook", "clerk", "nurse", None]
WAGES = {"cook": 10, "nurse": 25}


def table(rows: int, seed: int = 0) -> list[dict[str, Any]]:
    rng = np.random.default_rng(seed)
    return [
        {
            "job": JOBS[rng.integers(4)],
            "age": [None, *range(20, 70)][rng.integers(51)],
            "hours": float(rng.integers(10, 60)),
            "note": f"note {rng.integers(5)}",
        }
        for _ in range(rows)
    ]


@labeling_function()
def by_job(row: Row) -> int:
    return POSITIVE if row["job"] == "nurse" else ABSTAIN


@labeling_function()
def by_what_the_job_says_to_read(row: Row) -> int:
    """Reads age of cooks only, and hours of those over 40 only."""
    if row["job"] != "cook":
        return NEGATIVE if row.get("job") is None else ABSTAIN
    if (row["age"] or 0) <= 40:
        return ABSTAIN
    return POSITIVE if row["hours"] > 30 else NEGATIVE


@labeling_function(resources={"wages": WAGES})
def by_a_table(row: Row, wages: dict[str, int]) -> int:
    return POSITIVE if wages.get(row["job"], 0) * row["hours"] > 800 else ABSTAIN


@preprocessor(memoize=True)
def with_pay(row: Any) -> Any:
    row["pay"] = WAGES.get(row["job"], 12) * row["hours"]
    return row


@preprocessor()
def with_yearly_pay(row: Any) -> Any:
    return {**row, "yearly": row["pay"] * 50}


@preprocessor(pre=[with_pay], memoize=True)
def with_pay_inside(row: Any) -> Any:
    row["job"] = f"{row['job']} for {row['pay']}"
    return row


class Words(Preprocessor):
    """A preprocessor as Snorkel's own are written: by the names of fields."""

    def run(self, note: str) -> dict[str, Any]:
        return {"words": note.split()}


@labeling_function(pre=[with_pay])
def by_pay(row: Row) -> int:
    return POSITIVE if row["pay"] > 700 else ABSTAIN


@labeling_function(pre=[with_pay, with_yearly_pay])
def by_yearly_pay(row: Row) -> int:
    return NEGATIVE if row["yearly"] < 20_000 and row["age"] is not None else ABSTAIN


@labeling_function(pre=[with_pay_inside])
def by_changed_column(row: Row) -> int:
    return POSITIVE if re.search(r"nurse for \d{4}", row["job"]) else ABSTAIN


@labeling_function(pre=[Words("words", memoize=True)])
def by_attribute(row: Any) -> int:
    return NEGATIVE if row.words[-1] == "3" and row.note and row.hours < 50 else ABSTAIN


@preprocessor(memoize=True)
def in_place_of_the_row(row: Any) -> Any:
    return SimpleNamespace(**row)


@labeling_function(pre=[in_place_of_the_row])
def by_namespace(row: Any) -> int:
    return POSITIVE if row.age == 33 else ABSTAIN


@labeling_function()
def calls_others(row: Any) -> int:
    """Functions and preprocessors called by hand."""
    return by_pay(row) if by_job(row) == ABSTAIN else int(with_pay(row)["pay"] > 900)


FUNCTIONS = [
    by_job, by_what_the_job_says_to_read, by_a_table, by_pay, by_yearly_pay, by_changed_column,
    by_attribute, by_namespace, calls_others,
]  # fmt: skip


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Snorkel's own memory, which its calls in these tests fill."""
    yield
    for mapper in (with_pay, with_pay_inside, in_place_of_the_row):
        assert isinstance(mapper, BasePreprocessor)
        mapper.reset_cache()


def in_batches(voter: voting.Voter, rows: list[dict[str, Any]], size: int) -> np.ndarray:
    parts = [rows[first : first + size] for first in range(0, len(rows), size)]
    ids = [str(n) for n in range(size)]
    return np.concatenate(
        [
            voter.vote({c: coded([r[c] for r in part]) for c in part[0]}, ids[: len(part)])
            for part in parts
        ]
    )


@pytest.mark.parametrize("cached", [2**15, 7])
def test_votes_are_those_of_snorkel(monkeypatch: pytest.MonkeyPatch, cached: int) -> None:
    monkeypatch.setattr(voting, "CACHED", cached)
    rows = table(3000)
    votes = in_batches(voting.Voter(FUNCTIONS), rows, 256)
    expected = np.array([[function(dict(row)) for function in FUNCTIONS[:6]] for row in rows])
    np.testing.assert_array_equal(votes[:, :6], expected)
    by_name = [[f(SimpleNamespace(**row)) for f in FUNCTIONS[6:7]] for row in rows]
    np.testing.assert_array_equal(votes[:, 6:7], by_name)
    ages = np.array([row["age"] == 33 for row in rows])
    np.testing.assert_array_equal(votes[:, 7], np.where(ages, POSITIVE, ABSTAIN))
    for n in range(len(FUNCTIONS)):
        assert set(votes[:, n]) - {ABSTAIN}, FUNCTIONS[n].name


def test_each_case_is_asked_once() -> None:
    asked: list[Any] = []

    def note(row: Row) -> int:
        asked.append(row["job"])
        return ABSTAIN

    voter = voting.Voter([LabelingFunction("note", note)])
    in_batches(voter, table(3000), 500)
    assert len(asked) <= len(JOBS) + 1  # the first call shows which column is read
    assert set(asked) == set(JOBS)


def test_a_preprocessor_is_run_once_for_all_functions() -> None:
    runs: list[str] = []

    @preprocessor(memoize=True)
    def slow(row: Any) -> Any:
        runs.append(row["note"])
        row["length"] = len(row["note"])
        return row

    functions = [
        LabelingFunction(f"f{n}", lambda row, n=n: int(row["length"] > n), pre=[slow])
        for n in range(5)
    ]
    in_batches(voting.Voter(functions), table(3000), 500)
    assert len(runs) <= 5 + 1
    assert not slow._cache


def test_what_a_preprocessor_assigns_stays_with_its_row() -> None:
    rows = [{"job": "cook", "hours": 10.0, "age": 30, "note": "a"}] * 2
    votes = in_batches(voting.Voter([by_pay, by_job, by_changed_column]), rows, 2)
    assert votes.tolist() == [[ABSTAIN, ABSTAIN, ABSTAIN]] * 2
    assert rows[0] == {"job": "cook", "hours": 10.0, "age": 30, "note": "a"}


def test_the_first_faulty_row_is_named() -> None:
    rows = table(1000, seed=3)
    first = next(n for n, row in enumerate(rows) if row["age"] is None and row["job"] == "cook")
    wrong = LabelingFunction("wrong", lambda row: int(row["job"] == "cook" and row["age"] > 50))
    ids = [f"row {n}" for n in range(1000)]
    with pytest.raises(InputError, match=rf"wrong, row row {first}: TypeError: '>'"):
        apply_functions([wrong], rows, ids)


def test_a_preprocessor_without_an_answer_is_named() -> None:
    @preprocessor()
    def nothing(row: Any) -> None:
        return None

    function = LabelingFunction("f", lambda row: 1, pre=[nothing])
    with pytest.raises(
        InputError, match="f, row a: ValueError: preprocessor nothing returned None"
    ):
        apply_functions([function], table(1), ["a"])


def test_many_columns_with_many_values() -> None:
    columns = {f"c{n}": CodedColumn(np.arange(4), [*range(2**16)]) for n in range(9)}
    total = LabelingFunction("total", lambda row: int(sum(row.values()) == 18))
    assert voting.Voter([total]).vote(columns, ["a", "b", "c", "d"]).ravel().tolist() == [
        0,
        0,
        1,
        0,
    ]


def test_rows_are_mappings_and_have_attributes() -> None:
    row = plain_row({"age": 3, "job": None})
    assert dict(row) == {"age": 3, "job": None}
    assert ("age" in row, "wage" in row, row.get("wage", 7), len(row)) == (True, False, 7, 2)
    row.wage = 4
    assert (row["wage"], row.age, list(row)) == (4, 3, ["age", "job", "wage"])
    del row["wage"]
    with pytest.raises(AttributeError, match="there is no column 'wage'"):
        row.wage  # noqa: B018
    with pytest.raises(KeyError, match="wage"):
        row["wage"]


def test_snorkels_own_applier_agrees() -> None:
    import pandas as pd

    rows = table(300)
    frame = pd.DataFrame(rows).astype(object).where(lambda f: f.notna(), None)
    votes = in_batches(voting.Voter([by_job, by_a_table]), rows, 100)
    applier = PandasLFApplier([by_job, by_a_table])
    np.testing.assert_array_equal(votes, applier.apply(frame, progress_bar=False))
