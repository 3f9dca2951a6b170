"""The label, the split and the gold budget that `init` proposes, and what it refuses."""

from collections import Counter

import pytest

from core.errors import InputError
from pipeline.init import label
from pipeline.init.label import LabelRequest
from tests.support.data_sets.proposed import proposed_of


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
    chosen, _ = label.choose("y", "y", Counter(cells), LabelRequest(positive, False, ("NA",), 1))
    assert (chosen.positive, chosen.negative) == classes
    assert chosen.one_against_rest == classes[1].startswith("not ")


@pytest.mark.parametrize(
    ("cells", "positive", "message"),
    [
        (["", "NA"], None, "--label y: no value in 2 rows"),
        (["a", "a"], None, "--label y: only the value 'a' in 2 rows"),
        (
            [f"class {n}" for n in range(51)],
            None,
            "51 classes .'class 0': 1, .*up to 50 are told apart.*or say which one to detect",
        ),
        (["a", "b"], "c", "--positive c: column 'y' has no such value; it has 'a': 1, 'b': 1"),
        (["Yes", "yes", "no"], None, "composition of letters or the form of a number only .'Yes'"),
        (["Yes", "yes", "YES", "no"], "Yes", "'YES': 1, 'Yes': 1, 'yes': 1. would be different cl"),
        (["caf\u00e9", "cafe\u0301", "tea"], "caf\u00e9", "cafe.u0301': 1, 'caf\u00e9': 1"),
        (["1", "1.0", "0"], "1", "'1': 1, '1.0': 1. would be different classes; write them alike"),
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
        label.choose("y", "y", Counter(cells), LabelRequest(positive, False, ("NA",), 1))


def table(rows: int, labelled: int | None = None, positives: int = 3) -> str:
    """A file: `size` decides `y` in one row of `positives`; only the first rows have a label."""
    lines = []
    for n in range(rows):
        y = "" if labelled is not None and n >= labelled else "yes" if n % positives == 0 else "no"
        size = n % 97 + (50 if n % positives == 0 else 0)
        lines.append(f"{size + n / 1e4},{'abc'[n % 3]},{y}\n")
    return "size,city,y\n" + "".join(lines)


def test_other_classes_may_be_alike() -> None:
    chosen, why = label.choose(
        "y", "y", Counter(["No", "no", "yes"]), LabelRequest("yes", False, (), 1)
    )
    assert (chosen.positive, chosen.negative) == ("yes", "not yes")
    assert why.endswith("; 'No', 'no' are alike")


def test_few_contents_are_no_fault() -> None:
    found, _ = proposed_of("a,y\n" + "1,yes\n0,no\n" * 300)
    assert found.rows == {"span-1": 480, "test": 120}


def test_columns_without_a_name_are_left_out() -> None:
    lines = table(200).splitlines()
    text = "\n".join(f"{n - 1 if n else ''},{line}," for n, line in enumerate(lines))
    found, _ = proposed_of(text)
    assert [seen.header for seen in found.seen] == ["", "size", "city", "y", ""]
    assert found.names == {"size": "size", "city": "city", "y": "y"}


def test_a_large_file() -> None:
    found, _ = proposed_of(table(6000))
    assert (found.numeric, found.categorical) == (["size"], ["city"])
    assert found.gold_rows == 1000
    assert sum(found.rows.values()) == 6000
    assert found.rows["test"] == pytest.approx(1200, rel=0.1)
    assert found.slices.columns == ()
    assert not found.notes
    assert found.first_run == "make smoke CONFIG=x"


def test_results_are_sliced_by_what_is_about_people() -> None:
    found, _ = proposed_of(table(600).replace("size,city,y", "size,personal_status,y", 1))
    assert found.slices.columns == ("personal_status",)
    [note] = found.notes
    assert note.startswith("about who people are, by their names: personal_status; results are")


def test_a_small_file_has_a_small_budget() -> None:
    found, _ = proposed_of(table(60))
    assert 10 <= found.gold_rows <= found.rows["span-1"] * 0.7
    assert found.batch_size == 256, "rows are made until there are many"


def test_a_small_file_of_texts_has_small_steps() -> None:
    texts = ["size,note,y"] + [
        f"{n},word{n % 7} of a note number {n} that is {'good' if n % 3 else 'bad'},{n % 2}"
        for n in range(60)
    ]
    found, _ = proposed_of("\n".join(texts) + "\n")
    assert found.text == ["note"]
    assert found.batch_size == 32


def test_many_rows_are_enough_for_many_buckets() -> None:
    assert proposed_of(table(300))[0].buckets == 32
    assert proposed_of(table(20_000))[0].buckets == 64


def test_rows_without_a_label_are_for_training() -> None:
    found, _ = proposed_of(table(3000, labelled=300))
    assert found.rows["test"] == pytest.approx(60, rel=0.35)
    assert found.labelled == 300 - found.rows["test"]
    assert found.gold_rows == found.labelled, "all of them, where they are few"
    assert found.first_run == "make smoke CONFIG=x"


def test_a_smoke_run_gets_the_labels_that_its_draw_holds() -> None:
    """120 labels of 5,000 rows: all are in the configuration, fewer in the smoke run."""
    found, _ = proposed_of(table(5000, labelled=120))
    assert found.gold_rows == found.labelled > 80
    prefix, _, budget = found.first_run.partition("labeling.gold_rows=")
    assert prefix == 'make smoke CONFIG=x ARGS="--set '
    assert 10 <= int(budget.rstrip('"')) < 2000 / 5000 * found.gold_rows


def test_a_rare_class_gets_a_larger_budget() -> None:
    assert proposed_of(table(12000, positives=150))[0].gold_rows > 1100


def test_a_class_too_rare_for_a_smoke_run_gets_all_rows() -> None:
    text = table(60000, positives=4000)
    assert proposed_of(text)[0].first_run == 'make smoke CONFIG=x ARGS="--set data.rows=null"'
    found, _ = proposed_of(text, mode="weak")
    sets = f"--set data.rows=null --set labeling.gold_rows={found.gold_rows}"
    assert found.first_run == f'make smoke CONFIG=x ARGS="{sets}"'


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
        ("y\n" + "yes\nno\n" * 60 + " \n", {}, "to learn from .the label is the only one."),
        (",y\n" + "a,yes\nb,no\n" * 60, {}, "to learn from ..no name.: it has no name, name it"),
        ("a,a,y\n1,2,yes\n", {}, "x.csv: 2 columns are called 'a' and differ: row 1 has '1'"),
        ("a,y\n1,yes,3\n", {}, "x.csv: row 1 has 3 cells, the header has 2 columns"),
        ("a,y\n", {}, "x.csv: no rows below the header"),
        ('a,y\n"1,yes\n', {}, "x.csv: line 2 is not valid CSV"),
    ],
)
def test_what_cannot_be_used_is_refused(
    text: str, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        proposed_of(text, **changes)
