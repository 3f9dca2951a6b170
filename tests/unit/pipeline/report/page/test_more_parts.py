"""Links to the cards of a run, the models for comparison, the trials of the tuner."""

from pathlib import Path

from pipeline.report.page.part import RunRecord
from pipeline.report.page.parts.models import models
from pipeline.report.page.parts.origin.cards import cards
from pipeline.report.page.parts.process.trials import trials
from pipeline.report.summary import Summary, path_of
from tests.support.records.measured import record_of, rows_of_two


def test_the_cards_that_there_are_are_linked(tmp_path: Path) -> None:
    record = record_of(rows_of_two(), tmp_path)
    assert cards(record) is None
    folder = path_of(tmp_path, record.summary.run_id).with_name("cards")
    folder.mkdir(parents=True)
    for name in ("model_card.edge.html", "data_card.html"):
        (folder / name).touch()
    part = cards(record)
    assert part is not None
    assert 'href="cards/model_card.edge.html"' in part.html
    assert 'href="cards/data_card.html"' in part.html
    assert "model_card.server" not in part.html


def test_the_references_stand_below_the_models(tmp_path: Path) -> None:
    record = record_of(rows_of_two(), tmp_path)
    values = record.summary.model_dump()
    alone = models(record)
    assert alone is not None
    assert "For comparison" not in alone.html
    values["references"] = {"boosted_trees": values["models"]["teacher"]}
    difference = values["models"]["student_int8"]["against_teacher"][0]
    for variant in values["models"].values():
        variant["against_reference"] = {"boosted_trees": [difference]}
    compared = RunRecord(Summary.model_validate(values), [], tmp_path, record.config)
    part = models(compared)
    assert part is not None
    assert "For comparison, on the same labels, never deployed" in part.html
    assert "boosted trees" in part.html
    assert "The deployed model minus the models for comparison" in part.html


def test_trials_are_called_alike_in_picture_and_table(tmp_path: Path) -> None:
    record = record_of(rows_of_two(), tmp_path)
    values = record.summary.model_dump()
    values["tuner"] = [
        {"trial_id": name, "score": score, "l2": 0.0}
        for name, score in (("2", 0.3), ("0", 0.5), ("1", 0.4))
    ]
    part = trials(RunRecord(Summary.model_validate(values), [], tmp_path, record.config))
    assert part is not None
    [spec] = part.charts.values()
    points = [(point["trial"], point["best"]) for point in spec["data"]["values"]]
    assert points == [("0", "tried"), ("1", "tried"), ("2", "taken")]
    assert '2 <span class="badge good">taken' in part.html


def test_trials_say_what_was_taken_and_whether_it_may_be_chance(tmp_path: Path) -> None:
    record = record_of(rows_of_two(), tmp_path)
    values = record.summary.model_dump()
    row = {"state": "completed", "epochs": 3, "seconds": 1.5, "from": None, "why": None}
    values["search"] = {
        "search": "automl",
        "budget": {"trials": 9, "seconds": 60.0},
        "seconds": 41.0,
        "trials": [
            {**row, "trial": "0", "loss": 0.5, "values": {"crosses": 0, "l2": 0.0}},
            {**row, "trial": "1", "loss": 0.4, "values": {"crosses": 1, "l2": 0.0}},
            {**row, "trial": "2", "loss": None, "state": "failed", "why": "it was <ended>",
             "values": {"crosses": 2, "l2": 0.0}},
        ],
        "default": "0",
        "best": "1",
        "taken": "0",
        "reason": "that the best trial is better than the default may be chance",
        "comparison": {
            "rows": 300, "candidates": 1, "difference": -0.01, "low": -0.03, "high": 0.01,
            "seeds": [{"seed": 1001, "best": 0.41, "default": 0.42}],
            "metrics": [{"metric": "auc", "value": 0.002, "low": -0.01, "high": 0.014}],
        },
    }  # fmt: skip
    part = trials(RunRecord(Summary.model_validate(values), [], tmp_path, record.config))
    assert part is not None
    assert "Taken: the default values (trial 0). The reason: that the best trial" in part.html
    assert "3 trials of at most 9, and" in part.html
    assert "The same in all: l2 0." in part.html
    assert "it was &lt;ended&gt;" in part.html
    assert "all seeds: auc" in part.html
    [spec] = part.charts.values()
    points = [(point["loss"], point["lowest"]) for point in spec["data"]["values"]]
    assert points == [(0.5, 0.5), (0.4, 0.4)]
