"""What has to be configured for labels by group."""

import pytest

from core.errors import InputError
from core.sections.fairness import GroupRate, Rate
from pipeline.config.load import load

BY_GROUP = "fairness.labels=by_group"


def test_labels_by_group_are_of_a_slice_column_and_a_rate() -> None:
    cases: list[tuple[str, Rate]] = [("sex", "tpr"), ("age_group", "fpr")]
    for column, rate in cases:
        told = [BY_GROUP, f"fairness.column={column}", f"fairness.rate={rate}"]
        assert load("census", told).fairness.of_labels == GroupRate(column=column, rate=rate)


def test_labels_are_left_as_they_are_unless_asked() -> None:
    assert load("census", ["fairness.column=sex"]).fairness.of_labels is None


@pytest.mark.parametrize(
    ("config", "overrides", "key", "message"),
    [
        (
            "census",
            (),
            "fairness.labels",
            "needs fairness.column, whose values are the groups: sex",
        ),
        ("census", ("fairness.column=sexx",), "fairness.column", "nearest that is there is 'sex'"),
        ("census", ("fairness.column=age",), "fairness.column", "add [age] to evaluation.slices"),
        (
            "census",
            ("fairness.column=sex", "labeling.mode=gold"),
            "fairness.labels",
            "labeling.mode=gold has true ones; set it to none",
        ),
        ("visual_relations", (), "fairness.labels", "is for two classes, and there are"),
    ],
)
def test_an_error_says_what_to_do(
    config: str, overrides: tuple[str, ...], key: str, message: str
) -> None:
    with pytest.raises(InputError) as error:
        load(config, [BY_GROUP, *overrides])
    assert f"{key}: " in str(error.value)
    assert message in str(error.value)


def test_rates_are_listed() -> None:
    with pytest.raises(InputError, match=r"fairness\.rate: .* give one of tpr, fpr, selection"):
        load("census", ["fairness.rate=recall"])


def test_a_column_that_is_no_slice_is_said_once() -> None:
    told = [BY_GROUP, "fairness.column=sexx", "fairness.mitigation=min_diff"]
    with pytest.raises(InputError) as error:
        load("census", told)
    assert str(error.value).count("'sexx' is no slice of its own") == 1
