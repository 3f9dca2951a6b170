"""Lays the visual relations out as spans: `span-1/data.csv` and `test/data.csv`.

In: the folder `data.source` with the published annotation files (annotations.py); nobody packages
them, and none is kept here. Out: the relations of nine predicates, the task of Snorkel's tutorial
on visual relations: does the subject ride the object, carry it, or do something other? A row holds
the categories of both things and their geometry, the boxes alone: no pixels are read. Provenance
and columns: `data/visual_relations/README.md`.
Fails with InputError when a file is missing, is not the one expected, or does not fit the format.
"""

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from data import packaged_spans
from data.packaged_spans import to_csv
from data.visual_relations import annotations
from data.visual_relations.annotations import Box, Part, Relation

DATA = "the visual relations"  # in messages
CLASS_OF = {
    "ride": "ride",
    "carry": "carry",
    **dict.fromkeys(("cover", "fly", "look", "lying on", "park on", "sit on", "stand on"), "other"),
}
PARTS: tuple[tuple[str, Part], ...] = (("span-1", "train"), ("test", "test"))
UNKNOWN = "other"  # supercategory of a category that the table lacks


def lay_out(folder: str, source: str | None = None) -> None:
    """Writes the relations under `folder`, all of them or none.

    A folder that already holds exactly this data is left as it is.

    Args:
        folder: where they go.
        source: folder of the annotation files.

    Raises:
        InputError: `source` or a file in it is missing, has another checksum or another format, or
            `folder` holds something else.
    """
    files = {
        f"{name}/data.csv": _table(annotations.read(source, part, CLASS_OF)) for name, part in PARTS
    }
    packaged_spans.lay_out(files, folder, DATA)


def _table(relations: list[Relation]) -> str:
    rows = [row(relation) for relation in relations]
    return to_csv([list(rows[0]), *(list(cells.values()) for cells in rows)])


def row(relation: Relation) -> dict[str, str]:
    """The cells of a relation by column, as the contract describes them."""
    kinds, subject = supercategories(), relation.subject
    numbers = geometry(relation.subject_box, relation.object_box)
    return {
        "image": relation.image,
        "subject": subject,
        "object": relation.object,
        "subject_supercategory": kinds.get(subject, UNKNOWN),
        "object_supercategory": kinds.get(relation.object, UNKNOWN),
        "subject_kind": "person" if subject == "person" else "other",
        **{column: f"{value:.6f}" for column, value in numbers.items()},
        "relation": CLASS_OF[relation.predicate],
    }


def geometry(subject: Box, other: Box) -> dict[str, float]:
    """Sizes and positions of the two boxes, and where one is as seen from the other.

    Positions are those of the middles, in widths and heights of the image; offsets are from the
    subject to the object, in widths and heights of the subject, to the right and downwards.
    """
    wide, high = subject.right - subject.left, subject.bottom - subject.top
    other_wide, other_high = other.right - other.left, other.bottom - other.top
    area, other_area = wide * high, other_wide * other_high
    shared = _length(subject.left, subject.right, other.left, other.right) * _length(
        subject.top, subject.bottom, other.top, other.bottom
    )
    x, y = subject.left + wide / 2, subject.top + high / 2
    other_x, other_y = other.left + other_wide / 2, other.top + other_high / 2
    return {
        "subject_x": x,
        "subject_y": y,
        "subject_width": wide,
        "subject_height": high,
        "subject_area": area,
        "object_x": other_x,
        "object_y": other_y,
        "object_width": other_wide,
        "object_height": other_high,
        "overlap": shared / (area + other_area - shared),
        "subject_inside": shared / area,
        "object_inside": shared / other_area,
        "offset_x": (other_x - x) / wide,
        "offset_y": (other_y - y) / high,
        "offset_bottom": (other.bottom - subject.bottom) / high,
        "area_ratio": other_area / area,
    }


def _length(start: float, end: float, other_start: float, other_end: float) -> float:
    """Of the part that two intervals have in common."""
    return max(0.0, min(end, other_end) - max(start, other_start))


@cache
def supercategories() -> Mapping[str, str]:
    """By category: what it is a kind of, after COCO's supercategories."""
    path = Path(__file__).with_name("supercategories.csv")
    with open(path, encoding="utf-8", newline="") as file:
        return {row["category"]: row["supercategory"] for row in csv.DictReader(file)}
