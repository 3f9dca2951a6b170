"""The labelling functions of the visual relations: what they vote on relations made up for it."""

from typing import Any

import pytest
from snorkel.labeling import LabelingFunction

from data.visual_relations import labeling_functions
from data.visual_relations.labeling_functions import ABSTAIN, CARRY, OTHER, RIDE
from pipeline.config import load as config

FUNCTIONS = {
    function.name: function
    for function in vars(labeling_functions).values()
    if isinstance(function, LabelingFunction)
}
COLUMNS = config.load("visual_relations").columns
MEETING = {"overlap": 0.2, "subject_inside": 0.5, "object_inside": 0.5, "area_ratio": 1.0}
MEETING |= {"offset_x": 0.0, "offset_y": 0.0}
APART = {"overlap": 0.0, "subject_inside": 0.0, "object_inside": 0.0}
BELOW: dict[str, Any] = {"offset_y": 0.5}
INSIDE: dict[str, Any] = {"subject_inside": 1.0, "area_ratio": 20.0}


def row(subject: str | None, other: str | None, **values: Any) -> dict[str, Any]:
    """A row as functions get it: the columns of the configuration and no others."""
    columns = dict.fromkeys((*COLUMNS.numeric, *COLUMNS.categorical))
    given = {"subject": subject, "object": other, **MEETING, **values}
    assert given.keys() <= columns.keys()
    return columns | given


@pytest.mark.parametrize(
    ("function", "subject", "other", "values", "vote"),
    [
        ("in_the_saddle", "person", "bike", {}, RIDE),
        ("in_the_saddle", "person", "bike", APART, ABSTAIN),
        ("in_the_saddle", "dog", "bike", {}, ABSTAIN),
        ("above_what_moves", "person", "horse", BELOW, RIDE),
        ("above_what_moves", "person", "horse", {"offset_y": -0.5}, ABSTAIN),
        ("above_what_moves", "person", "horse", {**BELOW, "offset_x": 2.0}, ABSTAIN),
        ("board_at_the_feet", "person", "skateboard", BELOW, RIDE),
        ("board_at_the_feet", "person", "skateboard", {}, ABSTAIN),
        ("board_at_the_feet", "person", "skis", BELOW, ABSTAIN),
        ("on_skis_or_surfboard", "person", "skis", BELOW, OTHER),
        ("on_skis_or_surfboard", "person", "skateboard", BELOW, ABSTAIN),
        ("passenger", "dog", "boat", INSIDE, RIDE),
        ("passenger", "person", "boat", {}, ABSTAIN),
        ("beside_a_vehicle", "person", "boat", {}, OTHER),
        ("beside_a_vehicle", "person", "boat", INSIDE, ABSTAIN),
        ("board_in_the_arms", "person", "surfboard", {}, CARRY),
        ("board_in_the_arms", "person", "surfboard", BELOW, ABSTAIN),
        ("handy", "person", "bag", {}, CARRY),
        ("handy", "bag", "person", {}, ABSTAIN),
        ("small_at_hand", "person", "can", {"area_ratio": 0.1, "object_inside": 0.9}, CARRY),
        ("small_at_hand", "person", "phone", {"area_ratio": 0.1, "object_inside": 0.9}, ABSTAIN),
        ("has_a_person_on_it", "motorcycle", "person", {}, CARRY),
        ("has_a_person_on_it", "cat", "person", {}, ABSTAIN),
        ("thing_with_load", "cart", "box", {"object_inside": 0.9, "offset_y": -0.2}, CARRY),
        ("thing_with_load", "umbrella", "person", {"object_inside": 0.9}, ABSTAIN),
        ("seat", "cat", "sofa", {}, OTHER),
        ("seat", "umbrella", "table", {}, ABSTAIN),
        ("ground", "car", "street", {}, OTHER),
        ("sight", "person", "laptop", {}, OTHER),
        ("sight", "horse", "person", {}, ABSTAIN),
        ("apart", "person", "van", APART, OTHER),
        ("apart", "person", "van", {}, ABSTAIN),
        ("cover", "umbrella", "person", {}, OTHER),
        ("flying", "person", "kite", {}, OTHER),
        ("flying", "plane", "sky", {}, OTHER),
        ("animal", "cat", "oven", {}, OTHER),
        ("animal", "dog", "motorcycle", {}, ABSTAIN),
    ],
)
def test_votes(function: str, subject: str, other: str, values: dict[str, Any], vote: Any) -> None:
    assert FUNCTIONS[function](row(subject, other, **values)) == vote


def test_every_function_has_a_case_and_votes_for_a_class_of_the_configuration() -> None:
    [marks] = test_votes.pytestmark
    cases = marks.args[1]
    assert {case[0] for case in cases} == FUNCTIONS.keys()
    assert {case[-1] for case in cases} == {*COLUMNS.classes, ABSTAIN}


def test_a_row_of_missing_values_gets_no_vote() -> None:
    empty = dict.fromkeys((*COLUMNS.numeric, *COLUMNS.categorical))
    assert {function(empty) for function in FUNCTIONS.values()} == {ABSTAIN}
