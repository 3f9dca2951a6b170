"""Each piece of evidence on literal values, its bounds included."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from pipeline.config.load import load
from pipeline.labels.answers import Answer, Import, write
from pipeline.retraining import evidence
from pipeline.retraining.answered import imports_in_use, of_answers
from pipeline.retraining.evidence import Evidence
from pipeline.retraining.judged_labels import of_label_shift, of_quality
from pipeline.retraining.judged_rows import Judged, together
from pipeline.retraining.label_shares import LabelBounds

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ONE, TWO = frozenset({"a"}), frozenset({"b"})


def test_a_damaged_version_is_a_reason() -> None:
    found = evidence.of_models({"server": 1, "edge": None}, {"edge": "/x/2/tflite is damaged"})
    assert (found.state, found.message) == ("reason", "/x/2/tflite is damaged")


@pytest.mark.parametrize(
    ("live", "state", "message"),
    [
        ({"server": 3, "edge": 4}, "quiet", "served: server 3, edge 4"),
        ({"server": 3, "edge": None}, "reason", "no edge model is served yet"),
        ({"server": None, "edge": None}, "reason", "no server and no edge model is served yet"),
    ],
)
def test_models(live: Mapping[str, int | None], state: str, message: str) -> None:
    found = evidence.of_models(live, {})
    assert (found.state, found.message) == (state, message)


@pytest.mark.parametrize(
    ("window", "trained", "state", "part"),
    [
        ({1: ONE, 2: TWO}, {1: ONE, 2: TWO}, "quiet", "was trained on spans 1, 2"),
        ({1: ONE, 2: TWO}, {1: ONE}, "reason", "span 2 not in the training data"),
        ({1: TWO}, {1: ONE}, "reason", "span 1 not in the training data"),
        ({2: TWO}, {1: ONE, 2: TWO}, "quiet", "was trained on span 2"),
        ({1: ONE}, None, "reason", "nothing says whether the served model was trained on span 1"),
        ({}, {1: ONE}, "quiet", "every span is held back"),
    ],
)
def test_new_spans(
    window: Mapping[int, frozenset[str]],
    trained: Mapping[int, frozenset[str]] | None,
    state: str,
    part: str,
) -> None:
    found = evidence.of_new_spans(window, trained)
    assert found.state == state
    assert part in found.message


def test_age() -> None:
    month = datetime(2026, 1, 30, tzinfo=UTC)
    assert evidence.of_age(month, NOW, None).state == "quiet"
    assert evidence.of_age(month, NOW, 30.0).state == "quiet", "30 days are allowed"
    old = evidence.of_age(month, NOW, 29.0)
    assert (old.state, old.measurements[0].value) == ("reason", 30.0)
    assert old.message == "the served model is 30.0 days old, 29 are allowed"
    assert evidence.of_age(None, NOW, 29.0).state == "unknown"


def test_answers() -> None:
    assert of_answers({"a": 3}, frozenset({"a"})).state == "quiet"
    new = of_answers({"a": 3, "b": 40}, frozenset({"a"}))
    assert (new.state, new.message) == ("reason", "40 answers of b not in the training data")
    assert of_answers({"a": 3}, None).state == "unknown"
    assert of_answers({}, None).state == "quiet"


def judged(rows: int, agreement: float) -> Judged:
    """Rows of both classes; the model agrees with the first of them."""
    positive = np.arange(rows) % 2 == 0
    agrees = np.arange(rows) < round(agreement * rows)
    return Judged(positive, np.where(positive == agrees, 0.9, 0.1))


BOUNDS = LabelBounds(200, 0.1, 1.0, ("no", "yes"))


def suspicious_spans(found: Evidence) -> list[int | None]:
    return [m.span for m in found.measurements if m.exceeded]


def test_labels_that_turn_against_the_model_block() -> None:
    new = {3: judged(400, 0.62), 4: judged(400, 0.80)}
    found = of_label_shift(new, judged(900, 0.84), together([]), 0.7, BOUNDS)
    assert found.state == "blocking"
    assert suspicious_spans(found) == [3]
    assert found.message == (
        "labels agree with the served model in 62.0% of span 3 and 80.0% of span 4 "
        "(in 84.0% before)"
    )
    assert [m.name for m in found.measurements] == ["span 3", "span 4"]
    assert [m.span for m in found.measurements] == [3, 4]


def test_the_level_of_labels_is_the_pushed_accuracy_where_earlier_rows_are_few() -> None:
    new = {3: judged(400, 0.75)}
    assert of_label_shift(new, judged(10, 1.0), together([]), 0.8, BOUNDS).state == "quiet"
    assert of_label_shift(new, judged(10, 1.0), together([]), 0.9, BOUNDS).state == "blocking"
    assert of_label_shift(new, together([]), together([]), None, BOUNDS).state == "unknown"


def test_few_labels_are_not_judged() -> None:
    found = of_label_shift({3: judged(150, 0.2)}, judged(900, 0.84), together([]), 0.8, BOUNDS)
    assert found.state == "unknown"
    assert found.message == "span 3: 150 labelled rows, retrain.min_labeled_rows=200 are needed"


def imported(number: int, row_ids: list[str]) -> Import:
    given = [
        Answer(
            row_id=row_id,
            answer=">50K",
            annotators=["ann"],
            selection="random",
            inclusion_probability=0.5,
            row_sha256="0",
        )
        for row_id in row_ids
    ]
    return Import(
        format=1,
        id=f"import-{number}",
        imported=datetime(2026, 1, number, tzinfo=UTC),
        file="answers.csv",
        file_sha256="0",
        code_sha256="0",
        config="census",
        label="income",
        columns=[],
        answers=given,
    )


def test_an_import_that_only_repeats_another_is_none_to_learn_from(tmp_path: Path) -> None:
    for number, rows in ((1, ["span-1:0", "span-2:7"]), (2, ["span-2:7"]), (3, ["span-2:8"])):
        write(imported(number, rows), tmp_path / "answers")
    config = load("census")
    assert imports_in_use(config, tmp_path, [2]) == {"import-1": 1, "import-3": 1}
    assert imports_in_use(config, tmp_path, [1, 2]) == {"import-1": 2, "import-3": 1}
    assert imports_in_use(load("census", ["labeling.mode=gold"]), tmp_path, [1, 2]) == {}


def test_quality_on_new_rows() -> None:
    pushed = {"auc": 0.9, "accuracy": 0.85}
    rows = judged(1000, 0.80)
    fell = of_quality(rows, pushed, 200, {"accuracy": 0.04})
    assert (fell.state, fell.measurements[0].exceeded) == ("reason", True)
    assert fell.measurements[0].value == pytest.approx(0.05)
    assert fell.message == "on 1000 new labelled rows: accuracy 0.800 (pushed with 0.850)"
    assert of_quality(rows, pushed, 200, {"accuracy": 0.06}).state == "quiet"
    assert of_quality(rows, {}, 200, {"auc": 0.1}).message.startswith("nothing says what auc was")
    assert of_quality(judged(50, 0.8), pushed, 200, {"auc": 0.1}).state == "unknown"
    one_class = Judged(np.ones(300, bool), np.full(300, 0.9))
    assert of_quality(one_class, pushed, 200, {"auc": 0.1}).message.endswith("are of one class")
