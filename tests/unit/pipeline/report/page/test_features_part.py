"""Which columns the models read: on the page and on the command line."""

import io
from pathlib import Path
from typing import Any

from rich.console import Console

from pipeline.report.display import print_features
from pipeline.report.page.part import RunRecord
from pipeline.report.page.parts.process.features import features
from pipeline.report.summary import Summary
from tests.support.records.measured import record_of, rows_of_two

NOTE = "398 of 400 columns do not stand out from shuffled copies"


def score(column: str, **more: Any) -> dict[str, Any]:
    values = {"importance": 0.2, "mutual_information": 0.1, "linear": 0.3, "trees": 0.2}
    others = {"gain": 0.9, "stability": None, "like": None, "like_share": None}
    return {"column": column, **values, **others, **more}


def report(drops: int) -> dict[str, Any]:
    names = [f"n{at}" for at in range(drops)]
    return {
        "kept": ["age"],
        "dropped": [{"column": "id", "reason": "not listed in columns"}]
        + [{"column": name, "reason": "in 0 of 15 draws"} for name in names],
        "note": NOTE,
        "scores": [score("age", stability=1.0, like="n0", like_share=0.97)]
        + [score(name, stability=0.067, like="age", like_share=0.01) for name in names],
    }


def page(found: dict[str, Any], folder: Path) -> str:
    record = record_of(rows_of_two(), folder)
    values = {**record.summary.model_dump(), "features": found}
    part = features(RunRecord(Summary.model_validate(values), [], folder, record.config))
    assert part is not None
    return str(part.html)


def test_scores_stability_and_what_a_column_repeats_are_shown(tmp_path: Path) -> None:
    shown = page(report(2), tmp_path)
    assert f"{NOTE}." in shown
    assert "n0 (97%)" in shown
    assert "age (1%)" not in shown
    assert ">100%</td>" in shown
    assert ">7%</td>" in shown
    assert "0.20000" in shown
    assert "that are dropped</summary>" not in shown


def test_many_columns_are_folded(tmp_path: Path) -> None:
    shown = page(report(300), tmp_path)
    assert "The 301 that are dropped</summary>" in shown
    assert "100 of 301" in shown
    assert shown.count("in 0 of 15 draws") == 300


def test_a_report_without_scores_is_shown_as_before(tmp_path: Path) -> None:
    shown = page({"kept": ["age"], "dropped": []}, tmp_path)
    assert "1 columns are kept" in shown
    assert "What each column tells" not in shown


def test_the_command_line_says_what_scores_dropped() -> None:
    def said(found: dict[str, Any]) -> str:
        out = Console(record=True, width=200, file=io.StringIO())
        print_features(out, found)
        return out.export_text()

    assert said({"kept": ["age"], "dropped": []}) == ""
    assert said(report(0)) == ""
    assert "columns read: 1, dropped by their scores: 3; 398" in said(report(3))
