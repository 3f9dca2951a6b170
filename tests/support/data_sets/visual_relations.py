"""A small set of visual relations in the format of the published VRD files."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from data.visual_relations.annotations import OWN_SUMS

OBJECTS = ["person", "bike", "horse", "skateboard", "bag", "chair", "phone", "umbrella", "street"]
PREDICATES = ["wear", "ride", "carry", "sit on", "look", "cover", "stand on"]
WIDTH, HEIGHT = 800, 600

# Subject, predicate, object, and where the object is as seen from the subject, in its sizes.
SCENES = (
    ("person", "ride", "bike", 0.4, 1.0),
    ("person", "ride", "horse", 0.4, 1.2),
    ("person", "ride", "skateboard", 0.5, 0.3),
    ("person", "carry", "bag", 0.0, 0.3),
    ("person", "carry", "skateboard", 0.0, 0.4),
    ("horse", "carry", "person", -0.4, 0.8),
    ("person", "sit on", "chair", 0.3, 0.8),
    ("person", "look", "phone", -0.1, 0.1),
    ("umbrella", "cover", "person", 0.6, 1.5),
    ("person", "stand on", "street", 0.5, 2.0),
    ("person", "wear", "bag", 0.1, 0.2),  # no predicate of the task
)


def write(folder: Path, train: int = 600, test: int = 240) -> Path:
    """Writes the six files and the list of their checksums; the folder.

    Args:
        folder: is made.
        train: images of the training part, with one relation each.
        test: images of the test part.
    """
    folder.mkdir(parents=True)
    draw = np.random.default_rng(1)
    write_json(folder, "objects.json", OBJECTS)
    write_json(folder, "predicates.json", PREDICATES)
    for part, count in (("train", train), ("test", test)):
        images = [f"{part}-{number}.jpg" for number in range(count)]
        relations = {image: [relation(n, draw)] for n, image in enumerate(images)}
        sizes = {image: {"width": WIDTH, "height": HEIGHT} for image in images}
        write_json(folder, f"annotations_{part}.json", relations)
        write_json(folder, f"{part}_image_metadata.json", sizes)
    return folder


def write_json(folder: Path, name: str, values: Any) -> None:
    """Writes one of the files, and the list of checksums anew."""
    (folder / name).write_text(json.dumps(values))
    sums = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
        for path in sorted(folder.glob("*.json"))
    ]
    (folder / OWN_SUMS).write_text("".join(sums))


def relation(number: int, draw: np.random.Generator) -> dict[str, Any]:
    """A relation of the scene whose turn it is, somewhere in the image.

    In every tenth round who rides is said to sit, as in the published set.
    """
    subject, predicate, other, below, size = SCENES[number % len(SCENES)]
    if predicate == "ride" and number // len(SCENES) % 10 == 9:
        predicate = "sit on"
    wide, high = draw.uniform(60, 120), draw.uniform(100, 180)
    x, y = draw.uniform(250, 550), draw.uniform(220, 330)
    other_y = y + (below + draw.uniform(-0.05, 0.05)) * high
    scale = size * draw.uniform(0.9, 1.1)
    return {
        "predicate": PREDICATES.index(predicate),
        "subject": {"category": OBJECTS.index(subject), "bbox": bbox(x, y, wide, high)},
        "object": {
            "category": OBJECTS.index(other),
            "bbox": bbox(x, other_y, wide * scale, high * scale),
        },
    }


def bbox(x: float, y: float, wide: float, high: float) -> list[int]:
    """[ymin, ymax, xmin, xmax] around a middle, within the image."""
    edges = (
        max(0.0, y - high / 2),
        min(HEIGHT, y + high / 2),
        max(0.0, x - wide / 2),
        min(WIDTH, x + wide / 2),
    )
    return [round(edge) for edge in edges]
