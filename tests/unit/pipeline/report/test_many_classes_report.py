"""What is printed and noted of a run on three classes, whose names try to be something else."""

import io
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from models.metrics.evidence import evidence
from models.metrics.gates import at_least, at_most
from models.metrics.registry import metrics_of
from pipeline.notify.metrics import record_of, registry_of
from pipeline.report.class_table import lowest_recall, mistakes
from pipeline.report.display import print_results
from pipeline.report.gate_table import fold
from pipeline.report.notes import notes
from pipeline.report.summary import LabelSummary, MeasuredModel, Summary
from tests.support.records.summaries import MODEL, VALUES

CLASSES = ("small bag", 'b=o,"x"', "Crate[1]")
KNOWN = metrics_of(CLASSES)


def measured(rows: int = 300, right: float = 0.8) -> dict[str, Any]:
    draw = np.random.RandomState(1)
    codes = np.arange(rows) % 3
    taken = np.where(draw.rand(rows) < right, codes, (codes + 1) % 3)
    shares = np.where(np.arange(3) == taken[:, None], 0.8, 0.1)
    north = np.arange(rows) % 2 == 0
    counts = np.bincount(codes * 3 + taken, minlength=9).reshape(3, 3)
    model = MeasuredModel.model_validate(
        {
            **MODEL,
            "metrics": KNOWN.overall(codes, shares),
            "slices": {"site=north": KNOWN.of_slice(codes[north], shares[north])},
            "gaps": {"site": {"recall[Crate[1]]": 0.21, "selection_rate[small bag]": 0.4}},
            "evidence": {
                "overall": evidence(codes, shares, CLASSES),
                "site=north": evidence(codes[north], shares[north], CLASSES),
            },
            "confusion": counts.tolist(),
        }
    )
    return model.model_dump(mode="json")


def printed(summary: Summary) -> str:
    out = Console(width=160, record=True, file=io.StringIO())
    print_results(out, summary, slices=True)
    return out.export_text()


def test_show_has_every_class_under_its_own_name() -> None:
    values = measured()
    text = printed(Summary.model_validate({**VALUES, "models": {"teacher_pruned": values}}))
    head = next(line for line in text.splitlines() if "macro F1" in line and "model" in line)
    assert head.split()[:7] == ["model", "accuracy", "macro", "F1", "log", "loss", "auc"]
    assert "0.210 site" in text
    for code, name in enumerate(CLASSES):
        [row] = [line for line in text.splitlines() if line.strip().startswith(name)]
        assert " 100 " in row
        assert f"{values['metrics'][f'recall[{name}]']:.3f} [" in row
        assert f"{CLASSES[(code + 1) % 3]} {values['confusion'][code][(code + 1) % 3]}" in row
    [row] = [line for line in text.splitlines() if line.strip().startswith("site=north")]
    assert row.rstrip().endswith(lowest_recall(values["slices"]["site=north"]))


def test_a_summary_of_three_classes_survives_its_json() -> None:
    summary = Summary.model_validate({**VALUES, "models": {"teacher_pruned": measured()}})
    again = Summary.model_validate_json(summary.model_dump_json())
    assert again == summary
    model = again.models["teacher_pruned"]
    assert tuple(model.evidence["overall"].by_class or {}) == CLASSES
    assert np.sum(model.confusion or []) == 300


@pytest.mark.parametrize(
    ("taken", "text"),
    [
        ([5, 0, 0, 0, 0], "-"),
        ([5, 1, 0, 7, 0], "d 7, b 1"),
        ([5, 1, 2, 3, 4], "e 4, d 3, c 2 and 1 more"),
        ([], "-"),
    ],
)
def test_mistakes(taken: list[int], text: str) -> None:
    assert mistakes("abcde", taken, 0) == text


def test_gates_of_the_classes_are_folded_to_the_worst_one() -> None:
    recalls = dict(zip(CLASSES, (0.9, 0.7, 0.8), strict=True))
    key = "evaluation.server"
    gates = [
        at_least("server", f"recall[{name}]", "overall", v, 0.6, f"{key}.min_by_class.recall")
        for name, v in recalls.items()
    ]
    gates += [
        at_most("server", f"gap a[b] recall[{name}]", "overall", 1 - v, 0.35, f"{key}.max_gap")
        for name, v in recalls.items()
    ]
    gates.append(at_least("server", "recall[Crate[1]]", "overall", 0.5, 0.6, key))
    assert [(gate.metric, gate.value, count) for gate, count in fold(gates)] == [
        ("recall[Crate[1]]", 0.5, 1),
        ('recall[b=o,"x"]', 0.7, 3),
        ('gap a[b] recall[b=o,"x"]', pytest.approx(0.3), 3),
    ]


def said(right: float, balance: dict[str, float], gold: int = 400) -> str:
    labels = {**VALUES["labels"], "class_balance": balance, "gold_rows_random": gold}
    model = MeasuredModel.model_validate(measured(right=right))
    told = LabelSummary.model_validate(labels)
    return "\n".join(notes(told, {"m": model}, {"server": "m"}, [], None))


def test_what_is_said_of_three_classes() -> None:
    even = dict.fromkeys(CLASSES, 1 / 3)
    assert said(0.8, even) == ""
    assert said(0.8, {"small bag": 0.38, 'b=o,"x"': 0.29, "Crate[1]": 0.33}) == ""
    text = said(0.8, {"small bag": 0.1, 'b=o,"x"': 0.5, "Crate[1]": 0.4})
    assert text.startswith("33.3% of the test rows are small bag and 10.0% of the labelled")
    text = said(0.3, even)
    assert "server: accuracy 0." in text
    assert "is no better than always saying small bag (0.3333) beyond chance; macro F1 is" in text


def test_figures_of_three_classes_reach_the_textfile() -> None:
    summary = Summary.model_validate({**VALUES, "models": {"teacher_pruned": measured()}})
    record = record_of(summary, "kinds", 1.0, {}, None)
    figures = {
        sample.labels["metric"]: sample.value
        for family in registry_of(record).collect()
        if family.name == "tfx_pipeline_model_metric"
        for sample in family.samples
    }
    assert {f"recall[{name}]" for name in CLASSES} < set(figures)
    assert figures["macro_f1"] == measured()["metrics"]["macro_f1"]
