"""The gaps of every column that is sliced by are shown."""

from rich.console import Console

from models.metrics.gates import OVERALL, Gate
from pipeline.report.gap_table import bounded_columns, largest, print_gaps
from pipeline.report.summary import Summary
from tests.support.records.summaries import MODEL, VALUES


def test_a_row_for_each_column() -> None:
    values = {**VALUES}
    model = {**MODEL}
    model["gaps"] = {
        "sex": {"tpr": 0.09, "fpr": 0.07, "selection_rate": 0.17},
        "a[b]ge": {"tpr": None, "fpr": 0.2, "selection_rate": 0.3},
    }
    values |= {"models": {"student_int8": model}, "targets": {"edge": "student_int8"}}
    out = Console(record=True, width=100)
    print_gaps(out, Summary.model_validate(values))
    lines = [line.split() for line in out.export_text().splitlines()]
    assert ["sex", "0.090", "0.070", "0.170"] in lines
    assert ["a[b]ge", "-", "0.200", "0.300"] in lines


def test_bounded_columns_are_told_by_the_keys_of_gates() -> None:
    keys = ("evaluation.edge.max_gap.a.b.tpr", "evaluation.edge.min.auc", "pusher.max_latency_ms")
    gates = [Gate("edge", "", OVERALL, 0.1, "", True, key) for key in keys]
    assert bounded_columns(gates) == {"a.b"}


def test_of_several_classes_the_largest_is_shown_with_its_class() -> None:
    rates = {"recall[a]": 0.1, "recall[b c]": 0.4, "recall[d]": None, "selection_rate[a]": 0.9}
    assert largest(rates, "recall") == "0.400 b c"
    assert largest({"recall[d]": None}, "recall") == "-"
