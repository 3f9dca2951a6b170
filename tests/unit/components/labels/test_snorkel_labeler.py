"""SnorkelLabeler on a few hundred census rows, through Beam and TFX's own Examples files."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tfx.components.util import examples_utils

from core.errors import InputError
from core.names import LABEL_REPORT
from data.census import spans
from models.labels.functions import draw_order
from tests.support.labeler import (
    GOLD_ROWS,
    LABEL_COLUMN,
    TEST_ROWS,
    TRAINING_ROWS,
    Result,
    Row,
    gold_of,
    label,
    read_rows,
    relabeled,
    write_examples,
    write_functions,
)

FIELDS = ("row_id", "label", "weight", "sex")


@pytest.fixture(scope="module")
def census() -> dict[str, list[Row]]:
    training = read_rows(spans.TRAIN_FILE, "span-1", TRAINING_ROWS)
    test = read_rows(spans.TEST_FILE, "test", TEST_ROWS)
    return {"train": training[:300], "eval": training[300:], "test": test}


@pytest.fixture(scope="module")
def weak(tmp_path_factory: pytest.TempPathFactory, census: dict[str, list[Row]]) -> Result:
    folder = tmp_path_factory.mktemp("weak")
    return label(folder, write_examples(folder / "in", census))


def test_every_row_and_column_comes_through(weak: Result, census: dict[str, list[Row]]) -> None:
    for split, rows in census.items():
        got = weak.rows[split]
        assert set(got) == {*rows[0], "label", "weight"}
        for column in set(rows[0]) - {LABEL_COLUMN}:
            texts = ["" if value is None else str(value) for value in got[column]]
            assert texts == [row[column] for row in rows]


def test_only_gold_rows_keep_their_true_label(weak: Result, census: dict[str, list[Row]]) -> None:
    truth = {row["row_id"]: row[LABEL_COLUMN] for row in census["train"] + census["eval"]}
    gold = gold_of(weak)
    assert len(gold) == GOLD_ROWS
    assert gold.items() <= truth.items()


def test_true_labels_are_absent_from_the_bytes(weak: Result) -> None:
    path = next((Path(weak.examples.uri) / "Split-train").iterdir())
    records = list(tf.data.TFRecordDataset(str(path), compression_type="GZIP").as_numpy_iterator())
    labeled = [record for record in records if b"50K" in record]
    assert len(records) == 300
    assert len(labeled) == sum(v is not None for v in weak.rows["train"][LABEL_COLUMN])


def test_labels_and_weights(weak: Result) -> None:
    gold = gold_of(weak)
    for split in ("train", "eval"):
        rows = weak.rows[split]
        for row_id, value, weight in zip(
            *(rows[c] for c in ("row_id", "label", "weight")), strict=True
        ):
            if row_id in gold:
                assert (value, weight) == (float(gold[row_id] == ">50K"), 10.0)
            else:
                assert 0 < value < 1
                assert weight in (0.0, 1.0)
    test = weak.rows["test"]
    assert test["label"] == [float(value == ">50K") for value in test[LABEL_COLUMN]]
    assert set(test["weight"]) == {1.0}


def test_labels_resemble_the_truth(weak: Result, census: dict[str, list[Row]]) -> None:
    right = [
        (value >= 0.5) == (row[LABEL_COLUMN] == ">50K")
        for value, row in zip(weak.rows["train"]["label"], census["train"], strict=True)
    ]
    assert np.mean(right) > 0.78


def test_artifact_is_what_tfx_expects(weak: Result) -> None:
    assert json.loads(weak.examples.split_names) == ["train", "eval", "test"]
    assert examples_utils.get_payload_format_string(weak.examples) == "FORMAT_TF_EXAMPLE"


def test_report(weak: Result) -> None:
    assert weak.report["mode"] == "weak"
    assert weak.report["gold_rows"] == GOLD_ROWS
    assert weak.report["rows"] == TRAINING_ROWS
    assert 0.9 < weak.report["coverage"] <= 1
    assert weak.report["functions"]["never_married"]["accuracy_on_gold"] > 0.8


def test_gold_draw_does_not_depend_on_order_or_shards(
    weak: Result, census: dict[str, list[Row]], tmp_path: Path
) -> None:
    turned = {split: rows[::-1] for split, rows in census.items()}
    again = label(tmp_path, write_examples(tmp_path / "in", turned, shards=3))
    assert gold_of(again) == gold_of(weak)
    assert again.report["functions"].keys() == weak.report["functions"].keys()
    by_row = dict(zip(weak.rows["train"]["row_id"], weak.rows["train"]["label"], strict=True))
    for row_id, value in zip(*(again.rows["train"][c] for c in ("row_id", "label")), strict=True):
        assert value == pytest.approx(by_row[row_id], abs=0.02)


def test_answered_rows_are_gold_beside_the_budget(
    weak: Result, census: dict[str, list[Row]], tmp_path: Path
) -> None:
    drawn = gold_of(weak)
    asked = [row for row in census["train"] if row["row_id"] not in drawn][:60]
    unlabeled = {row["row_id"] for row in asked}
    blank = relabeled(census, lambda r: "" if r["row_id"] in unlabeled else r[LABEL_COLUMN])
    answers = {row["row_id"]: {"label": n % 2, "random": n < 20} for n, row in enumerate(asked)}
    known = next(row_id for row_id in drawn if row_id.startswith("span-1"))
    answers[known] = {"label": int(drawn[known] == ">50K"), "random": True}
    result = label(tmp_path, write_examples(tmp_path / "in", blank, shards=2), answers)
    train = result.rows["train"]
    found = {
        row_id: (value, weight)
        for row_id, value, weight in zip(
            *(train[c] for c in ("row_id", "label", "weight")), strict=True
        )
    }
    assert {i: found[i] for i in unlabeled} == {
        i: (float(answers[i]["label"]), 10.0) for i in unlabeled
    }
    assert gold_of(result) == drawn
    report = result.report
    assert (report["gold_rows"], report["gold_rows_answered"]) == (GOLD_ROWS + 60, 60)
    assert report["gold_rows_random"] == GOLD_ROWS + 20
    positives = sum(value == ">50K" for value in drawn.values()) + 10
    assert report["class_balance"] == pytest.approx(positives / (GOLD_ROWS + 20))


def test_labels_are_moved_by_group_and_nothing_else_is(
    weak: Result, census: dict[str, list[Row]], tmp_path: Path
) -> None:
    examples = write_examples(tmp_path / "in", census, shards=2)
    result = label(tmp_path, examples, by_group={"column": "sex", "rate": "tpr"})
    groups = result.report["by_group"]["groups"]
    assert {"Female", "Male"} == set(groups)
    assert groups["Female"]["shift"] != groups["Male"]["shift"]
    assert sum(group["gold_rows"] for group in groups.values()) <= GOLD_ROWS
    assert gold_of(result) == gold_of(weak)
    seen = set()
    for split in ("train", "eval"):
        before, after = (
            {row[0]: row[1:] for row in zip(*(of[c] for c in FIELDS), strict=True)}
            for of in (weak.rows[split], result.rows[split])
        )
        for row_id, (value, weight, sex) in before.items():
            moved = row_id not in gold_of(weak) and weight > 0
            odds = value / (1 - value) * np.exp(groups[sex]["shift"]) if moved else 0
            wanted = odds / (1 + odds) if moved else value
            assert after[row_id] == (pytest.approx(wanted, abs=2e-3), weight, sex)
            seen.add((moved, sex))
    assert seen == {(moved, sex) for moved in (True, False) for sex in groups}
    test, plain = (
        {*zip(*(of.rows["test"][c] for c in FIELDS), strict=True)} for of in (result, weak)
    )
    assert test == plain
    assert weak.report["by_group"] is None


def test_shards_without_rows(census: dict[str, list[Row]], tmp_path: Path) -> None:
    few = {**census, "eval": census["eval"][:2]}
    result = label(tmp_path, write_examples(tmp_path / "in", few, shards=3))
    assert result.report["rows"] == 302


def test_another_seed_draws_other_gold_rows(
    weak: Result, census: dict[str, list[Row]], tmp_path: Path
) -> None:
    other = label(tmp_path, write_examples(tmp_path / "in", census), seed=2)
    assert gold_of(other).keys() != gold_of(weak).keys()
    assert len(gold_of(other)) == GOLD_ROWS


@pytest.mark.parametrize(("uncovered", "weight"), [("distill", 0.0), ("prior", 1.0)])
def test_rows_without_a_vote(
    census: dict[str, list[Row]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    uncovered: str,
    weight: float,
) -> None:
    functions = write_functions(tmp_path, monkeypatch, f"sparse_{uncovered}", "return -1")
    examples = write_examples(tmp_path / "in", census)
    result = label(tmp_path, examples, functions=functions, uncovered=uncovered)
    gold = gold_of(result)
    train = result.rows["train"]
    silent = [
        (value, w)
        for row_id, age, school, value, w in zip(
            *(train[c] for c in ("row_id", "age", "education-num", "label", "weight")), strict=True
        )
        if row_id not in gold and age >= 25 and school <= 13
    ]
    assert silent
    assert all(w == weight for _, w in silent)
    balance = pytest.approx(result.report["class_balance"])
    assert all(value == balance for value, _ in silent)
    assert result.report["coverage"] < 0.5
    assert result.report["functions"]["last"]["weight"] is None


def test_rows_without_a_vote_are_left_out(census: dict[str, list[Row]], tmp_path: Path) -> None:
    for folder in ("kept", "dropped"):
        (tmp_path / folder).mkdir()
    examples = write_examples(tmp_path / "in", census)
    few = "tests.support.faulty_functions.few"
    whole = label(tmp_path / "kept", examples, functions=few)
    result = label(tmp_path / "dropped", examples, functions=few, uncovered="drop")
    assert result.report == whole.report
    for split in ("train", "eval"):
        rows = whole.rows[split]
        kept = [n for n, weight in enumerate(rows["weight"]) if weight > 0]
        assert 0 < len(kept) < len(rows["weight"])
        assert result.rows[split] == {c: [values[n] for n in kept] for c, values in rows.items()}


def test_gold_mode(census: dict[str, list[Row]], tmp_path: Path) -> None:
    blank = {**census, "train": [{**census["train"][0], LABEL_COLUMN: ""}, *census["train"][1:]]}
    result = label(tmp_path, write_examples(tmp_path / "in", blank), mode="gold", functions=None)
    train = result.rows["train"]
    assert train["label"][1:] == [float(r[LABEL_COLUMN] == ">50K") for r in blank["train"][1:]]
    assert train["weight"] == [0.0] + [1.0] * 299
    assert result.report["mode"] == "gold"
    assert result.report["gold_rows"] == TRAINING_ROWS - 1
    assert result.report["functions"] == {}


@pytest.mark.parametrize("mode", ["weak", "gold"])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda row: "<=50K", r"none of \d+ gold rows has the class '>50K'"),
        (lambda row: "maybe", "row span-1:0, column income-per-year: unknown label 'maybe'"),
    ],
)
def test_bad_labels(
    census: dict[str, list[Row]],
    tmp_path: Path,
    mode: str,
    change: Callable[[Row], str],
    message: str,
) -> None:
    examples = write_examples(tmp_path / "in", relabeled(census, change))
    with pytest.raises(InputError, match=message):
        label(tmp_path, examples, mode=mode)
    assert not (tmp_path / "report" / LABEL_REPORT.file).exists()


@pytest.mark.parametrize(
    ("mode", "message"),
    [
        ("weak", "income-per-year: 0 rows of train and eval have a label, .*asks for 50"),
        ("gold", "income-per-year: missing, or empty in every row.*mode=gold needs true labels"),
    ],
)
def test_label_column_missing(
    census: dict[str, list[Row]], tmp_path: Path, mode: str, message: str
) -> None:
    without = {
        split: [
            {k: v for k, v in row.items() if k != LABEL_COLUMN or split == "test"} for row in rows
        ]
        for split, rows in census.items()
    }
    with pytest.raises(InputError, match=message):
        label(tmp_path, write_examples(tmp_path / "in", without), mode=mode)


def test_fewer_labeled_rows_than_the_budget(census: dict[str, list[Row]], tmp_path: Path) -> None:
    few = relabeled(census, lambda row: row[LABEL_COLUMN] if row["row_id"].endswith("7") else "")
    with pytest.raises(InputError, match="40 rows of train and eval have a label"):
        label(tmp_path, write_examples(tmp_path / "in", few))


def test_test_row_without_label(census: dict[str, list[Row]], tmp_path: Path) -> None:
    test = [
        {**row, LABEL_COLUMN: ""} if row["row_id"] == "test:5" else row for row in census["test"]
    ]
    with pytest.raises(InputError, match="row test:5, column income-per-year: empty"):
        label(tmp_path, write_examples(tmp_path / "in", {**census, "test": test}))


@pytest.mark.parametrize(
    ("name", "body", "message"),
    [
        ("raises", "return row['occupation'].count('x')", r"last, row span-1:\d+: AttributeError"),
        ("returns_two", "return 2", r"last, row span-1:0: returned 2"),
        ("peeks", "return int(row['income-per-year'] == '>50K')", "KeyError: 'income-per-year'"),
    ],
)
def test_bad_function(
    census: dict[str, list[Row]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    body: str,
    message: str,
) -> None:
    functions = write_functions(tmp_path, monkeypatch, name, body)
    with pytest.raises(InputError, match=message):
        label(tmp_path, write_examples(tmp_path / "in", census), functions=functions)


def test_truncated_file(census: dict[str, list[Row]], tmp_path: Path) -> None:
    examples = write_examples(tmp_path / "in", census)
    path = next((tmp_path / "in" / "Split-eval").iterdir())
    records = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(records[:-20]))  # within the last record
    with pytest.raises(InputError, match=r"Split-eval/data_tfrecord-.*: truncated or damaged"):
        label(tmp_path, examples)


def test_a_rare_class_is_among_the_gold_rows(census: dict[str, list[Row]], tmp_path: Path) -> None:
    """Three positives in all: the random draw of forty rows alone would hold none of them."""
    rare = {split: [dict(row) for row in rows] for split, rows in census.items()}
    every = sorted(
        (r for split in ("train", "eval") for r in rare[split]),
        key=lambda row: draw_order(1, str(row["row_id"])),
    )
    for place, row in enumerate(every):
        row[LABEL_COLUMN] = ">50K" if place in (60, 70, 80) else "<=50K"
    result = label(tmp_path, write_examples(tmp_path / "rare", rare), gold_rows=40)
    gold = gold_of(result)
    assert len(gold) == 40
    assert {str(every[n]["row_id"]) for n in (60, 70, 80)} <= gold.keys()
    assert result.report["gold_rows_random"] == 40, "the random ones have one class: all measure"
    assert result.report["class_balance"] == pytest.approx(3 / len(every))


def test_a_chosen_budget_does_not_depend_on_shards_and_measures_by_its_random_rows(
    weak: Result, census: dict[str, list[Row]], tmp_path: Path
) -> None:
    how: dict[str, Any] = {"gold_choice": "informative", "random_share": 0.5}
    first = label(tmp_path / "one", write_examples(tmp_path / "one" / "in", census), **how)
    turned = {split: rows[::-1] for split, rows in census.items()}
    examples = write_examples(tmp_path / "three" / "in", turned, shards=3)
    second = label(tmp_path / "three", examples, **how)
    gold = gold_of(first)
    assert gold == gold_of(second)
    assert len(gold) == GOLD_ROWS
    assert first.report["gold_rows_random"] == GOLD_ROWS / 2
    both = gold.keys() & gold_of(weak).keys()
    assert GOLD_ROWS / 2 <= len(both) < GOLD_ROWS


def test_columns_tell_rows_with_the_same_votes_apart(weak: Result) -> None:
    assert weak.report["method"] == "votes_and_columns"
    rows = weak.rows["train"]
    gold = gold_of(weak)
    kept = [
        value
        for row_id, value, weight in zip(
            *(rows[c] for c in ("row_id", "label", "weight")), strict=True
        )
        if row_id not in gold and weight == 1.0
    ]
    assert len(set(kept)) > 0.9 * len(kept)
