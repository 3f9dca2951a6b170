"""Scores of columns and the rules that choose, on tables in which it is known what counts."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from models.features.choosing import ColumnChoice, Keep, choose_by_scores, sample_of
from models.features.encoding import VALUES, bins_of, encode
from models.features.scores import copies_of, mutual_information
from models.features.shadows import find_noise
from models.network.layout import Layout
from models.reference.columns import RawFrame, table_of
from models.reference.models import Labelled
from tests.support.data_sets.every_kind import LAYOUT, columns


def numbers(count: int, width: int, seed: int = 0) -> tuple[RawFrame, np.ndarray]:
    """Columns n0, n1, ... of noise, and their cells."""
    cells = np.random.default_rng(seed).normal(size=(count, width)).astype(np.float32)
    names = tuple(f"n{at}" for at in range(width))
    layout = Layout(numeric=names, categorical=(), buckets=8, text=None)
    return table_of(dict(zip(names, cells.T, strict=True)), layout), cells


def choose(
    table: RawFrame,
    labels: np.ndarray,
    keep: Keep,
    names: Sequence[str] | None = None,
    weights: np.ndarray | None = None,
    judged: np.ndarray | None = None,
    count: int | None = None,
) -> ColumnChoice:
    labels = labels.astype(np.float64).reshape(len(labels), -1)
    weights = np.ones(len(labels)) if weights is None else weights
    judged = np.ones(len(labels), bool) if judged is None else judged
    names = list(table.frame) if names is None else names
    rows = Labelled(table, labels, weights)
    return choose_by_scores(rows, names, keep, judged, count or len(labels), 1)


def rules(made: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {
        "size": np.nan_to_num(made["size"]) > 0.3,
        "colour": made["colour"] == "red",
        "words": made["words"] == "free prize",
        "day": made["day"] == "2024-02-29",
        "code": np.isin(made["code"], ["c1", "c2", "c3"]),
    }


def test_a_column_of_any_kind_is_found_by_every_score() -> None:
    made = columns(1500)
    for name, label in rules(made).items():
        choice = choose(table_of(made, LAYOUT), label, 1, list(made))
        first = choice.scores[0]
        assert choice.kept == [name] == [first.column]
        assert min(first.mutual_information, first.trees, first.linear) > 0.02
        assert first.gain > 0.9
        assert first.stability == 1.0
        assert set(choice.reasons) == {*made} - {name}
        assert "place 5 of 5; features.keep=1" in str(choice.reasons)


def test_of_three_classes_a_text_is_one_column() -> None:
    made = columns(1500)
    codes = np.select([made["words"] == "free prize", made["words"] == "see you"], [0, 1], 2)
    choice = choose(table_of(made, LAYOUT), np.eye(3)[codes], 0.9, list(made))
    assert choice.kept == ["words"]
    assert choice.scores[0].mutual_information > 0.5
    assert "the columns kept hold" in choice.note


def test_soft_labels_and_weights_count() -> None:
    table, cells = numbers(3000, 4)
    soft = np.where(cells[:, 1] > 0, 0.9, 0.1)
    soft[2000:] = np.where(cells[2000:, 2] > 0, 1.0, 0.0)
    weights = np.where(np.arange(3000) < 2000, 1.0, 0.0)
    assert choose(table, soft, 1, weights=weights).kept == ["n1"]
    weights = np.where(np.arange(3000) < 2000, 0.01, 1.0)
    assert choose(table, soft, 1, weights=weights).kept == ["n2"]


def test_two_columns_that_count_only_together_are_kept() -> None:
    table, cells = numbers(2000, 10)
    label = cells[:, 2] * cells[:, 7] > 0
    examples = encode(table, label[:, np.newaxis], np.ones(2000), list(table.frame), 1)
    binned = bins_of(examples.cells, examples.categorical)
    alone = mutual_information(examples, binned, examples.weights)
    assert alone[[2, 7]].max() < 0.01
    for keep in (2, 0.9, "auto"):
        assert choose(table, label, keep).kept == ["n2", "n7"], keep


def test_auto_drops_noise_from_a_wide_table_and_says_why() -> None:
    table, cells = numbers(600, 60)
    label = 2 * cells[:, 3] + 2 * np.abs(cells[:, 40]) > 1.6
    choice = choose(table, label, "auto")
    assert {"n3", "n40"} <= {*choice.kept}
    assert len(choice.kept) < 6
    assert "of 60 columns do not stand out from shuffled copies" in choice.note
    assert "the loss on held-out rows changes by -" in choice.note
    assert all("of 15 draws" in reason for reason in choice.reasons.values())
    stable = {score.column: score.stability for score in choice.scores}
    assert stable["n3"] == 1.0
    assert stable[next(iter(choice.reasons))] in (0.0, 0.067, 0.133, 0.2)


def test_auto_keeps_columns_that_each_tell_a_little() -> None:
    table, cells = numbers(600, 40)
    choice = choose(table, cells.sum(axis=1) > 0, "auto")
    assert len(choice.kept) == 40
    assert "all are kept" in choice.note


def test_auto_leaves_a_table_with_many_rows_for_each_column_alone() -> None:
    table, cells = numbers(1500, 3)
    choice = choose(table, cells[:, 0] > 0, "auto")
    assert (choice.kept, choice.reasons) == (["n0", "n1", "n2"], {})
    assert choice.note.startswith("500 rows for each column")
    table, cells = numbers(400, 30)
    sampled = choose(table, cells[:, 0] > 0, "auto", count=1300)
    assert (len(sampled.kept), sampled.note[:25]) == (30, "400 rows do not tell what")


def test_with_made_labels_noise_is_judged_by_true_ones() -> None:
    table, cells = numbers(600, 60)
    made, true = cells[:, 3] > 0, cells[:, 5] > 0
    few = np.arange(600) < 20
    assert "20 rows have a true label" in choose(table, made, "auto", judged=few).note
    judged = np.arange(600) < 200
    labels = np.where(judged, true, made)
    choice = choose(table, labels, "auto", judged=judged)
    assert "n5" in choice.kept


def test_a_copy_is_named_and_kept_last() -> None:
    table, cells = numbers(1000, 3)
    table.frame["n1"] = table.frame["n0"] * 2 + 1
    choice = choose(table, cells[:, 0] + 0.5 * cells[:, 2] > 0, 2)
    assert "n2" in choice.kept
    [(dropped, reason)] = choice.reasons.items()
    other = {"n0": "n1", "n1": "n0"}[dropped]
    assert reason == f"repeats {other}, which holds 100% of what it holds; features.keep=2"
    found = {score.column: (score.like, score.like_share) for score in choice.scores}
    assert found[dropped] == (other, 1.0)
    assert found["n2"][1] is not None
    assert found["n2"][1] < 0.1


def test_null_scores_all_and_keeps_all() -> None:
    table, cells = numbers(300, 2)
    choice = choose(table, cells[:, 0] > 0, None)
    assert (choice.kept, choice.note) == (
        ["n0", "n1"],
        "all columns are kept: features.keep is null",
    )
    assert [score.stability for score in choice.scores] == [None, None]
    assert choose(table, cells[:, 0] > 0, 2).reasons == {}


@pytest.mark.parametrize("keep", [1, 0.5, "auto", None])
def test_nothing_is_scored_without_two_classes_or_rows(keep: Any) -> None:
    table, cells = numbers(100, 3)
    one = choose(table, np.ones(100), keep)
    assert (one.kept, one.scores) == (["n0", "n1", "n2"], [])
    assert one.note == "not scored: all rows with a label have one class"
    weights = np.where(np.arange(100) < 10, 1.0, 0.0)
    few = choose(table, cells[:, 0] > 0, keep, weights=weights)
    assert few.note == "not scored: 10 rows have a label"


@pytest.mark.parametrize("keep", [1, 0.99, "auto"])
def test_an_empty_column_tells_nothing(keep: Any, recwarn: pytest.WarningsRecorder) -> None:
    made = columns(600)
    label = made["colour"] == "red"
    made["size"][:] = np.nan
    made["words"][:] = ""
    made["day"][:] = ""
    choice = choose(table_of(made, LAYOUT), label, keep, list(made))
    assert "colour" in choice.kept
    empty = [score for score in choice.scores if score.column in ("size", "words", "day")]
    assert [score.importance for score in empty] == [0.0, 0.0, 0.0]
    assert not [str(warning.message) for warning in recwarn]


def test_a_class_of_few_rows_is_no_error() -> None:
    table, cells = numbers(200, 12)
    label = np.argsort(np.argsort(-cells[:, 4])) < 2
    for keep in (3, "auto"):
        assert len(choose(table, label, keep).kept) >= 3
    many = np.eye(20)[np.arange(200) % 19]  # one class has no row
    assert len(choose(table, many, 3).kept) == 3


def test_the_same_rows_and_seed_choose_the_same() -> None:
    table, cells = numbers(400, 30)
    label = cells[:, 0] > 0.5
    assert choose(table, label, "auto") == choose(table, label, "auto")


def test_rows_with_a_true_label_come_first() -> None:
    weights = np.ones(30_000)
    weights[:100] = 0.0
    judged = np.zeros(30_000, bool)
    judged[50:200] = True
    drawn = sample_of(weights, judged, 10, 1)
    assert len(drawn) == 10_000
    assert drawn[:100].tolist() == list(range(100, 200))
    assert (np.diff(drawn) > 0).all()
    assert len(sample_of(weights, judged, 500, 1)) == 5_000
    assert len(sample_of(weights, judged, 50_000, 1)) == 2_000


def test_numbers_are_binned_by_value_or_quantile() -> None:
    few = np.array([[3.0], [np.nan], [1.0], [3.0]], np.float32)
    assert bins_of(few, np.array([False]))[:, 0].tolist() == [1, VALUES, 0, 1]
    many = np.concatenate([np.zeros(900), np.arange(100)]).astype(np.float32)[:, np.newaxis]
    found = bins_of(many, np.array([False]))[:, 0]
    assert len(set(found[:901])) == 1
    assert found[0] not in found[901:]


def test_noise_alone_is_not_compared() -> None:
    table, _ = numbers(300, 20)
    label = np.random.default_rng(5).random(300) < 0.5
    examples = encode(table, label[:, np.newaxis], np.ones(300), list(table.frame), 1)
    noise = find_noise(examples, np.ones(300, bool), 1)
    assert noise.found.mean() > 0.5
    assert not noise.hurts


def test_what_one_column_holds_of_another_goes_one_way() -> None:
    table, cells = numbers(2000, 2)
    table.frame["n1"] = np.where(cells[:, 0] > 0, 1.0, 0.0)
    examples = encode(table, (cells[:, :1] > 0), np.ones(2000), list(table.frame), 1)
    found = copies_of(examples, np.array([1.0, 0.5]))
    assert found["n1"].share > 0.9
    assert found["n0"].share < 0.5
