"""What a configuration of `fairness` may say."""

import pytest

from core.errors import InputError
from pipeline.config.load import load
from pipeline.settings import hidden_columns, mitigation_of


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["fairness.mitigation=min_diff"], "fairness.column: min_diff needs the column"),
        (["fairness.reads_column=false"], "reads_column=false needs the column.*sex or race"),
        (
            ["fairness.mitigation=reweighing", "fairness.column=sexx"],
            "'sexx' is no slice of its own.*nearest that is there is 'sex'",
        ),
        (
            [
                "fairness.mitigation=thresholds",
                "fairness.column=sex",
                "fairness.reads_column=false",
            ],
            "fairness.reads_column: thresholds by group need the group",
        ),
        (
            ["fairness.mitigation=thresholds", "fairness.column=age_group"],
            "'age_group': thresholds are for columns.*workclass.*or take min_diff",
        ),
        (
            ["fairness.mitigation=thresholds", "fairness.column=sex", "labeling.gold_weight=1.0"],
            "labeling.gold_weight: 1: thresholds are found on gold rows",
        ),
        (
            ["fairness.mitigation=min_diff", "fairness.column=sex", "fairness.loss=mmd"],
            "fairness.strength: auto is for loss=rate",
        ),
        (["fairness.mitigation=magic"], "fairness.mitigation.*min_diff"),
    ],
)
def test_errors_name_the_key_and_what_to_do(overrides: list[str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        load("census", overrides)


@pytest.mark.parametrize("mitigation", ["min_diff", "thresholds"])
def test_more_than_two_classes_can_be_weighed_and_nothing_else(mitigation: str) -> None:
    column = "fairness.column=subject_kind"
    load("visual_relations", ["fairness.mitigation=reweighing", column])
    with pytest.raises(InputError, match=f"{mitigation} is for two classes, and there are"):
        load("visual_relations", [f"fairness.mitigation={mitigation}", column])


def test_a_hidden_group_hides_what_it_is_made_of() -> None:
    unread = "fairness.reads_column=false"
    assert hidden_columns(load("census")) == ()
    assert hidden_columns(load("census", [unread, "fairness.column=sex"])) == ("sex",)
    of_age = load("census", [unread, "fairness.column=age_group"])
    assert hidden_columns(of_age) == ("age_group", "age")


def test_what_is_not_done_is_told_to_no_node() -> None:
    config = load("census", ["fairness.column=sex", "fairness.rate=fpr"])
    assert mitigation_of(config) == {"fairness": None}
    weak = load("census", ["fairness.column=sex", "fairness.mitigation=min_diff"])
    assert mitigation_of(weak)["gold_weight"] == weak.labeling.gold_weight
    gold = load(
        "census", ["fairness.column=sex", "fairness.mitigation=min_diff", "labeling.mode=gold"]
    )
    assert mitigation_of(gold)["gold_weight"] is None
