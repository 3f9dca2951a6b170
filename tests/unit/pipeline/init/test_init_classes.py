"""Several classes in `init`: label, mode, functions, suspect columns, slices, bounds."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from snorkel.labeling import LabelingFunction

from core import raw_table
from core.errors import InputError
from pipeline.config.overlay import parse_yaml
from pipeline.init import contract, example, files, label, leaks
from pipeline.init.example import Example
from pipeline.init.files import InitOrigin
from pipeline.init.label import LabelRequest
from pipeline.init.proposal import Proposal
from tests.support.data_sets.proposed import proposed_of

ORIGIN = InitOrigin("2026-01-02", "python -m pipeline init ...")
KINDS = ("bus", "tram", "ferry")


def table(rows: int = 600, unlabelled: int = 0, rare: int = 0) -> str:
    """`size` tells ferries; the last rows have no label; `rare` rows are of another class."""
    lines = ["size,age,city,y"]
    for n in range(rows):
        kind = KINDS[0 if n % 6 < 3 else 1 if n % 6 < 5 else 2]
        kind = "" if n >= rows - unlabelled else "balloon" if n < rare else kind
        lines.append(f"{n % 90 + 60 * (kind == 'ferry')}.5,{18 + n % 61},{'abcd'[n % 4]},{kind}")
    return "\n".join(lines) + "\n"


def written(made: Proposal, examples: Sequence[Example] = ()) -> dict:
    contents = files.render(made, "", examples, ORIGIN)
    return parse_yaml(contents["configs/x.yaml"].decode(), "x.yaml")


@pytest.mark.parametrize(
    ("cells", "codes", "classes", "left_out"),
    [
        (["a", "b", "b", "c", "c"], False, ("b", "c", "a"), ()),
        ([*"12345"], False, ("1", "2", "3", "4", "5"), ()),
        ([f"{n}" for n in range(1, 31)], True, tuple(sorted(map(str, range(1, 31)))), ()),
    ],
)
def test_classes_are_taken_as_they_are(
    cells: list[str], codes: bool, classes: tuple[str, ...], left_out: tuple[str, ...]
) -> None:
    chosen, why = label.choose("y", "y", Counter(cells), LabelRequest(None, codes, (), 1))
    assert (chosen.names, chosen.left_out, chosen.positive) == (classes, left_out, None)
    assert why.startswith(f"{len(classes)} classes (")


def test_whole_numbers_under_the_name_of_a_code_are_classes() -> None:
    tally = Counter(str(n % 12) for n in range(240))
    assert (
        len(label.choose("crop_code", "y", tally, LabelRequest(None, False, (), 1))[0].names) == 12
    )
    with pytest.raises(InputError, match=r"12 different: an amount.*--kind y=category"):
        label.choose("y", "y", tally, LabelRequest(None, False, (), 1))


def test_a_class_too_rare_is_left_out_and_said() -> None:
    made, cells = proposed_of(table(rare=4))
    assert made.label.names == ("bus", "tram", "ferry")
    assert made.label.left_out == ("balloon",)
    assert len(cells["y"]) == 596
    assert "balloon" not in cells["y"]
    [said] = made.dropped
    assert said.startswith("rows of classes too rare to be learned and measured ('balloon': 4;")


def test_two_that_are_left_of_several_are_two_classes() -> None:
    tally = Counter({"yes": 40, "no": 50, "maybe": 2})
    chosen, _ = label.choose("y", "y", tally, LabelRequest(None, False, (), 10))
    assert (chosen.names, chosen.left_out) == (("no", "yes"), ("maybe",))
    with pytest.raises(InputError, match="of which 1 have 45 rows or more"):
        label.choose("y", "y", tally, LabelRequest(None, False, (), 45))


def test_where_nearly_all_rows_have_a_label_all_are_used() -> None:
    made, cells = proposed_of(table(unlabelled=30))
    assert (made.mode, made.source.labelled_only, len(cells["y"])) == ("gold", True, 570)
    assert made.dropped == ("30 rows without a label (to keep them: --mode weak)",)
    assert written(made)["labeling"]["mode"] == "gold"
    few, cells = proposed_of(table(unlabelled=300))
    assert (few.mode, few.source.labelled_only, len(cells["y"])) == ("weak", False, 600)
    assert "mode" not in written(few)["labeling"]
    asked, cells = proposed_of(table(unlabelled=300), mode="gold")
    assert (asked.mode, len(cells["y"])) == ("gold", 300)
    assert proposed_of(table(), mode="weak")[0].mode == "weak"


def test_what_is_written_for_three_classes() -> None:
    made, cells = proposed_of(table())
    config = written(made)
    assert config["columns"]["classes"] == ["bus", "tram", "ferry"]
    assert "positive" not in config["columns"]
    shares = dict(zip(made.label.names, made.shares, strict=True))
    assert shares == pytest.approx({"bus": 0.5, "tram": 1 / 3, "ferry": 1 / 6}, abs=0.05)
    guessed = sum(share**2 for share in made.shares)
    for target in ("server", "edge"):
        bounds = config["evaluation"][target]
        assert bounds["min"]["accuracy"] == pytest.approx(guessed, abs=0.01)
        assert bounds["min"]["macro_f1"] == 0.33
    schema = contract.infer(cells, made, smallest_split=20)
    domains = {domain.name: list(domain.value) for domain in schema.string_domain}
    assert domains["y"] == ["bus", "tram", "ferry"]
    scope: dict[str, object] = {}
    spans = files.render(made, "", [], ORIGIN)["data/x/spans.py"]
    exec(spans, scope)
    assert scope["SOURCE"] == made.source


def test_functions_of_several_classes_vote_by_name() -> None:
    made, _ = proposed_of(table())
    rng = np.random.default_rng(3)
    classes = rng.choice(3, 300, p=(0.5, 0.3, 0.2))
    noisy = np.where(rng.random(300) < 0.85, classes, rng.choice(3, 300))
    columns: dict[str, list[float | str | None]] = {
        "size": rng.normal(0, 1, 300).tolist(),
        "city": ["abc"[n] for n in noisy],
    }
    found = example.find(columns, dict(enumerate(classes.tolist())))
    assert [(each.vote, each.value) for each in found] == [(0, "a"), (1, "b"), (2, "c")]
    assert all(each.above_chance for each in found)
    contents = files.render(made, "", found, ORIGIN)
    scope: dict[str, object] = {}
    exec(contents["data/x/labeling_functions.py"], scope)
    functions = [each for each in scope.values() if isinstance(each, LabelingFunction)]
    votes = [
        [function({"city": value}) for value in ("a", "b", "c", None)] for function in functions
    ]
    assert votes == [["bus", -1, -1, -1], [-1, "tram", -1, -1], [-1, -1, "ferry", -1]]
    said = contents["data/x/labeling_functions.py"].decode()
    assert "it holds for are 'ferry'; of all gold rows" in " ".join(said.split())


def test_a_function_of_several_classes_is_right_more_often_than_wrong() -> None:
    """Ten classes along a line: a bound tells the last from the first, not from its neighbours."""
    rng = np.random.default_rng(3)
    classes = rng.choice(10, 900)
    gold = dict(enumerate(classes.tolist()))
    place: list[float | str | None] = rng.normal(classes, 1).tolist()
    city: list[float | str | None] = ["b" if k == 4 and n % 5 else "a" for n, k in gold.items()]
    found = example.find({"place": place, "city": city}, gold)
    assert ("city", 4) in [(each.column, each.vote) for each in found]
    assert all(2 * each.right > each.gold for each in found)


def test_functions_of_several_classes_are_not_above_chance_by_luck() -> None:
    called = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        gold = dict(enumerate(rng.choice(4, 200).tolist()))
        columns = {f"c{c}": rng.normal(0, 1, 200).tolist() for c in range(60)}
        found = example.find(columns, gold)
        called += found[0].above_chance
        assert len(found) == 1 or found[0].above_chance
    assert called <= 2


def test_a_column_filled_for_one_of_several_classes_is_suspect() -> None:
    rng = np.random.default_rng(1)
    classes = rng.choice(3, 400)
    gold = dict(enumerate(classes.tolist()))
    amount = rng.normal(50, 9, 400)
    columns: dict[str, list[float | str | None]] = {
        "berth": [x if k == 2 else None for x, k in zip(amount, classes, strict=True)],
        "not_bus": [x if k != 0 else None for x, k in zip(amount, classes, strict=True)],
        "verdict": ["xyz"[k] for k in classes],
        "length": (amount + 60 * (classes == 2)).tolist(),
        "holes": [x if n % 7 else None for n, x in enumerate(amount)],
    }
    found = leaks.find(columns, gold, KINDS)
    ferries, buses = (classes == 2).sum(), (classes == 0).sum()
    assert found["berth"] == f"is filled in {ferries} gold rows, {ferries} of which are 'ferry'"
    assert found["not_bus"] == f"is empty in {buses} gold rows, {buses} of which are 'bus'"
    assert found["verdict"] == "alone ranks the gold rows by their label (AUC 1.00)"
    assert list(found) == ["berth", "not_bus", "verdict"], "a length may tell one class of three"


def test_slices_that_are_asked_for() -> None:
    made, cells = proposed_of(table(), slices=("age", "city"))
    assert made.slices.columns == ("age_group", "city")
    config = written(made)
    assert config["evaluation"]["slices"] == [["age_group"], ["city"]]
    assert config["columns"]["groups"] == {"age_group": {"column": "age", "bounds": [33, 48, 62]}}
    schema = contract.infer(cells, made, smallest_split=20)
    domains = {domain.name: list(domain.value) for domain in schema.string_domain}
    assert domains["age_group"] == ["<33", "33-47", "48-61", "62+"]


def test_a_column_may_be_sliced_by_and_not_learned_from() -> None:
    made, _ = proposed_of(table(), slices=("city",), kinds={"city": "leave-out"})
    assert "city" in [column.name for column in made.columns]
    config = written(made)
    assert config["columns"]["categorical"] == []
    assert config["evaluation"]["slices"] == [["city"]]


@pytest.mark.parametrize(
    ("text", "changes", "message"),
    [
        (table(), {"slices": ("cty",)}, "--slice cty: x.csv has no such.*; the nearest is 'city'"),
        (table(), {"slices": ("y",)}, "--slice y: it is the label"),
        (
            table().replace("size,age,city", "size,age,none", 1).replace(",a,", ",b,")
            .replace(",c,", ",b,").replace(",d,", ",b,"),
            {"slices": ("none",)},
            "--slice none: the column is left out .constant",
        ),
        (table().replace(",bus\n", ",Tram\n"), {}, "'Tram': 300, 'tram': 200"),
        (table(), {"kinds": {"y": "number"}}, "--kind y: it is the label"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(text: str, changes: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        proposed_of(text, **changes)


def test_parts_that_differ_in_one_of_several_classes() -> None:
    classes = [*["bus"] * 50, *["tram"] * 50, *["ferry"] * 50]
    even = [n % 5 == 0 for n in range(150)]
    assert raw_table.uneven(classes, even, KINDS) is None
    found = raw_table.uneven(classes, [n >= 120 for n in range(150)], KINDS)
    assert found is not None
    assert found.startswith(
        "'bus' is the class of 0.0% of the test part's labelled rows and of 41.7%"
    )
