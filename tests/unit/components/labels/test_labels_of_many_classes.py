"""SnorkelLabeler on three classes: a share of each in every row, true in gold and test rows."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import InputError
from data.census import spans
from tests.support.labeler import (
    GOLD_ROWS,
    LABEL_COLUMN,
    Result,
    Row,
    gold_of,
    label,
    read_rows,
    write_examples,
)

CLASSES = ("young", "<=50K", ">50K")

FUNCTIONS = """
from snorkel.labeling import labeling_function


@labeling_function()
def by_name(row):
    return "young" if row["age"] < 24 else -1


@labeling_function()
def by_code(row):
    return 2 if row["education-num"] > 12 and row["age"] > 30 else -1


@labeling_function()
def little_school(row):
    return "<=50K" if row["education-num"] < 10 and row["age"] > 26 else -1


@labeling_function()
def last(row):
    return {last}
"""


@pytest.fixture(scope="module")
def rows() -> dict[str, list[Row]]:
    """The census, where people below 25 are a class of their own."""
    training = read_rows(spans.TRAIN_FILE, "span-1", 400)
    parts = {
        "train": training[:300],
        "eval": training[300:],
        "test": read_rows(spans.TEST_FILE, "test", 60),
    }
    return {
        split: [
            {**r, LABEL_COLUMN: CLASSES[0] if int(r["age"]) < 25 else r[LABEL_COLUMN]} for r in part
        ]
        for split, part in parts.items()
    }


def write_module(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, last: str) -> str:
    (folder / f"{name}.py").write_text(FUNCTIONS.format(last=last))
    monkeypatch.syspath_prepend(str(folder))
    return name


def run(
    rows: dict[str, list[Row]], folder: Path, monkeypatch: pytest.MonkeyPatch, **changes: Any
) -> Result:
    name = write_module(
        folder, monkeypatch, f"three_{folder.name}", "'>50K' if row['age'] > 60 else -1"
    )
    examples = write_examples(folder / "in", rows, shards=2)
    told: dict[str, Any] = {"functions": name, **changes}
    return label(folder, examples, classes=CLASSES, **told)


def test_labels_are_a_share_of_each_class(
    rows: dict[str, list[Row]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = run(rows, tmp_path, monkeypatch)
    gold = gold_of(found)
    assert len(gold) == GOLD_ROWS
    train = found.rows["train"]
    labels = np.array(train["label"])
    assert labels.shape == (300, 3)
    np.testing.assert_allclose(labels.sum(axis=1), 1, atol=1e-6)
    of_class = dict(zip(CLASSES, np.eye(3).tolist(), strict=True))
    for row_id, shares, weight in zip(
        *(train[c] for c in ("row_id", "label", "weight")), strict=True
    ):
        if row_id in gold:
            assert (shares, weight) == (of_class[gold[row_id]], 10.0)
        else:
            assert max(shares) < 1
            assert weight in (0.0, 1.0)
    silent = labels[np.array(train["weight"]) == 0]
    balance = found.report["class_balance"]
    assert list(balance) == list(CLASSES)
    np.testing.assert_allclose(silent, [list(balance.values())] * len(silent), rtol=1e-6)
    test = found.rows["test"]
    assert test["label"] == [of_class[name] for name in test[LABEL_COLUMN]]
    assert set(test["weight"]) == {1.0}
    truth = {row["row_id"]: row[LABEL_COLUMN] for row in rows["train"]}
    told = [CLASSES[code] for code in labels.argmax(axis=1)]
    right = np.mean([truth[i] == name for i, name in zip(train["row_id"], told, strict=True)])
    assert right > 0.7
    assert found.report["functions"]["by_code"]["polarity"] == [">50K"]
    assert "error" not in {finding["severity"] for finding in found.report["findings"]}


def test_true_labels_alone(
    rows: dict[str, list[Row]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blank = {**rows, "eval": [{**rows["eval"][0], LABEL_COLUMN: ""}, *rows["eval"][1:]]}
    found = run(blank, tmp_path, monkeypatch, mode="gold")
    labels = np.array(found.rows["train"]["label"] + found.rows["eval"]["label"])
    names = found.rows["train"][LABEL_COLUMN] + found.rows["eval"][LABEL_COLUMN]
    known = np.array([name is not None for name in names])
    assert (~known).sum() == 1
    codes = [CLASSES.index(name) for name in names if name is not None]
    np.testing.assert_array_equal(labels[known], np.eye(3)[codes])
    balance = np.bincount(codes, minlength=3) / len(codes)
    np.testing.assert_allclose(labels[~known][0], balance, rtol=1e-6)
    np.testing.assert_allclose(list(found.report["class_balance"].values()), balance)


def test_answers_of_people_are_one_hot(
    rows: dict[str, list[Row]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {row["row_id"]: {"label": n % 3, "random": True} for n, row in enumerate(rows["eval"])}
    blank = {**rows, "eval": [{**row, LABEL_COLUMN: ""} for row in rows["eval"]]}
    name = write_module(tmp_path, monkeypatch, "answered", "-1")
    examples = write_examples(tmp_path / "in", blank)
    found = label(tmp_path, examples, asked, classes=CLASSES, functions=name)
    expected = {row_id: np.eye(3)[answer["label"]].tolist() for row_id, answer in asked.items()}
    part = found.rows["eval"]
    assert dict(zip(part["row_id"], part["label"], strict=True)) == expected
    assert found.report["gold_rows_answered"] == 100


@pytest.mark.parametrize(
    ("name", "last", "what"),
    [
        ("code", "3", "returned 3"),
        ("negative", "-2", "returned -2"),
        ("word", "'old'", "returned 'old'"),
        ("case", "'Young'", "returned 'Young'"),
        ("truth", "True", "returned True"),
        ("nothing", "None", "returned None"),
        ("share", "0.5", "returned 0.5"),
    ],
)
def test_a_vote_outside_the_classes_names_function_row_and_classes(
    rows: dict[str, list[Row]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    last: str,
    what: str,
) -> None:
    module = write_module(tmp_path, monkeypatch, f"outside_{name}", last)
    with pytest.raises(InputError) as told:
        label(
            tmp_path,
            write_examples(tmp_path / "in", rows),
            classes=CLASSES,
            functions=module,
        )
    expected = (
        f"labelling function last, row span-1:0: {what}; a vote is -1 (ABSTAIN) or a class by its "
        "code or name: 0 'young', 1 '<=50K', 2 '>50K'"
    )
    assert str(told.value).startswith(expected)


@pytest.mark.parametrize("mode", ["weak", "gold"])
def test_a_class_without_a_row_is_named(
    rows: dict[str, list[Row]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    none = {
        split: [{**r, LABEL_COLUMN: r[LABEL_COLUMN].replace("young", "<=50K")} for r in part]
        for split, part in rows.items()
    }
    with pytest.raises(
        InputError, match=r"none of \d+ gold rows has the class 'young'; .*gold_rows"
    ):
        run(none, tmp_path, monkeypatch, mode=mode)


def test_a_label_outside_the_classes_names_its_row(
    rows: dict[str, list[Row]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = {**rows, "train": [{**rows["train"][0], LABEL_COLUMN: "Young"}, *rows["train"][1:]]}
    with pytest.raises(
        InputError, match="row span-1:0, column income-per-year: unknown label 'Young'"
    ):
        run(wrong, tmp_path, monkeypatch)
