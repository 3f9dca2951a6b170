"""Labelling functions of the visual relations: does the subject ride or carry the object?

Each function takes a row, a mapping from column name to value (None if the value is missing), and
votes for a class by its name, or abstains. They go by the categories of the two things, by their
sizes, and by where the object is as seen from the subject: `offset_y` above zero says that its
middle is the lower one. They were written from general knowledge and from reading relations of the
training part. Every Snorkel `LabelingFunction` of this module takes part: a new function needs no
registration.
"""

import math
from collections.abc import Mapping
from typing import Any

from snorkel.labeling import labeling_function

RIDE, CARRY, OTHER, ABSTAIN = "ride", "carry", "other", -1

Row = Mapping[str, Any]
Vote = str | int

SADDLED = {"bike", "motorcycle", "horse", "elephant"}
VEHICLES = {"bus", "truck", "van", "car", "train", "boat", "cart", "plane", "airplane"}
STANDING_BOARDS = {"skateboard", "snowboard"}
BOARDS = STANDING_BOARDS | {"surfboard", "skis"}
ANIMALS = {"dog", "cat", "bear", "giraffe", "horse", "elephant"}
HANDY = {"bag", "luggage", "suitcase", "basket", "umbrella", "bottle", "cup", "jacket"}
SEATS = {"chair", "bench", "sofa", "bed", "table", "desk", "counter", "shelf", "sink", "pillow"}
SEATS |= {"ramp", "basket", "box", "plate"}
GROUND = {"street", "road", "grass", "sand", "mountain"}
SIGHTS = {"person", "phone", "laptop", "monitor", "computer", "camera", "pizza", "ball", "clock"}
SIGHTS |= {"cat", "dog", "bear", "giraffe", "tower", "hydrant", "cone", "plane", "airplane", "car"}
COVERS = {"umbrella", "hat", "helmet", "jacket", "coat", "glasses", "tree", "trees", "sky", "roof"}
AT_THE_FEET = 0.25  # of the subject's height: how far its feet are below its middle, at least
AT_HAND = 0.2


def number(row: Row, column: str) -> float:
    """The value of a number column; NaN where it is missing, which no comparison holds for."""
    value = row[column]
    return math.nan if value is None else float(value)


def is_person(row: Row) -> bool:
    """Whether the subject is one."""
    return bool(row["subject"] == "person")


def meet(row: Row) -> bool:
    """Whether the two boxes have a part in common."""
    return number(row, "overlap") > 0


@labeling_function()
def in_the_saddle(row: Row) -> Vote:
    """A person who meets what has a saddle sits in it, and mostly it moves."""
    return RIDE if is_person(row) and row["object"] in SADDLED and meet(row) else ABSTAIN


@labeling_function()
def above_what_moves(row: Row) -> Vote:
    """A person over the middle of what takes a person along, neither far larger."""
    over = number(row, "offset_y") > 0 and abs(number(row, "offset_x")) < 0.5
    alike = 0.1 < number(row, "area_ratio") < 10
    moves = row["object"] in SADDLED | STANDING_BOARDS
    return RIDE if is_person(row) and moves and over and alike else ABSTAIN


@labeling_function()
def board_at_the_feet(row: Row) -> Vote:
    """A skateboard or a snowboard under a person is ridden."""
    under = number(row, "offset_y") > AT_THE_FEET
    return RIDE if is_person(row) and row["object"] in STANDING_BOARDS and under else ABSTAIN


@labeling_function()
def on_skis_or_surfboard(row: Row) -> Vote:
    """Of skis and surfboards people say that somebody stands on them."""
    under = number(row, "offset_y") > AT_THE_FEET
    stands = row["object"] in BOARDS - STANDING_BOARDS and under
    return OTHER if is_person(row) and stands else ABSTAIN


@labeling_function()
def passenger(row: Row) -> Vote:
    """Who is within the box of a vehicle is aboard."""
    aboard = row["object"] in VEHICLES and number(row, "subject_inside") > 0.9
    return RIDE if (is_person(row) or row["subject"] in ANIMALS) and aboard else ABSTAIN


@labeling_function()
def beside_a_vehicle(row: Row) -> Vote:
    """Who is not within the box of a vehicle looks at it or stands by it."""
    outside = number(row, "subject_inside") <= 0.9
    return OTHER if is_person(row) and row["object"] in VEHICLES and outside else ABSTAIN


@labeling_function()
def board_in_the_arms(row: Row) -> Vote:
    """A board no lower than the hips is carried."""
    held = number(row, "offset_y") < AT_HAND
    return CARRY if is_person(row) and row["object"] in BOARDS and held and meet(row) else ABSTAIN


@labeling_function()
def handy(row: Row) -> Vote:
    """Bags, umbrellas and the like are there to be carried."""
    return CARRY if is_person(row) and row["object"] in HANDY else ABSTAIN


@labeling_function()
def small_at_hand(row: Row) -> Vote:
    """A thing far smaller than the person whose box it is in, at the height of the hands."""
    small = number(row, "area_ratio") < 0.3 and number(row, "object_inside") > 0.5
    level = abs(number(row, "offset_y")) < AT_HAND
    seen = row["object"] in SIGHTS | SEATS
    return CARRY if is_person(row) and small and level and not seen else ABSTAIN


@labeling_function()
def has_a_person_on_it(row: Row) -> Vote:
    """What takes persons along carries them."""
    takes = row["subject"] in SADDLED | VEHICLES
    return CARRY if takes and row["object"] == "person" else ABSTAIN


@labeling_function()
def thing_with_load(row: Row) -> Vote:
    """Neither a living thing nor a cover, and over the object's box: a load and its carrier."""
    living = is_person(row) or row["subject"] in ANIMALS
    loaded = number(row, "object_inside") > 0.5 and number(row, "offset_y") < 0.1
    return CARRY if not living and row["subject"] not in COVERS and loaded else ABSTAIN


@labeling_function()
def seat(row: Row) -> Vote:
    """On furniture one sits, stands or lies."""
    return OTHER if row["object"] in SEATS and row["subject"] not in COVERS else ABSTAIN


@labeling_function()
def ground(row: Row) -> Vote:
    """On the ground one stands, sits or parks."""
    return OTHER if row["object"] in GROUND else ABSTAIN


@labeling_function()
def sight(row: Row) -> Vote:
    """Persons and animals look at each other, at screens and at food."""
    looks = is_person(row) or row["subject"] in ANIMALS - SADDLED
    return OTHER if looks and row["object"] in SIGHTS else ABSTAIN


@labeling_function()
def apart(row: Row) -> Vote:
    """What does not meet its object looks at it, or has it above."""
    return OTHER if number(row, "overlap") == 0 else ABSTAIN


@labeling_function()
def cover(row: Row) -> Vote:
    """Clothes, umbrellas and trees cover."""
    return OTHER if row["subject"] in COVERS else ABSTAIN


@labeling_function()
def flying(row: Row) -> Vote:
    """Kites fly, and so does what is in the sky."""
    return OTHER if "kite" in {row["subject"], row["object"]} or row["object"] == "sky" else ABSTAIN


@labeling_function()
def animal(row: Row) -> Vote:
    """An animal that nobody rides sits, stands or looks; aboard a vehicle it rides."""
    idle = row["subject"] in ANIMALS - SADDLED and row["object"] not in VEHICLES | SADDLED
    return OTHER if idle else ABSTAIN
