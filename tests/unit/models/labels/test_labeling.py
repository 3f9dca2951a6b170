"""Modules of labelling functions, the draw of gold rows, and the columns that functions read."""

from pathlib import Path

import pytest
from snorkel.labeling import LabelingFunction, labeling_function
from snorkel.preprocess import preprocessor

from core.errors import InputError
from models.labels import functions as labeling


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
