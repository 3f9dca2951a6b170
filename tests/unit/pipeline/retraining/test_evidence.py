"""Each piece of evidence on literal values, its bounds included."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from models.metrics.registry import metrics_of
from pipeline.config.load import load
from pipeline.labels.answers import Answer, Import, write
from pipeline.retraining import evidence
from pipeline.retraining.answered import imports_in_use, of_answers
from pipeline.retraining.evidence import Evidence, Measurement
from pipeline.retraining.judged_labels import after_moved, of_label_shift, of_quality, suspected
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
    return Judged(positive.astype(int), np.where(positive == agrees, 0.9, 0.1))


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


def test_columns_that_moved_are_named_before_the_labels_that_disagree() -> None:
    new = {3: judged(400, 0.62), 4: judged(400, 0.60)}
    found = of_label_shift(new, judged(900, 0.84), together([]), 0.7, BOUNDS)
    hours, age = (
        Measurement(f"{name} jensen_shannon_divergence", 0.7, 0.05, True, "drift_comparator", name)
        for name in ("hours", "age")
    )
    assert after_moved(found, {3: [], 4: []}) == found
    told = after_moved(found, {3: [hours, age], 4: []})
    assert told.message == (
        "hours, age of span 3 are beyond the bounds of drift, look there first, the served model "
        f"does not know such rows; {found.message}"
    )
    assert told.measurements == [hours, age, *found.measurements]
    assert (told.state, suspected(told)) == ("blocking", [3, 4]), "it is held back all the same"


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
    one_class = Judged(np.ones(300, int), np.full(300, 0.9))
    assert of_quality(one_class, pushed, 200, {"auc": 0.1}).message.endswith("are of one class")


CLASSES = ("small bag", "b=o,x", "Crate[1]")


def judged_of_three(counts: tuple[int, int, int], wrong_of_second: int) -> Judged:
    codes = np.repeat([0, 1, 2], counts)
    taken = codes.copy()
    taken[np.flatnonzero(codes == 1)[:wrong_of_second]] = 0
    return Judged(codes, np.where(np.arange(3) == taken[:, None], 0.8, 0.1))


def test_quality_of_three_classes() -> None:
    among = metrics_of(CLASSES)
    pushed = {"macro_f1": 0.95, "log_loss": 0.25, "recall[small bag]": 1.0, "recall[b=o,x]": 0.9}
    rows = judged_of_three((400, 300, 100), 150)
    bounds = {"macro_f1": 0.2, "log_loss": 1.5, "recall": 0.3}
    found = of_quality(rows, pushed, 200, bounds, among)
    assert [(m.name, m.exceeded) for m in found.measurements] == [
        ("recall[small bag] drop", False),
        ("recall[b=o,x] drop", True),
        ("macro_f1 drop", False),
        ("log_loss drop", False),
    ], "of Crate[1] there are too few rows"
    fallen = found.measurements[1]
    assert fallen.value == pytest.approx(0.4)
    assert fallen.key == "retrain.max_quality_drop.recall"
    assert found.measurements[3].value > 0, "a log loss that rises is a fall"
    assert found.state == "reason"
    unknown = of_quality(rows, {"macro_f1": 0.9}, 200, {"log_loss": 1.0}, among)
    assert unknown.message.startswith("nothing says what log_loss was")
    one = of_quality(judged_of_three((300, 0, 0), 0), pushed, 200, bounds, among)
    assert one.message == "all 300 new labelled rows are of one class"


def test_spans_without_labels_are_joined_with_those_that_have_some() -> None:
    empty = Judged(np.zeros(0, np.int64), np.zeros(0))
    joined = together([empty, judged_of_three((5, 3, 2), 0), empty])
    assert (joined.count, joined.probabilities.shape) == (10, (10, 3))
    assert together([empty]).count == 0


def test_a_model_of_other_classes_is_a_reason() -> None:
    why = "the server model that is served tells a, b, c apart, and columns.classes are a, b, c, d"
    found = evidence.of_models({"server": 3, "edge": 4}, {}, why)
    assert (found.state, found.message) == ("reason", why)
