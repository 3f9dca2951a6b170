"""The gaps of every column that is sliced by, worst slices, and rates at thresholds are shown."""

import io
from collections.abc import Callable
from typing import Any

from rich.console import Console

from models.metrics.gates import OVERALL, Gate
from pipeline.report.gap_table import bounded_columns, largest, print_gaps
from pipeline.report.group_table import print_rates, print_worst
from pipeline.report.summary import Summary
from tests.support.records.summaries import MODEL, VALUES

SEX = {"value": 0.0912, "low": 0.051, "high": 0.1342, "highest": "sex=Male", "lowest": "sex=Female"}
GROWN = {"value": -0.004, "low": -0.011, "high": 0.003, "before": 0.095, "rows": 900}
CROSSED = {**SEX, "highest": "a[b]=x=,sex=Male", "lowest": "a[b]=[red],sex=Female"}


def shown(print_: Callable[[Console, Summary], None], **fields: Any) -> list[list[str]]:
    """The words of each line that is printed of an edge model with these fields."""
    values = {**VALUES, "models": {"student_int8": {**MODEL, **fields}}}
    out = Console(record=True, width=140, file=io.StringIO())
    print_(out, Summary.model_validate({**values, "targets": {"edge": "student_int8"}}))
    return [line.split() for line in out.export_text().splitlines()]


def test_a_row_for_each_gap_with_its_interval_and_groups() -> None:
    lines = shown(
        print_gaps,
        gap_intervals={"sex": {"tpr": SEX, "fpr": None}, "a[b],sex": {"tpr": CROSSED}},
        gap_growth={"sex": {"tpr": GROWN, "fpr": None}},
    )
    row = ["sex", "tpr", "0.091", "[.051,", ".134]", "Male", "Female"]
    assert [*row, "-0.004", "[-.011,", ".003]"] in lines
    assert ["sex", "fpr", "-", "-", "-", "-"] in lines
    [crossed] = [line for line in lines if line and line[0] == "a[b],sex"]
    assert crossed[5:] == ["a[b]=x=,sex=Male", "a[b]=[red],sex=Female", "-"]


def test_of_a_summary_of_before_the_values_are_shown() -> None:
    gaps = {"sex": {"tpr": 0.09, "fpr": 0.07}, "a[b]ge": {"tpr": None, "fpr": 0.2}}
    lines = shown(print_gaps, gaps=gaps)
    assert ["sex", "tpr", "0.090", "-", "-", "-"] in lines
    assert ["a[b]ge", "tpr", "-", "-", "-", "-"] in lines
    assert ["a[b]ge", "fpr", "0.200", "-", "-", "-"] in lines
    assert shown(print_gaps, gaps={}) == []


def test_the_worst_slice_of_each_metric_is_shown() -> None:
    low = {"slice": "sex=[b]", "value": 0.8, "low": 0.75, "high": 0.84, "rows": 400}
    high = {**low, "value": 0.2, "low": None, "high": None}
    lines = shown(
        print_worst,
        worst={"auc": low, "recall[a]": low, "recall[b c]": {**low, "value": 0.7}, "fpr": high},
    )
    assert ["auc", "sex=[b]", "0.800", "[.750,", ".840]", "400"] in lines
    assert ["recall[b", "c]", "sex=[b]", "0.700", "[.750,", ".840]", "400"] in lines
    assert ["fpr", "sex=[b]", "0.200", "400"] in lines
    assert not [line for line in lines if line and line[0] == "recall[a]"]
    assert shown(print_worst) == []


def test_rates_of_each_slice_at_three_thresholds() -> None:
    positive, negative = [0] * 200, [0] * 200
    positive[70], positive[180], negative[120] = 1, 3, 2
    counts = {"positive": positive, "negative": negative}
    none = {"positive": [0] * 200, "negative": [0] * 200}
    lines = shown(print_rates, scores={"bins": 200, "groups": {"overall": counts, "[x]": none}})
    of_all = ["1.000", "1.000", "1.000", "0.750", "1.000", "0.833", "0.750", "0.000", "0.500"]
    assert ["overall", *of_all] in lines
    assert ["[x]", *["-"] * 9] in lines
    assert shown(print_rates) == []


def test_bounded_columns_are_told_by_the_keys_of_gates() -> None:
    keys = ("evaluation.edge.max_gap.a.b.tpr", "evaluation.edge.min.auc", "pusher.max_latency_ms")
    growth = "evaluation.edge.max_gap_growth.c.d.tpr"
    gates = [Gate("edge", "", OVERALL, 0.1, "", True, key) for key in (*keys, growth)]
    assert bounded_columns(gates) == {"a.b", "c.d"}


def test_of_several_classes_the_one_with_the_largest_gap_is_shown() -> None:
    rates = {"recall[a]": 0.1, "recall[b c]": 0.4, "recall[d]": None, "selection_rate[a]": 0.9}
    assert largest(rates) == ["recall[b c]", "selection_rate[a]"]
    assert largest({"recall[d]": None}) == ["recall[d]"]
    assert largest({"recall[d]": None, "recall[e]": 0.0}) == ["recall[e]"]
