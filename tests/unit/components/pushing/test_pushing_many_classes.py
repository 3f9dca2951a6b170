"""PushGate on models of more than two classes."""

import json
from typing import Any

import numpy as np
import pytest

from components.pushing.against_live import BEFORE, PushSettings, RowSet, comparison_rows
from components.pushing.fresh_process import Served
from components.pushing.push_checks import other_classes, prediction_rows
from models.export.fresh_predictions import FreshPredictions
from models.export.raw_rows import RawRows

CLASSES = ("small bag", "b=o,x", "Crate[1]")
MINE = " and not small bag, b=o,x, Crate[1]: not compared"


def three(**pusher: Any) -> PushSettings:
    told = {
        "sample_rows": 20,
        "max_difference": 0.001,
        "max_latency_ms": 1000,
        "time_limit": 100,
        "min_rows": 50,
        "compare_on": ["newest", "before"],
        "max_regression": {},
        "max_regression_by_slice": {},
        "max_uncertainty": 0.05,
        "when_too_few": "keep",
    }
    return PushSettings.model_validate_json(
        json.dumps(
            {
                "pusher": told | pusher,
                "columns": {"label": "class", "classes": CLASSES, "positive": None},
                "labeling": {"mode": "weak"},
                "evaluation": {"slices": [["sex"]], "min_slice_rows": 20},
                "types": {},
            }
        )
    )


def shares_of(codes: np.ndarray, sure: float = 0.8) -> np.ndarray:
    return np.where(np.arange(3) == codes[:, None], sure, (1 - sure) / 2).astype(np.float32)


def labelled(codes: np.ndarray) -> RowSet:
    one_hot = shares_of(codes, 1.0)
    rows = RawRows([b""] * len(codes), {"label": one_hot, "sex": np.full(len(codes), "Male")})
    return RowSet(BEFORE, rows, "made rows")


def test_the_recall_of_each_class_is_compared() -> None:
    codes = np.repeat([0, 1, 2], [300, 200, 15])
    live = shares_of(codes)
    lost = np.where((codes == 1) & (np.arange(len(codes)) % 2 == 0), 0, codes)
    told = three(
        max_regression={"accuracy": 0.3, "macro_f1": 0.3, "recall": 0.12, "log_loss": 2.0},
        max_regression_by_slice={"recall[small bag]": 0.1},
    )
    found = comparison_rows("server", shares_of(lost), live, [labelled(codes)], told)
    rows = {f"{row.metric} {row.slice}": row for row in found}
    assert set(rows) == {
        "accuracy against live, before overall",
        "accuracy against live, uncertainty overall",
        "log_loss against live, before overall",
        "log_loss against live, uncertainty overall",
        "macro_f1 against live, before overall",
        "macro_f1 against live, uncertainty overall",
        "recall[b=o,x] against live, before overall",
        "recall[small bag] against live, before overall",
        "recall[small bag] against live, before sex=Male",
    }, "of Crate[1] there are too few rows"
    fallen = rows["recall[b=o,x] against live, before overall"]
    assert fallen.value == pytest.approx(-0.5)
    assert not fallen.passed
    assert fallen.key == "pusher.max_regression.recall"
    worse = rows["log_loss against live, before overall"]
    assert worse.bound == "<= 2 beyond chance"
    assert (worse.value or 0) > 0
    own = rows["recall[small bag] against live, before sex=Male"]
    assert own.key == "pusher.max_regression_by_slice.recall[small bag]"
    assert [m for m, row in rows.items() if not row.passed] == [
        "recall[b=o,x] against live, before overall",
        "log_loss against live, uncertainty overall",
    ]


def test_one_row_of_a_class_that_turns_is_chance() -> None:
    codes = np.repeat([0, 1, 2], [300, 200, 1])
    turned = np.where(codes == 2, 0, codes)
    told = three(max_regression={"recall": 0.0}, max_regression_by_slice={"recall": 0.0})
    rows = comparison_rows("server", shares_of(turned), shares_of(codes), [labelled(codes)], told)
    assert all(row.passed for row in rows)


def fresh(answers: np.ndarray, classes: tuple[str, ...] = CLASSES) -> FreshPredictions:
    return FreshPredictions(answers, answers, 1.0, classes)


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        (shares_of(np.arange(9) % 3), None),
        (shares_of(np.arange(9) % 3) * 0.9, "18 of 18 answers are no probabilities"),
        (np.full((9, 3), np.nan), "18 of 18 answers are no probabilities"),
        (np.full(9, 0.5), "its answers are not 3 shares of classes a row, 9 rows"),
        (np.full((9, 2), 0.5), "its answers are not 3 shares of classes a row, 9 rows"),
    ],
)
def test_shares_of_classes_sum_to_one(answers: np.ndarray, why: str | None) -> None:
    expected = shares_of(np.arange(9) % 3)
    served = Served(fresh(answers), None, None)
    first = prediction_rows("server", served, expected, three(), False)[0]
    assert (first.passed, first.why) == (why is None, why)


def test_shares_of_a_device_may_be_off_by_its_steps() -> None:
    draw = np.random.RandomState(0)
    expected = draw.dirichlet(np.full(30, 0.2), 50)
    coarse = np.round(expected * 256) / 256
    told = three(max_difference=0.01)
    first = prediction_rows("edge", Served(fresh(coarse), None, None), expected, told, False)[0]
    assert np.abs(coarse.sum(axis=1) - 1).max() > 0.003
    assert first.passed


@pytest.mark.parametrize(
    ("live", "why"),
    [
        (fresh(shares_of(np.arange(9) % 3)), None),
        (
            fresh(shares_of(np.arange(9) % 3), CLASSES[::-1]),
            f"it answers Crate[1], b=o,x, small bag{MINE}",
        ),
        (
            fresh(np.full((9, 2), 0.5), ("a", "b")),
            f"it answers a, b{MINE}",
        ),
        (
            fresh(np.full(9, 0.5), ()),
            f"it answers two classes{MINE}",
        ),
    ],
)
def test_a_live_version_of_other_classes_is_not_compared_with(
    live: FreshPredictions, why: str | None
) -> None:
    assert other_classes(Served(fresh(shares_of(np.arange(9) % 3)), live, None)) == why
