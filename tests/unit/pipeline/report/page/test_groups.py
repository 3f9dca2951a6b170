"""SliceGroups of slices: how they are told from their names, and which are shown."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.report.page.groups import (
    MOST,
    SliceGroup,
    groups_of_run,
    labels_of,
    min_slice_rows,
    parse,
)
from pipeline.report.page.part import RunRecord
from pipeline.report.summary import Summary
from tests.support.records.measured import HOSTILE, LEAST, record_of, rows_of_two
from tests.support.records.summaries import MODEL, VALUES


@pytest.mark.parametrize(
    ("name", "keys", "found"),
    [
        ("sex=Female", [("sex",)], (("sex",), ["Female"])),
        ("sex=a,b=c", [("sex",)], (("sex",), ["a,b=c"])),
        ("sex=F,land=x", [("sex", "land"), ("sex",)], (("sex", "land"), ["F", "x"])),
        ("sex=a,b,land=", [("sex", "land"), ("sex",)], (("sex", "land"), ["a,b", ""])),
        ("a.b=1", [("a.b",)], (("a.b",), ["1"])),
        ("sex=F,land=x", [], (("sex", "land"), ["F", "x"])),
    ],
)
def test_columns_and_values_are_told_from_a_name(
    name: str, keys: list[tuple[str, ...]], found: tuple[tuple[str, ...], list[str]]
) -> None:
    assert parse(name, keys) == found


def with_slices(folder: Path, rows: dict[str, int]) -> RunRecord:
    slices = {name: {"auc": 0.9, "examples": count} for name, count in rows.items()}
    model: dict[str, Any] = {**MODEL, "slices": slices, "gaps": {"sex": {}, "land": {}}}
    values = {**VALUES, "models": {"teacher_pruned": model}}
    return RunRecord(Summary.model_validate(values), [], folder, None)


def test_columns_alone_come_first_and_tiny_groups_are_counted_only(tmp_path: Path) -> None:
    record = record_of(rows_of_two(), tmp_path)
    single, other, both = groups_of_run(record.summary.models.values(), record)
    assert (single.title, other.title, both.title) == ("sex", "land", "sex and land")
    assert [group.label for group in single.shown] == [HOSTILE, "Männer"]
    assert {group.label: group.gated for group in other.shown} == {
        "a,b=c": True, "tiny": False, "東京": True,
    }  # fmt: skip
    assert both.small > 0
    assert both.complete
    assert both.said is not None
    assert "of fewer than 10 rows" in both.said
    assert all(group.rows >= 10 for group in both.shown)


def test_many_groups_are_cut_to_the_largest(tmp_path: Path) -> None:
    record = with_slices(tmp_path, {f"sex={n}": 100 + n for n in range(MOST + 5)})
    [groups] = groups_of_run(record.summary.models.values(), record)
    assert len(groups.shown) == MOST
    assert groups.left_out == 5
    assert not groups.complete
    assert min(group.rows for group in groups.shown) == 105
    assert groups.said == "Not shown: 5 smaller ones."


def test_without_a_configuration_columns_are_told_from_those_that_are_sliced_alone(
    tmp_path: Path,
) -> None:
    record = with_slices(tmp_path, {"sex=F": 100, "land=x": 100, "sex=F,land=x": 100})
    found = groups_of_run(record.summary.models.values(), record)
    assert [groups.columns for groups in found] == [("sex",), ("land",), ("sex", "land")]
    assert min_slice_rows(record) is None
    kept = {"slices": [["sex"]], "min_slice_rows": 7, "few_rows": 5, "when_too_few": "warn"}
    assert min_slice_rows(replace(record, settings={"evaluation": kept})) == 7
    assert min_slice_rows(replace(record, settings={"evaluation": None})) is None
    assert min_slice_rows(record_of(rows_of_two(), tmp_path)) == LEAST


def test_a_group_of_small_ages_comes_first(tmp_path: Path) -> None:
    record = with_slices(tmp_path, {"sex=25-34": 50, "sex=<25": 50, "sex=": 50})
    [groups] = groups_of_run(record.summary.models.values(), record)
    assert [group.label for group in groups.shown] == ["<25", "(empty)", "25-34"]


def test_groups_that_are_called_alike_are_told_apart() -> None:
    groups = [SliceGroup("a=yes", "yes", 10, True), SliceGroup("b=yes", "yes", 1200, True)]
    assert labels_of(groups) == {"a=yes": "a=yes (10)", "b=yes": "b=yes (1,200)"}
