"""Bounds that cannot be kept to are warned of by their key before anything runs."""

from pathlib import Path

import pytest

from core.files import REPOSITORY
from core.intervals import wilson_interval
from pipeline.config.doubts import doubts
from pipeline.config.load import load

NAMES = sorted(path.stem for path in (REPOSITORY / "configs").glob("*.yaml"))
THREE = [
    "columns.classes=[a, b, c]",
    "columns.positive=null",
    *(
        f"evaluation.{target}.{bound}={{}}"
        for target in ("server", "edge")
        for bound in ("max_gap", "max_gap_growth")
    ),
]


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("base", "retrain")])
def test_the_configurations_of_the_repository_are_beyond_doubt(name: str) -> None:
    given = ["data.folder=x"] if name == "demo_retrain" else []
    assert doubts(load(name, given)) == []
    assert doubts(load(name, given, smoke=True)) == []


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (
            "evaluation.edge.min={accuracy: 1.0}",
            "evaluation.edge.min.accuracy: 1 is kept to only by a model without any error; "
            "give less",
        ),
        (
            "evaluation.server.min_by_slice={auc: 1}",
            "evaluation.server.min_by_slice.auc: 1 is kept to only by a model without any error; "
            "give less",
        ),
        (
            "evaluation.server.min_by_slice={accuracy: 0.9}",
            "evaluation.server.min_by_slice.accuracy: 0.9 is above evaluation.server.min.accuracy"
            "=0.8: a model that is as good in every slice is so overall, so the other bound "
            "decides nothing; swap them?",
        ),
        (
            "evaluation.edge.max_gap={sex: {tpr: 0.0}}",
            "evaluation.edge.max_gap.sex.tpr: 0 asks for groups whose rates are equal to the last "
            "row, which are so by chance alone; give more than 0",
        ),
        (
            "labeling.gates.min_coverage=1.0",
            "labeling.gates.min_coverage: 1 is kept to only by functions that vote on every row; "
            "null: no bound",
        ),
        (
            "labeling.gates={min_accuracy: 0.6, max_error_gap: 0.3, min_group_gold_rows: 101}",
            "labeling.gates.max_error_gap: decides nothing: of labeling.gold_rows=200 no two "
            "groups can have min_group_gold_rows=101; have more gold rows or lower that",
        ),
    ],
)
def test_a_bound_that_no_model_keeps_to_is_named(given: str, line: str) -> None:
    assert doubts(load("census", ["labeling.mode=weak", given])) == [line]


def test_gold_rows_that_cannot_vouch_for_the_labels_are_too_few() -> None:
    low, _ = wilson_interval(30, 30) or (0, 0)
    few = ["labeling.mode=weak", "labeling.gold_rows=30", "labeling.gates.max_error_gap=null"]
    [line] = doubts(load("census", [*few, f"labeling.gates.min_accuracy={low + 0.001}"]))
    assert line.startswith("labeling.gates.min_accuracy: ")
    assert f"is above {low:.3f}" in line
    assert "labeling.gold_rows=30" in line
    assert doubts(load("census", [*few, f"labeling.gates.min_accuracy={low - 0.001}"])) == []
    gold = ["labeling.mode=gold", "labeling.gates.min_accuracy=1.0"]
    assert doubts(load("census", gold)) == [], "true labels are not judged"


def test_answers_of_people_may_be_many(tmp_path: Path) -> None:
    few = ["labeling.mode=weak", "labeling.gold_rows=30", "labeling.gates.min_accuracy=0.99"]
    assert len(doubts(load("census", few))) == 2
    assert doubts(load("census", [*few, f"data.answers={tmp_path}"])) == []


def test_slices_larger_than_the_data_are_never_gated() -> None:
    [line] = doubts(load("census", ["data.rows=200"]))
    assert line.startswith("evaluation.min_slice_rows: 300 is more than data.rows=200")


def test_of_several_classes_each_is_named_by_its_kind() -> None:
    given = ["evaluation.edge.min={log_loss: 0}", "evaluation.edge.min_by_class={recall: 1.0}"]
    lines = doubts(load("census", [*THREE, *given]))
    assert [line.partition(": ")[0] for line in lines] == [
        "evaluation.edge.min.log_loss",
        "evaluation.edge.min_by_class.recall",
    ]
    assert "give more" in lines[0]


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ([], "tuner.search: hyperband lets none of tuner.trials=3 go on: with tuner.epochs=3 the"),
        (["tuner.epochs=2"], "tuner.search: hyperband is random search with tuner.epochs=2: have"),
        (["tuner.epochs=9", "tuner.trials=9"], "tuner.search: hyperband lets none of"),
    ],
)
def test_hyperband_has_trials_that_go_on(given: list[str], line: str) -> None:
    [found] = doubts(load("census", ["tuner.search=hyperband", *given]))
    assert found.startswith(line)
    assert doubts(load("census", ["tuner.search=hyperband", "tuner.trials=13", *given[:1]])) == (
        [found] if given[:1] == ["tuner.epochs=2"] else []
    )
