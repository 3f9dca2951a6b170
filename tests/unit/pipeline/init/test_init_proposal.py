"""The label, the split and the gold budget that `init` proposes, and what it refuses."""

from pathlib import Path

import pytest

from core.errors import InputError
from pipeline.init import label, proposal
from pipeline.init.proposal import InitRequest, Proposal

SMOKE = {"data": {"rows": 2000}, "labeling": {"gold_rows": 100}}


@pytest.mark.parametrize(
    ("cells", "positive", "classes"),
    [
        (["yes", "no", "no"], None, ("yes", "no")),
        (["1", "0", "1"], None, ("1", "0")),
        (["True", "False", ""], None, ("True", "False")),
        (["spam", "ham", "ham"], None, ("spam", "ham")),
        (["spam", "ham", "ham"], "ham", ("ham", "spam")),
        (["a", "b", "c", "a"], "a", ("a", "not a")),
        (["3", "4.5", "7"], "7", ("7", "not 7")),
        (["a", "b", "NA"], None, ("b", "a")),
    ],
)
def test_the_classes(cells: list[str], positive: str | None, classes: tuple[str, str]) -> None:
    chosen, _ = label.choose("y", "y", cells, ("NA",), positive)
    assert (chosen.positive, chosen.negative) == classes
    assert chosen.one_against_rest == classes[1].startswith("not ")


@pytest.mark.parametrize(
    ("cells", "positive", "message"),
    [
        (["", "NA"], None, "--label y: no value in 2 rows"),
        (["a", "a"], None, "--label y: only the value 'a' in 2 rows"),
        (["a", "b", "c"], None, "3 classes .'a': 1, 'b': 1, 'c': 1.; say which one to detect"),
        (["a", "b"], "c", "--positive c: column 'y' has no such value; it has 'a': 1, 'b': 1"),
        (
            [str(n / 4) for n in range(30)],
            None,
            "from 0.0 to 7.25, 30 different: an amount",
        ),
    ],
)
def test_a_label_that_is_no_question_with_two_answers(
    cells: list[str], positive: str | None, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        label.choose("y", "y", cells, ("NA",), positive)


def table(rows: int, labelled: int | None = None, positives: int = 3) -> str:
    """A file: `size` decides `y` in one row of `positives`; only the first rows have a label."""
    lines = []
    for n in range(rows):
        y = "" if labelled is not None and n >= labelled else "yes" if n % positives == 0 else "no"
        size = n % 97 + (50 if n % positives == 0 else 0)
        lines.append(f"{size + n / 1e4},{'abc'[n % 3]},{y}\n")
    return "size,city,y\n" + "".join(lines)


def propose(text: str, **changes: object) -> Proposal:
    asked = {
        "csv": Path("x.csv"), "label": "y", "name": "x", "positive": None, "test_fraction": 0.2,
        "missing": (), "kinds": {}, **changes,
    }  # fmt: skip
    return proposal.propose(InitRequest(**asked), proposal.read(text.encode(), "x.csv"), SMOKE)  # type: ignore[arg-type]


def test_a_large_file() -> None:
    found = propose(table(6000))
    assert (found.numeric, found.categorical) == (["size"], ["city"])
    assert found.gold_rows == 1000
    assert sum(found.rows.values()) == 6000
    assert found.rows["test"] == pytest.approx(1200, rel=0.1)
    assert found.slices == ("city",)
    assert not found.notes


def test_a_small_file_has_a_small_budget_and_small_steps() -> None:
    found = propose(table(60))
    assert 10 <= found.gold_rows <= found.rows["span-1"] * 0.7
    assert found.batch_size == 32


def test_rows_without_a_label_are_for_training() -> None:
    found = propose(table(3000, labelled=300))
    assert found.rows["test"] == pytest.approx(60, rel=0.35)
    assert found.labelled == 300 - found.rows["test"]
    assert found.gold_rows <= found.labelled * 2000 / 3000


def test_a_rare_class_gets_a_larger_budget() -> None:
    assert propose(table(12000, positives=150)).gold_rows > 1100


def test_a_class_too_rare_for_a_smoke_run_is_noted() -> None:
    found = propose(table(60000, positives=4000))
    assert "too rare for a smoke run's draw of 2000 rows" in found.notes[0]
    assert f"--set data.rows=null --set labeling.gold_rows={found.gold_rows}" in found.notes[0]


@pytest.mark.parametrize(
    ("text", "changes", "message"),
    [
        (table(12), {}, "too few labelled rows .'yes': 4, 'no': 8. for a training part"),
        (table(60), {"label": "z"}, "--label z: x.csv has no such column; it has 'size', 'city'"),
        (table(60), {"kinds": {"z": "number"}}, "--kind z: x.csv has no such column"),
        (table(60), {"kinds": {"y": "number"}}, "--kind y: it is the label"),
        (
            table(60),
            {"kinds": {"size": "leave-out", "city": "leave-out"}},
            "no column is left to learn from .size: as --kind says; city",
        ),
        ("a,a,y\n1,2,yes\n", {}, "x.csv: 2 columns are called 'a'; rename all but one"),
        ("a,y\n1,yes,3\n", {}, "x.csv: row 1 has 3 cells, the header has 2 columns"),
        ("a,y\n", {}, "x.csv: no rows below the header"),
        ('a,y\n"1,yes\n', {}, "x.csv: line 2 is not valid CSV"),
    ],
)
def test_what_cannot_be_used_is_refused(
    text: str, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        propose(text, **changes)
