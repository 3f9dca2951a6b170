"""What is said of a run beside its figures."""

import io

import numpy as np
from rich.console import Console

from models.metrics.evidence import evidence
from models.metrics.gates import Gate
from models.metrics.registry import OF_TWO
from pipeline.report.display import print_results
from pipeline.report.notes import notes
from pipeline.report.summary import LabelSummary, MeasuredModel, Summary
from tests.support.records.summaries import MODEL, VALUES


def measured(rows: int, positives: int, noise: float = 0.3) -> MeasuredModel:
    draw = np.random.RandomState(1)
    labels = (np.arange(rows) < positives).astype(float)
    probabilities = np.clip(0.1 + 0.25 * labels + noise * draw.rand(rows), 0, 1)
    return MeasuredModel.model_validate(
        {
            **MODEL,
            "metrics": OF_TWO.overall(labels, probabilities),
            "slices": {"sex=Female": OF_TWO.of_slice(labels[::2], probabilities[::2])},
            "evidence": {
                "overall": evidence(labels, probabilities),
                "sex=Female": evidence(labels[::2], probabilities[::2]),
            },
        }
    )


def said(
    model: MeasuredModel,
    balance: float | dict[str, float] | None = None,
    gates: list[Gate] | None = None,
) -> str:
    labels = None
    if balance is not None:
        values = {**VALUES["labels"], "class_balance": balance, "gold_rows_random": 200}
        labels = LabelSummary.model_validate(values)
    return "\n".join(notes(labels, {"m": model}, {"server": "m"}, gates or [], None))


def test_an_accuracy_that_saying_no_has_too_is_named() -> None:
    text = said(measured(4000, 60, 0.1))
    assert "server: accuracy 0.9850 is no better than always saying no (0.9850)" in text
    assert "average precision 1.000 (random scores: 0.015)" in text
    assert said(measured(4000, 2000, 0.9)) == ""


def test_few_test_rows_are_said() -> None:
    assert "the test part has 90 rows, 9 of them positive" in said(measured(90, 9))


def test_parts_of_different_classes_are_said() -> None:
    model = measured(1000, 500, 0.9)
    assert "50.0% of the test rows are positive and 10.0% of" in said(model, balance=0.1)
    assert said(model, balance=0.48) == ""


def test_of_many_classes_the_one_that_differs_most_is_named() -> None:
    names = [f"class {code}" for code in range(20)]
    rows = dict.fromkeys(names, 50)
    values = {"rows": 1000, "positives": None, "intervals": {}, "by_class": rows}
    model = MeasuredModel.model_validate({**MODEL, "evidence": {"overall": values}})
    even = dict.fromkeys(names, 0.05)
    assert said(model, balance=even) == ""
    by_chance = even | {"class 3": 0.09, "class 4": 0.01}  # one of twenty differs as much
    assert said(model, balance=by_chance) == ""
    other = even | {"class 3": 0.20, "class 4": 0.15, "class 5": 0.0}
    told = said(model, balance=other)
    assert "5.0% of the test rows are class 3 and 20.0% of the labelled training rows" in told


def test_what_is_undecided_is_said() -> None:
    gate = Gate("edge", "auc", "overall", None, ">= 0.5", True, "k", "nobody knows", undecided=True)
    assert said(measured(1000, 500, 0.9), gates=[gate]) == "edge: undecided: nobody knows"


def test_what_explanations_warn_of_is_said_for_each_target() -> None:
    explained: dict[str, dict[str, list[str]]]
    explained = {"server": {"warnings": ["mind sex"]}, "edge": {"warnings": []}, "third": {}}
    assert notes(None, {}, {}, [], None, explained) == ["server: mind sex"]


def test_show_has_slices_and_notes() -> None:
    summary = Summary.model_validate(
        {**VALUES, "models": {"teacher_pruned": measured(100, 30)}, "notes": ["[red]mind[/] this"]}
    )
    out = Console(width=140, record=True, file=io.StringIO())
    print_results(out, summary, slices=True)
    text = out.export_text()
    [row] = [line.split() for line in text.splitlines() if "sex=Female" in line]
    assert row[1:3] == ["50", "15"]
    assert "note: [red]mind[/] this" in text
