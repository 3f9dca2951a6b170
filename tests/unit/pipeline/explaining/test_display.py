"""Explanations as tables: what they say, and that text of data is text."""

import io
from typing import Any

from rich.console import Console

from pipeline.explaining.display import print_explanations
from pipeline.explaining.explain import ExplainedRow, RowExplanations

CELLS = {"age": 39, "note[red]": "[bold]<b>\x1b[31m" + "x" * 60, "job": None}
CHANGE = {"changes": {"job": {"from": None, "to": "Köchin [x]"}}, "class": "yes", "answer": 0.75,
          "distance": 1.0}  # fmt: skip


def shown(told: dict[str, Any], changes: Any, classes: tuple[str, ...] = ("no", "yes")) -> str:
    out = Console(width=120, record=True, file=io.StringIO())
    row = ExplainedRow("test:3", CELLS, told, changes)
    print_explanations(RowExplanations("edge", 7, (row,)), out, classes)
    return out.export_text()


def test_the_strongest_column_first_with_the_sum() -> None:
    told = {"class": "no", "answer": 0.3, "base_value": 0.25,
            "attributions": {"age": 0.01, "note[red]": 0.08, "job": -0.04}}  # fmt: skip
    text = shown(told, [CHANGE])
    assert "test:3, edge version 7: no, probability of yes 0.3000" in text
    lines = [line for line in text.splitlines() if "+0.0" in line or "-0.0" in line]
    assert [line.split()[0] for line in lines[:3]] == ["note[red]", "job", "age"]
    assert lines[0].count("█") > lines[1].count("█") > lines[2].count("█")
    assert "[bold]<b>\\x1b[31m" in text
    assert "(missing)" in text
    assert "= 0.3000, answer 0.3000: holds" in text
    assert "1. yes (0.7500) with job (missing) -> Köchin [x]" in text


def test_a_sum_that_does_not_hold_and_nothing_that_helps() -> None:
    told = {"class": "no", "answer": 0.9, "base_value": 0.25,
            "attributions": dict.fromkeys(CELLS, 0.0)}  # fmt: skip
    text = shown(told, [])
    assert "does not hold" in text
    assert "no change of the columns in explain.actionable changes the decision" in text


def test_of_more_than_two_classes_the_one_that_is_decided_for() -> None:
    classes = ("a[1]", "b", "c")
    told = {"class": "a[1]", "answer": {"a[1]": 0.6, "b": 0.3, "c": 0.1},
            "base_value": {"a[1]": 0.5, "b": 0.3, "c": 0.2},
            "attributions": {name: {"a[1]": 0.1 / 3, "b": 0.0, "c": -0.1 / 3} for name in CELLS},
            }  # fmt: skip
    text = shown(told, None, classes)
    assert "a[1], probability of a[1] 0.6000" in text
    assert "answer 0.6000: holds" in text
