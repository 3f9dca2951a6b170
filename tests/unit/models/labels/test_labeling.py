"""Modules of labelling functions, their votes, the columns they read, and the draw of gold rows."""

from enum import IntEnum
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from snorkel.labeling import LabelingFunction, labeling_function
from snorkel.preprocess import preprocessor

from core.errors import InputError
from models.labels import functions as labeling
from models.labels.votes import ABSTAIN, NEGATIVE, POSITIVE
from tests.support.voted import apply_functions


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("not_python", "def f(:\n", r"not_python: not Python: .*not_python.py:1: def f\(:"),
        ("no_such_import", "import snorkle", r"No module named 'snorkle' .*import.py:1: import s"),
        ("no_functions", "x = 1", "no_functions: no labelling function; decorate functions"),
    ],
)
def test_a_module_that_cannot_be_used_says_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str, message: str
) -> None:
    (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(InputError, match=message):
        labeling.load(name)


def test_the_rows_drawn_are_the_lowest_in_any_part() -> None:
    ids = [f"span-1:{n}" for n in range(300)]
    drawn = labeling.draw(4, ids, 20)
    assert drawn == sorted((labeling.draw_order(4, i), n) for n, i in enumerate(ids))[:20]
    halves = [labeling.draw(4, half, 20) for half in (ids[:150], ids[150:])]
    assert sorted(place for half in halves for place, _ in half)[:20] == [p for p, _ in drawn]
    assert len(labeling.draw(4, ids[:5], 20)) == 5


@labeling_function()
def older(row: labeling.Row) -> int:
    return 1 if row["age"] > 30 and row.get("job") == "cook" else -1


@preprocessor()
def halved(row: dict[str, float]) -> dict[str, float]:
    return {**row, "age": row["age"] / 2}


ROWS: list[labeling.Row] = [{"job": "cook", "hours": 3, "age": 20}]


def test_columns_read_are_those_looked_at_on_these_rows() -> None:
    young, old = ROWS[0], {**ROWS[0], "age": 40}
    assert labeling.columns_read([older], [young]) == ["age"]
    assert labeling.columns_read([older], [young, old]) == ["job", "age"]
    assert labeling.columns_read([older], []) == []


def test_columns_read_behind_a_preprocessor_are_all() -> None:
    behind = LabelingFunction("behind", older._f, pre=[halved])
    assert labeling.columns_read([behind], ROWS) == ["job", "hours", "age"]


def module_of(*functions: LabelingFunction) -> ModuleType:
    module = ModuleType("written_here")
    for n, function in enumerate(functions):
        setattr(module, f"name_{n}", function)
    return module


@labeling_function()
def grown_up(row: labeling.Row) -> int:
    return POSITIVE if row["age"] >= 18 else ABSTAIN


@labeling_function()
def forgets_to_abstain(row: labeling.Row) -> int | None:
    return NEGATIVE if row["age"] < 18 else None


PEOPLE: list[labeling.Row] = [{"age": 12}, {"age": 40}, {"age": None}]
PEOPLE_IDS = ["span-1:1", "span-1:2", "span-1:3"]


def test_functions_are_found_once() -> None:
    assert labeling.collect(module_of(grown_up, forgets_to_abstain, grown_up)) == [
        grown_up,
        forgets_to_abstain,
    ]


def test_module_without_functions() -> None:
    with pytest.raises(InputError, match="written_here: no labelling function"):
        labeling.collect(module_of())


def test_two_functions_of_one_name() -> None:
    twin = LabelingFunction("grown_up", lambda row: ABSTAIN)
    with pytest.raises(InputError, match="two labelling functions are called 'grown_up'"):
        labeling.collect(module_of(grown_up, twin))


def test_votes() -> None:
    assert apply_functions([grown_up], PEOPLE[:2], PEOPLE_IDS).tolist() == [[-1], [1]]


def test_function_that_raises_is_named_with_row_and_line() -> None:
    with pytest.raises(
        InputError, match=r"grown_up, row span-1:3: TypeError.*row\[\"age\"\] >= 18"
    ):
        apply_functions([grown_up], PEOPLE, PEOPLE_IDS)


def test_column_that_functions_may_not_read() -> None:
    peek = LabelingFunction("peek", lambda row: int(row["income"] == ">50K"))
    with pytest.raises(InputError, match=r"peek, row span-1:1: KeyError: 'income'.*only feature"):
        apply_functions([peek], PEOPLE, PEOPLE_IDS)


@pytest.mark.parametrize("vote", [None, 2, "1", 0.5, True])
def test_invalid_class_is_named_with_row(vote: object) -> None:
    wrong = LabelingFunction("wrong", lambda row: vote if row["age"] == 40 else ABSTAIN)
    with pytest.raises(
        InputError, match=r"wrong, row span-1:2: returned .*one of the integers \[-1, 0, 1\]"
    ):
        apply_functions([wrong], PEOPLE, PEOPLE_IDS)


class Vote(IntEnum):
    ABSTAIN, NEGATIVE, POSITIVE = -1, 0, 1


@pytest.mark.parametrize("vote", [np.int64(1), np.int8(1), np.uint8(1), np.array(1), Vote.POSITIVE])
def test_votes_that_are_integers_of_another_type(vote: object) -> None:
    function = LabelingFunction("typed", lambda row: vote if row["age"] == 40 else Vote.ABSTAIN)
    assert apply_functions([function], PEOPLE, PEOPLE_IDS).tolist() == [[-1], [1], [-1]]


@pytest.mark.parametrize("vote", [True, False, np.True_, np.False_])
def test_why_truth_values_are_no_votes_is_said(vote: object) -> None:
    function = LabelingFunction("truth", lambda row: vote)
    with pytest.raises(InputError, match=r"truth, row span-1:1: .*\[-1, 0, 1\].*may be meant"):
        apply_functions([function], PEOPLE, PEOPLE_IDS)


@pytest.mark.parametrize("error", [SystemExit(0), SystemExit("bye"), GeneratorExit()])
def test_a_function_that_ends_the_process_is_named(error: BaseException) -> None:
    def leave(row: labeling.Row) -> int:
        raise error

    with pytest.raises(InputError, match=rf"leave, row span-1:1: {type(error).__name__}"):
        apply_functions([LabelingFunction("leave", leave)], PEOPLE, PEOPLE_IDS)


def test_a_module_that_ends_the_process_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "leaves_at_once.py").write_text("import sys\nsys.exit()\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InputError, match="leaves_at_once: cannot be imported: SystemExit"):
        labeling.load("leaves_at_once")


def test_draw_is_seeded_and_the_same_everywhere() -> None:
    rows = [f"span-1:{n}" for n in range(1000)]
    one, two = (set(sorted(rows, key=lambda r: labeling.draw_order(s, r))[:50]) for s in (1, 2))
    assert len(one & two) < 15
    assert labeling.draw_order(1, "span-1:1") == 3984106563689445488


def first_of(labels: list[int], count: int) -> list[list[int]]:
    return [[n for n, label in enumerate(labels) if label == kind][:count] for kind in (0, 1)]


def test_a_draw_that_holds_both_classes_is_left_as_it_is() -> None:
    labels = [0, 0, 1, 0, 1, 0, 0, 1] * 10
    drawn = list(range(40))
    assert labeling.of_all_classes(drawn, first_of(labels, 5), 5) == (drawn, [])


def test_the_last_of_the_draw_give_way_to_a_rare_class() -> None:
    labels = [0] * 100
    for n in (3, 38, 60, 70, 80, 90):
        labels[n] = 1
    kept, extra = labeling.of_all_classes(list(range(40)), first_of(labels, 5), 5)
    assert extra == [38, 60, 70, 80]
    assert kept == list(range(36)), "what is left is the first of the random draw"
    assert len(kept) + len(extra) == 40


def test_no_more_than_there_are_nor_than_a_quarter_are_drawn_for_their_class() -> None:
    labels = [0] * 50 + [1] * 3
    kept, extra = labeling.of_all_classes(list(range(20)), first_of(labels, 10), 10)
    assert (kept, extra) == (list(range(17)), [50, 51, 52])
    labels = [0] * 50 + [1] * 30
    kept, extra = labeling.of_all_classes(list(range(20)), first_of(labels, 10), 10)
    assert (len(kept), len(extra)) == (15, 5)
    assert labeling.of_all_classes([], first_of(labels, 10), 10) == ([], [])
