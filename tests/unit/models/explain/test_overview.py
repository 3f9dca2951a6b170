"""What a model goes by, over rows: means, groups, stability, dependence."""

import json
from typing import Any

import numpy as np
import pytest

from models.explain.overview import Explained, affordable, explain, shares_of
from tests.support.servers.made_model import SCRIPT, MadeModel, cells, old_clerks

BOTH = ("no", "yes")
JOB = cells().texts[:, 0]
GROUPS = {"job=clerk": JOB == "clerk", "job=few": np.arange(40) < 3}


def told(**changes: Any) -> Explained:
    values: dict[str, Any] = {
        "rows": cells(),
        "groups": GROUPS,
        "training": cells(),
        "dated": {},
        "free_texts": frozenset({"note"}),
        **changes,
    }
    return Explained(**values)


def test_columns_that_the_model_reads_carry_all() -> None:
    found = explain(MadeModel(old_clerks), told(), 10, BOTH, 1)
    assert json.loads(json.dumps(found)) == found
    assert (found["rows"], found["scale"]) == (40, "probability")
    assert found["additivity"] <= 1e-5
    assert set(found["mean_abs"]) == {"age", "hours", "job", "note"}
    assert found["mean_abs"]["hours"] == found["mean_abs"]["note"] == 0
    shares = shares_of(found)
    assert sum(shares.values()) == pytest.approx(1)
    assert shares["job"] > 0.3
    assert list(found["by_group"]) == ["job=clerk"], "of three rows nothing is said"
    assert found["group_rows"] == {"job=clerk": 10}
    assert found["by_group"]["job=clerk"]["job"] > found["mean_abs"]["job"]
    low, high = found["stability"]["age"]
    assert low < found["mean_abs"]["age"] < high
    assert found["stability"]["note"] == [0, 0]
    answers = MadeModel(old_clerks).answer(cells().numbers, cells().texts)
    assert found["base_value"] == pytest.approx(answers.mean(), abs=0.1)


def test_dependence_is_the_mean_answer_at_each_value() -> None:
    found = explain(MadeModel(old_clerks), told(), 10, BOTH, 1)["dependence"]
    assert "note" not in found
    jobs = {point["value"]: point for point in found["job"]}
    assert set(jobs) == {"clerk", SCRIPT, "Köchin", ""}
    assert jobs["clerk"]["answer"] - jobs[""]["answer"] == pytest.approx(0.3, abs=1e-5)
    assert sum(point["share"] for point in found["job"]) == pytest.approx(1)
    ages = found["age"]
    assert [point["answer"] for point in ages] == sorted(point["answer"] for point in ages)
    missing = np.isnan(cells().numbers[:, 0]).mean()
    assert sum(point["share"] for point in ages) == pytest.approx(1 - missing)


def test_where_one_value_is_that_of_most_rows_others_are_told_too() -> None:
    gains = [0.0] * 36 + [10.0, 20.0, 30.0, 40.0]
    rows = cells(hours=gains)
    model = MadeModel(lambda row: row["hours"] / 100)
    found = explain(model, told(rows=rows, training=rows), 10, BOTH, 1)
    assert len(found["dependence"]["hours"]) >= 4


def test_dates_are_in_order_of_time() -> None:
    days = [f"{1 + n % 28:02}.{1 + n % 12:02}.2025" for n in range(39)] + ["never"]
    rows = cells(job=days)

    def times(texts: np.ndarray) -> np.ndarray:
        parts = [text.split(".") for text in texts]
        return np.array([int(p[1]) * 31 + int(p[0]) if len(p) == 3 else np.nan for p in parts])

    model = MadeModel(lambda row: 0.9 if row["job"][3:5] in ("11", "12") else 0.2)
    found = explain(model, told(rows=rows, training=rows, dated={"job": times}), 10, BOTH, 1)
    points = found["dependence"]["job"]
    months = [point["value"][3:5] for point in points]
    assert months == sorted(months)
    assert "never" not in [point["value"] for point in points]


def test_of_more_than_two_classes_each_has_its_own() -> None:
    names = ("a", "b", "c")
    model = MadeModel(lambda r: [old_clerks(r), 0.9 - old_clerks(r), 0.1], names)
    found = explain(model, told(), 10, names, 1)
    job = found["mean_abs"]["job"]
    assert job["a"] == pytest.approx(job["b"], abs=1e-5)
    assert job["c"] == pytest.approx(0, abs=1e-6)
    assert set(found["stability"]["job"][0]) == set(found["base_value"]) == {*names}
    assert found["dependence"]["job"][0]["answer"].keys() == {*names}
    assert sum(shares_of(found).values()) == pytest.approx(1)


def test_a_constant_model_and_few_rows() -> None:
    found = explain(MadeModel(lambda row: 0.25), told(), 10, BOTH, 1)
    assert found["base_value"] == 0.25
    assert set(found["mean_abs"].values()) == {0}
    assert shares_of(found) == dict.fromkeys(found["mean_abs"], 0.0)
    one = cells().take(np.array([2]))
    found = explain(MadeModel(old_clerks), told(rows=one, groups={}), 10, BOTH, 1)
    assert found["stability"] == {}, "one part says nothing of others"
    assert found["rows"] == 1


def test_wide_tables_are_explained_by_fewer_rows() -> None:
    assert affordable(200, 50, 13) == (200, 50)
    rows, background = affordable(200, 50, 273)
    assert (rows, background) == (20, 16)
    assert affordable(200, 50, 5000) == (20, 10)
    assert affordable(15, 5, 5000) == (15, 5), "no more than is wanted"
