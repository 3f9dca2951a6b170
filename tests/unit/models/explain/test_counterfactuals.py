"""The smallest changes that change a decision, each asked of the model."""

from typing import Any

import numpy as np
import pytest

from models.explain.actions import Allowed
from models.explain.coding import Cells
from models.explain.single import RowExplainer
from models.explain.training_rows import describe
from tests.support.servers.made_model import JOBS, SCRIPT, MadeModel, cells, old_clerks

BOTH = ("no", "yes")


def explainer(
    of_row: Any = old_clerks,
    actionable: tuple[str, ...] = ("age", "job"),
    allowed: dict[str, Allowed] | None = None,
    classes: tuple[str, ...] = BOTH,
    training: Cells | None = None,
) -> RowExplainer:
    model = MadeModel(of_row, classes if len(classes) > 2 else None)
    kept = describe(training or cells(), 20, 1)
    return RowExplainer(model, kept, classes, actionable, allowed or {}, 1)


def row(**changes: object) -> Cells:
    values = {"age": 25.0, "hours": 10.1, "job": SCRIPT, "note": "x", **changes}
    return cells(**{name: [value] * 40 for name, value in values.items()}).take(np.array([0]))


def test_one_column_is_enough_and_the_nearest_value_is_taken() -> None:
    [found] = explainer().counterfactuals(row(age=55.0), 3)
    assert found[0]["changes"] == {"job": {"from": SCRIPT, "to": "clerk"}}
    assert found[0]["class"] == "yes"
    assert found[0]["answer"] == pytest.approx(0.575)
    [found] = explainer().counterfactuals(row(age=25.0, job="clerk"), 1)
    [change] = found
    assert list(change["changes"]) == ["age"]
    known = [age for age in cells().numbers[:, 0] if age > 40]
    assert 40 < change["changes"]["age"]["to"] <= min(known) + 3, "not the oldest age, the nearest"


def test_two_columns_where_none_is_enough_by_itself() -> None:
    [found] = explainer().counterfactuals(row(), 5)
    assert [set(one["changes"]) for one in found] == [{"age", "job"}]
    changes = found[0]["changes"]
    assert changes["job"] == {"from": SCRIPT, "to": "clerk"}
    assert 40 < changes["age"]["to"] <= 44, "drawn back as far as it holds"


def test_every_change_holds_and_no_other_column_is_touched() -> None:
    rows = cells()
    made = explainer(actionable=("job",))
    found = made.counterfactuals(rows, 2)
    before = made.model.answer(rows.numbers, rows.texts) > 0.5
    assert any(found)
    for n, of_row in enumerate(found):
        for one in of_row:
            assert set(one["changes"]) == {"job"}
            texts = rows.texts[n : n + 1].copy()
            texts[0, 0] = one["changes"]["job"]["to"]
            after = made.model.answer(rows.numbers[n : n + 1], texts)
            assert (after[0] > 0.5) != before[n]
            assert one["answer"] == pytest.approx(float(after[0]))


def test_a_positive_decision_is_turned_down_as_well() -> None:
    [found] = explainer().counterfactuals(row(age=55.0, job="clerk"), 1)
    [change] = found
    assert change["class"] == "no"
    assert change["answer"] <= 0.5


def test_nothing_that_may_be_changed_helps() -> None:
    assert explainer(actionable=("hours",)).counterfactuals(row(), 3) == [[]]
    assert explainer(actionable=("elsewhere",)).changeable == ()


def test_the_contracts_range_and_domain_hold() -> None:
    young = {"age": Allowed(17, 39)}
    assert explainer(allowed=young).counterfactuals(row(job="clerk"), 3) == [[]]
    no_clerks = {"job": Allowed(values=(SCRIPT, JOBS[2]))}
    assert explainer(actionable=("job",), allowed=no_clerks).counterfactuals(row(age=55.0), 1) == [
        []
    ]


def test_a_missing_value_may_be_changed_and_none_is_made() -> None:
    rows = row(age=None, job="clerk")
    [[change]] = explainer().counterfactuals(rows, 1)
    assert change["changes"]["age"]["from"] is None
    assert change["changes"]["age"]["to"] > 40
    [found] = explainer(lambda r: 0.9 if r["job"] == "" else 0.1).counterfactuals(row(), 1)
    assert found == []


def test_columns_that_say_the_same_change_together_and_count_as_one() -> None:
    years = {"clerk": 9.0, SCRIPT: 12.0, JOBS[2]: 16.0, "": 1.0}
    training = cells(hours=[years[JOBS[n % 4]] for n in range(40)])

    def both_needed(values: dict[str, Any]) -> float:
        return 0.9 if values["hours"] == 16 and values["job"] == JOBS[2] else 0.1

    made = explainer(both_needed, ("job", "hours", "age"), training=training)
    [found] = made.counterfactuals(row(hours=12.0), 2)
    assert found[0]["changes"] == {
        "hours": {"from": 12, "to": 16},
        "job": {"from": SCRIPT, "to": JOBS[2]},
    }
    assert found[0]["distance"] < 1
    assert len(found) == 1, "age adds nothing to what is enough"


def shares(values: dict[str, Any]) -> list[float]:
    age = min(values["age"], 100) / 100
    return [1 - age, 0.7 * age, 0.3 * age] if values["job"] != "clerk" else [0.1, 0.2, 0.7]


def test_of_more_than_two_classes_any_other_or_the_one_that_is_wanted() -> None:
    classes = ("a", "b", "c")
    made = explainer(shares, classes=classes)
    [found] = made.counterfactuals(row(age=25.0), 2)
    assert {one["class"] for one in found} == {"b", "c"}
    [wanted] = made.counterfactuals(row(age=25.0), 2, wanted=2)
    assert [one["class"] for one in wanted] == ["c"]
    assert wanted[0]["answer"] == pytest.approx({"a": 0.1, "b": 0.2, "c": 0.7})
    assert made.counterfactuals(row(age=25.0), 2, wanted=0) == [[]], "it is that already"


def test_three_columns_have_to_change_together() -> None:
    def three(values: dict[str, Any]) -> float:
        steps = sum([values["age"] > 50, values["hours"] > 35, values["job"] == "clerk"])
        return float(0.1 + 0.15 * steps + 0.1 * (steps == 3))

    made = explainer(three, ("age", "hours", "job"))
    [found] = made.counterfactuals(row(), 3)
    assert [set(one["changes"]) for one in found] == [{"age", "hours", "job"}]
    assert found[0]["answer"] == pytest.approx(0.65)


def test_a_model_of_one_answer_has_none() -> None:
    assert explainer(lambda values: 0.2).counterfactuals(cells(), 3) == [[]] * 40
